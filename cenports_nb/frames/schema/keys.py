"""The key columns of each frame."""

ORDER_KEYS = ["channel_id", "order_no"]
LINE_ITEM_KEYS = [*ORDER_KEYS, "line_item"]
STOCK_KEYS = ["warehouse_code", "product_sku"]
CHANNEL_STOCK_KEYS = ["channel_id", *STOCK_KEYS]
LINE_STOCK_KEYS = ["ship_from_warehouse_code", "product_sku"]
"""`STOCK_KEYS`, as line items name them."""
