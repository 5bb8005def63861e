"""The state of the sandbox account: orders, shipments, stock, channels, transactions."""
