"""A process of its own that submits one frame: `python sending_worker.py URL`."""

import sys

import cenports_nb as cn
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID

with cn.connect(
    "staging", base_url=sys.argv[1], partner_id=PARTNER_ID, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, rate_limit=100_000,
    cache=False,
) as client:  # fmt: skip
    actual = cn.load_actual_stock(client).query("not is_discontinued")
    changes = actual[["warehouse_code", "product_sku"]].assign(quantity=1)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        submission = cn.submit_updates(client, cn.build_differential(changes, actual), batch_size=3, progress=False)
        print("sent", len(submission.outcomes), flush=True)
    except cn.errors.GuardRailError as error:
        print("refused", *sorted(set(error.objections["guard"])), flush=True)
