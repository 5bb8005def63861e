"""Test that the fast, strict decoder and the slow, lenient one give the same rows wherever both can read."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from support.order_decoding import Frames, build_frames, build_page
from support.property_examples import share_of_examples

from cenports_nb.api.http.record_page import open_page
from cenports_nb.api.retrieval.decoded_page import DecodedPage, JoinedPages, split_pages
from cenports_nb.errors import UnexpectedAnswerError
from cenports_nb.frames.decoding import arrow_orders
from cenports_nb.frames.decoding.order_pages import OrderPages, _decode_leniently, _from_strict, decode_orders

pytestmark = pytest.mark.slow

Page = Sequence[Any]
NO_ORDER = 5
"""A neighbour that no lane can read: its page must be read record by record."""

NAMES = st.text(max_size=8) | st.sampled_from(["0012", "1e5", "None", "null", "NaN", "true", "", " x ", "9" * 30, "📦"])
MAYBE = st.none() | NAMES
TEXTS = ["customerOrderNo", "channel", "customerName", "contactName", "contactEmail", "contactPhone", "status"]
AMOUNT = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)
MOMENT = st.datetimes().flatmap(
    lambda moment: st.sampled_from(
        [
            moment.isoformat(timespec="microseconds") + "Z",
            moment.isoformat(sep=" ", timespec="seconds"),
            moment.replace(microsecond=0).isoformat() + "+09:30",
            moment.isoformat(timespec="milliseconds") + "-0700",
            moment.date().isoformat(),
        ]
    )
)


def _object(*names: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make a nested object with all fields, some of them, or null."""
    return st.none() | st.fixed_dictionaries({}, optional={**dict.fromkeys(names, MAYBE), **more})


ADDRESS = _object("name", "address1", "address2", "city", "state", "country", "postalCode")
LINE = st.fixed_dictionaries(
    {"productSku": NAMES.filter(bool), "quantity": st.integers(-(2**63), 2**63 - 1)},
    optional={
        "lineItem": st.none() | st.integers(-1, 5).map(str) | NAMES,
        "price": AMOUNT,
        **dict.fromkeys(["retailerSku", "productName", "shipFromWarehouseCode", "status", "orderNo", "extra"], MAYBE),
    },
)
ORDER = st.fixed_dictionaries(
    {"orderNo": NAMES.filter(bool), "orderDate": MOMENT},
    optional={
        **dict.fromkeys(TEXTS, MAYBE),
        "channelId": st.none() | NAMES.filter(bool),
        "billTo": ADDRESS,
        "shipTo": ADDRESS,
        "shipFrom": _object(
            "warehouseCode",
            "warehouseName",
            "location",
            "contactPhone",
            "owner",
            availability=st.none() | st.booleans(),
        ),
        "shippingInfo": _object("carrierCode", "serviceLevel"),
        "extra": MAYBE,
        "pricing": _object("extra", subTotal=AMOUNT, discount=AMOUNT, shipCost=AMOUNT, grandTotal=AMOUNT),
        "notes": _object("merchantMsg", "retailerMsg"),
        "lineItems": st.none() | st.lists(LINE, max_size=4),
    },
)


def _order(number: str = "A1", *lines: Any, **changes: Any) -> dict[str, Any]:
    order = {"orderNo": number, "channelId": "X", "orderDate": "2026-01-02T03:04:05.678901Z", "lineItems": [*lines]}
    return {**order, **changes}


def _line(sku: str = "S", **changes: Any) -> dict[str, Any]:
    return {"productSku": sku, "quantity": 1, "lineItem": "1", "price": 1.5, **changes}


def _fast(*pages: bytes) -> DecodedPage:
    found = arrow_orders.decode_strictly(pages, "X")
    assert found is not None
    return _from_strict(found)


def _same(left: Frames, right: Frames) -> None:
    assert_frame_equal(left.orders, right.orders, check_exact=True)
    assert_frame_equal(left.line_items, right.line_items, check_exact=True)
    assert (left.rejects, left.line_rejects, left.unknown_fields) == (
        right.rejects,
        right.line_rejects,
        right.unknown_fields,
    )


@given(st.lists(ORDER, max_size=4))
def test_both_decoders_make_the_same_frames(records: list[dict[str, Any]]) -> None:
    """Documented orders give equal amounts to the last bit, and undocumented fields equal names."""
    page = build_page(*records)
    _same(build_frames([_fast(page)]), build_frames([_decode_leniently([page], "X")]))


@settings(max_examples=share_of_examples(1 / 2))
@given(st.lists(ORDER, min_size=1, max_size=3))
def test_an_unreadable_neighbour_changes_nothing(records: list[dict[str, Any]]) -> None:
    """The whole page is read by the lenient decoder, and gives the same rows."""
    with_it = build_frames([decode_orders("X", [build_page(*records, NO_ORDER)])])
    alone = build_frames([_fast(build_page(*records))])
    assert_frame_equal(with_it.orders, alone.orders, check_exact=True)
    assert_frame_equal(with_it.line_items, alone.line_items, check_exact=True)
    assert [(reject.record_index, reject.record) for reject in with_it.rejects] == [(len(records), "5")]


def test_the_order_of_many_records_changes_nothing() -> None:
    """Rows that were received in their order are copied in runs, others one by one."""
    records = [_order(f"A{n:04}", _line(), _line(lineItem=None), customerName=f"name {n}") for n in range(900)]
    shuffled = [records[n * 7 % 900] for n in range(900)]
    overlapping = [build_page(*records[:500]), build_page(*records[400:])]
    _same(build_frames([_fast(*overlapping)]), build_frames([_fast(build_page(*shuffled))]))


@pytest.mark.parametrize("sent", ["A1", "2026-01-01", 5, 1.5, True, None, ["A1"], {"is": "A1"}])
def test_the_order_number_of_a_line_may_be_anything(sent: Any) -> None:
    """It repeats that of the order, and fills no column."""
    found = build_frames([decode_orders("X", [build_page(_order("A1", _line(orderNo=sent)))])])
    _same(found, build_frames([_fast(build_page(_order("A1", _line())))]))


@settings(max_examples=share_of_examples(1 / 2))
@given(st.lists(ORDER, min_size=1, max_size=6))
def test_the_size_of_pages_changes_nothing(records: list[dict[str, Any]]) -> None:
    """Orders come in one page, in a page each, and in chunks of one page."""
    whole = build_frames([decode_orders("X", [build_page(*records)])])
    _same(whole, build_frames([decode_orders("X", [build_page(record) for record in records])]))
    _same(whole, build_frames([decode_orders("X", [build_page(record)]) for record in records]))


@pytest.mark.parametrize(
    ("changes", "column", "read"),
    [
        ({"quantity": "5"}, "quantity", 5),
        ({"quantity": 5.0}, "quantity", 5),
        ({"quantity": "5.0"}, "quantity", 5),
        ({"quantity": "-5"}, "quantity", -5),
        ({"price": "12.3456"}, "price", 12.3456),
        ({"price": 10**20}, "price", 1e20),
        ({"productSku": 12}, "product_sku", "12"),
        ({"productSku": 10**30}, "product_sku", str(10**30)),
        ({"productName": "null", "retailerSku": 5}, "product_name", "null"),
        ({"lineItem": 7}, "line_item", 7),
        ({"lineItem": {"no": 7}}, "line_item", 1),
    ],
    ids=str,
)
def test_a_line_that_only_the_lenient_decoder_reads_is_a_row(changes: Any, column: str, read: Any) -> None:
    """Nothing is rejected, and neighboring rows are unchanged."""
    odd, plain = _order("A2", _line(**changes)), [_order("A1", _line()), _order("A3", _line())]
    found = build_frames([decode_orders("X", [build_page(plain[0], odd, plain[1]), build_page(_order("A4", _line()))])])
    lines = found.line_items.set_index("order_no")
    assert (lines.loc["A2", column], found.rejects, found.line_rejects) == (read, (), ())
    rest = found.line_items[found.line_items["order_no"] != "A2"].reset_index(drop=True)
    others = build_frames([_fast(build_page(*plain, _order("A4", _line())))])
    assert_frame_equal(rest, others.line_items, check_exact=True)


LINES_REFUSED = [
    (b'{"productSku": "S", "quantity": 1e400}', "quantity"),
    (b'{"productSku": "S", "quantity": 100000000000000000000}', "quantity"),
    (b'{"productSku": "S", "quantity": 9223372036854775808}', "quantity"),
    (b'{"productSku": "S", "quantity": 58.5}', "quantity"),
    (b'{"productSku": "S", "quantity": ""}', "quantity"),
    (b'{"productSku": "S", "quantity": "abc"}', "quantity"),
    (b'{"productSku": "S", "quantity": "null"}', "quantity"),
    (b'{"productSku": "S", "quantity": true}', "quantity"),
    (b'{"productSku": "S", "quantity": null}', "quantity"),
    (b'{"productSku": "S", "quantity": NaN}', "quantity"),
    (b'{"productSku": "S"}', "quantity"),
    (b'{"productSku": "S", "quantity": 1, "price": NaN}', "price"),
    (b'{"productSku": "S", "quantity": 1, "price": Infinity}', "price"),
    (b'{"productSku": "S", "quantity": 1, "price": -Infinity}', "price"),
    (b'{"productSku": "S", "quantity": 1, "price": 1e400}', "price"),
    (b'{"productSku": "S", "quantity": 1, "price": "null"}', "price"),
    (b'{"productSku": "S", "quantity": 1, "price": "NULL"}', "price"),
    (b'{"productSku": "S", "quantity": 1, "price": "nan"}', "price"),
    (b'{"productSku": "S", "quantity": 1, "price": "1,5"}', "price"),
    (b'{"productSku": "", "quantity": 1}', "product_sku"),
    (b'{"productSku": null, "quantity": 1}', "product_sku"),
    (b'{"productSku": "\\ud800", "quantity": 1}', "product_sku"),
    (b'{"productSku": "\\udc00", "quantity": 1}', "product_sku"),
    (b'{"productSku": ["S"], "quantity": 1}', "product_sku"),
    (b'{"quantity": 1}', "product_sku"),
    (b"null", ""),
    (b'"line"', ""),
    (b"[]", ""),
]


@pytest.mark.parametrize(("line", "column"), LINES_REFUSED, ids=[line.decode() for line, _ in LINES_REFUSED])
def test_a_line_that_no_decoder_reads_is_the_only_reject(line: bytes, column: str) -> None:
    """Its order stays and counts the line; other lines keep their positions."""
    first, third = (json.dumps(_line(sku, lineItem=None)).encode() for sku in "TU")
    order = json.dumps(_order()).encode().replace(b"[]", b"[" + b",".join([first, line, third]) + b"]")
    plain = _order("A0", _line())
    found = build_frames([decode_orders("X", [build_page(plain), build_page(plain | {"orderNo": "A2"}, order)])])
    lines = found.line_items[found.line_items["order_no"] == "A1"]
    assert list(zip(lines["product_sku"], lines["line_item"], strict=True)) == [("T", 1), ("U", 3)]
    assert found.orders.set_index("order_no")["line_count"].to_dict() == {"A0": 1, "A1": 3, "A2": 1}
    assert [(r.record_index, r.column, r.record, r.reason[:18]) for r in found.line_rejects] == [
        (2, column, line.decode(), "line 2 of order A1")
    ]
    assert (found.rejects, sorted(found.line_items["order_no"])) == ((), ["A0", "A1", "A1", "A2"])


ORDERS_REFUSED = [
    (b"null", ""),
    (b"[]", ""),
    (b'"order"', ""),
    (b'{"orderDate": "2026-01-02"}', "order_no"),
    (b'{"orderNo": "", "orderDate": "2026-01-02"}', "order_no"),
    (b'{"orderNo": "B", "orderDate": "2026-01-02", "channelId": ""}', "channel_id"),
    (b'{"orderNo": "B", "orderDate": 1767225600}', "order_date"),
    (b'{"orderNo": "B", "orderDate": "9999-12-31T23:59:59-02:00"}', "order_date"),
    (b'{"orderNo": "B", "orderDate": "0001-01-01T00:00:00+02:00"}', "order_date"),
    (b'{"orderNo": "B", "orderDate": "0000-12-31"}', "order_date"),
    (b'{"orderNo": "B", "orderDate": "2026-01-02", "customerName": "\\ud83d"}', "customer_name"),
    (b'{"orderNo": "B", "orderDate": "2026-01-02", "customerName": "\xff"}', ""),
    (b'{"orderNo": "B", "orderDate": "2026-01-02", "customerName": true}', "customer_name"),
    (b'{"orderNo": "B", "orderDate": "2026-01-02", "lineItems": {"productSku": "S"}}', "line_items"),
    (b'{"orderNo": "B", "orderDate": "2026-01-02", "pricing": []}', "pricing"),
    (b'{"orderNo": "B", "orderDate": "2026-01-02", "pricing": {"grandTotal": NaN}}', "grand_total"),
    (b'{"orderNo": "B", "orderDate": "2026-01-02", "pricing": {"grandTotal": "null"}}', "grand_total"),
    (b'{"orderNo": "B", "orderDate": "2026-01-02", "pricing": {"grandTotal": 1e400}}', "grand_total"),
    (b'{"orderNo": "B", "orderDate": "2026-01-02", "shipFrom": {"availability": "null"}}', "availability"),
]


@pytest.mark.parametrize(("record", "column"), ORDERS_REFUSED, ids=[repr(record) for record, _ in ORDERS_REFUSED])
def test_an_order_that_no_decoder_reads_is_the_only_reject(record: bytes, column: str) -> None:
    """The reject has the record and its place; other orders are rows."""
    plain = [_order(f"A{number}", _line()) for number in range(4)]
    pages = [build_page(plain[0]), build_page(plain[1], record, plain[2]), build_page(plain[3])]
    found = build_frames([decode_orders("X", pages)])
    assert [(r.record_index, r.column, r.record) for r in found.rejects] == [
        (2, column, record.decode("utf-8", "replace"))
    ]
    others = build_frames([_fast(build_page(*plain))])
    assert_frame_equal(found.orders, others.orders, check_exact=True)
    assert_frame_equal(found.line_items, others.line_items, check_exact=True)


@pytest.mark.parametrize(
    ("doubled", "column", "read"),
    [
        ('"customerName": "first", "customerName": "last"', "customer_name", "last"),
        ('"orderNo": "A2"', "order_no", "A2"),
        ('"pricing": {"grandTotal": 1}, "pricing": {"grandTotal": 2}', "grand_total", 2.0),
    ],
)
def test_the_last_of_repeated_fields_counts(doubled: str, column: str, read: Any) -> None:
    """All JSON parsers do so; the fast decoder leaves such pages to the lenient one."""
    page = build_page(json.dumps(_order()).encode()[:-1] + b", " + doubled.encode() + b"}")
    found = build_frames([decode_orders("X", [page])])
    assert (arrow_orders.decode_strictly([page], "X"), found.orders.loc[0, column], found.rejects) == (None, read, ())


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_breaks_in_a_page_are_only_blanks(indent: int | None, ending: str) -> None:
    """A page may be pretty-printed with any line ends; U+2028 in a text is not one."""
    records = [_order("A1", _line(), customerName="a\u2028b\nc"), _order("A2")]
    pretty = json.dumps({"data": records}, indent=indent, ensure_ascii=False).replace("\n", ending) + ending
    page = open_page("", pretty.encode()).records
    _same(
        build_frames([decode_orders("X", [page, build_page(_order("A3"))])]),
        build_frames([_fast(build_page(*records, _order("A3")))]),
    )


@pytest.mark.parametrize(
    "body",
    [b'[{"orderNo": "A1"}] and more', b'[{"orderNo": "A1"},]', b"[{'orderNo': 1}]", b'[{"orderNo": 007}]', b"[" * 9999],
    ids=["more", "comma", "quotes", "zeros", "deep"],
)
def test_invalid_json_raises_an_error(body: bytes) -> None:
    """A one-line error of the package is raised."""
    with pytest.raises(UnexpectedAnswerError, match="unknown shape"):
        open_page("/orders", body)


def test_a_value_that_is_no_json_costs_nothing_but_its_record() -> None:
    """Numbers of 5,000 digits or above 1e308, and a byte order mark, don't affect other records."""
    odd = [
        b'{"orderNo": "B1", "orderDate": "2026-01-01", "x": NaN, "y": 1e400, "z": ' + b"9" * 5000 + b"}",
        b'{"orderNo": "B2", "orderDate": "2026-01-01", "x\\ud800": 1.10, "status": "NaN, \\"Infinity\\" \\ud83d\\udce6"}',
        b'{"orderNo": "B3",  "orderDate": "2026-01-01", "status": "\\ud800 \\"x", "pricing": {"grandTotal": 1.10}}',
    ]
    page = open_page("", b'\xef\xbb\xbf{"data": [' + b",".join(odd) + b"]}").records
    found = build_frames([decode_orders("X", [page])])
    assert found.orders["status"].fillna("").tolist() == ["", 'NaN, "Infinity" 📦']
    assert [(r.record_index, r.key, r.column, r.record) for r in found.rejects] == [
        (2, "B3", "status", odd[2].decode())
    ]


def _mixed(pattern: str) -> list[bytes]:
    """Make pages of two orders each: `f` for the fast decoder, `c` for the lenient one, `r` with a reject between."""
    pages = []
    for place, kind in enumerate(pattern):
        first, second = _order(f"{place}a", _line(), _line(lineItem="2")), _order(f"{place}b", _line())
        if kind == "c":
            first["lineItems"][0]["quantity"] = "1"
        pages.append(build_page(first, NO_ORDER, second) if kind == "r" else build_page(first, second))
    return pages


@pytest.mark.parametrize("pattern", ["f", "c", "r", "fcf", "cfc", "ffrffcff", "ccccff", "rrrfrf", "frcrcffcr"])
def test_order_sizes_and_places_are_right_for_any_decoder(pattern: str) -> None:
    """The fast decoder refuses some of many pages in a chunk."""
    opened = decode_orders("X", _mixed(pattern))
    parts = [part for part in split_pages(opened) if isinstance(part, OrderPages)]
    assert list(opened.sizes) == [3 if kind == "r" else 2 for kind in pattern]
    numbers, places, start = [], [], 0
    for part in parts:
        numbers += part.orders["order_no"].to_pylist()
        places += [start + int(place) for place in part.record_indexes]
        start += sum(part.sizes)
    whole = [name for place, kind in enumerate(pattern) for name in (f"{place}a", *"!" * (kind == "r"), f"{place}b")]
    assert numbers == [name for name in whole if name != "!"]
    assert [whole[place] for place in places] == numbers
    assert len(opened.identities) == len(whole)


@pytest.mark.parametrize("pattern", ["rr", "fr", "frf", "frcrcffcr", "ccccrf"])
@pytest.mark.parametrize("each", [1, 2, 9])
def test_a_reject_tells_its_place_among_all_records(pattern: str, each: int) -> None:
    """Places count over pages, chunks and windows, for both decoders."""
    pages = _mixed(pattern)
    bad = [page.replace(b",5,", b',{"orderNo":"bad%d"},' % place) for place, page in enumerate(pages)]

    def places(pages: Sequence[bytes], *, as_one: bool = False) -> list[int]:
        chunks = [decode_orders("X", pages[start : start + each]) for start in range(0, len(pages), each)]
        found = build_frames([JoinedPages(chunks)] if as_one else chunks)
        return [reject.record_index for reject in found.rejects]

    whole = [name for kind in pattern for name in ("a", *"!" * (kind == "r"), "b")]
    expected = [place for place, name in enumerate(whole) if name == "!"]
    assert (places(bad), places(bad, as_one=True)) == (expected, expected)
    assert places(pages) == expected[-1:]  # the very same record several times is one reject


def test_line_rejects_tell_the_place_of_their_order_over_windows() -> None:
    """Places count all records; lines of a replaced copy are not listed."""
    bad = _line("B", quantity="x")
    pages = [[_order("A1", bad)], [_order("A2"), _order("A3", _line(), bad)], [_order("A1", _line())]]
    found = build_frames([decode_orders("X", [build_page(*page)]) for page in pages])
    assert [(reject.record_index, reject.key) for reject in found.line_rejects] == [(2, "B")]
    assert found.orders.set_index("order_no")["line_count"].to_dict() == {"A1": 1, "A2": 0, "A3": 2}
