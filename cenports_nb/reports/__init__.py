"""Report notebooks: find, run and publish them as notebook, page and files.

find_report ─▶ check_parameters ─▶ run_report ─▶ ReportRun       paths, files and result
                                              └▶ ReportError     where it stopped; the notebook so far is kept
"""

from cenports_nb.reports.archived_inputs import ArchivedInputs, read_archived_inputs
from cenports_nb.reports.catalogue import Report, find_notebook_folder, find_report, find_sample_count, list_reports
from cenports_nb.reports.failure import ReportError
from cenports_nb.reports.html_page import render_page
from cenports_nb.reports.kernel import CellProgress
from cenports_nb.reports.parameters import check_parameters
from cenports_nb.reports.result import ReportRun
from cenports_nb.reports.run import run_report
from cenports_nb.reports.run_inputs import FrozenInputs, find_earlier_run, freeze_inputs

__all__ = [
    "ArchivedInputs",
    "CellProgress",
    "FrozenInputs",
    "Report",
    "ReportError",
    "ReportRun",
    "check_parameters",
    "find_earlier_run",
    "find_notebook_folder",
    "find_report",
    "find_sample_count",
    "freeze_inputs",
    "list_reports",
    "read_archived_inputs",
    "render_page",
    "run_report",
]
