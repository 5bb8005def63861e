"""The command that sets the stock to a count: plan, check, confirm, send, wait."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import cenports_nb as cn
from cenports_nb.cli.count_file import CountFile, Duplicates, HiddenRows, ProductKey
from cenports_nb.cli.options import EnvironmentOption, ProfileOption, TimeoutOption, YesOption, parse_pairs
from cenports_nb.cli.submission_progress import (
    AccountOptions,
    describe_account,
    finish_command,
    interruptible,
    parse_timeout,
    wait_with_progress,
)
from cenports_nb.cli.terminal import check_can_confirm, confirm, print_status, print_text, stop_command
from cenports_nb.errors import GuardRailError, InvalidRequestError, StaleStockError
from cenports_nb.exit_codes import FAILED
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.rendering.text import escape_unprintable, format_count

if TYPE_CHECKING:
    import pandas as pd

    from cenports_nb.api.client import Client
    from cenports_nb.submissions.submission import Submission

OnStale = Literal["raise", "rebase", "drop", "force"]
OnObjection = Literal["raise", "hold"]
Missing = Literal["ignore", "zero"]
Basis = Literal["on_hand", "net_of_open"]


@dataclass(frozen=True)
class SubmitOptions:
    """Options of `submit_updates`."""

    batch_size: int
    on_stale: OnStale
    on_objection: OnObjection
    allow: tuple[str, ...]
    canary: int


def submit(
    counts: Annotated[Path, typer.Argument(metavar="COUNTS", help="The count file: .csv, .tsv, .xlsx or .parquet.")],
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and the objections; send nothing.")] = False,
    yes: YesOption = False,
    on_stale: Annotated[
        OnStale, typer.Option(help="What to do with rows whose stock changed since planning.")
    ] = "raise",
    on_objection: Annotated[
        OnObjection, typer.Option(help="hold sends the rows that no guard objects to, and keeps the others in a file.")
    ] = "raise",
    allow: Annotated[
        list[str] | None, typer.Option("--allow", metavar="GUARD", help="Accept the objections of a guard; repeatable.")
    ] = None,
    missing: Annotated[
        Missing, typer.Option(help="zero sets SKUs of a counted warehouse to 0 that the file lacks.")
    ] = "ignore",
    unknown: Annotated[
        list[str] | None,
        typer.Option(
            "--unknown",
            metavar="SKU=SKU",
            help="What an unknown SKU is, such as ab100=AB-100 or NEW-1=new; repeatable.",
        ),
    ] = None,
    basis: Annotated[
        Basis, typer.Option(help="net_of_open: open orders are already subtracted in the file.")
    ] = "on_hand",
    at_count: Annotated[
        Path | None,
        typer.Option("--at-count", metavar="FILE", help="The stock at the time of the count, from `stock --out`."),
    ] = None,
    canary: Annotated[
        int, typer.Option(min=0, metavar="ROWS", help="Send this many rows first and read them back before the rest.")
    ] = 0,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the transactions to end.")] = True,
    timeout: TimeoutOption = "20min",
    warehouse: Annotated[
        str | None, typer.Option(metavar="CODE", help="The warehouse, for a file without that column.")
    ] = None,
    by: Annotated[ProductKey, typer.Option(help="The identifier that the file uses for products.")] = "product_sku",
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", metavar="COLUMN=HEADER", help='A header of the file, such as "quantity=Counted"; repeatable.'
        ),
    ] = None,
    warehouse_map: Annotated[
        list[str] | None,
        typer.Option(
            "--warehouse-map", metavar="YOURS=CODE", help="A warehouse code of yours and that of Cenports; repeatable."
        ),
    ] = None,
    duplicates: Annotated[Duplicates, typer.Option(help="sum adds up several rows of one SKU.")] = "raise",
    sheet: Annotated[
        str | None, typer.Option(metavar="NAME", help="The sheet, if several sheets of a workbook have counts.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="The encoding of a text file that is not UTF-8, such as cp1252.")
    ] = None,
    hidden_rows: Annotated[
        HiddenRows | None,
        typer.Option(help="What to do with hidden or filtered rows of a workbook; also hidden_rows in the profile."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, metavar="ROWS", help="The most rows in one request.")] = 500,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="The reason, for the journal.")] = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Your document number; by default the file name and a hash of its content."),
    ] = None,
    differential: Annotated[
        bool, typer.Option("--differential", help="The file has signed changes, not counts.")
    ] = False,
) -> None:
    """Set the stock to a count: show the plan, ask for confirmation, send, wait. Nothing is sent without a yes."""
    from cenports_nb.frames.provenance import describe_file, provenance  # noqa: PLC0415 - pandas is slow to import

    if not dry_run:
        check_can_confirm(yes=yes)
    seconds = parse_timeout(timeout)
    settled = parse_pairs("--unknown", unknown, "NEW-1=new", at_last=True)
    if differential and (missing != "ignore" or basis != "on_hand" or at_count is not None or settled):
        raise InvalidRequestError(
            "--missing, --unknown, --basis and --at-count are about counts: leave them out with --differential."
        )
    if basis == "net_of_open" and at_count is not None:
        raise InvalidRequestError(
            "--basis net_of_open with --at-count needs the lines that were open when it was counted, which can't be loaded "
            "any more: keep them with `line-items --out` and use build_true_up in Python."
        )
    file = CountFile(
        counts, warehouse, by, parse_pairs("--column", column, "quantity=Counted"),
        parse_pairs("--warehouse-map", warehouse_map, "MINE=THEIRS"), duplicates, sheet, encoding, hidden_rows, profile,
    )  # fmt: skip
    submit_options = SubmitOptions(batch_size, on_stale, on_objection, tuple(allow or ()), canary)
    account_options = AccountOptions(env, profile)
    reference = reference or file.reference
    with cn.connect(env, profile=profile, read_only=True) as reading_client:
        if reading_client.settings.environment == "sandbox" and not wait:
            raise InvalidRequestError(
                "A sandbox's journal ends with this command, so there would be nothing to wait for later: leave out --no-wait."
            )
        actual = cn.load_actual_stock(reading_client, refresh=True)
        counted = file.read(actual, signed=differential)
        settled = _read_escapes(settled, counted)
        left_out: pd.DataFrame | None = None
        if differential:
            updates = cn.build_differential(counted, actual, reason=reason, reference=reference)
        else:
            open_items, left_out = _load_open_items(reading_client, actual) if basis == "net_of_open" else (None, None)
            stock_then = None if at_count is None else CountFile(at_count).read(actual, signed=True)
            updates = cn.build_true_up(
                counted, actual, missing=missing, unknown=settled, basis=basis, open_items=open_items,
                at_count=stock_then, reason=reason, reference=reference,
            )  # fmt: skip
        if origin := provenance(counted):
            print_text(describe_file(origin))
        print_text(_count_changes(updates, counted, counts.name, describe_account(reading_client)))
        _show_remembered(updates)
        if updates.empty:
            print_text(
                "Nothing to do: every change is 0." if differential else "Nothing to do: the stock is as counted."
            )
            return
        available = _load_available(reading_client, allow or ())
        left_out = _select_planned(left_out, updates)
        dry = _show_plan(reading_client, updates, available, left_out, submit_options)
        rows = int((dry.changes["outcome"] == "not_sent").sum())
        if dry_run:
            print_text("A dry run: nothing was sent.")
            return
        if not rows:
            _save_held(dry, file)
            stop_command("Nothing is left to send: every row is held back or was left out.", FAILED)
        confirm(rows, describe_account(reading_client), yes=yes)
        print_status(f"Sending to {describe_account(reading_client)}{', the canary first' if canary else ''} …")
        # Only now connect a client that may write; it joins the first client's sandbox, if there is one.
        with (
            interruptible(),
            _stale_rows_shown(updates),
            cn.connect(env, profile=profile, base_url=reading_client.settings.base_url, read_only=False) as client,
        ):
            submission = cn.submit_updates(
                client, updates, available=available, left_out=left_out, progress=False, **asdict(submit_options)
            )
            _follow_up(submission, file, seconds if wait else None, account_options)


def _count_changes(updates: pd.DataFrame, counted: pd.DataFrame, name: str, account: str) -> str:
    """Count the planned rows that come from the file, and those that are set to 0 because the file lacks them."""
    from_file = len(updates[STOCK_KEYS].merge(counted[STOCK_KEYS].drop_duplicates()))
    lacking = len(updates) - from_file
    more = f", and {format_count(lacking, 'SKU')} that it lacks" if lacking else ""
    verb = "change" if len(updates) != 1 else "changes"
    return f"{from_file:,} of {format_count(len(counted), 'row')} of {name}{more} {verb} the stock of {account}"


def _read_escapes(settled: dict[str, str] | None, counted: pd.DataFrame) -> dict[str, str] | None:
    """Read SKUs in the escaped form that guards show, because nobody can type an invisible character."""
    shown = {escape_unprintable(sku): sku for sku in counted["product_sku"] if not sku.isprintable()}
    return settled and {shown.get(sku, sku): target for sku, target in settled.items()}


def _show_remembered(updates: pd.DataFrame) -> None:
    """Show which earlier settlements of unknown SKUs apply to this count."""
    from cenports_nb.stock.plans.metadata import read_metadata  # noqa: PLC0415

    metadata = read_metadata(updates)
    if metadata is not None and metadata.remembered:
        said = ", ".join(f"'{escape_unprintable(sku)}' is {target}" for sku, target in metadata.remembered.items())
        print_text(f"As settled with an earlier count: {said}. --unknown says otherwise.")


def _load_available(client: Client, allow: Collection[str]) -> pd.DataFrame | None:
    """Load available stock for the guards that need it; from one channel if all have the same."""
    if {"below_reserved", "basis"} <= set(allow):
        return None
    channels = cn.load_channels(client)["channel_id"].tolist()
    wanted = channels[:1] if client.dialect.available_scope == "account" else channels
    return cn.load_available_stock(client, wanted, refresh=True) if wanted else None


def _load_open_items(client: Client, actual: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load the open lines after the stock, past the cache, and list the rows whose stock changed meanwhile.

    Whether such a change is still among the open lines can't be known.
    """
    open_items = cn.load_open_items(client, refresh=True)
    again = cn.load_actual_stock(client, refresh=True)
    both = actual[[*STOCK_KEYS, "quantity"]].merge(again[[*STOCK_KEYS, "quantity"]], on=STOCK_KEYS, how="outer")
    moved = both[(both["quantity_x"] != both["quantity_y"]).fillna(value=True).astype(bool)]
    return open_items, moved[STOCK_KEYS].assign(reason="its stock moved while the open lines were read: plan it again")


def _select_planned(left_out: pd.DataFrame | None, updates: pd.DataFrame) -> pd.DataFrame | None:
    """Return the rows to leave out that are part of the plan."""
    return None if left_out is None else left_out.merge(updates[STOCK_KEYS].drop_duplicates(), on=STOCK_KEYS)


def _show_plan(
    client: Client,
    updates: pd.DataFrame,
    available: pd.DataFrame | None,
    left_out: pd.DataFrame | None,
    submit_options: SubmitOptions,
) -> Submission:
    """Show the plan and the objections of guards; return it as a dry run, or stop where a guard blocks it."""
    from cenports_nb.stock.plans.plan_text import build_plan_table, format_plan  # noqa: PLC0415
    from cenports_nb.submissions.objections import is_blocking  # noqa: PLC0415

    try:
        with _stale_rows_shown(updates):
            dry = cn.submit_updates(
                client,
                updates,
                available=available,
                left_out=left_out,
                dry_run=True,
                progress=False,
                **asdict(submit_options),
            )
    except GuardRailError as error:
        found = error.objections
        print_text(
            format_plan(build_plan_table(updates), found.assign(message=found["guard"] + ": " + found["message"]))
        )
        blocking = found[is_blocking(found)]
        counted = blocking if submit_options.on_objection == "hold" else found  # the others would be held
        names = list(dict.fromkeys(counted["guard"]))
        hold = "" if len(blocking) else " or send the rest with --on-objection hold"
        stop_command(
            f"{format_count(len(counted), 'objection')} ({', '.join(names)}): nothing was sent. Fix "
            f"the file, accept them with {' '.join(f'--allow {name}' for name in names)}{hold}.",
            FAILED,
        )
    print_text(format_plan(build_plan_table(dry.changes, "before_quantity"), dry.held))
    return dry


@contextmanager
def _stale_rows_shown(updates: pd.DataFrame) -> Iterator[None]:
    """Show the stale rows of a plan, and stop, unless they are rebased or dropped."""
    from cenports_nb.stock.plans.plan_text import build_plan_table, format_plan  # noqa: PLC0415
    from cenports_nb.submissions.final_rows import describe_moves  # noqa: PLC0415

    try:
        yield
    except StaleStockError as error:
        stale = error.stale.assign(message=describe_moves(error.stale))
        rows = updates.merge(stale[STOCK_KEYS])
        print_text(format_plan(build_plan_table(rows), stale))
        stop_command(
            f"{format_count(len(stale), 'row')} changed since planning: nothing was sent. Run it again, or choose "
            "another --on-stale: rebase, drop or force.",
            FAILED,
        )


def _follow_up(submission: Submission, file: CountFile, seconds: float | None, account_options: AccountOptions) -> None:
    """Save held rows, and wait for what was sent."""
    _save_held(submission, file)
    if seconds is not None and not submission.settled:
        from cenports_nb.submissions.tracking.status_table import format_status  # noqa: PLC0415

        print_text(format_status([submission.snapshot()]))
        wait_with_progress(submission, seconds, account_options)
    finish_command([submission], account_options)


def _save_held(submission: Submission, file: CountFile) -> None:
    held = submission.held
    if len(held):
        held_path = file.save_held(held, submission.submission_id) or submission.held_file
        where = f"in {held_path}: submit that file after a look" if held_path else "and no file of them can be written"
        print_text(f"{format_count(len(held), 'row')} held back, {where}.")
