"""What cells and pages run in JupyterLab for more than one test."""

from cenports_nb.sandbox import Sandbox
from support.order_frames import CLOSING, NAUGHTY

HURRY = """
from datetime import timedelta
from cenports_nb.submissions.tracking import poller
poller.FIRST_POLL_SECONDS = 0.1
client.sandbox.state.transactions._life = timedelta(seconds=0.2)
"""
"""Lines after `connect` where nobody looks at what is under way: seconds of waiting less."""

CONNECT = """
import cenports_nb as cn
client = cn.connect("sandbox")
"""

SUBMIT = """
actual = cn.load_actual_stock(client)
counts = actual.groupby("warehouse_code").head(2)[["warehouse_code", "product_sku", "quantity"]]
counts = counts.assign(quantity=counts["quantity"] + 3)
naughty = "<img src=x onerror=document.title='ran'>"
counts.loc[len(actual)] = [counts["warehouse_code"].iloc[0], naughty, 1]
updates = cn.build_true_up(counts, actual)
submission = cn.submit_updates(client, updates, allow=["unknown_sku", "discontinued"])
cn.TransactionTracker(submission)
"""
"""A cell that submits a few rows, one of which must fail, and shows the tracker."""


def submit_to(sandbox: Sandbox, *, poll_seconds: float = 0.3) -> str:
    """Write that cell for a sandbox outside of the kernel, whose clock says when the transactions end."""
    connect = CONNECT.replace('"sandbox"', f'"sandbox", base_url="{sandbox.url}"')
    hurry = (
        "from cenports_nb.submissions.tracking import poller\npoller.FIRST_POLL_SECONDS = poller.MAX_POLL_SECONDS = "
    )
    return f"{connect}{hurry}{poll_seconds}{SUBMIT}"


EXPLORER = f"""
import warnings
import cenports_nb as cn
warnings.simplefilter("error")
client = cn.connect("sandbox", time_zone="America/New_York")
orders = cn.load_orders(client, last="120D", with_acknowledged=True)
line_items = cn.load_line_items(client, last="120D", with_acknowledged=True)
shipments = cn.load_shipments(client, last="60D")
naughty, closing = {NAUGHTY!r}, {CLOSING!r}
worst = orders["order_no"] == "11068"
orders.loc[worst, ["order_no", "channel", "status", "ship_to_city", "contact_name"]] = [naughty, closing, naughty, naughty, closing]
orders.loc[worst, "ship_to_state"] = "=1+1"
line_items.loc[line_items["order_no"] == "11068", ["order_no", "product_sku", "product_name"]] = [naughty, naughty, closing]
sent = shipments.iloc[[0]].assign(order_no=naughty, channel_id=orders.loc[worst, "channel_id"].iloc[0], tracking_number=closing)
import pandas as pd
shipments = pd.concat([shipments, sent])
explorer = cn.OrderExplorer(orders, line_items, shipments)
warnings.simplefilter("default")  # or the kernel would stumble over one at its end
"""
"""A cell that makes an explorer of orders, one of which has hostile names."""


CONTRAST = """
node => {
  const rgba = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], below) => [r, g, b].map((v, i) => v * a + below[i] * (1 - a));
  const light = colour => colour.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const layers = [];
  let faded = 1;
  for (let at = node; at; at = at.parentElement) {
    layers.push(rgba(getComputedStyle(at).backgroundColor));
    faded *= Number(getComputedStyle(at).opacity);
  }
  const behind = layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  const [r, g, b, a] = rgba(getComputedStyle(node).color);
  const two = [over([r, g, b, a * faded], behind), behind].map(light);
  return (Math.max(...two) + .05) / (Math.min(...two) + .05);
}
"""
"""How far a text stands out from what is behind it, as the accessibility guidelines measure it."""

FILTER_MS = """
async ([text, expected]) => {
  const grid = document.querySelector(".cn-grid"), search = grid.querySelector("input[type=search]");
  const begin = performance.now();
  search.value = text;
  search.dispatchEvent(new Event("input", {bubbles: true}));
  while (!grid.querySelector("[role=status]").textContent.includes(expected)) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - begin;
}
"""
"""How long a search takes: from the typing of a text until the status tells of it."""

RENDER_MS = """
async () => {
  const begin = performance.now();
  await window.jupyterapp.commands.execute("notebook:run-cell");
  while (!document.querySelector(".cn-grid .cn-body [role=row]")) await new Promise(requestAnimationFrame);
  return performance.now() - begin;
}
"""
"""How long a grid takes to be drawn again."""
