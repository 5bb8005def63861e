"""Test `cenports-nb doctor --write-probe`: its output, files and confirmations."""

from __future__ import annotations

import json
import tomllib

import pytest
from support.cli_shop import Shop

from cenports_nb.cli.commands import doctor
from cenports_nb.sandbox import Dialect
from cenports_nb.submissions.probe import run

pytestmark = pytest.mark.slow

SKU = "0033"


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the seconds between readings."""
    monkeypatch.setattr(run, "QUIET_SECONDS", 0.0)


def test_it_says_what_it_will_do_saves_what_it_learnt_and_records_it(shop: Shop) -> None:
    """The profile has the answers, the recording answers like the account, and the stock is unchanged."""
    shop.sandbox.dialect = Dialect(true_up_sets="available", pages="links", quantities="number")
    before = shop.stock(SKU)
    code, out, err = shop.run("doctor", "--write-probe", SKU, "--recording", "probe.json")
    assert (code, shop.stock(SKU)) == (0, before)
    assert out.index("  1. own value: TRUE_UP 112\n") < out.index(
        "Does TRUE_UP set actual or available stock?\n      available"
    )
    assert "own value: the stock is 137" in err
    assert out.endswith("The stock of 0033 is 112 again.\n")
    with (shop.folder / "home" / "profiles.toml").open("rb") as file:
        learned = tomllib.load(file)["default"]["dialect"]
    assert learned["true_up_sets"] == "available"
    recording = json.loads((shop.folder / "probe.json").read_text())
    assert {"true_up_sets": "available", "pages": "links", "quantities": "number"}.items() <= recording[
        "readings"
    ].items()
    assert (shop.folder / "cenports-shape.json").exists()
    # A count is of actual stock: from now on it is not sent as a TRUE_UP.
    code, _, err = shop.run("submit", shop.count({"0022": 105}), "--yes")
    assert (code, shop.stock("0022")) == (2, 104)
    assert "sets available stock" in err


def test_production_needs_a_person_who_types_the_sku(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal it is a usage error before any request; other input stops before any write."""
    monkeypatch.setenv("CENPORTS_ENVIRONMENT", "production")
    code, _, err = shop.run("doctor", "--write-probe", SKU)
    assert (code, shop.sandbox.requests) == (2, [])
    assert (
        "needs a person who types the SKU. Run it in a terminal, or probe the staging account with --env staging" in err
    )
    typed = ["yes", SKU]
    monkeypatch.setattr(doctor, "is_interactive", lambda: True)
    monkeypatch.setattr(doctor.typer, "prompt", lambda text, **_: typed.pop(0))
    code, out, err = shop.run("doctor", "--write-probe", SKU)
    assert (code, shop.writes) == (1, 0)
    assert "Write probe of SKU '0033'" in out
    assert "Stopped: nothing was sent." in err
    shop.sandbox.faults.add("lost", "PATCH /inventories")
    code, out, err = shop.run("doctor", "--write-probe", SKU)
    assert (code, shop.writes) == (4, 1)  # in doubt
    assert "The write probe stopped at its step 'own value'" in err
    assert "OPEN (the probe ended before it could tell)" in out
    assert json.loads((shop.folder / "cenports-recording.json").read_text())["readings"]["quantities"] == "text"


def test_an_objection_is_exit_code_1_and_wrong_usage_2(shop: Shop) -> None:
    """Nothing is sent."""
    assert shop.run("doctor", "--write-probe", "0001")[0] == 1
    assert shop.run("doctor", "--write-probe", SKU, "--recording", "no-folder/x.json")[0] == 2
    code, _, err = shop.run("doctor", "--recording", "x.json")
    assert (code, shop.writes) == (2, 0)
    assert err == "cenports-nb: --warehouse and --recording belong to --write-probe SKU: add it, or leave them out.\n"


def test_a_sandbox_refuses_what_is_no_recording(shop: Shop) -> None:
    """One line names the file."""
    (shop.folder / "other.json").write_text("[]")
    code, _, err = shop.run("sandbox", "--recording", "other.json")
    assert code == 2
    assert "other.json isn't a recording: use a file that `cenports-nb doctor --write-probe` wrote." in err
