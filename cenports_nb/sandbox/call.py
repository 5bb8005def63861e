"""A call: one request as the end points see it."""

from dataclasses import dataclass, field
from datetime import datetime

from cenports_nb.sandbox.replies import Json, Refusal, invalid
from cenports_nb.sandbox.rules import Rules
from cenports_nb.sandbox.state import State
from cenports_nb.sandbox.validation import check


@dataclass(frozen=True)
class Call:
    """One request: parameters from where the end point reads them, and the state it meets."""

    state: State
    now: datetime
    params: Json
    url: str  # of the end point, absolute, for links to further pages
    query: dict[str, str] = field(default_factory=dict)

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

    @property
    def page(self) -> int:
        """The page asked for, in the query before the body; anything odd is the first, as in Laravel."""
        for value in (self.query.get("page"), self.params.get("page")):
            if value is not None:
                text = str(value)
                return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1
        return 1
