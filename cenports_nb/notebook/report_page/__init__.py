"""Report pages: the parts of the shipped reports, for reports of your own.

page = report_page.begin_report("my-report", client, out=out, rows=15)
report_page.headline({"orders": len(orders)})
report_page.show_origin({"orders": orders})
"""

import lazy_loader

# Loaded at first use: a run needs only `attachments`, without matplotlib.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "accounts": ["ReportAccounts", "connect_accounts"],
        "chart_image": ["Chart", "chart"],
        "elements": ["Headline", "headline", "note", "section", "table"],
        "origin_section": ["record_outcomes", "show_origin"],
        "page": ["ReportPage", "begin_report", "refuse_submit"],
    },
)
