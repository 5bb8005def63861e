"""The end points, as a table: what answers, and where its parameters travel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from cenports_nb.sandbox import reads, writes
from cenports_nb.sandbox.call import Call
from cenports_nb.sandbox.replies import Reply


@dataclass(frozen=True)
class Route:
    """One end point."""

    answer: Callable[[Call], Reply]
    parameters: Literal["body", "query"] = "body"
    needs_token: bool = True


ROUTES: Final[dict[str, dict[str, Route]]] = {
    "/authorize": {"POST": Route(writes.authorize, needs_token=False)},
    "/orders": {"GET": Route(reads.get_orders), "POST": Route(writes.post_orders)},
    "/orders/acknowledge": {"PATCH": Route(writes.acknowledge_orders)},
    "/channels": {"GET": Route(reads.get_channels, parameters="query"), "POST": Route(writes.post_channels)},
    "/shipments": {"GET": Route(reads.get_shipments)},
    "/shipments/acknowledge": {"PATCH": Route(writes.acknowledge_shipments)},
    "/inventories": {"GET": Route(reads.get_inventories), "PATCH": Route(writes.patch_inventories)},
    "/transaction": {"GET": Route(reads.get_transaction)},
}
