"""`create_channel`: validate a new sales channel, send it once, return its id."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from cenports_nb.api.request_schema import CALL_TABLES, find_objections
from cenports_nb.errors import ApiError, CenportsError, InvalidRequestError, TransportError, UnexpectedAnswerError
from cenports_nb.frames.decoding.rejects import snake_case
from cenports_nb.submissions.context import require_one_client

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

CREATE_CHANNEL = "POST /channels"
MAX_LOGO_BYTES = 2 * 2**20
"""Maximum size of a logo; it is sent as text, a third longer, in one request."""

MAGIC_BYTES = {".png": b"\x89PNG\r\n\x1a\n", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff"}
LOGO_SUFFIXES = (*MAGIC_BYTES, ".svg")
CHECK_FIRST = "look with load_channels(client, refresh=True) before you create it again"


def create_channel(
    client: Client,
    channel_name: str,
    *,
    channel_id: str | None = None,
    contact_email: str | None = None,
    contact_phone: str | None = None,
    contact_info: Mapping[str, str],
    bill_info: Mapping[str, str] | None = None,
    logo: str | Path | None = None,
) -> str:
    """Create a sales channel with POST /channels, and return its id.

    It is sent once and never repeated automatically, because a channel can't be deleted. The call is synchronous, so
    the journal doesn't record it.

    Args:
        client: A client that is not read-only.
        channel_name: The name of the channel.
        channel_id: Its id, which must be unused; by default Cenports generates one.
        contact_email: Required unless `contact_phone` is given.
        contact_phone: See `contact_email`.
        contact_info: `address city state country postal_code`; the country is a two-letter code.
        bill_info: Any of `name email phone address city state country postal_code`.
        logo: A .jpg, .jpeg, .png or .svg file for labels and packing slips.

    Raises:
        ReadOnlyError: The client is read-only; nothing was sent.
        InvalidRequestError: A value can't be sent (nothing was), or Cenports refused it with 422.
        TransportError: No answer: it is unknown whether the channel was created; the message says how to find out.
        UnexpectedAnswerError: An answer without an id: the channel may have been created.

    Example:
        >>> address = {"address": "1 Main St", "city": "Chicago", "state": "IL", "country": "US", "postal_code": "60601"}
        >>> cn.create_channel(client, "Web shop", channel_id="WEB", contact_email="shop@example.com", contact_info=address)
        'WEB'
    """
    require_one_client(client, "create_channel").check_writable("create_channel")
    optional = {
        "channelId": channel_id,
        "contactEmail": contact_email,
        "contactPhone": contact_phone,
        "billInfo": None if bill_info is None else _translate_keys(bill_info, "bill_info"),
        "logo": None if logo is None else _read_logo(logo),
    }
    body: dict[str, Any] = {
        "channelName": channel_name,
        "contactInfo": _translate_keys(contact_info, "contact_info"),
        **{name: value for name, value in optional.items() if value is not None},
    }
    _check(client, body)
    write_id = f"channel-{uuid4()}"
    client.write_started(write_id)
    try:
        answer = client.send("POST", "/channels", body)
    except CenportsError as error:
        if not _may_have_arrived(error):
            client.write_ended(write_id)
            raise
        # The write counts as open until it must have taken effect, so that no earlier list of channels is cached.
        raise TransportError(
            f"Whether the channel was created is not known, as no usable answer came: {CHECK_FIRST}."
        ) from error
    client.write_ended(write_id)
    return _read_channel_id(answer.body)


def _check(client: Client, body: Mapping[str, Any]) -> None:
    """Check all fields at once, without quoting values, which may be personal."""
    errors: dict[str, list[str]] = {}
    for found in find_objections(
        CREATE_CHANNEL, {"partnerId": client.settings.partner_id, **body}, client.dialect.sizes
    ):
        errors.setdefault(".".join(snake_case(str(step)) for step in found.path), []).append(found.reason)
    if not body.get("contactEmail") and not body.get("contactPhone"):
        errors.setdefault("contact_email", []).append("or contact_phone is needed")
    if errors:
        text = "; ".join(f"{location} {reasons[0]}" for location, reasons in errors.items())
        raise InvalidRequestError(f"The channel can't be created: {text}. Nothing was sent.", errors=errors, sent=False)


def _translate_keys(given: Mapping[str, str], what: str) -> dict[str, str]:
    """Convert keys such as `postal_code` to the reference's names.

    Raises:
        InvalidRequestError: It isn't a mapping, or has a key that the call lacks.
    """
    group = {"contact_info": "contactInfo", "bill_info": "billInfo"}[what]
    fields = [path.partition(".")[2] for path in CALL_TABLES[CREATE_CHANNEL] if path.startswith(f"{group}.")]
    names = {snake_case(field): field for field in fields}
    if not isinstance(given, Mapping):
        raise InvalidRequestError(f"{what} must be a mapping with {', '.join(names)}, not {type(given).__name__}.")
    for key in given:
        if key not in names:
            near = difflib.get_close_matches(snake_case(str(key)), names, 1, 0.5)
            hint = f"{near[0]} is meant" if near else f"it has {', '.join(names)}"
            raise InvalidRequestError(f"{what} has no {str(key)[:40]!r}: {hint}. Nothing was sent.", sent=False)
    return {names[key]: value for key, value in given.items() if value is not None}


def _read_logo(path: str | Path) -> str:
    """Read a picture as base64; its first bytes must match its suffix."""
    file = Path(path)
    kind = file.suffix.lower()
    if kind not in LOGO_SUFFIXES:
        raise InvalidRequestError(f"The logo {file.name!r} has no known ending: use one of {', '.join(LOGO_SUFFIXES)}.")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidRequestError(f"The logo {file.name!r} can't be read: {error.strerror}.") from None
    is_such = b"<svg" in content[:4096] if kind == ".svg" else content.startswith(MAGIC_BYTES[kind])
    if not is_such:
        raise InvalidRequestError(
            f"The logo {file.name!r} is no {kind[1:]} by its first bytes: save it as {kind[1:]}, or name it as it is."
        )
    if len(content) > MAX_LOGO_BYTES:
        raise InvalidRequestError(
            f"The logo {file.name!r} has {len(content):,} bytes: make it smaller than {MAX_LOGO_BYTES:,}."
        )
    return base64.b64encode(content).decode()


def _may_have_arrived(error: CenportsError) -> bool:
    """Return whether an error leaves it open if the channel was created."""
    if isinstance(error, ApiError):
        return error.status >= 500 or error.status == 200
    return error.reached and isinstance(error, TransportError | UnexpectedAnswerError)


def _read_channel_id(body: bytes) -> str:
    """Read the id from the answer, however its `channelName` is spelled.

    Raises:
        UnexpectedAnswerError: There is no id.
    """
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        found = None
    data = found.get("data") if isinstance(found, dict) else None
    made = data.get("channelId") if isinstance(data, dict) else None
    if isinstance(made, int) and not isinstance(made, bool):
        made = str(made)
    if not isinstance(made, str) or not made.strip():
        raise UnexpectedAnswerError(f"POST /channels was answered without a channelId: it may be there, {CHECK_FIRST}.")
    return made
