"""Report notebooks: found, run, put in their place as notebook, page and files.

find_report ─▶ check_parameters ─▶ run_report ─▶ ReportRun       what was left behind
                                              └▶ ReportError     where it stopped; the notebook so far is kept
"""

from cenports_nb.reports.catalogue import Report, find_report, find_notebook_folder, list_reports, find_sample_count
from cenports_nb.reports.failure import ReportError
from cenports_nb.reports.html import render_page
from cenports_nb.reports.parameters import check_parameters
from cenports_nb.reports.progress import CellProgress
from cenports_nb.reports.result import ReportRun, exit_code_of
from cenports_nb.reports.run import run_report
from cenports_nb.reports.run_inputs import FrozenInputs, find_earlier_run, freeze_inputs

__all__ = [
    "Frozen",
    "Report",
    "ReportError",
    "ReportRun",
    "Step",
    "check_parameters",
    "earlier_run",
    "exit_code_of",
    "find_report",
    "freeze",
    "notebook_folder",
    "page_of",
    "reports",
    "run_report",
    "sample_count",
]
