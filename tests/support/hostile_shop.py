"""A shop in which every name is an attack: SKUs, products, channels, order numbers, what Cenports says of them."""

from __future__ import annotations

import json
from pathlib import Path

IMAGE = '<img src=x onerror="window.hacked=1">'
SCRIPT = "</td></table></script><script>window.hacked=1</script>"
FORMULA = r"$\href{javascript:window.hacked=1}{click}$"
BROKEN = r"$\frac{1}{$ costs $5_"
HOSTILE = (IMAGE, SCRIPT, FORMULA, BROKEN)

WAREHOUSE = f"W{IMAGE}"
CHANNEL = f"C{SCRIPT}"


def write_shop(folder: Path) -> None:
    """Write a data folder for the sandbox: a SKU, an order and a shipment for each kind of attack, in one channel."""
    folder.mkdir()
    orders = [_order(number, text) for number, text in enumerate(HOSTILE)]
    (folder / "orders.jsonl").write_text("".join(json.dumps(order) + "\n" for order in orders))
    shelf = [
        {"productSku": text, "productName": text, "quantity": "30", "retailerSku": text, "isDiscontinued": False}
        for text in HOSTILE
    ]
    warehouse = {"warehouseCode": WAREHOUSE, "warehouseName": IMAGE, "warehouseInventory": shelf}
    (folder / "inventories.json").write_text(json.dumps([warehouse]))
    (folder / "channels.json").write_text(json.dumps([{"channelId": CHANNEL, "channelName": IMAGE, "location": IMAGE}]))
    sent = [
        {"orderNo": order["orderNo"], "channelId": CHANNEL, "shipDate": "2026-01-05T12:00:00Z", "trackingNumber": IMAGE}
        for order in orders[:2]
    ]
    (folder / "shipments.jsonl").write_text("".join(json.dumps(one) + "\n" for one in sent))


def _order(number: int, text: str) -> dict[str, object]:
    line = {"lineItem": "1", "productSku": text, "productName": text, "quantity": 40, "price": 2.5, "status": text}
    return {
        "orderNo": f"{number}{text}", "orderDate": f"2026-01-0{number + 1}T10:00:00Z", "channel": text, "channelId": CHANNEL,
        "customerName": text, "status": text, "lineItems": [{**line, "shipFromWarehouseCode": WAREHOUSE}],
        "shipTo": {"city": text, "state": text}, "notes": {"retailerMsg": text}, "pricing": {"grandTotal": 100.0},
    }  # fmt: skip


CELLS = (
    """
import warnings
import cenports_nb as cn
from cenports_nb.sandbox import Sandbox
sandbox = Sandbox(data="shop", shift=False, rate_limit=None).start()
client = cn.connect("sandbox", base_url=sandbox.url, rate_limit=100000)
days = ("2026-01-01", "2026-01-31")
orders = cn.load_orders(client, *days, with_acknowledged=True)
lines = cn.load_line_items(client, *days)
shipments = cn.load_shipments(client, *days)
actual, available = cn.load_actual_stock(client), cn.load_available_stock(client)
channels = cn.load_channels(client)
channel = channels["channel_id"][0]
for frame in (orders, cn.show_pii(orders), lines, shipments, actual, available, channels, orders["order_no"]):
    display(frame)
display(client, cn.provenance(cn.load_orders(client, *days, channel_id=channel)))
""",
    """
counts = actual[["warehouse_code", "product_sku", "quantity"]].assign(quantity=[31, 32, 33, 34])
updates = cn.build_true_up(counts, actual, reason=actual["product_sku"][0], reference=actual["product_sku"][2])
fault = sandbox.faults.add("failed_rows", "PATCH /inventories", rows=(0, 1, 2, 3), message=" ".join(actual["product_sku"]))
submission = cn.submit_updates(client, updates)
tracker = cn.TransactionTracker(submission)
display(tracker)
""",
    """
submission.wait(progress=False)
display(submission)
""",
    """
from matplotlib import pyplot as plt
diff = cn.diff_stock(actual, available, open_items=lines)
cn.plot_stock(diff, title=diff["product_sku"][3])
cn.plot_demand(diff)
cn.plot_cover(cn.stock_cover(lines, available, as_of="2026-01-28"))
cn.plot_orders(lines, start="2026-01-03", end="2026-01-05", title=diff["product_sku"][0])
cn.plot_ages(cn.order_ages(orders, lines, now="2026-01-28T08:00Z"))
ax = cn.plot_outcomes(submission)
""",
    """
calls = (
    lambda: cn.load_orders(client, *days, channel_id=actual["product_sku"][0]),
    lambda: cn.submit_updates(client, updates.assign(quantity=1)),
    lambda: cn.load_orders(client, last=actual["product_sku"][1]),
)
for call in calls:
    try:
        call()
    except cn.CenportsError:
        get_ipython().showtraceback()
from IPython.display import HTML
display(HTML('<p class="formula">$x$</p>'))
print("the end")
""",
)
"""A notebook that shows all of it: frames, notes, a tracker, charts, errors."""
