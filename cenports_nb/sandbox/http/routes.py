"""The end points, as a table: what answers, and where its parameters travel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cenports_nb.sandbox.dialect import Dialect, Place
from cenports_nb.sandbox.http import read_endpoints, write_endpoints
from cenports_nb.sandbox.http.call import Call
from cenports_nb.sandbox.http.replies import Reply


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
    "/authorize": {"POST": Route(write_endpoints.authorize, needs_token=False)},
    "/orders": {
        "GET": Route(read_endpoints.get_orders, _get),
        "POST": Route(write_endpoints.post_orders, submits=True),
    },
    "/orders/acknowledge": {"PATCH": Route(write_endpoints.acknowledge_orders)},
    "/channels": {"GET": Route(read_endpoints.get_channels, _channels), "POST": Route(write_endpoints.post_channels)},
    "/shipments": {"GET": Route(read_endpoints.get_shipments, _get, arrays=("orders",))},
    "/shipments/acknowledge": {"PATCH": Route(write_endpoints.acknowledge_shipments, submits=True)},
    "/inventories": {
        "GET": Route(read_endpoints.get_inventories, _get),
        "PATCH": Route(write_endpoints.patch_inventories, submits=True),
    },
    "/transaction": {"GET": Route(read_endpoints.get_transaction, _get)},
}
