"""The findings of a probe: answers for people, for the profile, and as readings for a sandbox."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from cenports_nb.api.dialect import Dialect
from cenports_nb.api.doctor import Finding
from cenports_nb.submissions.probe.exchanges import ExchangeLog
from cenports_nb.submissions.probe.plan import FAILING_ROW, OVERLAP, OWN_VALUE, ProbePlan
from cenports_nb.submissions.probe.run import ProbeResult, StepResult

SETTLE_MARGIN_MINUTES = 5
"""Added to the longest measured time."""

NOT_REACHED = "the probe ended before it could tell"

ERROR_FORMS = {
    "objects": "a list of objects with index and message",
    "pairs": "a list of [index, message]",
    "map": "an object of index to message",
    "texts": "a list of texts, which name no row",
    "text": "one text, which names no row",
    "none": "none: FAILED is all that is said",
    "other": "of a form that is on no list",
}

PAGE_FIELDS = {
    "links": {"links"},
    "laravel": {"next_page_url", "last_page"},
    "numbers": {"last_page"},
    "next": {"next_page_url"},
    "total": {"total"},
    "total_pages": {"total_pages"},
    "has_more": {"has_more"},
    "page_info": {"pageInfo"},
    "next_cursor": {"meta.next_cursor"},
    "per_page": {"per_page"},
    "count": {"count"},
    "x_total_count": {"x-total-count"},
    "x_total_pages": {"x-total-pages"},
    "link": {"link"},
    "none": set[str](),
}
"""Fields beside the records of GET /orders, or headers, by the sandbox's word for such pages; the first match counts."""


def measure(result: ProbeResult) -> dict[str, float]:
    """Summarize the times of a probe in seconds; what was not measured is left out.

    Returns:
        `transaction_seconds`: the usual duration of a transaction, by Cenports' own times if they are known;
        `longest_transaction_seconds`: from the answer to a write until its transaction was seen to have ended;
        `longest_effect_seconds`: from that answer until the stock was seen to have changed.
    """
    ended = [step.transaction_seconds for step in result.steps if step.transaction_seconds is not None]
    stated = [step.server_seconds for step in result.steps if step.server_seconds is not None]
    effects = [step.effect_seconds for step in result.steps if step.effect_seconds is not None]
    found: dict[str, float] = {}
    if stated or ended:
        found["transaction_seconds"] = statistics.median_low(stated or ended)
    if ended:
        found["longest_transaction_seconds"] = max(ended)
    if effects:
        found["longest_effect_seconds"] = max(effects)
    return found


def list_findings(plan: ProbePlan, result: ProbeResult, dialect: Dialect) -> tuple[Finding, ...]:
    """Answer the open questions about writes, as far as the probe saw."""
    steps = {step.name: step for step in result.steps}
    return (
        _find_true_up(plan, steps.get(OWN_VALUE)),
        _find_time(result, dialect),
        _find_order(steps.get(OVERLAP)),
        *_find_errors(result, steps.get(FAILING_ROW)),
        _find_handles(result.log),
        _find_quantities(result.log),
        _find_scope(plan),
    )


def list_readings(plan: ProbePlan, result: ProbeResult, dialect: Dialect) -> dict[str, Any]:
    """List the answers as readings of the sandbox's dialect, without open questions."""
    log, steps = result.log, {step.name: step for step in result.steps}
    own, overlap = steps.get(OWN_VALUE), steps.get(OVERLAP)
    found = {
        "true_up_sets": own and own.meaning,
        "application_order": overlap.meaning if overlap and overlap.overlapped else None,
        "transaction_errors": _only(log.error_forms - {"other"}),
        "first_index": _read_first_index(log),
        "unknown_skus": "request" if result.row_refusals else "transaction" if log.error_forms else None,
        "failed_applies": _read_failed_applies(result, steps.get(FAILING_ROW)),
        "handles": _read_handle_case(log),
        "handle_reuse": len({handle.lower() for handle in log.given_handles}) < len(log.given_handles)
        if len(log.given_handles) > 1
        else None,
        "transaction_ids": _only(log.id_forms),
        "quantities": _only(log.quantity_forms),
        "misspelt": "nextAvailabileQuantity" in log.stock_fields if log.stock_fields else None,
        "errors_as_200": log.hides_errors,
        "available_scope": plan.available_scope,
        "pages": read_pages(log),
        "get_parameters": None if dialect.get_parameters == "both" else dialect.get_parameters,
        "channel_parameters": None if dialect.channel_parameters == "both" else dialect.channel_parameters,
        "end_included": dialect.end_included,
    }
    return {name: value for name, value in found.items() if value is not None and value != ""}


def _find_true_up(plan: ProbePlan, step: StepResult | None) -> Finding:
    question = "Does TRUE_UP set actual or available stock?"
    if step is None or not step.meaning:
        why = NOT_REACHED if step is None else "the SKU has no open orders, so the two are equal"
        return Finding(question, "", why, ask=f"{question} Or probe a SKU that has open orders.")
    return Finding(
        question,
        step.meaning,
        f"a SKU with {plan.reserved[-1]:,} reserved units was set to its own value",
        {"true_up_sets": step.meaning},
    )


def _find_time(result: ProbeResult, dialect: Dialect) -> Finding:
    question, times = "How long does a write take until it can be read back?", measure(result)
    texts = {
        "longest_transaction_seconds": "transactions ended within {:.0f} s",
        "longest_effect_seconds": "stock showed it within {:.0f} s",
    }
    seconds = {text: times[name] for name, text in texts.items() if name in times}
    if not seconds:
        return Finding(question, "", "no write was seen to end", ask=question)
    longest = max(seconds.values())
    minutes = math.ceil(longest / 60) + SETTLE_MARGIN_MINUTES
    evidence = " and ".join(text.format(time) for text, time in seconds.items())
    # One measurement never lowers it: the next write may take the 15 minutes of the reference.
    learned: Mapping[str, Any] = {"settle_minutes": minutes} if minutes > dialect.settle_minutes else {}
    return Finding(question, f"at most {longest:.0f} s", evidence, learned)


def _find_order(step: StepResult | None) -> Finding:
    question = "In which order are two writes of the same SKU applied?"
    if step is None or not step.overlapped:
        why = NOT_REACHED if step is None else "the first took effect before the second was sent"
        return Finding(question, "", why, ask=question)
    answer = {"submission": "in that of submission", "reverse": "the last one that was sent first"}[step.meaning]
    return Finding(question, answer, "two TRUE_UPs were sent one right after the other")


def _find_errors(result: ProbeResult, step: StepResult | None) -> tuple[Finding, ...]:
    answering, looking, applying = (
        "What answers a row that can't be applied?",
        "What do the errors of a failed transaction look like?",
        "Are the other rows of a batch with such a row applied?",
    )
    evidence = "a row with a SKU that does not exist was sent beside a good one"
    log, refusals = result.log, result.row_refusals
    if refusals:
        why = "no transaction failed"
        return (
            Finding(answering, f"the request is refused with {_join(refusals)}", evidence),
            Finding(looking, "", why, ask=looking),
            Finding(applying, "no, the request is refused as a whole", evidence),
        )
    if step is None:
        return tuple(Finding(question, "", NOT_REACHED, ask=question) for question in (answering, looking, applying))
    ends = (
        "FAILED"
        if "FAILED" in log.words
        else "COMPLETED with errors"
        if log.error_forms
        else "COMPLETED, without errors"
    )
    form, first = _only(log.error_forms), _read_first_index(log)
    numbers = "" if first is None else f", rows numbered from {first}"
    applies = {"rest": "yes", "nothing": "no"}.get(_read_failed_applies(result, step) or "", "")
    return (
        Finding(answering, f"the transaction ends {ends}", evidence),
        Finding(looking, ERROR_FORMS[form] + numbers if form else "", evidence, ask="" if form else looking),
        Finding(applying, applies, evidence, ask="" if applies else applying),
    )


def _find_handles(log: ExchangeLog) -> Finding:
    question = "Does each write get a handle of its own, and in which case?"
    if not log.given_handles:
        return Finding(question, "", "no write was accepted", ask=question)
    given = len({handle.lower() for handle in log.given_handles})
    case = _read_handle_case(log)
    words = {"differing": "in upper case, which GET /transaction writes in lower case"}.get(
        case or "", f"in {case} case"
    )
    answer = f"{'yes' if given == len(log.given_handles) else 'no'}, {words if case else 'in mixed case'}"
    return Finding(question, answer, f"{len(log.given_handles)} writes got {given} handles")


def _find_quantities(log: ExchangeLog) -> Finding:
    question = "How are quantities of stock written?"
    words = {
        "text": 'as text ("58")',
        "number": "as numbers (58)",
        "decimal_text": 'as text ("58.0")',
        "decimal": "as 58.0",
    }
    return Finding(question, " or ".join(sorted(words[form] for form in log.quantity_forms)), "in GET /inventories")


def _find_scope(plan: ProbePlan) -> Finding:
    question = "Whose open orders is available stock less of?"
    if plan.available_scope is None:
        return Finding(
            question, "", "the SKU has no open orders, or there is one channel only",
            ask=f"{question} The account's, or the channel's own?",
        )  # fmt: skip
    answer = {"account": "the account's", "channel": "the channel's own"}[plan.available_scope]
    evidence = "all channels say the same" if plan.available_scope == "account" else "the channels differ"
    return Finding(question, answer, evidence, {"available_scope": plan.available_scope})


def _read_failed_applies(result: ProbeResult, step: StepResult | None) -> str | None:
    """Return what a failed transaction applies; None if the request was refused, or sent again in halves."""
    is_known = step is not None and bool(result.log.error_forms) and not result.row_refusals and step.batches == 1
    return step.meaning if step is not None and is_known else None


def _read_first_index(log: ExchangeLog) -> int | None:
    """Return the number of the first row of a batch, knowing that the second row failed."""
    number: int | None = _only(log.error_numbers)
    return number - 1 if number in (1, 2) else None


def _read_handle_case(log: ExchangeLog) -> str | None:
    given = {_name_case(handle) for handle in log.given_handles} - {None}
    read = {_name_case(handle) for handle in log.read_handles} - {None}
    if given == {"upper"} and read == {"lower"}:
        return "differing"
    case: str | None = _only(given | read)
    return case


def _name_case(handle: str) -> str | None:
    """Return the case of a handle; None for one without letters."""
    return "upper" if handle.isupper() else "lower" if handle.islower() else None


def read_pages(log: ExchangeLog) -> str | None:
    """Return the form of paging of GET /orders, by the sandbox's word; None if it was not seen."""
    answer = log.calls["GET /orders"].answers.get("200") if "GET /orders" in log.calls else None
    if not isinstance(answer, dict):
        return None
    meta = answer.get("meta")
    found = {*answer, *(f"meta.{name}" for name in (meta if isinstance(meta, dict) else ())), *log.order_headers}
    return next(word for word, names in PAGE_FIELDS.items() if names <= found)


def _only(values: set[Any]) -> Any:
    """Return the only value of a set; None for none or several."""
    return next(iter(values)) if len(values) == 1 else None


def _join(values: Iterable[Any]) -> str:
    return " or ".join(map(str, sorted(values)))
