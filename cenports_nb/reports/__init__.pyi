from .catalogue import Report, find_notebook_folder, find_report, find_sample_count, list_reports
from .failure import ReportError
from .html_page import render_page
from .kernel import CellProgress
from .parameters import check_parameters
from .result import ReportRun
from .run import run_report
from .run_inputs import ArchivedInputs, FrozenInputs, find_earlier_run, freeze_inputs, read_archived_inputs

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
