"""Report notebooks: find, run and publish them as notebook, page and files.

find_report ─▶ check_parameters ─▶ run_report ─▶ ReportRun       paths, files and result
                                              └▶ ReportError     where it stopped; the notebook so far is kept
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
