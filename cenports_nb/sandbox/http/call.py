"""A call: one request as the end points see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cenports_nb.sandbox.account.state import State
from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.http.replies import Json, Refusal, invalid
from cenports_nb.sandbox.http.request_rules import Rules
from cenports_nb.sandbox.http.validation import check


@dataclass(frozen=True)
class Call:
    """One request: parameters from where the end point reads them, and the state it meets."""

    state: State
    dialect: Dialect
    now: datetime
    params: Json
    url: str  # of the end point, for links to further pages
    page: int = 1
    refused: Mapping[int, str] = field(default_factory=dict)  # rows of a write that a fault refuses

    def require(self, rules: Rules) -> None:
        """Refuse the call with 422 unless every parameter is as documented."""
        errors = check(rules, self.params, self.state.known)
        if errors:
            raise Refusal(invalid(errors))

    def text(self, param: str) -> str | None:
        """Read a text parameter; None if it is missing, blank or something else."""
        value = self.params.get(param)
        return value if isinstance(value, str) and value.strip() else None

    def names(self, param: str) -> frozenset[str] | None:
        """Read a comma-separated parameter; None if it names nothing."""
        names = (name.strip() for name in (self.text(param) or "").split(","))
        return frozenset(name for name in names if name) or None

    def limit(self, cap: int | None) -> int:
        """Say how many rows are answered at most; an end point without a limit of its own may get anything."""
        asked = self.params.get("limit")
        limit = asked if type(asked) is int and asked > 0 else self.dialect.default_limit
        return limit if cap is None else min(limit, cap)
