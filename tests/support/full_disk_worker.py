"""Load and write in a process whose files can't grow past a size; tell what came of it.

Arguments: address, home, largest file in bytes, whether a first load comes before that.
"""

import json
import os
import resource
import sys
import warnings

import pandas as pd

import cenports_nb as cn

url, home, size, first = sys.argv[1:]
os.environ["CENPORTS_HOME"] = home
keys = {"partner_id": "P-1", "client_id": "id-1", "client_secret": "secret-that-nobody-may-see"}
client = cn.connect("staging", base_url=url, rate_limit=100_000, **keys)
if first == "yes":
    cn.load_channels(client)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
reported = {}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    reported["orders"] = len(cn.load_orders(client, "2026-03-01", "2026-03-02", refresh=True))
    for _ in range(3):
        actual = cn.load_actual_stock(client)
    reported["stock"] = len(actual)
    counts = pd.DataFrame({"warehouse_code": ["W"], "product_sku": ["A"], "quantity": [6]})
    try:
        cn.submit_updates(client, cn.build_true_up(counts, actual))
        reported["submit"] = "sent"
    except cn.CenportsError as error:
        reported["submit"] = f"{type(error).__name__}: {error}"
    client.api.update_inventories(
        warehouse_code="W", inventories=[{"productSKU": "A", "quantity": 6, "type": "TRUE_UP"}]
    )
    reported["stock again"] = len(cn.load_actual_stock(client))
reported["warnings"] = [f"{one.category.__name__}: {one.message}" for one in caught]
print(json.dumps(reported))
