"""The identity of an account: one text for all spellings of its address.

Cache, journal, rate limit, guards and locks compare this text. Two texts for one account would hide a repeated write from
the guards, so every spelling of the same address must give the same text.
"""

from __future__ import annotations

import contextlib
import ipaddress
import posixpath
import re
import socket
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

BASE_URLS = {
    "production": "https://api.cenports.io/v2",
    "staging": "https://stg.api.cenports.io/v2",
    "sandbox": "",  # started on loopback if no other is given
}
LOCALHOST = "localhost"
THIS_MACHINE = "127.0.0.1"
LOCALHOST_NAMES = frozenset({
    LOCALHOST, "localhost.localdomain", "localhost6", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback",
})  # fmt: skip
DEFAULT_PORTS = {"http": 80, "https": 443}
PATH_CHARACTERS = "/!$&'()*+,;=:@~"
"""Characters that a path may contain unescaped, besides letters, digits and `-._~`."""
NO_HOST = re.compile(r"[\s/?#@:\\\[\]%]")


def normalize_account(account: str, environment: str | None = None) -> str:
    """Normalize an account, `address|partner`, stored with any spelling of its address.

    Args:
        account: Address and partner id, separated by a bar.
        environment: Production or staging, if known: an address of this machine is then a recorder in front of it, and
            the account is the environment's own.
    """
    address, bar, partner = account.partition("|")
    if environment in ("production", "staging") and (not address or is_this_machine(address)):
        address = BASE_URLS[environment]
    return f"{normalize_address(address)}{bar}{partner}"


def split_account(account: str) -> tuple[str, str]:
    """Split an account into its address and its partner id."""
    address, _, partner = account.partition("|")
    return address, partner


def normalize_address(address: str) -> str:
    """Normalize an address to the one form for all its spellings; every name of this machine becomes 127.0.0.1.

    The form is for comparisons, in lower case; requests go to what `clean_address` returns.
    """
    return _format_address(address, is_identity=True)


def clean_address(address: str) -> str:
    """Return the plainest spelling of an address, with the same host."""
    return _format_address(address, is_identity=False)


def is_loopback(address: str) -> bool:
    """Return whether an address certainly stays on this machine; `127.example.co.uk` does not."""
    host = _read_host(address)
    if host == LOCALHOST:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_this_machine(address: str) -> bool:
    """Return whether an address is a name of this machine: loopback, the unspecified address, its host name."""
    return _name_host(_read_host(address)) == THIS_MACHINE


def _format_address(address: str, *, is_identity: bool) -> str:
    text = address.strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    scheme, host = parts.scheme.lower(), _read_host(text)
    if not scheme or not host:
        return text
    host = _name_host(host) if is_identity else host
    port = None
    with contextlib.suppress(ValueError):
        port = parts.port
    shown_port = "" if port in (None, DEFAULT_PORTS.get(scheme)) else f":{port}"
    path = _normalize_path(parts.path)
    cleaned = f"{scheme}://{f'[{host}]' if ':' in host else host}{shown_port}{path}"
    return cleaned.lower() if is_identity else cleaned


def _normalize_path(path: str) -> str:
    """Decode what need not be escaped, and remove empty and dot segments."""
    # By segment, because an escaped slash is not a separator.
    segments = [quote(unquote_to_bytes(segment), safe=PATH_CHARACTERS.replace("/", "")) for segment in path.split("/")]
    plain = posixpath.normpath("/" + "/".join(filter(None, segments)))
    return "" if plain == "/" else plain


def _read_host(address: str) -> str:
    """Return the host of an address in its plainest form; empty if it has none."""
    try:
        host = urlsplit(address.strip()).hostname or ""
    except ValueError:
        return ""
    if ":" in host:
        host = host.partition("%")[0]  # the zone of an IPv6 address
    else:
        decoded = unquote(host).lower()
        host = host if NO_HOST.search(decoded) else decoded
        host = _encode_international(host)
        host = ".".join(filter(None, host.split(".")))
    return _read_ip_address(host)


def _encode_international(host: str) -> str:
    """Encode a host in ASCII, as it is looked up."""
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - hardly any address needs it

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


def _read_ip_address(host: str) -> str:
    """Return an IP address in its usual form: resolvers read `127.1` and `0x7f000001` as 127.0.0.1."""
    try:
        if re.fullmatch(r"[0-9a-fx.]+", host) and host[:1].isdigit():
            return socket.inet_ntoa(socket.inet_aton(host))
        found = ipaddress.ip_address(host)
    except (ValueError, OSError):
        return host
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def _name_host(host: str) -> str:
    """Return the name of a host; all names of this machine become one."""
    if host in LOCALHOST_NAMES or host.endswith(f".{LOCALHOST}"):  # RFC 6761 keeps `*.localhost` on the machine
        return THIS_MACHINE
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        own = socket.gethostname().lower().rstrip(".")
        short = own.partition(".")[0]
        return THIS_MACHINE if host and host in {own, short, f"{short}.local"} else host
    return THIS_MACHINE if found.is_loopback or found.is_unspecified else host
