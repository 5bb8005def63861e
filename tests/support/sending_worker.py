"""A process that submits one frame when it is let go, and answers through a pipe."""

from __future__ import annotations

from multiprocessing.connection import Connection

import cenports_nb as cn
from support.forked import connect


def submit(url: str, pipe: Connection) -> None:
    """Load, say `ready`, wait for any word, and submit; answer `sent` or the guards that refused."""
    with connect(url, cache=False) as client:
        actual = cn.load_actual_stock(client).query("not is_discontinued")
        changes = actual[["warehouse_code", "product_sku"]].assign(quantity=1)
        pipe.send("ready")
        pipe.recv()
        try:
            cn.submit_updates(client, cn.build_differential(changes, actual), batch_size=3, progress=False)
            pipe.send("sent")
        except cn.errors.GuardRailError as error:
            pipe.send(f"refused: {', '.join(sorted(set(error.objections['guard'])))}")
