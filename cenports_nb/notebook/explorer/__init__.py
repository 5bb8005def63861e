"""OrderExplorer: search, filter and open orders."""
