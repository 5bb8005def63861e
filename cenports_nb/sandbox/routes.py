"""The end points, as a table: what answers, and where its parameters travel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cenports_nb.sandbox import reads, writes
from cenports_nb.sandbox.call import Call
from cenports_nb.sandbox.dialect import Dialect, Place
from cenports_nb.sandbox.replies import Reply


def _body(_: Dialect) -> Place:
    return "body"


def _get(dialect: Dialect) -> Place:
    return dialect.get_parameters


def _channels(dialect: Dialect) -> Place:
    return dialect.channel_parameters


@dataclass(frozen=True)
class Route:
    """One end point."""

    answer: Callable[[Call], Reply]
    place: Callable[[Dialect], Place] = _body
    needs_token: bool = True
    arrays: tuple[str, ...] = ()  # parameters that are lists, whatever a query makes of them
    submits: bool = False  # makes a transaction


ROUTES: Final[dict[str, dict[str, Route]]] = {
    "/authorize": {"POST": Route(writes.authorize, needs_token=False)},
    "/orders": {"GET": Route(reads.get_orders, _get), "POST": Route(writes.post_orders, submits=True)},
    "/orders/acknowledge": {"PATCH": Route(writes.acknowledge_orders)},
    "/channels": {"GET": Route(reads.get_channels, _channels), "POST": Route(writes.post_channels)},
    "/shipments": {"GET": Route(reads.get_shipments, _get, arrays=("orders",))},
    "/shipments/acknowledge": {"PATCH": Route(writes.acknowledge_shipments, submits=True)},
    "/inventories": {
        "GET": Route(reads.get_inventories, _get),
        "PATCH": Route(writes.patch_inventories, submits=True),
    },
    "/transaction": {"GET": Route(reads.get_transaction, _get)},
}
