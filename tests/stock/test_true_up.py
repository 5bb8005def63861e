"""Test that counts become a plan of the rows that change something."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.provenance import Provenance, attach
from cenports_nb.stock.plans.metadata import read_metadata


def _frame(*rows: tuple[str, str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["warehouse_code", "product_sku", "quantity"])


def _open(*rows: tuple[str, str, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["ship_from_warehouse_code", "product_sku", "quantity", "status"])


def _plan(updates: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(updates[["product_sku", "quantity", "current_quantity", "change"]].itertuples(index=False, name=None))


ACTUAL = _frame(("W", "A", 10), ("W", "B", 5), ("V", "A", 7))


def test_only_rows_that_change_something_are_planned() -> None:
    """A count equal to the stock needs no write."""
    assert _plan(cn.build_true_up(_frame(("W", "A", 12), ("W", "B", 5)), ACTUAL)) == [("A", 12, 10, 2)]


def test_a_sku_that_the_warehouse_lacks_is_kept_and_marked() -> None:
    """The user decides."""
    plan = cn.build_true_up(_frame(("W", "X", 3)), ACTUAL)
    assert (plan["known_sku"].tolist(), plan["current_quantity"].isna().tolist()) == ([False], [True])


def test_reason_and_reference_are_on_every_row() -> None:
    """The journal keeps them."""
    plan = cn.build_true_up(_frame(("W", "A", 1), ("W", "B", 1)), ACTUAL, reason="count", reference="C-7")
    assert set(plan[["reason", "reference"]].itertuples(index=False, name=None)) == {("count", "C-7")}


def test_uncounted_skus_are_left_alone() -> None:
    """By default a count is partial."""
    assert _plan(cn.build_true_up(_frame(("W", "A", 10)), ACTUAL)) == []


def test_uncounted_skus_become_zero_on_request() -> None:
    """This affects counted warehouses only."""
    assert _plan(cn.build_true_up(_frame(("W", "A", 10)), ACTUAL, missing="zero")) == [("B", 0, 5, -5)]


def test_sales_since_the_count_are_kept() -> None:
    """Current stock + (counted − stock at the count): three were sold, one is missing."""
    at_count = _frame(("W", "A", 13))
    assert _plan(cn.build_true_up(_frame(("W", "A", 12)), ACTUAL, at_count=at_count)) == [("A", 9, 10, -1)]


def test_more_sold_than_counted_is_refused() -> None:
    """Stock can't be set below zero."""
    with pytest.raises(InvalidRequestError, match="below 0, the first A in W to -3"):
        cn.build_true_up(_frame(("W", "A", 0)), ACTUAL, at_count=_frame(("W", "A", 13)))


def test_open_demand_is_added_back_to_a_net_count() -> None:
    """TRUE_UP sets actual stock; shipped lines are not part of it."""
    demand = _open(("W", "A", 4, "pending"), ("W", "A", 9, "Shipped"), ("V", "A", 2, "new"))
    plan = cn.build_true_up(_frame(("W", "A", 8)), ACTUAL, basis="net_of_open", open_items=demand)
    assert _plan(plan) == [("A", 12, 10, 2)]


def test_a_net_count_needs_the_open_demand() -> None:
    """Without it every open order would be subtracted twice."""
    with pytest.raises(InvalidRequestError, match="pass open_items="):
        cn.build_true_up(_frame(("W", "A", 8)), ACTUAL, basis="net_of_open")


@pytest.mark.parametrize(
    "arguments", [{"basis": "net"}, {"missing": "zeros"}, {"reason": 5}, {"reference": float("nan")}]
)
def test_an_invalid_argument_is_refused(arguments: dict[str, Any]) -> None:
    """A typo must not set wrong stock."""
    with pytest.raises(InvalidRequestError, match="must be"):
        cn.build_true_up(_frame(("W", "A", 8)), ACTUAL, **arguments)


@pytest.mark.parametrize(
    ("quantity", "words"), [(-1, "negative"), (1.5, "not whole"), (None, "missing"), ("x", "isn't a number")]
)
def test_a_quantity_that_cannot_be_counted_is_refused(quantity: Any, words: str) -> None:
    """The error has its row."""
    with pytest.raises(InvalidRequestError, match=f"{words} in row 1"):
        cn.build_true_up(_frame(("W", "A", 1), ("W", "B", quantity)), ACTUAL)


@pytest.mark.parametrize("which", ["counts", "actual"])
def test_a_key_that_repeats_is_refused(which: str) -> None:
    """It is unknown which row counts."""
    twice, once = _frame(("W", "A", 1), ("W", "A", 2)), _frame(("W", "A", 3))
    with pytest.raises(InvalidRequestError, match=f"{which} has more than one row for W, A"):
        cn.build_true_up(*((twice, once) if which == "counts" else (once, twice)))


def test_skus_that_are_numbers_are_refused() -> None:
    """They have lost their leading zeros."""
    with pytest.raises(InvalidRequestError, match="must be text"):
        cn.build_true_up(_frame(("W", 12, 1)), ACTUAL)  # type: ignore[arg-type]


@pytest.mark.parametrize("column", ["warehouse_code", "product_sku", "quantity"])
def test_a_missing_column_is_named(column: str) -> None:
    """The error lists the columns present."""
    with pytest.raises(InvalidRequestError, match=f"counts lacks the column {column}"):
        cn.build_true_up(ACTUAL.drop(columns=column), ACTUAL)


def test_a_plan_of_changes_is_no_count() -> None:
    """Held rows of a DIFFERENTIAL would set the stock to the change."""
    changes = cn.build_differential(_frame(("W", "A", 3)), ACTUAL)
    with pytest.raises(InvalidRequestError, match="counts has changes, as its type says"):
        cn.build_true_up(changes, ACTUAL)


def _partial(*, complete: bool = True, rejected: int = 0) -> pd.DataFrame:
    origin = Provenance("GET /inventories", {}, "staging", "P", None, 1, 0, complete, 3, rejected, 0, "0")
    return attach(ACTUAL.copy(), origin, ())


@pytest.mark.parametrize("flaw", [{"complete": False}, {"rejected": 2}])
def test_a_partial_stock_is_refused(flaw: dict[str, Any]) -> None:
    """A missing row would look like an unknown SKU."""
    with pytest.raises(InvalidRequestError, match="allow_partial=True"):
        cn.build_true_up(_frame(("W", "A", 1)), _partial(**flaw))


def test_a_partial_stock_may_be_allowed() -> None:
    """`allow_partial` accepts it."""
    assert _plan(cn.build_true_up(_frame(("W", "A", 1)), _partial(complete=False), allow_partial=True)) == [
        ("A", 1, 10, -9)
    ]


def _read_at(hour: int, partner: str = "P") -> pd.DataFrame:
    at = datetime(2026, 3, 1, hour, tzinfo=UTC)
    return attach(
        ACTUAL.copy(), Provenance("GET /inventories", {}, "staging", partner, at, 1, 0, True, 3, 0, 0, "0"), ()
    )


def test_stocks_that_were_swapped_are_refused() -> None:
    """Sales in between would be subtracted twice."""
    counts = _frame(("W", "A", 9))
    assert len(cn.build_true_up(counts, _read_at(11), at_count=_read_at(8))) == 1
    with pytest.raises(InvalidRequestError, match=r"at_count was read after actual .* swapped"):
        cn.build_true_up(counts, _read_at(8), at_count=_read_at(11))


def test_the_same_stock_is_no_later_one(client: cn.Client) -> None:
    """The second load came from the cache."""
    at_count = cn.load_actual_stock(client)
    counts = at_count[["warehouse_code", "product_sku", "quantity"]].head(1)
    assert len(cn.build_true_up(counts, cn.load_actual_stock(client), at_count=at_count)) == 0


def test_frames_of_two_accounts_are_refused() -> None:
    """Two accounts may have the same codes and SKUs."""
    demand = _open(("W", "A", 4, "pending"))
    demand.attrs = _read_at(8, "Q").attrs
    others: list[dict[str, Any]] = [{"at_count": _read_at(8, "Q")}, {"basis": "net_of_open", "open_items": demand}]
    for other in others:
        with pytest.raises(InvalidRequestError, match="of another account than actual"):
            cn.build_true_up(_frame(("W", "A", 9)), _read_at(11), **other)
    with pytest.raises(InvalidRequestError, match="available is of another account than actual"):
        cn.check_updates(cn.build_true_up(_frame(("W", "A", 9)), ACTUAL), _read_at(8), available=_read_at(8, "Q"))


def _open_at(
    minute: int, *rows: tuple[str | None, str, int, str], complete: bool = True, partner: str = "P"
) -> pd.DataFrame:
    at = datetime(2026, 3, 1, 11, minute, tzinfo=UTC)
    origin = Provenance("GET /orders", {}, "staging", partner, at, 1, 0, complete, len(rows), 0, 0, "0")
    return attach(_open(*rows), origin, ())  # type: ignore[arg-type]


def _plan_net(open_items: pd.DataFrame, **more: Any) -> pd.DataFrame:
    return cn.build_true_up(_frame(("W", "A", 8)), _read_at(11), basis="net_of_open", open_items=open_items, **more)


def test_open_lines_older_than_the_stock_are_refused() -> None:
    """Units shipped in between would be added back."""
    late = _read_at(11).attrs
    older = _open_at(0, ("W", "A", 4, "new"))
    older.attrs = {**late, "cenports_nb": late["cenports_nb"].replace("T11:00:00", "T10:59:59")}
    with pytest.raises(InvalidRequestError, match=r"older than actual .*load_open_items\(client, refresh=True\)"):
        _plan_net(older)
    assert _plan(_plan_net(_open_at(0, ("W", "A", 4, "new")))) == [("A", 12, 10, 2)]
    assert _plan(_plan_net(_open_at(30, ("W", "A", 4, "new")))) == [("A", 12, 10, 2)]
    with pytest.raises(InvalidRequestError, match="older than at_count"):
        cn.build_true_up(
            _frame(("W", "A", 8)), _read_at(12), at_count=_read_at(11), basis="net_of_open", open_items=older
        )


def test_partial_open_lines_are_refused() -> None:
    """Missing lines would count as no demand."""
    partial = _open_at(1, ("W", "A", 4, "new"), complete=False)
    with pytest.raises(InvalidRequestError, match="open_items is partial"):
        _plan_net(partial)
    assert _plan(_plan_net(partial, allow_partial=True)) == [("A", 12, 10, 2)]


@pytest.mark.parametrize("code", [None, "", "  "])
def test_open_lines_that_name_no_warehouse_are_refused_where_they_count(code: str | None) -> None:
    """Their row is unknown."""
    with pytest.raises(
        InvalidRequestError, match=r"4 open units of counted SKUs name no warehouse, the first A of order 77"
    ):
        _plan_net(_open_at(1, (code, "A", 4, "new")).assign(order_no="77"))
    assert _plan(_plan_net(_open_at(1, (code, "Z", 4, "new"), (code, "A", 4, "shipped")))) == [("A", 8, 10, -2)]
    with pytest.raises(InvalidRequestError, match="name no warehouse, the first B"):
        _plan_net(_open_at(1, (code, "B", 4, "new")), missing="zero")


def test_a_plan_knows_the_demand_that_it_added_back() -> None:
    """The check before sending needs it."""
    metadata = read_metadata(_plan_net(_open_at(5, ("W", "A", 4, "new"), ("W", "A", 1, "new"), ("W", "B", 2, "new"))))
    assert metadata is not None
    assert metadata.open_quantities == {"W": {"A": 5}}
    assert metadata.open_as_of == datetime(2026, 3, 1, 11, 5, tzinfo=UTC)


COUNTS = st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 9))


@given(COUNTS, COUNTS)
def test_after_the_plan_the_stock_is_what_was_counted(counted: dict[str, int], stock: dict[str, int]) -> None:
    """After applying the plan, a second plan is empty."""
    counts = _typed(counted)
    plan = cn.build_true_up(counts, _typed(stock))
    after = {**stock, **dict(zip(plan["product_sku"], plan["quantity"], strict=True))}
    assert len(cn.build_true_up(counts, _typed(after))) == 0


def _typed(stock: dict[str, int]) -> pd.DataFrame:
    return _frame(*(("W", sku, quantity) for sku, quantity in stock.items())).astype(
        {"warehouse_code": "str", "product_sku": "str", "quantity": "int64"}
    )


def test_the_plan_fits_its_schema_even_if_empty() -> None:
    """Columns and dtypes are those of `schemas.StockUpdates`."""
    empty = cn.build_true_up(_typed({}), _typed({"A": 1}))
    full = cn.build_true_up(_typed({"A": 2}), _typed({"A": 1}))
    pd.testing.assert_series_equal(cn.schemas.StockUpdates.validate(empty).dtypes, full.dtypes)


def test_an_unknown_sku_is_an_objection_with_a_hint() -> None:
    """People and spreadsheets lose leading zeros, case and blanks."""
    actual = _typed({"0012": 1})
    objections = cn.check_updates(cn.build_true_up(_typed({"12": 5}), actual), actual)
    assert objections["message"].tolist() == ["SKU '12' is not in warehouse 'W'; did you mean '0012'?"]


def test_a_plan_without_flaws_has_no_objections() -> None:
    """The empty frame has the same columns."""
    actual = _typed({"A": 1})
    objections = cn.check_updates(cn.build_true_up(_typed({"A": 5}), actual), actual)
    assert (list(objections.columns), len(objections)) == (["warehouse_code", "product_sku", "guard", "message"], 0)


def test_a_sku_that_resembles_one_of_its_warehouse_has_a_suggestion() -> None:
    """It differs in case, blanks or lost zeros from exactly one SKU, and is never applied."""
    actual = _typed({"0012": 1, "AB-1": 1, "07": 1, "007": 1})
    plan = cn.build_true_up(_typed({"12": 1, "ab- 1": 1, "7": 1, "X": 1, "0012": 5}), actual)
    assert plan["product_sku"].tolist() == ["12", "ab- 1", "7", "X", "0012"]
    assert plan["suggestion"].fillna("-").tolist() == ["0012", "AB-1", "-", "-", "-"]


def test_a_suggestion_is_of_the_same_warehouse() -> None:
    """SKUs of other warehouses are not suggested."""
    assert cn.build_true_up(_frame(("V", "b", 1)), ACTUAL)["suggestion"].isna().all()


def test_skus_similar_to_an_unknown_one_are_not_set_to_zero() -> None:
    """It was counted under a name that lost its zeros."""
    plan = cn.build_true_up(_typed({"12": 5}), _typed({"0012": 6, "B": 7}), missing="zero")
    assert plan[["product_sku", "quantity"]].values.tolist() == [["12", 5], ["B", 0]]


def test_the_time_of_the_count_is_kept() -> None:
    """It is null for rows not counted."""
    counts = _typed({"A": 1}).assign(counted_at=pd.to_datetime(["2026-01-31T08:00+01:00"]))
    plan = cn.build_true_up(counts, _typed({"A": 2, "B": 3}), missing="zero")
    assert plan["counted_at"].tolist() == [pd.Timestamp("2026-01-31T07:00Z"), pd.NaT]
    cn.schemas.StockUpdates.validate(plan)


def test_a_time_without_a_zone_is_refused() -> None:
    """Its zone is unknown."""
    counts = _typed({"A": 1}).assign(counted_at=pd.to_datetime(["2026-01-31T08:00"]))
    with pytest.raises(InvalidRequestError, match="counted_at that has no time zone"):
        cn.build_true_up(counts, _typed({"A": 2}))


def test_a_stock_at_the_count_that_lacks_what_was_counted_is_refused() -> None:
    """Sales of such SKUs are unknown; the stock may be of other warehouses."""
    with pytest.raises(InvalidRequestError, match=r"no stock in at_count.* the first B in W"):
        cn.build_true_up(_frame(("W", "A", 1), ("W", "B", 1)), ACTUAL, at_count=_frame(("W", "A", 10)))


def test_stock_received_since_the_count_is_not_set_to_zero() -> None:
    """A full count can't have missed it."""
    at_count = _frame(("W", "A", 10))
    assert _plan(cn.build_true_up(_frame(("W", "A", 9)), ACTUAL, at_count=at_count, missing="zero")) == [
        ("A", 9, 10, -1)
    ]


def test_a_count_that_is_too_large_is_refused() -> None:
    """The error has its row."""
    with pytest.raises(InvalidRequestError, match=r"a quantity above 2,147,483,647, the first A in W"):
        cn.build_true_up(_frame(("W", "A", 2**31)), ACTUAL)


LINES = st.lists(
    st.tuples(st.sampled_from("ABCDE"), st.integers(0, 3), st.sampled_from(["open", "Shipped"])), max_size=6
)


@given(COUNTS, COUNTS, COUNTS, LINES, st.booleans(), st.booleans(), st.booleans())
def test_every_target_follows_the_formula(
    counted: dict[str, int],
    stock: dict[str, int],
    then: dict[str, int],
    lines: list[tuple[str, int, str]],
    earlier: bool,
    net: bool,
    whole: bool,
) -> None:
    """Counted + open + current stock − stock at the count, each if requested."""
    then = {**stock, **then} if earlier else {}
    demand = {sku: sum(units for one, units, status in lines if one == sku and status == "open") for sku in "ABCDE"}
    wanted = dict(counted)
    if whole and counted:
        wanted |= {sku: 0 for sku in stock if sku not in counted}
    if net:
        wanted = {sku: quantity + demand[sku] for sku, quantity in wanted.items()}
    if earlier:
        wanted = {sku: q + (stock[sku] - then[sku] if sku in stock else 0) for sku, q in wanted.items()}
    arguments: dict[str, Any] = {"missing": "zero" if whole else "ignore"}
    arguments |= {"at_count": _typed(then)} if earlier else {}
    if net:
        arguments |= {"basis": "net_of_open", "open_items": _open(*(("W", *line) for line in lines))}
        arguments["open_items"] = arguments["open_items"].astype({"quantity": "int64"})
    if min(wanted.values(), default=0) < 0:
        with pytest.raises(InvalidRequestError, match="below 0"):
            cn.build_true_up(_typed(counted), _typed(stock), **arguments)
        return
    plan = cn.build_true_up(_typed(counted), _typed(stock), **arguments)
    expected = {sku: quantity for sku, quantity in wanted.items() if stock.get(sku) != quantity}
    assert dict(zip(plan["product_sku"], plan["quantity"], strict=True)) == expected
