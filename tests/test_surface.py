"""Messages name arguments and methods in the words of the surface that a person uses."""

from __future__ import annotations

import pytest

from cenports_nb.rendering.surface import (
    name_argument,
    name_method,
    name_parameter,
    name_submission,
    use_options,
)

OPTIONS = {"last": "--last", "columns": "--column", "sheet": "--sheet", "offline": "--offline", "allow": "--allow"}


@pytest.mark.parametrize(
    ("value", "python", "terminal"),
    [
        ((), "last=", "--last"),
        (("30D",), "last='30D'", "--last 30D"),
        (("May 2",), "last='May 2'", '--last "May 2"'),
        (("",), "last=''", '--last ""'),
        ((True,), "last=True", "--last"),
        (({"quantity": "On hand"},), "last={'quantity': 'On hand'}", '--last "quantity=On hand"'),
        ((["a", "b"],), "last=['a', 'b']", "--last a --last b"),
    ],
)
def test_an_argument_has_a_name_on_each_surface(value: tuple[object, ...], python: str, terminal: str) -> None:
    """Python reads keyword arguments, a terminal reads options; values are quoted as each needs it."""
    assert name_argument("last", *value) == python
    with use_options(OPTIONS):
        assert name_argument("last", *value) == terminal
    assert name_argument("last", *value) == python


def test_methods_of_a_submission_are_commands_in_a_terminal() -> None:
    """What is advised can be copied."""
    assert name_method("resume", "S-1") == 'open_submission(client, "S-1").resume()'
    assert name_parameter("last") == "last"
    with use_options(OPTIONS):
        assert name_method("resume", "S-1") == "`cenports-nb submissions resume S-1`"
        assert name_submission("S-1") == "`cenports-nb submissions show S-1`"
        assert name_parameter("last") == "--last"
