"""Updates of rows and batches in a unit of work; each names the state that it expects, as in `rules.states`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import astuple

from cenports_nb.submissions.rules.models import Batch
from cenports_nb.submissions.rules.states import BATCH_TRANSITIONS, EXPOSURE_SQL, find_targets


class RowChange(NamedTuple):
    """A change of one row.

    Attributes:
        event: An event of `states.ROW_TRANSITIONS`; None if only the message changes.
        values: Other columns that change.
        batch: Apply it only if the row is still in this batch, so that it was not sent again since it was judged.
    """

    item: int
    event: str | None
    values: Mapping[str, Any]
    batch: int | None = None


def change_rows(
    connection: sqlite3.Connection,
    submission_id: str,
    changes: Iterable[RowChange],
    at: str,
    made_by: str | None = None,
) -> int:
    """Change rows; a row whose state doesn't fit its event stays as it is.

    Returns:
        The number of changed rows.
    """
    groups: dict[tuple[str | None, int | None, tuple[tuple[str, Any], ...]], list[int]] = {}
    for change in changes:
        groups.setdefault((change.event, change.batch, tuple(change.values.items())), []).append(change.item)
    changed = 0
    for (event, batch, values), items in groups.items():
        assignments, arguments = _build_assignments(event, [name for name, _ in values], at, made_by)
        where, states = _build_condition(event)
        changed += connection.execute(
            f"UPDATE row SET {assignments} WHERE submission_id = ? "  # noqa: S608 - our own names
            f"AND item IN (SELECT value FROM json_each(?)) AND batch = coalesce(?, batch) AND {where}",
            (
                *arguments,
                *(value for _, value in values),
                submission_id,
                msgspec.json.encode(items).decode(),
                batch,
                *states,
            ),
        ).rowcount
    return changed


def change_rows_of_batch(connection: sqlite3.Connection, batch: Batch, event: str, at: str, **values: Any) -> int:
    """Apply one event to every row of a batch whose state fits."""
    assignments, arguments = _build_assignments(event, tuple(values), at, None)
    where, states = _build_condition(event)
    return connection.execute(
        f"UPDATE row SET {assignments} WHERE submission_id = ? AND batch = ? AND {where}",  # noqa: S608
        (*arguments, *values.values(), batch.submission_id, batch.batch, *states),
    ).rowcount


def change_batch(connection: sqlite3.Connection, batch: Batch, event: str, new: str, at: str, **values: Any) -> bool:
    """Change a batch whose state fits; return whether it did.

    Raises:
        KeyError: There is no such event.
    """
    old = [before for name, before, after in BATCH_TRANSITIONS if (name, after) == (event, new)]
    if not old:
        raise KeyError(event, new)
    values = {"state": new, "changed_at": at, **values}
    return bool(
        connection.execute(
            f"UPDATE batch SET {', '.join(f'{name} = ?' for name in values)} "  # noqa: S608 - our own names
            f"WHERE submission_id = ? AND batch = ? AND state IN ({', '.join('?' * len(old))})",
            (*values.values(), batch.submission_id, batch.batch, *old),
        ).rowcount
    )


def insert_batch(connection: sqlite3.Connection, batch: Batch, at: str) -> None:
    """Add a batch to a submission."""
    names = Batch.__struct_fields__
    connection.execute(
        f"INSERT INTO batch ({', '.join(names)}, changed_at) VALUES ({', '.join('?' * len(names))}, ?)",  # noqa: S608
        (*astuple(batch), at),
    )


def _build_assignments(
    event: str | None, names: Iterable[str], at: str, made_by: str | None
) -> tuple[str, tuple[Any, ...]]:
    """Build the SET clause of an update, and its values before those of `names`."""
    parts = ["changed_at = ?", "changed_by = ?"]
    arguments: list[Any] = [at, made_by]
    if event is not None:
        targets = find_targets(event)
        cases = " ".join("WHEN ? THEN CASE WHEN exposed THEN ? ELSE ? END" for _ in targets)
        parts.append(f"outcome = CASE outcome {cases} END")
        for old, (new, exposed) in targets.items():
            arguments += [old, exposed, new]
        if all(new == "applied" for new, _ in targets.values()):
            parts.append("payload = NULL")
        if event in EXPOSURE_SQL:
            parts.append(f"exposed = {EXPOSURE_SQL[event]}")
    return ", ".join([*parts, *(f'"{name}" = ?' for name in names)]), tuple(arguments)


def _build_condition(event: str | None) -> tuple[str, tuple[str, ...]]:
    if event is None:
        return "1", ()
    states = tuple(find_targets(event))
    return f"outcome IN ({', '.join('?' * len(states))})", states
