"""A frame's provenance and rejects: one JSON text in its `attrs`, because pandas copies those often."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.note import render_note
from cenports_nb.rendering.text import format_count

PROVENANCE_KEY = "cenports_nb"
ACCOUNTS_PARAM = "accounts"
"""The parameter of a frame of several accounts: the account key of each account name."""

ACCOUNT_KEY = "cenports_nb_account"
"""The key of the account in a frame of rejects, which has no provenance."""

QUOTED_VALUE = re.compile(r"(.* isn't [a-z ]+): (.+)", re.DOTALL)
"""A reason that ends in the value it is about: the reason, and the value, which may be anything."""


@dataclass(frozen=True)
class Reject:
    """A record that could not become a row.

    Attributes:
        record_index: Its position among the received records, from 0.
        key: Its order number or SKU.
        column: The column that it fails in.
        reason: Why.
        record: Its JSON, as received.
    """

    record_index: int
    key: str
    column: str
    reason: str
    record: str


@dataclass(frozen=True)
class Provenance:
    """Where a frame comes from; prints as a short table.

    Attributes:
        source: The end point.
        params: The arguments of the loader.
        environment: production, staging or sandbox.
        partner_id: The account's partner id.
        as_of: When the oldest answer used was fetched, UTC.
        requests: Answers fetched for this frame.
        cached: Answers taken from the cache.
        complete: False for a partial frame.
        rows: Rows of the frame when it was loaded.
        rejected: Records that could not become rows.
        outside: Rows removed because they are outside the requested days.
        package_version: The version of the package that made the frame.
    """

    source: str
    params: dict[str, Any]
    environment: str
    partner_id: str
    as_of: datetime | None
    requests: int
    cached: int
    complete: bool
    rows: int
    rejected: int
    outside: int
    package_version: str

    @property
    def account_key(self) -> str:
        """The account, environment and partner; empty for a file."""
        return build_account_key(self.environment, self.partner_id)

    def __str__(self) -> str:
        return "\n".join(f"{name:<16} {value}" for name, value in self._shown())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return render_note(f"Origin of {format_count(self.rows, 'row')}", dict(self._shown()))

    def _shown(self) -> list[tuple[str, str]]:
        shown = asdict(self)
        shown["as_of"] = f"{self.as_of:%Y-%m-%d %H:%M:%S} UTC" if self.as_of else "no answer used"
        shown["params"] = ", ".join(f"{name}={value}" for name, value in self.params.items()) or "none"
        shown["complete"] = "yes" if self.complete else "NO"
        return [
            (name.replace("_", " "), f"{value:,}" if type(value) is int else str(value))
            for name, value in shown.items()
        ]


Stored = TypeVar("Stored", bound="_Origin")


class _Origin(msgspec.Struct):
    provenance: Provenance


class _Stored(_Origin):
    rejected: list[Reject]


def check_frame(function: str, value: object) -> None:
    """Refuse what isn't a DataFrame.

    Raises:
        InvalidRequestError: It isn't one; the message names the function.
    """
    if not isinstance(value, pd.DataFrame):
        raise InvalidRequestError(f"{function} takes a DataFrame, not {type(value).__name__}.")


def attach(frame: pd.DataFrame, found: Provenance, rejects: tuple[Reject, ...]) -> pd.DataFrame:
    """Store provenance and rejects in a frame."""
    frame.attrs[PROVENANCE_KEY] = msgspec.json.encode(_Stored(found, list(rejects))).decode()
    return frame


def provenance(frame: pd.DataFrame) -> Provenance | None:
    """Return where a frame comes from; None if unknown.

    Example:
        >>> origin = cn.provenance(cn.load_orders(client, last="30D"))
        >>> origin.source, origin.complete, origin.rows
        ('GET /orders', True, 71)
    """
    check_frame("provenance", frame)
    stored = _read_attrs(frame, _Origin)  # without the rejects, which may be many
    return None if stored is None else stored.provenance


def describe_file(found: Provenance) -> str:
    """Describe which columns of a file a frame was read from."""
    columns = ", ".join(f"{name} from {header!r}" for name, header in found.params.items() if name != "sheet")
    sheet = f", sheet {found.params['sheet']!r}" if "sheet" in found.params else ""
    return f"{found.source}{sheet}: {columns}"


def read_time_zone(given: str | None, *frames: Any) -> str:
    """Return the zone of days: the given one, else the first that a frame was loaded in, else UTC."""
    if given is not None:
        return given
    origins = [provenance(frame) for frame in frames if isinstance(frame, pd.DataFrame)]
    return next((str(one.params["time_zone"]) for one in origins if one and one.params.get("time_zone")), "UTC")


def rejected(frame: pd.DataFrame) -> pd.DataFrame | None:
    """Return the records that could not become rows of a frame; None if unknown.

    Example:
        >>> len(cn.rejected(cn.load_orders(client, last="30D")))
        0
    """
    check_frame("rejected", frame)
    stored = _read_attrs(frame, _Stored)
    return None if stored is None else rejects_frame(tuple(stored.rejected), read_account(frame))


def list_rejects(frame: pd.DataFrame) -> list[Reject]:
    """List the records that could not become rows of a frame; empty if unknown."""
    stored = _read_attrs(frame, _Stored)
    return [] if stored is None else stored.rejected


def replace_rejects(frame: pd.DataFrame, rejects: pd.DataFrame) -> None:
    """Replace a frame's rejected records, for example by masked ones.

    Args:
        frame: From a loader; changed in place.
        rejects: From `rejected`, possibly with other values.
    """
    stored = _read_attrs(frame, _Stored)
    if stored is not None:
        rows = rejects[[name.name for name in fields(Reject)]].itertuples(index=False, name=None)
        attach(frame, stored.provenance, tuple(Reject(*row) for row in rows))


def read_account(frame: pd.DataFrame | pd.Series[Any]) -> str:
    """Return the account of a frame, environment and partner; empty if unknown."""
    stored = _read_attrs(frame, _Origin)
    return str(frame.attrs.get(ACCOUNT_KEY, "")) if stored is None else stored.provenance.account_key


def read_accounts(frame: pd.DataFrame) -> dict[str, str]:
    """Return the account key of each account name of a frame of several accounts; empty for other frames."""
    stored = _read_attrs(frame, _Origin)
    accounts = {} if stored is None else stored.provenance.params.get(ACCOUNTS_PARAM)
    return dict(accounts) if isinstance(accounts, dict) else {}


def replace_account(frame: pd.DataFrame, account_key: str) -> None:
    """Say of a frame, whose rows are of one account, which one it is; changed in place."""
    found = provenance(frame)
    if found is not None:
        environment, _, partner_id = account_key.partition("|")
        params = {name: value for name, value in found.params.items() if name != ACCOUNTS_PARAM}
        attach(frame, replace(found, params=params, environment=environment, partner_id=partner_id), ())


def build_account_key(environment: str, partner_id: str) -> str:
    """Name an account in one text; a frame from a file has none."""
    return f"{environment}|{partner_id}" if environment else ""


def rejects_frame(rejects: tuple[Reject, ...], account: str = "") -> pd.DataFrame:
    """Build a frame of rejects, `record_index key column reason record`, with its account."""
    frame = pd.DataFrame(
        {
            "record_index": pd.Series([item.record_index for item in rejects], dtype="int64"),
            **{
                name: pd.Series([getattr(item, name) for item in rejects], dtype="str")
                for name in ("key", "column", "reason", "record")
            },
        }
    )
    frame.attrs[ACCOUNT_KEY] = account
    return frame


def _read_attrs(frame: pd.DataFrame | pd.Series[Any], what: type[Stored]) -> Stored | None:
    text = frame.attrs.get(PROVENANCE_KEY)
    if not isinstance(text, str):
        return None
    try:
        return msgspec.json.decode(text, type=what)
    except msgspec.MsgspecError:
        return None
