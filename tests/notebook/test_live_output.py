"""Test that widget messages go to a subshell only in ipykernel versions known to support it."""

from __future__ import annotations

from types import SimpleNamespace

import ipykernel
import pytest
from ipykernel.comm import Comm

from cenports_nb.notebook.live_output.subshell import ROUTING_METHOD, can_route_to_subshell, handle_in_subshell


class RoutingComm:
    """A comm as in ipykernel 7.4: a message goes to the shell that created the widget."""

    def _reply_subshell_for(self, data: object, default: str) -> str:
        return "main shell"


@pytest.mark.parametrize(
    ("version", "is_known"), [((6, 31, 0), False), ((7, 3, 2), False), ((7, 4, 0), True), ((7, 9, 1), True), ((8, 0, 0), False)]
)  # fmt: skip
def test_only_known_versions_are_routed(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], is_known: bool
) -> None:
    """Unknown versions handle messages between cells, as usual."""
    monkeypatch.setattr(ipykernel, "version_info", version)
    widget = SimpleNamespace(comm=RoutingComm())
    handle_in_subshell(widget)
    assert can_route_to_subshell() is is_known
    assert widget.comm._reply_subshell_for({}, "subshell") == ("subshell" if is_known else "main shell")


def test_a_comm_without_routing_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """This is a widget outside a kernel, or a version without the method."""
    monkeypatch.setattr(ipykernel, "version_info", (7, 4, 0))
    widget = SimpleNamespace(comm=SimpleNamespace())
    handle_in_subshell(widget)
    assert vars(widget.comm) == {}


def test_the_known_versions_are_those_that_have_the_method() -> None:
    """If the method is renamed, clicks wait for the cell; add newer versions that still have it."""
    assert hasattr(Comm, ROUTING_METHOD) == can_route_to_subshell()
