"""The dialect: how this sandbox answers the questions that the API's reference leaves open."""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_type_hints
from zoneinfo import ZoneInfo

ParameterSource = Literal["body", "query", "either"]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One answer to every open question; the defaults are what the reference makes most likely.

    Raises:
        ValueError: An invalid value; the message lists the valid ones.
    """

    get_parameters: ParameterSource = "body"
    """Where do GET /orders, /shipments, /inventories and /transaction read parameters? "either": the query first."""
    channel_parameters: ParameterSource = "query"
    """Where does GET /channels read them?"""
    page_parameter: ParameterSource = "either"
    """Where is `page` read?"""

    default_limit: int = 50
    """How many rows are returned if no limit is given? The FAQ says 30."""
    order_limit: int = 300
    """The largest limit of GET /orders; above it 422."""
    shipment_limit: int = 99
    """The largest limit of GET /shipments; above it 422."""
    order_cap: int | None = None
    """How many orders does an answer hold at most, whatever the limit, without saying so?"""
    shipment_cap: int | None = None
    """How many shipments?"""
    stock_cap: int | None = None
    """How many stock rows, in all warehouses together?"""
    channel_cap: int | None = None
    """How many channels?"""

    pages: Literal[
        "laravel", "links", "numbers", "next", "total", "none", "total_pages", "has_more", "page_info", "next_cursor",
        "per_page", "count", "x_total_count", "x_total_pages", "link",
    ] = "laravel"  # fmt: skip
    """What does `isPaginated: true` add? The first five are forms that Laravel uses, the last three are headers. `PAGED`
    lists those that allow a request for the next page."""
    pages_everywhere: bool = False
    """Are shipments, stock and channels paged too, without being asked?"""
    relative_links: bool = False
    """Do links to other pages lack scheme and host?"""

    end_included: bool = True
    """Is `endDate` itself part of the answer?"""
    time_zone: str = "UTC"
    """In what time zone do the server's days begin?"""
    date_meant: Literal["order", "entry"] = "order"
    """Does the filter of GET /orders compare the order's date, or the day on which it was entered?"""
    entry_days: int = 3
    """How many days after its date is an order entered, if the filter compares that day?"""
    order_dates: Literal["instant", "day"] = "instant"
    """Is `orderDate` an instant, or a day written as its midnight?"""
    sorting: Literal["oldest", "newest", "none"] = "oldest"
    """In what order do orders and shipments come? "none" is an arbitrary order, the same in every request."""
    repeats: bool = False
    """Does every tenth order of an answer without pages come twice?"""
    envelope: Literal["data", "list", "object", "data_object"] = "data"
    """What is around the orders? The "object" forms are for exactly one matching order; several come as "data"."""

    quantities: Literal["text", "number", "decimal_text", "decimal"] = "text"
    """How is a stock quantity written: "58", 58, "58.0" or 58.0?"""
    misspelt: bool = True
    """Are `nextAvailabileQuantity` and `channalName` really spelled so?"""
    line_numbers: Literal["text", "number", "missing"] = "text"
    """How is `lineItem` of an order's line written?"""

    token_life: float = 43_200
    """For how many seconds is a token accepted? The reference's text says 12 hours."""
    expires_in: int | None = 86_400
    """What does POST /authorize say about it? Its example says 24 hours."""
    token_exp: Literal["none", "field", "claim"] = "none"  # noqa: S105 - a location, not a secret
    """Where is the `exp` that the text mentions: nowhere, in the answer, or in the token?"""

    transaction_ids: Literal["mixed", "number", "text"] = "mixed"
    """Is the `id` of a transaction a number? "mixed": only that of PATCH /inventories."""
    handles: Literal["mixed", "upper", "lower", "differing"] = "mixed"
    """In which case is a handle written? "mixed": upper case from PATCH /inventories only. "differing": upper case in the
    answer to a write, lower case from GET /transaction."""
    handle_reuse: bool = False
    """Does a write that is sent while another one is open get the other one's handle?"""
    application_order: Literal["submission", "reverse"] = "submission"
    """In what order do open writes take effect? "reverse": the last one sent is first."""
    transaction_errors: Literal["objects", "pairs", "map", "texts", "text", "none"] = "objects"
    """What format do the `errors` of a FAILED transaction have? The reference's example is not JSON."""
    first_index: Literal[0, 1] = 0
    """What number does the first row have in `errors`?"""
    unknown_skus: Literal["transaction", "request"] = "transaction"
    """What fails on a stock row with an unknown SKU: the transaction, or the request, with 422?"""
    failed_applies: Literal["rest", "nothing"] = "rest"
    """Does a FAILED transaction apply its good rows?"""

    refusals: Literal["documented", "objects", "map", "not_json"] = "documented"
    """What format do the `errors` of a 400 have? "not_json" is the reference's example, character by character."""
    errors_as_200: bool = False
    """Do 400 and 422 come with HTTP status 200, and their code in the body?"""
    batch_most: int = 1000
    """How many items may one write hold?"""
    too_many: Literal[413, 422] = 422
    """How is a write with more items refused?"""
    sizes: Literal["documented", "nominal"] = "documented"
    """Does POST /orders enforce the documented sizes? "nominal": 20 digits and 255 characters for everything."""

    available_clamped: bool = False
    """Is available stock never below 0?"""
    available_scope: Literal["account", "channel"] = "account"
    """Whose open orders are subtracted from it?"""
    true_up_sets: Literal["actual", "available"] = "actual"
    """Which stock does a TRUE_UP set?"""
    lists_channels: Literal["all", "first"] = "all"
    """Does GET /channels omit old channels? "first": it omits all but the first, though they work elsewhere."""

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            value = getattr(self, name)
            if hint is bool and not isinstance(value, bool):
                raise ValueError(f"Dialect({name}={value!r}): use True or False.")
            if options := get_args(hint):
                if type(None) in options:
                    _check_minimum(name, value, 0 if name == "expires_in" else 1)
                elif value not in options:
                    raise ValueError(f"Dialect({name}={value!r}): use one of {', '.join(map(repr, options))}.")
        for name, least in (("default_limit", 1), ("order_limit", 1), ("shipment_limit", 1), ("batch_most", 1)):
            _check_minimum(name, getattr(self, name), least)
        _check_minimum("entry_days", self.entry_days, 0)
        _check_minimum("token_life", self.token_life, 0)
        if self.time_zone != "UTC":
            _check_time_zone(self.time_zone)

    def __repr__(self) -> str:
        """Show only what differs from the defaults."""
        changed = (
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        )
        return f"Dialect({', '.join(changed)})"


def _check_minimum(name: str, value: Any, least: int) -> None:
    if value is not None and value < least:
        raise ValueError(f"Dialect({name}={value!r}): use a number of at least {least}.")


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"Dialect(time_zone={name!r}): use a name like 'America/New_York'.") from error
