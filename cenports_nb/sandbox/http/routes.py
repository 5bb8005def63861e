"""The table of end points: the function that answers, and where its parameters are read."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from cenports_nb.sandbox.dialect import Dialect, ParameterSource
from cenports_nb.sandbox.http import read_endpoints, write_endpoints
from cenports_nb.sandbox.http.endpoint_request import EndpointRequest
from cenports_nb.sandbox.http.responses import Response


@dataclass(frozen=True)
class Route:
    """One end point.

    Attributes:
        answer: Builds the response.
        source: Where the parameters are read, by the dialect.
        needs_token: Whether it refuses requests without a valid token.
        arrays: Parameters that are lists, also in a query.
        makes_transaction: Whether it responds with a transaction, which applies the rows later.
    """

    answer: Callable[[EndpointRequest], Response]
    source: Callable[[Dialect], ParameterSource] = lambda _: "body"
    needs_token: bool = True
    arrays: tuple[str, ...] = ()
    makes_transaction: bool = False


_GET: Final = attrgetter("get_parameters")
_CHANNELS: Final = attrgetter("channel_parameters")

ROUTES: Final[dict[str, dict[str, Route]]] = {
    "/authorize": {"POST": Route(write_endpoints.authorize, needs_token=False)},
    "/orders": {
        "GET": Route(read_endpoints.get_orders, _GET),
        "POST": Route(write_endpoints.post_orders, makes_transaction=True),
    },
    "/orders/acknowledge": {"PATCH": Route(write_endpoints.acknowledge_orders)},
    "/channels": {"GET": Route(read_endpoints.get_channels, _CHANNELS), "POST": Route(write_endpoints.post_channels)},
    "/shipments": {"GET": Route(read_endpoints.get_shipments, _GET, arrays=("orders",))},
    "/shipments/acknowledge": {"PATCH": Route(write_endpoints.acknowledge_shipments, makes_transaction=True)},
    "/inventories": {
        "GET": Route(read_endpoints.get_inventories, _GET),
        "PATCH": Route(write_endpoints.patch_inventories, makes_transaction=True),
    },
    "/transaction": {"GET": Route(read_endpoints.get_transaction, _GET)},
}
