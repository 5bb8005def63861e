"""One account has one identity, however its address is spelled; two accounts never share one."""

import socket
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.account import clean_address, is_loopback, normalize_account, normalize_address
from cenports_nb.sandbox import Sandbox
from cenports_nb.settings import resolve_settings

KEYS = {"partner_id": "P-1", "client_id": "id-1", "client_secret": "very-secret"}
OWN_NAMES = (
    "localhost", "LOCALHOST", "localhost.", "localhost..", "127.0.0.1", "127.0.0.1.", "127.1", "127.9.8.7", "0x7f000001",
    "2130706433", "0177.0.0.1", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::1%25lo]", "0.0.0.0", "[::]",
    "%6cocalhost", "ｌｏｃａｌｈｏｓｔ", "tests.localhost", "localhost.localdomain", socket.gethostname(),
    socket.gethostname().upper(), f"{socket.gethostname().partition('.')[0]}.local",
)  # fmt: skip
HOSTS = st.sampled_from(
    ["api.cenports.io", "stg.api.cenports.io", "recorder.example", "10.0.0.7", "[2001:db8::7]", "xn--bcher-kva.example"]
)
PATHS = ("/v2", "/v2/", "//v2", "/v2//", "/%76%32", "/./v2", "/x/../v2/", "/V2", "/v2/.")


@st.composite
def _spellings(draw: st.DrawFn, host: str, scheme: str, port: int) -> str:
    """Spell an address of `host` in any way."""
    host = draw(st.sampled_from([host, host.upper(), host.title(), host if host.startswith("[") else f"{host}."]))
    defaults = {"http": 80, "https": 443}
    shown = draw(st.sampled_from([f":{port}", "", ":"] if defaults[scheme] == port else [f":{port}", f":0{port}"]))
    user = draw(st.sampled_from(["", "user@", "user:pass@"]))
    blank = draw(st.sampled_from(["", " ", "\n"]))
    scheme = draw(st.sampled_from([scheme, scheme.upper(), scheme.title()]))
    return f"{blank}{scheme}://{user}{host}{shown}{draw(st.sampled_from(PATHS))}{blank}"


PLACES = st.tuples(HOSTS, st.sampled_from(["http", "https"]), st.sampled_from([80, 443, 8000]))


@given(st.data(), PLACES)
def test_every_spelling_of_an_address_is_one_account(data: st.DataObject, place: tuple[str, str, int]) -> None:
    """Case, dots, default port, slashes, escapes, blanks and user names make no other account."""
    one, other = (data.draw(_spellings(*place)) for _ in range(2))
    assert normalize_account(f"{one}|P-1") == normalize_account(f"{other}|P-1")


@given(st.data(), PLACES, PLACES)
def test_two_places_are_two_accounts(
    data: st.DataObject, place: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    """Another host, scheme or port is another account."""
    one, two = (normalize_address(data.draw(_spellings(*each))) for each in (place, other))
    assert (one == two) == (place == other)


@given(st.data(), st.sampled_from(OWN_NAMES), st.sampled_from(OWN_NAMES), st.integers(1024, 65_535))
def test_every_name_of_this_machine_is_one_account(data: st.DataObject, one: str, other: str, port: int) -> None:
    """A port tells servers of this machine apart, a name does not."""
    spelled = [data.draw(_spellings(host, "http", port)) for host in (one, other)]
    assert {normalize_address(address) for address in spelled} == {f"http://127.0.0.1:{port}/v2"}
    assert normalize_address(f"http://{one}:{port % 60_000 + 1}/v2") != normalize_address(spelled[1])


@given(st.one_of(st.text(), PLACES.flatmap(lambda place: _spellings(*place)), st.text().map("http://{}".format)))
def test_what_is_normalized_stays(address: str) -> None:
    """Normalizing again changes nothing, any nonsense included; neither does cleaning."""
    once = normalize_address(address)
    assert normalize_address(once) == once
    assert clean_address(clean_address(address)) == clean_address(address)
    assert normalize_address(clean_address(address)) == once
    assert normalize_account(normalize_account(address)) == normalize_account(address)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text())
def test_partners_stay_as_they_are(one: str, other: str) -> None:
    """A partner id is compared as it is, bars and case included."""
    accounts = {normalize_account(f"https://API.cenports.io/v2/|{partner}") for partner in (one, other)}
    assert accounts == {f"https://api.cenports.io/v2|{partner}" for partner in (one, other)}


@pytest.mark.parametrize(
    "address",
    [
        "https://127.example.co.uk/v2",
        "https://localhost.example/v2",
        "https://notlocalhost/v2",
        "https://api.cenports.io/v2",
    ],
)
def test_what_only_looks_like_this_machine_is_not(address: str) -> None:
    """Such a host gets no plain http, and keeps its own account."""
    assert not is_loopback(address)
    assert normalize_address(address) == address


@pytest.mark.parametrize("name", ["localhost.", "127.1", "[::ffff:127.0.0.1]", "LOCALHOST"])
def test_plain_http_is_for_every_spelling_of_loopback(name: str) -> None:
    """What a resolver takes for loopback, `connect` does too."""
    assert resolve_settings("sandbox", base_url=f"HTTP://{name}:8000/v2/").account == "http://127.0.0.1:8000/v2|SANDBOX"


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_a_recorder_on_this_machine_is_the_account_behind_it(environment: str) -> None:
    """Guards see a repetition whether it goes through a recorder or not; another partner is another account."""
    own = resolve_settings(environment, **KEYS).account
    for address in ("http://localhost:8080/v2", "HTTP://127.0.0.1:9/", "https://[::1]/recorded"):
        assert resolve_settings(environment, base_url=address, **KEYS).account == own
        assert normalize_account(f"{address}|P-1", environment) == own
    assert resolve_settings(environment, **{**KEYS, "partner_id": "P-2"}).account != own
    assert resolve_settings(environment, base_url="https://other.example/v2", **KEYS).account != own
    assert resolve_settings("sandbox", base_url="http://localhost:8080/v2").account != own


@pytest.mark.parametrize(
    "address", ["https://host/v2#part", "https://ho st/v2", "https://host/v\n2", "https://host/v2?x=1"]
)
def test_an_address_that_would_send_requests_elsewhere_is_refused(address: str) -> None:
    """A fragment swallows the end point; a blank is a slip."""
    with pytest.raises(cn.errors.ConfigurationError, match="isn't an address"):
        resolve_settings("staging", base_url=address, **KEYS)


def test_another_spelling_is_served_from_the_cache(server: ScriptedServer, staging: Callable[..., cn.Client]) -> None:
    """What one client read, a client of the same account need not ask for again."""
    server.on("GET /channels", Reply({"data": [{"channelId": "A"}]}))
    cn.load_channels(staging())
    other = staging(base_url=server.url.replace("http://127.0.0.1", "HTTP://LOCALHOST") + "/")
    assert cn.load_channels(other)["channel_id"].tolist() == ["A"]
    assert other.usage.sent == 0


def test_a_stand_in_never_answers_for_staging(server: ScriptedServer, staging: Callable[..., cn.Client]) -> None:
    """A server on another port may be no recorder: the account is one, what it answered is not."""
    server.on("GET /channels", Reply({"data": [{"channelId": "MADE-UP"}]}))
    stand_in = staging()
    cn.load_channels(stand_in)
    with cn.connect("staging", **KEYS, offline=True) as client:
        assert client.settings.account == stand_in.settings.account
        with pytest.raises(cn.errors.OfflineMissError):
            cn.load_channels(client)


def test_guards_see_a_repetition_in_another_spelling(staging: Callable[..., cn.Client]) -> None:
    """The same change, sent again through another name of this machine, is an objection."""
    with Sandbox(rate_limit=None) as sandbox:
        keys = {"partner_id": "SANDBOX", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        first = staging(base_url=sandbox.url, **keys)
        actual = cn.load_actual_stock(first).head(3)
        change = actual[["warehouse_code", "product_sku"]].assign(quantity=-1)
        updates = cn.build_differential(change, actual, reference="DELIVERY-1")
        cn.submit_updates(first, updates)
        again = staging(base_url=sandbox.url.replace("http://127.0.0.1", "HTTP://localhost.") + "/", **keys)
        with pytest.raises(cn.errors.GuardRailError, match="repeated"):
            cn.submit_updates(again, updates)
