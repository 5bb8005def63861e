"""Test that personal data becomes pseudonyms, consistent within an account, and nothing else changes."""

from __future__ import annotations

import json
import re
import time
import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.frames.privacy.masking import mask_json, mask_series
from cenports_nb.frames.privacy.personal_columns import personal_kind
from cenports_nb.frames.privacy.pseudonyms import build_pseudonymizer
from cenports_nb.frames.provenance import Provenance, Reject, attach, rejects_frame

DAYS = ("1998-05-01", "1998-05-06")
PERSONAL = "Jane Doe of 7 Mill Lane"
PSEUDONYM = r"(name|address|phone|email|text)-[0-9a-f]{12}"


def of_account(frame: pd.DataFrame, partner_id: str, environment: str = "staging") -> pd.DataFrame:
    """Mark the frame as loaded from an account."""
    found = Provenance(
        "GET /orders", {}, environment, partner_id, None, 1, 0, complete=True, rows=len(frame), rejected=0, outside=0,
        package_version="0",
    )  # fmt: skip
    return attach(frame.copy(), found, ())


def texts(*values: Any) -> pd.Series[Any]:
    return pd.Series(values, dtype="str")


@pytest.fixture
def orders(client: cn.Client) -> pd.DataFrame:
    return cn.load_orders(client, *DAYS)


def test_every_personal_column_is_masked_and_no_other(orders: pd.DataFrame) -> None:
    """Columns that the schema calls personal have pseudonyms or nulls; others are unchanged."""
    masked = cn.mask_pii(orders)
    kinds = cn.schemas.Orders.describe().set_index("column")["personal"]
    for name in orders.columns:
        if kinds[name]:
            assert masked[name].dropna().str.fullmatch(rf"{kinds[name]}-[0-9a-f]{{12}}").all(), name
            assert (masked[name].isna() == orders[name].isna()).all(), name
            assert masked[name].nunique() == orders[name].nunique(), name
        else:
            pd.testing.assert_series_equal(masked[name], orders[name])


def test_a_masked_frame_is_the_same_frame_otherwise(orders: pd.DataFrame) -> None:
    """Dtypes, index, attrs and provenance stay, the schema holds, and the input is untouched."""
    before = orders.copy(deep=True)
    odd = orders.iloc[::-2]
    masked = cn.mask_pii(odd)
    assert masked.index.equals(odd.index)
    assert (masked.dtypes == odd.dtypes).all()
    assert masked.attrs == odd.attrs
    assert cn.provenance(masked) == cn.provenance(orders)
    cn.schemas.Orders.validate(masked)
    pd.testing.assert_frame_equal(orders, before)


def test_one_person_has_one_pseudonym_in_every_frame_of_the_account(orders: pd.DataFrame) -> None:
    """Equal names stay equal across columns and frames, so masked frames can be joined."""
    masked = cn.mask_pii(orders)
    same = orders["customer_name"] == orders["ship_to_name"]
    assert same.any()
    assert ((masked["customer_name"] == masked["ship_to_name"]) == same).all()
    again = cn.mask_pii(orders[["ship_to_name"]].rename(columns={"ship_to_name": "recipient"}))
    assert list(again["recipient"]) == list(masked["ship_to_name"])


@pytest.mark.parametrize("other", [("P-2", "staging"), ("P-1", "production")])
def test_another_account_has_other_pseudonyms(other: tuple[str, str]) -> None:
    """Two accounts can't be joined by their pseudonyms."""
    frame = cn.schemas.Orders.example()
    here, there = cn.mask_pii(of_account(frame, "P-1")), cn.mask_pii(of_account(frame, *other))
    assert (here["customer_name"] != there["customer_name"]).all()


def test_masking_twice_is_masking_once(orders: pd.DataFrame) -> None:
    """Displaying or exporting a masked frame shows the same pseudonyms."""
    masked = cn.mask_pii(orders)
    pd.testing.assert_frame_equal(cn.mask_pii(masked), masked)


@given(values=st.lists(st.text() | st.none(), max_size=20))
def test_different_values_stay_different_and_nulls_null(values: list[str | None]) -> None:
    """Masking neither merges nor adds people."""
    frame = pd.DataFrame({"customer_name": texts(*values)})
    masked = cn.mask_pii(frame)["customer_name"]
    assert list(masked.isna()) == [value is None for value in values]
    pairs = {(value, shown) for value, shown in zip(values, masked, strict=True) if value is not None}
    assert len(pairs) == len({value for value, _ in pairs}) == len({shown for _, shown in pairs})


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("customer_name", "name"), ("Customer Name", "name"), ("customerName", "name"), ("customer_name_x", "name"),
        ("consignee_name", "name"), ("recipient", "name"), ("attention", "name"), ("contact", "name"),
        ("signed_by", "name"), ("name", "name"), ("warehouse_manager_name", "name"),
        ("delivery_address1", "address"), ("street_line", "address"), ("ship_to_postal_code", "address"),
        ("zip", "address"), ("shipToZipCode", "address"),
        ("recipient_phone", "phone"), ("mobile", "phone"), ("contact_email", "email"), ("buyer_e_mail", "email"),
        ("gift_message", "text"), ("customer_note", "text"), ("retailer_msg", "text"), ("message", "text"),
        ("product_name", ""), ("warehouse_name", ""), ("channel_name", ""), ("carrier_name", ""), ("service_name", ""),
        ("service_level_name", ""), ("shipping_method_name", ""), ("recipient_city", ""), ("contact_id", ""),
        ("ship_to_address_country", ""), ("delivery_state", ""), ("order_no", ""), ("tracking_number", ""),
        ("customer_order_no", ""), ("status", ""), ("quantity", ""), ("note_count", ""),
    ],
)  # fmt: skip
def test_unknown_columns_are_judged_by_name(column: str, kind: str) -> None:
    """People, streets, telephones, e-mails and messages are masked; things, places and numbers are not."""
    masked = cn.mask_pii(pd.DataFrame({column: texts(PERSONAL)}))[column][0]
    assert personal_kind(column) == kind
    assert masked == PERSONAL if not kind else re.fullmatch(rf"{kind}-[0-9a-f]{{12}}", masked)


def test_fields_of_an_undocumented_shipment_are_masked(
    server: ScriptedServer, staging: Callable[..., cn.Client]
) -> None:
    """Nested recipients and lists in JSON have no names left; numbers stay."""
    server.on("GET /channels", Reply({"data": [{"channelId": "X", "channelName": "Shop"}]}))
    server.on("GET /shipments", Reply({"data": [{
        "orderNo": "A1", "shipDate": "2026-06-03T10:00:00Z", "carrierName": "Fast Freight",
        "recipient": {"name": PERSONAL, "city": "Tracy", "postalCode": PERSONAL},
        "packages": [{"trackingNumber": "T-1", "attention": PERSONAL, "contact": {"phone": 5550100}, "weight": 1.5}],
    }]}))  # fmt: skip
    masked = cn.mask_pii(cn.load_shipments(staging(), "2026-06-01", "2026-06-05"))
    assert PERSONAL not in str(masked.to_dict())
    row = masked.iloc[0]
    assert (row["recipient_city"], row["carrier_name"]) == ("Tracy", "Fast Freight")
    (package,) = json.loads(row["packages"])
    assert (package["trackingNumber"], package["weight"]) == ("T-1", 1.5)
    assert re.fullmatch(PSEUDONYM, package["contact"]["phone"])


@pytest.fixture
def rejects(server: ScriptedServer, staging: Callable[..., cn.Client]) -> pd.DataFrame:
    """Load an order full of personal data that is rejected, and return the rejects and the warning."""
    order = {
        "orderNo": "B7", "channelId": "X", "orderDate": PERSONAL, "customerName": PERSONAL,
        "shipTo": {"name": PERSONAL, "city": "Tracy", "phone": 1234567890},
        "lineItems": [{"productSku": "0012", "productName": "Chai", "quantity": 1, "giftMessage": PERSONAL}],
    }  # fmt: skip
    server.on("GET /orders", Reply({"data": [order], "total": 1}))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        orders = cn.load_orders(staging(), "2026-06-01", "2026-06-02")
    assert {PERSONAL in str(item.message) for item in caught} == {False}
    found = cn.rejected(orders)
    assert found is not None
    return found


def test_rejected_records_are_masked_inside_their_json(rejects: pd.DataFrame) -> None:
    """The JSON keeps identifiers and products; people become pseudonyms, in the reason too."""
    assert PERSONAL in rejects["record"][0]
    masked = cn.mask_pii(rejects)
    assert PERSONAL not in str(masked.to_dict())
    record = json.loads(masked["record"][0])
    assert record["lineItems"][0]["productName"] == "Chai"
    assert (record["orderNo"], record["shipTo"]["city"], record["lineItems"][0]["productSku"]) == (
        "B7",
        "Tracy",
        "0012",
    )
    assert record["customerName"] == record["shipTo"]["name"] == build_pseudonymizer("staging|P-1")("name", PERSONAL)
    assert re.fullmatch(PSEUDONYM, record["shipTo"]["phone"])
    assert masked["reason"][0].startswith("order_date isn't a date: text-")


def test_the_rejects_that_a_frame_keeps_are_masked_with_it(
    server: ScriptedServer, staging: Callable[..., cn.Client]
) -> None:
    """Rejects go into files such as .parquet; masked, they equal those of `rejected`."""
    order = {"orderNo": "B7", "channelId": "X", "orderDate": PERSONAL, "customerName": PERSONAL, "lineItems": []}
    server.on("GET /orders", Reply({"data": [order], "total": 1}))
    with pytest.warns(cn.errors.RejectedRowsWarning):
        orders = cn.load_orders(staging(), "2026-06-01", "2026-06-02")
    masked = cn.mask_pii(orders)
    assert PERSONAL in str(orders.attrs)
    assert PERSONAL not in str(masked.attrs)
    assert cn.provenance(masked) == cn.provenance(orders)
    pd.testing.assert_frame_equal(cn.rejected(masked), cn.mask_pii(cn.rejected(orders)))


def test_the_error_of_a_strict_load_has_no_personal_data(
    server: ScriptedServer, staging: Callable[..., cn.Client]
) -> None:
    """The error of `on_reject="raise"` gives a reason without names, and its rejects can be masked."""
    server.on("GET /orders", Reply({"data": [{"orderNo": "B", "channelId": "X", "orderDate": PERSONAL}], "total": 1}))
    with pytest.raises(cn.errors.RejectedRowsError) as caught:
        cn.load_orders(staging(), "2026-06-01", "2026-06-02", on_reject="raise")
    assert PERSONAL not in str(caught.value)
    assert PERSONAL not in str(cn.mask_pii(caught.value.rejected).to_dict())


CUT = b'{"data":[{"customerName":"' + PERSONAL.encode() + b'","orderNo":'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (CUT, "not with whole JSON"),
        ({"customerName": PERSONAL, "data": PERSONAL}, "unknown shape, an object of customerName, data"),
        ({"data": [{"orderNo": "A", "customerName": PERSONAL}], "total": PERSONAL}, "GET /orders"),
    ],
)
def test_errors_about_answers_have_no_personal_data(
    server: ScriptedServer, staging: Callable[..., cn.Client], body: Any, words: str
) -> None:
    """Errors end up in logs and notebooks, so they describe a broken answer without quoting people."""
    server.on("GET /orders", Reply(body))
    with pytest.raises(cn.CenportsError, match=words) as caught:
        cn.load_orders(staging(), "2026-06-01", "2026-06-02")
    assert PERSONAL not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("record", ["{broken " + PERSONAL, PERSONAL, f'"{PERSONAL}"', f'["{PERSONAL}"]', "�"])
def test_a_record_that_is_no_object_is_one_pseudonym(record: str) -> None:
    """Without fields there is nothing safe to keep."""
    rejects = rejects_frame((Reject(0, "", "", "JSON is malformed", record),), "staging|P-1")
    masked = cn.mask_pii(rejects)["record"][0]
    assert PERSONAL not in masked
    assert re.search(r"text-[0-9a-f]{12}", masked)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["customerName", "city", "shipTo", "orderNo", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=st.dictionaries(st.sampled_from(["customerName", "shipTo", "orderNo"]), JSON))
def test_masked_json_is_json_of_the_same_shape(value: dict[str, Any]) -> None:
    """Keys, lists, nulls and booleans stay."""

    def shape(item: Any) -> Any:
        if isinstance(item, dict):
            return {name: shape(inner) for name, inner in item.items()}
        if isinstance(item, list):
            return [shape(inner) for inner in item]
        return item if item is None or isinstance(item, bool) else "value"

    masked = mask_json(json.dumps(value), "", build_pseudonymizer("a"))
    assert masked is not None
    masked.encode()
    assert shape(json.loads(masked)) == shape(value)
    assert json.loads(masked).get("orderNo") == value.get("orderNo") or isinstance(value["orderNo"], dict | list)


def test_labels_that_are_people_are_masked() -> None:
    """set_index, groupby and pivot_table put names into labels."""
    orders = cn.schemas.Orders.example()
    for frame in (
        orders.set_index("customer_name"),
        orders.set_index(["order_no", "customer_name"]),
        orders.groupby("customer_name")[["grand_total"]].sum(),
        orders.pivot_table(index="order_no", columns="customer_name", values="grand_total"),
        orders.groupby("order_no").agg({"customer_name": ["first", "last"]}),
        orders.head(1).T,
    ):
        masked = cn.mask_pii(frame)
        assert "Maria Anders" in frame.to_string()
        assert "Maria Anders" not in masked.to_string()
        assert masked.shape == frame.shape


def test_one_row_and_one_column_are_masked() -> None:
    """`orders.iloc[0]` and `orders["customer_name"]` are Series."""
    orders = cn.schemas.Orders.example()
    row, column = mask_series(orders.iloc[0]), mask_series(orders["customer_name"])
    assert (row["order_no"], row.dtype) == ("10248", orders.iloc[0].dtype)
    digits = cn.mask_pii(orders)["customer_name"][0].removeprefix("name-")
    assert row["customer_name"] == column[0] == f"Customer {digits[:4]}"


@pytest.mark.parametrize("dtype", ["str", "object", "category", "string[python]"])
def test_any_kind_of_text_column_keeps_its_dtype(dtype: str) -> None:
    """Categories and object columns are masked too."""
    frame = pd.DataFrame({"customer_name": pd.Series(["A", None, "B", "A"], dtype=dtype)})
    masked = cn.mask_pii(frame)["customer_name"]
    assert masked.dtype.name == frame["customer_name"].dtype.name
    assert list(masked.isna()) == [False, True, False, False]
    assert masked[0] == masked[3] == build_pseudonymizer("")("name", "A")


def test_numbers_that_are_telephones_become_text_and_counts_stay() -> None:
    """A numeric column can't hold a pseudonym; a count in a column of a similar name stays."""
    frame = pd.DataFrame({"phone": [5550100.0, None], "address_count": [1, 2], "contacted": [True, False]})
    masked = cn.mask_pii(frame)
    assert masked["phone"].iloc[0] == build_pseudonymizer("")("phone", "5550100")
    assert masked["phone"].isna().tolist() == [False, True]
    pd.testing.assert_frame_equal(masked.drop(columns="phone"), frame.drop(columns="phone"))


def test_columns_of_one_name_are_both_masked() -> None:
    """A concat may repeat a column."""
    frame = pd.DataFrame([[PERSONAL, PERSONAL]], columns=["customer_name", "customer_name"], dtype="str")
    assert PERSONAL not in cn.mask_pii(frame).to_string()


def test_other_arguments_are_refused() -> None:
    """The one-line error says what to pass."""
    with pytest.raises(cn.errors.InvalidRequestError, match="takes a DataFrame, not list"):
        cn.mask_pii([PERSONAL])  # type: ignore[arg-type]


def test_outcomes_keep_what_cenports_says_of_a_row() -> None:
    """An outcome's message is about a SKU, not a person."""
    outcomes = cn.schemas.Outcomes.example()
    pd.testing.assert_frame_equal(cn.mask_pii(outcomes), outcomes)


@pytest.mark.slow
def test_many_orders_are_masked_in_seconds() -> None:
    """20,000 orders × 40 columns, every personal value different: it takes less than a second."""
    frame = cn.schemas.Orders.example(rows=20_000)
    numbers = pd.Series(range(len(frame))).astype("str")
    for name in frame.columns[frame.columns.map(personal_kind) != ""]:
        frame[name] = (f"{name} " + numbers).astype("str")
    began = time.process_time()
    masked = cn.mask_pii(frame)
    assert time.process_time() - began < 20
    assert masked["customer_name"].is_unique
