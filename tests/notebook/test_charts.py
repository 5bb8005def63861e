"""Test what charts draw, and that none is empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from support import chart_frames as made
from support.chart_images import OUTCOMES, save_chart

import cenports_nb as cn
from cenports_nb.sandbox import Sandbox

pytestmark = pytest.mark.slow

mpl.use("agg")

TOLERANCE = 10
"""Root mean square of the difference, of 255."""


@pytest.fixture(scope="module")
def diff() -> pd.DataFrame:
    with Sandbox(shift=False, rate_limit=None) as sandbox, cn.connect("sandbox", base_url=sandbox.url) as client:
        lines = cn.load_line_items(client, "1998-04-01", "1998-05-06")
        return cn.diff_stock(cn.load_actual_stock(client), cn.load_available_stock(client), open_items=lines)


@pytest.fixture(scope="module")
def northwind_frames() -> dict[str, pd.DataFrame]:
    days = ("1998-03-01", "1998-05-06")
    with Sandbox(shift=False, rate_limit=None) as sandbox, cn.connect("sandbox", base_url=sandbox.url) as client:
        return {
            "orders": cn.load_orders(client, *days, with_acknowledged=True),
            "lines": cn.load_line_items(client, *days),
            "available": cn.load_available_stock(client),
        }


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def texts(ax: plt.Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def labels(ax: plt.Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def bars(ax: plt.Axes, word: str) -> list[float]:
    """Return the lengths of the bars with that label in the legend."""
    (found,) = [container for container in ax.containers if word in container.get_label()]
    return [bar.get_width() for bar in found]


def legend(ax: plt.Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_most_reserved_sku_is_the_first_bar(diff: pd.DataFrame) -> None:
    """Bars are sorted by reserved units, with the numbers beside them."""
    ax = cn.plot_stock(diff, top=3)
    assert ax.get_yticklabels()[0].get_text() == "0064  Wimmers gute Semmelknödel"
    assert texts(ax)[0] == "132 reserved, 110 short"


def test_channels_do_not_count_stock_twice(diff: pd.DataFrame) -> None:
    """A SKU in three channels is one bar, and a warehouse counts its units once."""
    ax = cn.plot_stock(diff, by="warehouse")
    widths = [sum(bar.get_width() for bar in bars) for bars in ax.containers]
    reserved_covered, free, _short = widths
    assert reserved_covered + free == 3119


def test_axis_has_its_unit(diff: pd.DataFrame) -> None:
    """Every number has a unit."""
    assert cn.plot_stock(diff).get_xlabel() == "units"


@pytest.mark.parametrize("plot", [cn.plot_stock, cn.plot_demand])
def test_accounts_have_bars_of_their_own(diff: pd.DataFrame, plot: Callable[..., plt.Axes]) -> None:
    """Warehouses of two accounts may share a code; the account comes before it."""
    both = pd.concat([diff.assign(account=name) for name in ("acme", "globex")], ignore_index=True)
    names = [label.rpartition("(")[2] for label in labels(plot(both, top=4))]
    assert names == ["acme NW-EAST)", "globex NW-EAST)"] * 2


def test_personal_columns_are_not_drawn(diff: pd.DataFrame) -> None:
    """Only SKUs, products and warehouses are drawn, whatever columns a merge added."""
    merged = diff.assign(customer_name="Jane Doe", contact_email="jane@example.com")
    for by in ("sku", "warehouse"):
        ax = cn.plot_stock(merged, by=by)
        drawn = [*texts(ax), ax.get_title(loc="left"), *(label.get_text() for label in ax.get_yticklabels())]
        assert "jane" not in str(drawn).lower()


def test_empty_frame_is_a_sentence(diff: pd.DataFrame) -> None:
    """A sentence replaces empty axes."""
    ax = cn.plot_stock(diff.iloc[:0])
    assert texts(ax) == ["No stock to show: no SKU has units on hand or reserved."]
    assert not ax.axison


@pytest.mark.parametrize("name", made.NAUGHTY)
@pytest.mark.parametrize("kind", ["stock", "cover", "demand", "ages", "outcomes", "title"])
def test_naughty_names_are_drawn_as_text(kind: str, name: str) -> None:
    """Math signs, missing glyphs, control characters and very long names cause no warning."""
    one = {"product_sku": name, "product_name": name, "warehouse_code": name}
    charts = {
        "stock": lambda: cn.plot_stock(made.stock(("1", 5, -2, 7)).assign(**one)),
        "cover": lambda: cn.plot_cover(made.cover(("1", 5, 28)).assign(**one)),
        "demand": lambda: cn.plot_demand(made.stock(("1", 5, -2, 7)).assign(**one)),
        "ages": lambda: cn.plot_ages(made.ages((3, True, True)).assign(order_no=name)),
        "outcomes": lambda: cn.plot_outcomes([made.snapshot((name, {"applied": 3, name: 2}), name=name)] * 2),
        "title": lambda: cn.plot_orders(made.orders("2026-01-05", 1, 2), title=name),
    }
    ax = charts[kind]()
    assert save_chart(ax).startswith(b"\x89PNG")
    outside = [ax.get_title(loc="left"), *texts(ax), *labels(ax)]
    if name.isascii() and name.isprintable() and len(name) < 40:
        assert any(name in text for text in outside)


def test_given_axes_are_used(diff: pd.DataFrame) -> None:
    """`ax=` draws where the caller wants it."""
    _, ax = plt.subplots()
    assert cn.plot_stock(diff, ax=ax) is ax


def test_frame_of_another_kind_is_refused() -> None:
    """The one-line error names the missing column."""
    with pytest.raises(cn.errors.InvalidRequestError, match="diff lacks the columns warehouse_code"):
        cn.plot_stock(pd.DataFrame({"a": [1]}))


def test_cover_shows_what_runs_out_first() -> None:
    """The shortest cover is on top; rows of unknown cover are counted below."""
    cover = made.cover(("0014", 30, 28), ("0012", 0, 56), ("0013", 5, 28), ("0016", 9, 0), ("0017", None, 7))
    ax = cn.plot_cover(cover)
    assert labels(ax) == ["0012  Name of 0012", "0013  Name of 0013", "0014  Name of 0014"]
    assert texts(ax) == [
        "none left, 2.0 a day",
        "5.0 days: 5 units, 1.0 a day",
        "30.0 days: 30 units, 1.0 a day",
        "1 SKU sold but not stocked; 1 SKU not sold.",
    ]
    assert bars(ax, "less than 7 days") == [5.0]
    assert bars(ax, "7 days or more") == [30.0]
    assert ax.get_xlabel() == "days of cover"


def test_skus_out_of_stock_leave_room_for_others() -> None:
    """With hundreds of SKUs out of stock, those about to run out are drawn, and all are counted."""
    many = [(f"{number:04}", 0, 28) for number in range(500)] + [
        (f"{number}", number, 28) for number in range(1000, 1500)
    ]
    ax = cn.plot_cover(made.cover(*many), top=12)
    assert sum("none left" in text for text in texts(ax)) == 4
    assert labels(ax)[4] == "1000  Name of 1000"
    assert texts(ax)[-1] == "496 more SKUs out of stock; 492 more SKUs that last longer."


def test_cover_equals_its_frame(northwind_frames: dict[str, pd.DataFrame]) -> None:
    """The numbers on the chart are those of `stock_cover`."""
    cover = cn.stock_cover(northwind_frames["lines"], northwind_frames["available"], as_of="1998-05-06")
    ax = cn.plot_cover(cover[cover["available"] > 0], top=500)
    drawn = sorted(width for container in ax.containers for width in [bar.get_width() for bar in container])
    known = cover.loc[cover["available"] > 0, "cover_days"].dropna()
    assert drawn == pytest.approx(sorted(known))


def test_demand_is_compared_with_stock() -> None:
    """Bars are stock, marks are open orders, the largest shortfall is on top; SKUs without demand are left out."""
    ax = cn.plot_demand(made.stock(("A", 40, 22, 18), ("B", 10, -12, 22), ("C", 30, 30, 0)))
    assert [label[:1] for label in labels(ax)] == ["B", "A"]
    assert bars(ax, "on hand") == [10, 40]
    assert bars(ax, "short") == [12]
    assert list(ax.lines[0].get_xdata()) == [22, 18]
    assert texts(ax) == ["22 ordered, 12 short", "18 ordered, 22 to spare"]


def test_demand_may_be_what_was_sold() -> None:
    """For `stock_cover`, marks are units sold, and the chart has the length of the window."""
    ax = cn.plot_demand(made.cover(("A", 10, 28), ("B", -3, 56), ("C", None, 7)))
    assert "sold in 28 days" in legend(ax)
    assert texts(ax) == ["56 sold, 0 for sale", "28 sold, 10 for sale", "7 sold, 0 for sale"]


def test_demand_needs_demand() -> None:
    """Without open orders the error says what to do."""
    frame = made.stock(("A", 1, 1, 0)).drop(columns="open_quantity")
    with pytest.raises(cn.errors.InvalidRequestError, match="open_items=line_items"):
        cn.plot_demand(frame)
    with pytest.raises(cn.errors.InvalidRequestError, match="must be a DataFrame"):
        cn.plot_demand(None)


def test_thousand_skus_stay_readable() -> None:
    """The first bars are drawn, the others counted, and no label is longer than a line."""
    many = made.stock(*[(f"{number:040}", 50 + number, 10, 40 + number) for number in range(1000)])
    for ax in (cn.plot_stock(many), cn.plot_demand(many)):
        assert len(labels(ax)) == 12
        assert max(map(len, labels(ax))) < 75
        assert texts(ax)[-1].startswith("988 more SKUs")
        assert "not drawn" in texts(ax)[-1]


@pytest.mark.parametrize("grid", [(1, 1), (2, 2)])
def test_words_beside_bars_are_inside(grid: tuple[int, int]) -> None:
    """Long names and large numbers are not cut off, and bars keep most of the width."""
    many = made.stock(*[(f"SKU-{number:06}", 1_987_654, -1_234_567, 1_999_999) for number in range(30)])
    many["product_name"] = "Extraordinarily long product name, in oak, 2 × 180 cm"
    cover = made.cover(*[(f"SKU-{number:06}", 12_345, 9_876) for number in range(30)])
    outcomes = made.snapshot(*[("A-LONG-WAREHOUSE-CODE", {"applied": 1_234_567, "rejected": 98_765, "in_doubt": 9})])
    charts = [cn.plot_stock, cn.plot_demand, cn.plot_cover, cn.plot_outcomes]
    for plot, shown in zip(charts, (many, many, cover, outcomes), strict=True):
        figure = plt.figure(figsize=(9 * grid[1], 5 * grid[0]) if grid == (1, 1) else (16, 9), layout="constrained")
        ax = figure.subplots(*grid).flat[0] if grid != (1, 1) else figure.subplots()
        plot(shown, ax=ax)
        figure.canvas.draw()
        edge = ax.get_window_extent()
        assert edge.width > figure.bbox.width / grid[1] * 0.4
        for text in ax.texts:
            assert text.get_window_extent().x1 <= max(edge.x1, figure.bbox.width / grid[1])


def test_a_sku_in_two_warehouses_is_told_apart() -> None:
    """Bars have different labels."""
    both = pd.concat([made.stock(("A", 5, 2, 3), warehouse=code) for code in ("W1", "W2")])
    for ax in (cn.plot_stock(both), cn.plot_demand(both)):
        assert labels(ax) == ["A  Name of A  (W1)", "A  Name of A  (W2)"]


def test_every_waiting_order_is_in_one_column() -> None:
    """Columns are ages, empty ones included, by what is missing; the oldest order is named."""
    ax = cn.plot_ages(made.ages((0, False, True), (3, True, True), (4, None, True), (9, False, False)))
    heights = {container.get_label(): [bar.get_height() for bar in container] for container in ax.containers}
    assert heights == {
        "not acknowledged": [1, 0, 0, 1],
        "acknowledged, not shipped": [0, 0, 1, 0],
        "not shipped, acknowledgement not asked": [0, 0, 1, 0],
    }
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2–4", "5+"]
    assert texts(ax) == ["1", "0", "2", "1", "4 orders in all, the oldest, 0003, for 9 working days."]


def test_ages_equal_their_frame(northwind_frames: dict[str, pd.DataFrame]) -> None:
    """Every order of `order_ages` is drawn once, in its bucket, even after the frame was saved and read."""
    ages = cn.order_ages(northwind_frames["orders"], northwind_frames["lines"], now="1998-05-07T08:00Z")
    expected = [f"{count:,}" for count in ages["bucket"].value_counts(sort=False)]
    assert texts(cn.plot_ages(ages))[:-1] == expected
    plain_text = ages.assign(bucket=ages["bucket"].astype("str"))
    assert texts(cn.plot_ages(plain_text))[:-1] == [count for count in expected if count != "0"]


def test_outcomes_of_a_submission_that_was_sent(client: cn.Client) -> None:
    """Each warehouse is a bar, with the numbers of `outcomes`."""
    actual = cn.load_actual_stock(client)
    chosen = pd.concat(
        [rows.head(count) for (_, rows), count in zip(actual.groupby("warehouse_code"), (4, 3), strict=True)]
    )
    counts = chosen[["warehouse_code", "product_sku", "quantity"]].assign(quantity=chosen["quantity"] + 1)
    updates = cn.build_true_up(counts, actual)
    dry = cn.submit_updates(client, updates, allow=["discontinued", "basis"], dry_run=True)
    assert texts(cn.plot_outcomes(dry))[-1] == "7 rows in all; dry run, nothing was sent."
    submission = cn.submit_updates(client, updates, allow=["discontinued", "basis"])
    assert texts(cn.plot_outcomes(submission)) == ["4 pending", "3 pending", "7 rows in all."]
    submission.wait()
    ax = cn.plot_outcomes(submission)
    assert (labels(ax), bars(ax, "applied")) == (["NW-EAST", "NW-WEST"], [4, 3])
    assert texts(ax) == ["all 4 applied", "all 3 applied", "7 rows in all."]
    assert texts(cn.plot_outcomes([submission, submission.snapshot()]))[-1] == "14 rows in all."


def test_no_two_outcomes_look_alike_in_grey() -> None:
    """Adjacent outcomes differ by hatch or clearly by lightness."""
    ax = cn.plot_outcomes(made.snapshot(*OUTCOMES))
    looks = []
    for container in ax.containers:
        red, green, blue, _ = container[0].get_facecolor()
        looks.append((container[0].get_hatch() or "", round(0.299 * red + 0.587 * green + 0.114 * blue, 1)))
    assert len(set(looks)) == len(looks) == 8


def test_a_few_bad_rows_among_many_are_named() -> None:
    """Three of 100,000 rows are too thin to see, so text names them, and an unknown outcome too."""
    ax = cn.plot_outcomes(made.snapshot(("W", {"applied": 99_997, "rejected": 2, "gone": 1})))
    assert texts(ax)[0] == "2 rejected, 1 gone"
    assert legend(ax) == ["applied (99,997)", "rejected (2)", "gone (1)"]


def test_arguments_that_are_not_submissions_are_refused() -> None:
    """The one-line error says what to pass."""
    for wrong in (None, "s-1", pd.DataFrame(), [1], 5):
        with pytest.raises(cn.errors.InvalidRequestError, match="Submission"):
            cn.plot_outcomes(wrong)


def test_every_empty_chart_is_a_sentence() -> None:
    """Every chart without data is a sentence without axes."""
    nothing = {
        "cover": cn.plot_cover(made.cover(("A", 1, 1)).iloc[:0]),
        "unsold": cn.plot_cover(made.cover(("A", 1, 0))),
        "demand": cn.plot_demand(made.stock(("A", 1, 1, 0))),
        "sold": cn.plot_demand(made.cover(("A", 1, 0))),
        "ages": cn.plot_ages(made.ages((0, False, True)).iloc[:0]),
        "shipped": cn.plot_ages(made.ages((0, True, False))),
        "orders": cn.plot_orders(made.orders("2026-01-01", 1).iloc[:0]),
        "lines": cn.plot_orders(made.lines("2026-01-01", 1).iloc[:0]),
        "zero": cn.plot_orders(made.lines("2026-01-01", 0, 0)),
        "snapshot": cn.plot_outcomes(made.snapshot()),
        "none": cn.plot_outcomes([]),
    }
    for ax in nothing.values():
        assert len(texts(ax)) == 1
        assert texts(ax)[0].endswith(".")
        assert not ax.axison
        assert ax.get_title(loc="left")
        assert save_chart(ax)
    assert texts(nothing["unsold"]) == ["No SKU was sold from stock in these days; 1 SKU not sold."]


@pytest.mark.parametrize("top", [0, -1, True, 2.5, None])
def test_an_invalid_number_of_bars_is_refused(top: object) -> None:
    """The one-line error comes before drawing."""
    charts = {
        cn.plot_stock: made.stock(("A", 1, 1, 1)),
        cn.plot_cover: made.cover(("A", 1, 1)),
        cn.plot_demand: made.stock(("A", 1, 1, 1)),
        cn.plot_outcomes: made.snapshot(("W", {"applied": 1})),
    }
    for plot, shown in charts.items():
        with pytest.raises(cn.errors.InvalidRequestError, match="top="):
            plot(shown, top=top)
    assert plt.get_fignums() == []
