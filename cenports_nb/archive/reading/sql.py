"""SQL queries: DuckDB on the tables of an archive, without access to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as arrow

from cenports_nb.archive.storage.delta_tables import NO_VERSION, DeltaTables
from cenports_nb.archive.storage.update_log import AccountState
from cenports_nb.archive.tables import REJECTS, TABLES, ArchiveTable
from cenports_nb.errors import ConfigurationError, InvalidRequestError
from cenports_nb.frames.arrow_columns import ARROW_TEXT, from_arrow

SQL_TABLES = [table for table in TABLES.values() if table is not REJECTS]
CONFIG = {"python_enable_replacements": False, "autoinstall_known_extensions": False}


def run_sql(
    tables: DeltaTables,
    states: Sequence[AccountState],
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] | None,
) -> pd.DataFrame:
    """Run a query on what the archive has after its last update.

    Raises:
        InvalidRequestError: DuckDB refuses the query; the message quotes its reason.
    """
    duckdb = _import_duckdb()
    with duckdb.connect(":memory:", config=CONFIG) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in _find_tables(duckdb, query):
            _create_view(connection, table, _open_datasets(tables, states, table))
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


def _find_tables(duckdb: Any, query: str) -> list[ArchiveTable]:
    """Find the tables that a query names, as opening one takes time for each of its files; all of them if in doubt.

    The connection is one without access to files: some statements already act while they are parsed.
    """
    with duckdb.connect(":memory:", config={**CONFIG, "enable_external_access": False}) as connection:
        try:
            names = {str(name).lower() for name in connection.get_table_names(query)}
        except duckdb.Error:
            return SQL_TABLES
    found = [table for table in SQL_TABLES if table.name in names]
    return found if len(found) == len(names) else SQL_TABLES


def _create_view(connection: Any, table: ArchiveTable, parts: Sequence[Any]) -> None:
    """Make a table of datasets, which DuckDB reads in pieces and only as far as a query needs them."""
    for number, part in enumerate(parts):
        connection.register(f"_{table.name}_{number}", part)
    union = " UNION ALL BY NAME ".join(f"SELECT * FROM _{table.name}_{number}" for number in range(len(parts)))  # noqa: S608 - our names
    columns = "account, month, * EXCLUDE (account, month)"
    connection.execute(f"CREATE VIEW {table.name} AS SELECT {columns} FROM ({union})")  # noqa: S608 - our names


def _open_datasets(tables: DeltaTables, states: Sequence[AccountState], table: ArchiveTable) -> list[Any]:
    """Open a table as of the last update of each account, without forgotten months: once for each version."""
    groups: dict[int, dict[str, AccountState]] = {}
    for state in states:
        groups.setdefault(state.versions.get(table.name, NO_VERSION), {})[state.account] = state
    found = []
    for version, accounts in groups.items():
        months: dict[str, list[str]] = {}
        for account, month in tables.measure(table.name, version):
            if account in accounts and accounts[account].is_remembered(month):
                months.setdefault(account, []).append(month)
        dataset = tables.dataset(table, version, months) if months else None
        found += [dataset] if dataset is not None else []
    return found or [table.arrow_schema.empty_table()]


def _import_duckdb() -> Any:
    try:
        import duckdb  # noqa: PLC0415 - an extra, loaded at first use
    except ImportError:
        raise ConfigurationError('SQL needs an extra: pip install "cenports-nb[archive]".') from None
    return duckdb
