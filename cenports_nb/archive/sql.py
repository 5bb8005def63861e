"""SQL queries: DuckDB on the tables of an archive, without access to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as arrow

from cenports_nb.archive.delta_tables import DeltaTables, clear_errors
from cenports_nb.archive.tables import REJECTS, TABLES, ArchiveTable
from cenports_nb.archive.updates import AccountState
from cenports_nb.errors import ConfigurationError, InvalidRequestError
from cenports_nb.frames.text_columns import ARROW_TEXT, from_arrow

SQL_TABLES = [table for table in TABLES.values() if table is not REJECTS]


def run_sql(
    tables: DeltaTables,
    states: Sequence[AccountState],
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] | None,
) -> pd.DataFrame:
    """Run a query on what the archive has after its last update.

    Args:
        tables: The tables of the archive.
        states: What is archived of each account.
        query: A DuckDB query.
        parameters: Values for `?` or `$name` in it.

    Raises:
        InvalidRequestError: DuckDB refuses the query; the message quotes its reason.
    """
    duckdb = _import_duckdb()
    config = {"python_enable_replacements": False, "autoinstall_known_extensions": False}
    with duckdb.connect(":memory:", config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in SQL_TABLES:
            with clear_errors(tables.folder):
                connection.register(f"_{table.name}", _open_dataset(tables, states, table))
            columns = "account, month, * EXCLUDE (account, month)"
            connection.execute(f"CREATE VIEW {table.name} AS SELECT {columns} FROM _{table.name}")  # noqa: S608 - our names
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        try:
            relation = connection.sql(query, params=parameters)
            data = relation.to_arrow_table() if relation is not None else arrow.table({})
        except duckdb.Error as error:
            raise InvalidRequestError(f"The query can't be run: {' '.join(str(error).split())}") from None
    return read_result(data)


def read_result(data: arrow.Table) -> pd.DataFrame:
    """Convert a result to the loaders' dtypes: text, `Int64` if there are nulls, instants in UTC."""
    return pd.DataFrame({name: _read_column(data.column(name)) for name in data.column_names}, copy=False)


def _read_column(values: arrow.ChunkedArray) -> pd.Series[Any]:
    kind = values.type
    if arrow.types.is_decimal(kind):  # a sum of whole numbers is a wide decimal in DuckDB
        values = values.cast(arrow.int64() if kind.scale == 0 else arrow.float64())
        kind = values.type
    found: pd.Series[Any]
    if arrow.types.is_string(kind) or arrow.types.is_large_string(kind) or arrow.types.is_string_view(kind):
        found = from_arrow(values.cast(ARROW_TEXT))
    elif arrow.types.is_integer(kind):
        nullable: Any = pd.Int64Dtype()
        found = pd.Series(nullable.__from_arrow__(values.cast(arrow.int64())))
        found = found if values.null_count else found.astype("int64")
    elif arrow.types.is_boolean(kind):
        nullable = pd.BooleanDtype()
        found = pd.Series(nullable.__from_arrow__(values))
        found = found if values.null_count else found.astype("bool")
    elif arrow.types.is_timestamp(kind) or arrow.types.is_date(kind):
        zone = "UTC" if getattr(kind, "tz", None) else None  # DuckDB says Etc/UTC
        found = values.cast(arrow.timestamp("us", zone)).to_pandas()
    else:
        found = values.to_pandas()
    return found


def _open_dataset(tables: DeltaTables, states: Sequence[AccountState], table: ArchiveTable) -> Any:
    """Open a table as of the last update of each account, without forgotten months."""
    found = []
    for state in states:
        forgotten = state.forgotten_before
        refetched = {month for source in ("orders", "shipments") for month in state.list_months(source)}
        version = state.versions.get(table.name, -1)
        months = [
            month
            for account, month in tables.measure(table.name, version)
            if account == state.account and (month >= forgotten or month in refetched)
        ]
        dataset = tables.dataset(table, version, state.account, months) if months else None
        found += [dataset] if dataset is not None else []
    if not found:
        return table.arrow_schema.empty_table()
    if len(found) == 1:
        return found[0]
    parts = [part.to_table() for part in found]
    return arrow.concat_tables(parts, promote_options="default")


def _import_duckdb() -> Any:
    try:
        import duckdb  # noqa: PLC0415 - an extra, loaded at first use
    except ImportError:
        raise ConfigurationError('SQL needs an extra: pip install "cenports-nb[archive]".') from None
    return duckdb
