"""OrderExplorer: search orders, open one."""
