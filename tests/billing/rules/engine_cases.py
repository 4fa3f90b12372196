"""Cases whose results belong to a version of the engine: what it answered to each is kept as a fingerprint.

``python -m tests.billing.rules.engine_cases`` writes ``engine_cases.json`` anew for the same cases. Do so only together with another
``ENGINE_VERSION``, or where a case now shows more than before (a new part, other words of a fault) and nothing frozen changes by it.
Programmes, facts and balances were drawn once from ``strategies`` and are kept in the file; everything else is drawn here by number.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from billing.ledger.rules.documents import DocumentError
from billing.ledger.rules.money import Rounding, parse_yuan
from billing.pricing.rules import parse_schedule, price_session
from billing.pricing.rules.counted import parse_counted
from billing.pricing.rules.fees import fallen_away, price_fee
from billing.pricing.rules.pricing import PricedSession, Use, line_json
from billing.pricing.rules.public_days import PublicDays
from billing.pricing.rules.samples import ExtraCharge, SamplePrice, price_samples, sample_price_to_json
from billing.subsidy.rules import Balance, evaluate, parse_facts, parse_programme
from billing.subsidy.rules.assess import Assessment, Candidate, assess_nothing, assess_samples
from billing.subsidy.rules.batch import Claim, Opening, evaluate_batch
from billing.subsidy.rules.codec import Inputs, assessment_from_json, assessment_to_json, inputs_from_json, inputs_to_json
from billing.subsidy.rules.facts import facts_document, facts_faults
from billing.subsidy.rules.outcome import Award, Refused, Unmet
from billing.subsidy.rules.parts.conditions import condition_faults, parse_condition
from billing.subsidy.rules.programme_faults import document_faults
from billing.subsidy.rules.remembered import Deciding, Named, Request
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from tests.billing.rules.builders import PROGRAMMES, facts_of, load, programme_document
from tests.billing.rules.test_prices_format_2 import COUNTED, DAYS, DOCUMENT, ZONES

FILE = Path(__file__).with_name("engine_cases.json")
PRICES, SAMPLES, SESSIONS, BATCHES, SPOILT, FEES, CHOICES, LINES = 220, 80, 90, 60, 420, 60, 40, 60
UNSAID = ("document", "engine")
"""Fields of objects that are no part of an answer."""
RESULTS = (Assessment, Award, PricedSession, Refused, Unmet)
"""Named tuples that show the names of their fields, as objects do; smaller ones (a step, a line) are lists."""
Json = dict[str, Any]


def plain(value: Any) -> Any:
    """Anything as JSON; of objects their fields."""
    if isinstance(value, RESULTS):
        return {name: plain(each) for name, each in value._asdict().items() if name not in UNSAID}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value) if each.name not in UNSAID}
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(plain(each) for each in value)
    return value if value is None or isinstance(value, bool | int) else str(value)


def fingerprint(answer: Any) -> str:
    return hashlib.sha256(json.dumps(plain(answer), sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


class Draw:
    """Draws by number: the same ones always."""

    def __init__(self, *seed: Any) -> None:
        self._random = random.Random("/".join(str(each) for each in seed))

    def one(self, *values: Any) -> Any:
        return values[int(self._random.random() * len(values))]

    def whole(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def maybe(self, share: float = 0.5) -> bool:
        return self._random.random() < share


# --- Programmes ---------------------------------------------------------------------------------------------------------
def balances_of(kept: Json) -> dict[str, Balance]:
    return {
        name: Balance(parse_yuan(each["limit"]) if "limit" in each else None, parse_yuan(each.get("used", 0)))
        for name, each in kept.items()
    }


def award(case: Json) -> Any:
    programme, known = parse_programme(programme_document(**case["document"])), parse_facts(case["facts"])
    balances, left = balances_of(case["balances"]), case["left"]
    request = Request.of(known, known.service, known.amounts, known.quantities)
    deciding = Deciding(programme)
    remembered = [deciding.decide(Named(1, 1, 1), request, each, left) for each in (balances, {}, balances)]
    return evaluate(programme, known, balances, cost_left_fen=left), remembered, facts_document(known)


def shipped(code: str) -> Any:
    """Every worked example of a document, as it stands and with pieces of its facts left out."""
    programme, document = parse_programme(load(code)), load(code)
    answers = []
    for example in document["examples"]:
        if "facts" not in example:
            continue
        known, balances = parse_facts(example["facts"]), balances_of(example.get("balances", {}))
        answers.append(evaluate(programme, known, balances))
        for group in example["facts"]:
            less = {name: each for name, each in example["facts"].items() if name != group}
            answers.append(evaluate(programme, parse_facts(less), balances, cost_left_fen=10_000))
            for name in example["facts"][group] if isinstance(example["facts"][group], dict) else ():
                fewer = {**less, group: {key: each for key, each in example["facts"][group].items() if key != name}}
                answers.append(evaluate(programme, parse_facts(fewer), balances))
    return programme.cap_year(date(2026, 3, 1)), programme.cap_year(date(2025, 12, 31)), answers


def session(number: int, kept: Sequence[Json]) -> Any:
    """A priced session under two programmes, frozen and taken up again."""
    draw = Draw("session", number)
    one, other = kept[number % len(kept)], kept[(number * 7 + 3) % len(kept)]
    exclusive = {"exclusive": {"class": "voucher", "clause": "1"}} if draw.maybe() else {}
    documents = [
        programme_document(**one["document"], **exclusive, code="TEST-1"),
        programme_document(**other["document"], **exclusive, code="TEST-2"),
    ]
    candidates = tuple(
        Candidate(parse_programme(document), parse_facts(_without_amounts(each["facts"], draw)), balances_of(each["balances"]))
        for document, each in zip(documents, (one, other), strict=True)
    )
    schedule = parse_schedule(price_document(draw))
    during = TimeRange(datetime(2026, 9, 30, 1, tzinfo=UTC), datetime(2026, 9, 30, 1 + draw.whole(1, 9), 30, tzinfo=UTC))
    until = draw.one(None, None, during.starts_at, during.starts_at + timedelta(minutes=45), during.ends_at)
    use = Use(draw.maybe(), DAYS)
    inputs = Inputs(schedule, during, ZONES[0], draw.one("inside", "firm_sme"), candidates, until, draw.maybe(0.1), use)
    frozen = json.loads(json.dumps(inputs_to_json(inputs)))
    result = json.loads(json.dumps(assessment_to_json(inputs.assess())))
    again = assessment_to_json(inputs_from_json(frozen).assess())
    nothing = assess_nothing(date(2026, 9, 30), "inside", candidates)
    samples = assess_samples(
        SamplePrice.of_terms(parse_counted(COUNTED)), draw.whole(1, 80), 1, date(2026, 9, 30), "firm_sme", candidates,
        [ExtraCharge("more", draw.whole(1, 9) * 1_00)] if draw.maybe() else [],
    )  # fmt: skip
    return (
        frozen,
        result,
        again,
        assessment_to_json(assessment_from_json(result)) if not inputs.nothing else None,
        nothing,
        samples,
    )


def _without_amounts(known: Json, draw: Draw) -> Json:
    dropped = {"amounts", "quantities"} if draw.maybe(0.7) else {"amounts"}
    return {name: group for name, group in known.items() if name not in dropped}


def batch(number: int, kept: Sequence[Json]) -> Any:
    draw = Draw("batch", number)
    one = kept[number % len(kept)]
    caps = [
        *one["document"].get("caps", []),
        {"id": "fund", "per": "pool", "limit": str(draw.whole(0, 4_000)), "when_short": "partial", "clause": "1"}
        | ({"divided": "pro_rata"} if draw.maybe() else {}),
        {"id": "year", "per": draw.one("firm_year", "controller_year", "person_year", "owner_year", "applicant_year"), "limit": "900",
         "when_short": "partial", "clause": "1"},
    ]  # fmt: skip
    programme = parse_programme(programme_document(**{**one["document"], "caps": caps}))
    claims = []
    for place in range(draw.whole(1, 6)):
        known = copy.deepcopy(kept[(number + place) % len(kept)]["facts"])
        if draw.maybe(0.8):
            known["applicant"]["id"] = draw.one("a", "b")
        if draw.maybe():
            known["applicant"]["controller"] = draw.one("x", "y")
        known["service"]["service_on"] = draw.one("2025-06-10", "2025-12-31", "2025-01-01")
        claims.append(Claim(str(place), parse_facts(known)))
    opening = Opening(balances_of(one["balances"]), {("year", "a"): Balance(None, draw.whole(0, 800_00))})
    return evaluate_batch(programme, claims, opening)


# --- Conditions ---------------------------------------------------------------------------------------------------------
#: Every operator, on every kind of fact that it suits, also beside other facts.
_TESTS: tuple[Json, ...] = (
    *({"fact": "applicant.size", name: value} for name in ("is", "is_not") for value in ("small", {"fact": "applicant.kind"})),
    *({"fact": "applicant.staff", name: value} for name in ("is", "is_not", "at_least", "at_most", "above", "below") for value in
      (10, {"fact": "applicant.group_staff"}, {"fact": "applicant.group_staff", "times": "0.5"})),
    *({"fact": "other.age", name: value} for name in ("is", "is_not", "at_least", "below") for value in
      (10, "10", True, {"fact": "other.limit"})),
    *({"fact": "amounts.fee", name: {"fact": "amounts.paid"}} for name in ("at_least", "above", "is")),
    *({"fact": "service.claim_on", name: value} for name in ("at_least", "below", "is") for value in
      ("2025-06-10", {"fact": "service.service_on"})),
    *({"fact": "applicant.size", name: ["small", "micro"]} for name in ("any_of", "none_of")),
    *({"fact": "applicant.lists", name: ["a", "b"]} for name in ("has_any", "has_all", "has_none")),
    {"fact": "applicant.region_code", "starts_with": ["6301", "11"]},
    {"fact": "applicant.region_code", "same_as": {"fact": "provider.region_code"}},
    {"fact": "applicant.region_code", "same_as": {"fact": "provider.region_code", "digits": 4}},
    {"fact": "applicant.labels", "has_label": {"any_of": ["tech"]}},
    {"fact": "applicant.labels", "has_label":
     {"any_of": ["tech"], "levels": ["city"], "valid_on": ["service.service_on", "service.claim_on"]}},
    {"fact": "applicant.credit_listings", "free_on": {"days": ["service.service_on", "service.claim_on"]}},
    {"fact": "applicant.credit_listings", "free_on": {"lists": ["court"], "days": ["service.claim_on"]}},
    {"fact": "service.claim_on", "within": [{"from": "06-01", "to": "06-30"}, {"from": "12-15", "to": "01-15"}]},
    {"fact": "service.claim_on", "within": [{"from": "2025-06-10", "to": "2025-07-01"}]},
    *({"fact": "service.service_on", "months_before": {"fact": "service.claim_on", "months": months, "last_day": last}}
      for months in (0, 6) for last in ("included", "excluded")),
    {"fact": "applicant.verified", "is": True}, {"fact": "request.rate", "at_most": "0.4"}, {"fact": "applicant.staff", "known": True},
    {"fact": "applicant.staff", "known": False}, {"fact": "applicant.staff", "below": 11, "above": 9},
)  # fmt: skip


def _known(draw: Draw) -> Json:
    """Facts that those tests look at; each may be missing."""
    days = ("2025-06-10", "2025-06-30", "2025-12-10", "2025-12-31", "2026-01-15", "2025-07-01")
    label = {"label": draw.one("tech", "tech", "other"), "level": draw.one("city", "state")}
    whole: Json = {
        "applicant": {
            "kind": draw.one("firm", "small"), "size": draw.one("small", "micro", "large"), "staff": draw.one(9, 10, 11), "verified":
            draw.maybe(), "group_staff": draw.one(10, 20, 21), "lists": draw.one(["a"], ["a", "b"], ["c"]), "region_code":
            draw.one("630104", "632801", "110108"),
            "labels": [label | draw.one({}, {"valid_from": "2025-06-10", "valid_to": "2025-12-10"}, {"valid_from": "2025-06-30"})],
            "credit_listings": [{"list": draw.one("court", "tax"), "from": "2025-06-11"} | draw.one({}, {"to": "2025-12-10"})],
        },
        "provider": {"region_code": draw.one("630102", "632801")},
        "service": {"service_on": "2025-06-10", "claim_on": draw.one(*days)},
        "amounts": {"fee": draw.one("10", "11"), "paid": draw.one("10", "11")},
        "request": {"rate": draw.one("0.4", "0.41")},
        "other": {"age": draw.one(10, "10", True, 9), "limit": draw.one(10, "10", True, 9)},
    }  # fmt: skip
    whole["applicant"]["kind"] = "firm"
    return {group: {name: value for name, value in facts.items() if draw.maybe(0.85)} for group, facts in whole.items()}


def condition(number: int) -> Any:
    """A test, alone and within others, against many facts; and what is wrong with it when it is spoilt."""
    draw = Draw("condition", number)
    one, other = _TESTS[number % len(_TESTS)], draw.one(*_TESTS)
    shapes: list[Json] = [
        one, one | {"if_unknown": "yes"}, one | {"if_unknown": "no"}, {"not": one}, {"all": [one, other]}, {"any": [one, other]}
    ]  # fmt: skip
    answers: list[Any] = []
    for shape in shapes:
        compiled = parse_condition(shape, "service.service_on")
        for _place in range(6):
            unknown: list[str] = []
            answers.append((compiled.holds(parse_facts(_known(draw)), unknown), unknown))
        answers.append(condition_faults(shape, "$"))
    for _place in range(3):
        wrong = copy.deepcopy(draw.one(*shapes))
        _spoil(wrong, draw)
        document = programme_document(gates=[{"type": "condition", "when": wrong, "says": {"zh": "x", "en": "x"}, "clause": "1"}])
        answers.append(document_faults(document))
    return answers


# --- Prices -------------------------------------------------------------------------------------------------------------
def choice(number: int) -> Any:
    """A rate by cases where a case may meet a fact that nobody knows: what it then asks for, and what counts instead."""
    draw = Draw("choice", number)
    tests = [{"fact": "applicant.lists", "has_any": ["listed"]}, {"fact": "other.age", "below": 4}]
    says = {"zh": "条件", "en": "Condition"}
    cases = [{"when": {draw.one("all", "any"): draw.one(tests, tests[::-1])}, "says": says, "rate": "0.9"}]
    cases += [{"when": {"fact": "applicant.size", "is": "micro"}, "says": says, "rate": "0.5"}] * draw.maybe()
    rate = {"type": "cases", "clause": "1", "cases": cases} | ({"otherwise": "0.1"} if draw.maybe() else {})
    known: Json = facts_of("100", applicant=draw.one({}, {"lists": ["listed"]}, {"size": "micro"}))
    known |= {"other": {"age": draw.one(3, 4)}} if draw.maybe() else {}
    return evaluate(parse_programme(programme_document(rate=rate)), parse_facts(known), {})


def lines(number: int) -> Any:
    """A claim that is rounded line by line: what goes on from line to line, what counts once; or units whose fee nobody may know."""
    draw = Draw("lines", number)
    pieces: list[Json] = [
        {"type": "asked_limit"},
        {"type": "deduct", "of": "amounts.other_subsidies"},
        {"type": "bonus", "amount": 30, "only_with_subsidy": draw.maybe()},
        {"type": "least_award", "amount": 100},
        {"type": "factor", "factor": "0.9"},
        {"type": "rate_limit", "rate": "0.4"},
        {"type": "rate_limit", "rate": "0.4", "of": "amounts.fee", "counting": ["amounts.other_subsidies"]},
    ]
    adjustments = [draw.one(*pieces) | {"clause": "1"} for _place in range(draw.whole(0, 3))]
    own: Json = {"asked": draw.one("60", "300"), "other_subsidies": draw.one("0", "40")}
    if draw.maybe(0.3):
        document = programme_document(
            base={"quantity": "samples", "clause": "1"},
            rate={"type": "per_unit", "amount": draw.one("10", "33.33"), "clause": "1"},
            adjustments=[each for each in adjustments if each["type"] != "rate_limit" or "of" in each],
        )
        facts = facts_of("250", amounts=own, quantities={"samples": draw.whole(1, 30)})
        if draw.maybe():
            del facts["amounts"]["fee"]
    else:
        tiers: Json = {"type": "tiers", "clause": "1", "tiers": [{"up_to": 500, "rate": "0.5"}, {"rate": "0.2"}]}
        rate = draw.one("0.333", tiers, tiers | {"continues": "before.fee"})
        document = programme_document(
            rate={"type": "flat", "rate": rate, "clause": "1"} if isinstance(rate, str) else rate,
            rounding={"step": draw.one("yuan", "fen"), "mode": draw.one("down", "half_up"), "per": "line", "clause": "1"},
            adjustments=adjustments,
        )
        cents = [draw.whole(1, 60_000) for _place in range(draw.whole(1, 4))]
        own["lines"] = [f"{each // 100}.{each % 100:02}" for each in cents]
        facts = facts_of(f"{sum(cents) // 100}.{sum(cents) % 100:02}", amounts=own, before={"fee": draw.one("0", "300", "900")})
    try:
        return evaluate(parse_programme(document), parse_facts(facts), {})
    except DocumentError as error:
        return error.faults


def price_document(draw: Draw) -> Json:
    """A schedule of time with any of its parts."""
    made = copy.deepcopy(DOCUMENT)
    for name in ("steps", "bands"):
        if draw.maybe(0.3):
            made.pop(name)
    if "bands" not in made and draw.maybe():
        made.pop("holidays")
    if "steps" not in made and "bands" not in made and draw.maybe():
        made |= {"unit": "half_day", "unit_minutes": draw.one(180, 240)}
    if "bands" in made and draw.maybe(0.3):
        made["bands"][0] = {name: value for name, value in made["bands"][0].items() if name != "ratio"} | {
            "rates": {"inside": "210.5", "firm_sme": "433"}
        }
        made.pop("steps", None)
    if draw.maybe():
        made["minimum"] = {"minutes": draw.one(0, 30, 90), "amount": draw.one("0", "350.5")}
    if draw.maybe():
        made["step_minutes"] = draw.one(15, 30, 60)
    if draw.maybe():
        made["setup"] = {"inside": 0, "firm_sme": "33.33"}
    if draw.maybe():
        made["operator"] = {"rates": {"inside": "80", "firm_sme": "99.99"}}
    if draw.maybe():
        made["tax"] = {"rate": "0.06", "included": draw.maybe()}
    if draw.maybe(0.3):
        made["rounding"] = {"step": draw.one("yuan", "fen"), "mode": draw.one("half_up", "down")}
    return made


def price(number: int) -> Any:
    draw = Draw("price", number)
    document, zone = price_document(draw), draw.one(*ZONES)
    first = draw.one(*[datetime(2026, *day, tzinfo=UTC) for day in ((9, 30), (10, 7), (10, 10), (3, 8), (11, 1), (4, 4), (6, 1))])
    starts = first + timedelta(minutes=draw.whole(-1440, 1440), seconds=draw.one(0, 0, 0, 1, 59))
    length = draw.one(timedelta(minutes=draw.whole(1, 300)), timedelta(minutes=draw.whole(1, 4000)), timedelta(hours=2))
    days = draw.one(DAYS, DAYS, PublicDays(frozenset(), frozenset()))
    try:
        schedule = parse_schedule(document)
        found = price_session(
            schedule,
            TimeRange(starts, starts + length),
            zone,
            draw.one("inside", "firm_sme", "firm_sme", "none"),
            Use(draw.maybe(), days),
        )
    except (DocumentError, Refusal) as error:
        return faults_of(error)
    return found, [line_json(line) for line in found.lines], schedule.customer_classes, schedule.is_operated("assisted")


def samples(number: int) -> Any:
    draw = Draw("samples", number)
    made = copy.deepcopy(COUNTED)
    for name in ("steps", "setup", "minimum", "tax"):
        if draw.maybe(0.4):
            made.pop(name)
    made["unit"] = draw.one("sample", "element", "batch")
    if "tax" in made and draw.maybe():
        made["tax"] = {"rate": "0.06", "included": True}
    of_terms, count, elements = draw.maybe(0.8), draw.one(0, 1, 9, 10, 11, 50, 51, draw.whole(1, 200)), draw.one(1, 1, 2, 7)
    try:
        terms = SamplePrice.of_terms(parse_counted(made)) if of_terms else SamplePrice("sample", 100, {"team": 50})
        found = price_samples(terms, count, elements, draw.one("team", "firm_sme", "inside", "none"), date(2026, 11, 3))
    except (DocumentError, Refusal) as error:
        return faults_of(error)
    return found, sample_price_to_json(terms)


def fees(number: int) -> Any:
    draw = Draw("fees", number)
    rules = parse_schedule(DOCUMENT | {"fees": {"late_cancel": _fee(draw), "no_show": _fee(draw)}}).fees
    gross, start = draw.one(0, 1, 333_33, 1_000_00, draw.whole(1, 10**7)), datetime(2026, 5, 1, tzinfo=UTC)
    mode, step = draw.one(*Rounding), draw.one(1, 10, 100)

    def spans(most: int) -> Iterator[TimeRange]:
        for _place in range(draw.whole(0, most)):
            begin = draw.whole(-30, 110)
            yield TimeRange(start + timedelta(minutes=begin), start + timedelta(minutes=begin + draw.whole(1, 60)))

    lost = TimeRange(start, start + timedelta(minutes=120))
    found = {str(kind): price_fee(rule, gross, mode, step) for kind, rule in rules.items()}
    return found, [fallen_away(each.fee_fen, lost, list(spans(4)), mode, step) for each in found.values()]


def _fee(draw: Draw) -> Json:
    rule: Json = {"share": draw.one("0", "0.3", "0.333", "1")}
    if draw.maybe():
        rule["at_least"] = draw.one("0", "20", "333.33")
    if draw.maybe():
        rule["at_most"] = draw.one("400", "1000")
    return rule


# --- What is wrong with a document ---------------------------------------------------------------------------------------
def faults_of(error: DocumentError | Refusal) -> Any:
    return error.faults if isinstance(error, DocumentError) else error.reasons


def spoilt(number: int, kept: Sequence[Json]) -> Any:
    """A document, facts or a schedule in which one or two pieces are wrong."""
    draw = Draw("spoilt", number)
    codes = sorted(path.stem for path in PROGRAMMES.glob("*.json"))
    kind = draw.one("shipped", "shipped", "drawn", "facts", "time", "samples")
    made: Json = {
        "shipped": lambda: _as_it_was(load(codes[number % len(codes)])) | {"examples": []},
        "drawn": lambda: programme_document(**kept[number % len(kept)]["document"]),
        "facts": lambda: copy.deepcopy(kept[number % len(kept)]["facts"]),
        "time": lambda: price_document(draw),
        "samples": lambda: copy.deepcopy(COUNTED),
    }[kind]()
    for _place in range(draw.whole(1, 2)):
        _spoil(made, draw)
    if kind == "facts":
        return facts_faults(made)
    if kind in ("shipped", "drawn"):
        return document_faults(made)
    try:
        return plain((parse_schedule if kind == "time" else parse_counted)(made))
    except DocumentError as error:
        return error.faults


def _as_it_was(document: Json) -> Json:
    """Without what a shipped document says since the fingerprints were taken: where a piece is spoilt depends on how many there are."""
    return {name: value for name, value in document.items() if name not in ("budget_item", "asks")}


def _spoil(document: Any, draw: Draw) -> None:
    holder = document
    for _depth in range(draw.whole(0, 4)):
        inner = [
            each for each in (holder.values() if isinstance(holder, dict) else holder) if isinstance(each, dict | list) and each
        ]
        if not inner:
            break
        holder = draw.one(*inner)
    places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    if not places:
        return
    place, values = draw.one(*places), list(holder.values() if isinstance(holder, dict) else holder)
    wrong = draw.one(
        None, "x", -1, 0, [], {}, True, "2.5", "0", "1", "2031-02-30", "2020-01-01", 7, draw.one(*values), "remove", "remove", "twice"
    )  # fmt: skip
    if wrong == "remove":
        del holder[place]
    elif wrong == "twice":
        if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[place]))
        else:
            holder[f"{place}_too"] = copy.deepcopy(holder[place])
    else:
        holder[place] = copy.deepcopy(wrong)


def answers(kept: Sequence[Json]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every case by its name."""
    for number, case in enumerate(kept):
        yield f"award {number}", lambda case=case: award(case)  # type: ignore[misc]
    for path in sorted(PROGRAMMES.glob("*.json")):
        yield f"shipped {path.stem}", lambda code=path.stem: shipped(code)  # type: ignore[misc]
    for name, count, answer in (
        ("session", SESSIONS, lambda number: session(number, kept)),
        ("batch", BATCHES, lambda number: batch(number, kept)),
        ("condition", 2 * len(_TESTS), condition),
        ("choice", CHOICES, choice),
        ("lines", LINES, lines),
        ("price", PRICES, price),
        ("samples", SAMPLES, samples),
        ("fees", FEES, fees),
        ("spoilt", SPOILT, lambda number: spoilt(number, kept)),
    ):
        for number in range(count):
            yield f"{name} {number}", lambda number=number, answer=answer: answer(number)  # type: ignore[misc]


def main() -> None:
    """Write the fingerprints of the same cases anew."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    prints = {name: fingerprint(answer()) for name, answer in answers(found["cases"])}
    cases = ",\n".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in found["cases"])
    FILE.write_text(f'{{"cases":[\n{cases}\n],\n"fingerprints":{json.dumps(prints, indent=0)}}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
