"""The facts on which a subsidy is decided, read from the public JSON form (billing/subsidy/schema/facts.schema.json).

In JSON amounts are yuan as text or whole numbers; here they are fen. An absent fact is None (or empty). What every session knows
stands in the groups themselves; what only some programmes ask for stands in their ``profile``, ``paper`` and ``more``, so that
completing the facts of a session copies little. ``fact_fields`` names every fact by its public path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from billing.ledger.rules.documents import Document, DocumentError, Fault, load_schema
from billing.ledger.rules.money import parse_yuan, plain_yuan
from billing.subsidy.rules.shape_faults import shape_faults

_SCHEMA = Path(__file__).parents[1] / "schema" / "facts.schema.json"


class Label(NamedTuple):
    """A status that somebody awarded, such as high_tech; valid from ``valid_from`` to ``valid_to``, both included and both optional."""

    label: str
    level: str = ""
    number: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    def holds(self, on: date) -> bool:
        """Whether it is valid on a day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


class Listing(NamedTuple):
    """An entry in a list against somebody (credit list, own violation), ``to`` included; None: still listed."""

    list: str
    since: date
    to: date | None = None

    def holds(self, on: date) -> bool:
        """Whether it counts on a day."""
        return self.since <= on and (self.to is None or on <= self.to)


class Spent(NamedTuple):
    """An amount spent on a day, in fen."""

    on: date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known about a party beyond what every session needs; which facts a party can have is said by the schema.

    Amounts in fen. ``group_*``: over everyone under the same actual controller.
    """

    id: str | None = None
    staff: int | None = None
    annual_revenue: int | None = None
    previous_annual_revenue: int | None = None
    total_assets: int | None = None
    net_assets: int | None = None
    registered_capital: int | None = None
    group_staff: int | None = None
    group_annual_revenue: int | None = None
    group_total_assets: int | None = None
    founded_on: date | None = None
    incorporated: bool | None = None
    industry_code: str | None = None
    controller: str | None = None
    related_to_provider: bool | None = None
    labels: tuple[Label, ...] = ()
    credit_listings: tuple[Listing, ...] = ()
    violations: tuple[Listing, ...] = ()
    lists: frozenset[str] = frozenset()
    owner_class: str | None = None
    certified: bool | None = None
    grade: str | None = None
    original_value: int | None = None
    listed: bool | None = None
    resource_class: str | None = None


NO_PROFILE = Profile()


@dataclass(frozen=True, slots=True)
class Party:
    """An applicant, a provider or an instrument's place. ``region_code``: GB/T 2260, six digits."""

    kind: str | None = None
    size: str | None = None
    region_code: str | None = None
    policy_zones: frozenset[str] = frozenset()
    verified: bool | None = None
    first_use: bool | None = None
    profile: Profile = NO_PROFILE


@dataclass(frozen=True, slots=True)
class Paper:
    """What contracts, invoices and projects say about a service. ``*_subsidised``: already, in this class of programme. ``awaited``: which
    of ``invoice``, ``claim`` and ``payment`` have not happened, whatever day is expected for them, and ``declaration`` while what
    comes with the claim is not known. ``order``: a key of what was ordered together."""

    contract_on: date | None = None
    payment_on: date | None = None
    way: str | None = None
    purpose: str | None = None
    project: str | None = None
    project_evidence: bool | None = None
    project_subsidised: bool | None = None
    contract_number: str | None = None
    order: str | None = None
    invoice_number: str | None = None
    invoice_subsidised: bool | None = None
    person: str | None = None
    listed: bool | None = None
    awaited: frozenset[str] = frozenset()


NO_PAPER = Paper()


@dataclass(frozen=True, slots=True)
class Service:
    """What was done and the local dates a programme may count from. ``imported``: it came with a list of the lab's."""

    kind: str | None = None
    service_on: date | None = None
    invoice_on: date | None = None
    claim_on: date | None = None
    approval_on: date | None = None
    imported: bool | None = None
    paper: Paper = NO_PAPER


@dataclass(frozen=True, slots=True)
class ClaimAmounts:
    """Amounts that a claim brings along, in fen; each is described in the schema."""

    paid: int | None = None
    invoice: int | None = None
    tax: int | None = None
    excluded: int | None = None
    face_value: int | None = None
    other_subsidies: int | None = None
    lower_level: int | None = None
    lender: int | None = None
    external_income: int | None = None
    prior_year_external_income: int | None = None
    lines: tuple[int, ...] = ()


NO_CLAIM_AMOUNTS = ClaimAmounts()


@dataclass(frozen=True, slots=True)
class Amounts:
    """Money in fen. ``minimum_top_up``: what is only due because of a minimum. ``asked``: the subsidy asked for."""

    fee: int | None = None
    contract: int | None = None
    minimum_top_up: int | None = None
    asked: int | None = None
    claim: ClaimAmounts = NO_CLAIM_AMOUNTS


@dataclass(frozen=True, slots=True)
class Counts:
    """Whole numbers of what else was done."""

    external_minutes: int | None = None
    elements: int | None = None
    runs: int | None = None
    units: int | None = None
    days: int | None = None
    persons: int | None = None
    sessions: int | None = None
    vouchers: int | None = None


NO_COUNTS = Counts()


@dataclass(frozen=True, slots=True)
class Quantities:
    """How much was done: minutes on the instrument, samples, and what else is counted."""

    minutes: int | None = None
    samples: int | None = None
    counts: Counts = NO_COUNTS


NO_QUANTITIES = Quantities()


#: As ``request.side``: the service is claimed from both sides, each by itself (``sides``).
BOTH_SIDES = "both"
#: The same, of a user who has had nothing of the programme although an owner has: to the user's claim it is the first use.
BOTH_SIDES_FIRST = "both_first"
BOTH = frozenset({BOTH_SIDES, BOTH_SIDES_FIRST})


@dataclass(frozen=True, slots=True)
class Request:
    """What the claim asks for. ``side``: ``user``, ``owner`` or one of ``BOTH``. ``rate``: chosen within the programme's range."""

    side: str | None = None
    settlement: str | None = None
    rate: Decimal | None = None
    voucher: str | None = None
    voucher_issued_on: date | None = None
    classes_taken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Before:
    """What came before in the year of the caps; amounts in fen. ``spend`` may go further back."""

    fee: int | None = None
    minutes: int | None = None
    samples: int | None = None
    awards: int | None = None
    subsidised: int | None = None
    spend: tuple[Spent, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchTotals:
    """The batch in which a claim is decided, in fen."""

    pool: int | None = None
    claims: int | None = None


@dataclass(frozen=True, slots=True)
class More:
    """Facts that only some programmes ask for. ``other`` (text, int, bool) and ``other_amounts`` (fen) have names of their author's."""

    request: Request = Request()
    before: Before = Before()
    batch: BatchTotals = BatchTotals()
    score: int | None = None
    other: Mapping[str, str | int | bool] = field(default_factory=dict, hash=False)
    other_amounts: Mapping[str, int] = field(default_factory=dict, hash=False)


NO_MORE = More()


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of one request, in the groups of the public schema. ``grade`` is ``quality.grade``."""

    applicant: Party = Party()
    provider: Party = Party()
    instrument: Party = Party()
    service: Service = Service()
    amounts: Amounts = Amounts()
    quantities: Quantities = NO_QUANTITIES
    grade: str | None = None
    more: More = NO_MORE

    def with_more(self, more: More, applicant: Party | None = None) -> Facts:
        """The same, with other facts of the group ``more``, and perhaps another applicant."""
        return replace(self, more=more, applicant=applicant or self.applicant)


NO_FACTS = Facts()


def parse_facts(document: Document) -> Facts:
    """Read facts. Raises DocumentError with every fault and its JSON path."""
    faults = facts_faults(document)
    if faults:
        raise DocumentError(faults)
    return frozen_facts(document)


class GroupsRead:
    """Groups of frozen facts that were read already, the last one of each party, so that what is the same is read once."""

    __slots__ = ("_read",)

    def __init__(self) -> None:
        self._read: dict[tuple[str, object, object], tuple[Mapping[str, Any], Any]] = {}

    def group(self, name: str, document: Document, read: Callable[[Mapping[str, Any]], Any]) -> Any:
        """What ``read`` makes of a group of a document."""
        own = document.get(name, {})
        whose = name, own.get("id"), own.get("first_use")
        known = self._read.get(whose)
        if known is not None and known[0] == own:
            return known[1]
        made = read(own)
        self._read[whose] = own, made
        return made


def frozen_facts(document: Document, before: GroupsRead | None = None) -> Facts:
    """Facts that ``facts_document`` wrote and that stand where nobody can change them: they are not looked through for faults again, which
    takes ten times as long as to read them. ``before``: what was read of other documents; what is read of this one is added.
    """
    group = (before or GroupsRead()).group
    return Facts(
        applicant=group("applicant", document, _party),
        provider=group("provider", document, _party),
        instrument=group("instrument", document, _party),
        service=group("service", document, _service),
        amounts=group("amounts", document, _amounts),
        quantities=group("quantities", document, _quantities),
        grade=document.get("quality", {}).get("grade"),
        more=_more(document),
    )


def facts_faults(document: Document) -> list[Fault]:
    """Everything that keeps ``document`` from being read as facts."""
    return shape_faults(load_schema(_SCHEMA), document) or _day_faults(document, "$")


def facts_document(facts: Facts) -> dict[str, Any]:
    """The facts in their public JSON form: ``parse_facts(facts_document(facts)) == facts``."""
    more = facts.more
    quality = {"grade": facts.grade, "score": more.score}
    groups = {
        "applicant": _plain(facts.applicant),
        "provider": _plain(facts.provider),
        "instrument": _plain(facts.instrument),
        "service": _plain(facts.service),
        "amounts": _plain(facts.amounts),
        "quantities": _plain(facts.quantities),
        "quality": {name: value for name, value in quality.items() if value is not None},
        "request": _plain(more.request),
        "before": _plain(more.before),
        "batch": _plain(more.batch),
        "other": dict(more.other),
        "other_amounts": {name: plain_yuan(value) for name, value in more.other_amounts.items()},
    }
    return {name: group for name, group in groups.items() if group}


#: Facts that are money in the public form, by the class that holds them.
_MONEY: Mapping[type, frozenset[str]] = {
    Profile: frozenset(
        {
            "annual_revenue",
            "previous_annual_revenue",
            "total_assets",
            "net_assets",
            "registered_capital",
            "group_annual_revenue",
            "group_total_assets",
            "original_value",
        }
    ),
    Amounts: frozenset({"fee", "contract", "minimum_top_up", "asked"}),
    ClaimAmounts: frozenset(ClaimAmounts.__slots__),
    Before: frozenset({"fee", "subsidised"}),
    BatchTotals: frozenset({"pool", "claims"}),
}
_NESTED = (Profile, Paper, ClaimAmounts, Counts)
_AS_THEY_ARE = frozenset({str, int, bool})
_SETS = frozenset({"policy_zones", "lists", "classes_taken", "awaited"})


def _more(document: Document) -> More:
    known = document.keys() & {"request", "before", "batch", "other", "other_amounts"}
    score = document.get("quality", {}).get("score")
    if not known and score is None:
        return NO_MORE
    return More(
        request=Request(**_values(Request, document.get("request", {}))),
        before=Before(**_values(Before, document.get("before", {}))),
        batch=BatchTotals(**_values(BatchTotals, document.get("batch", {}))),
        score=score,
        other=dict(document.get("other", {})),
        other_amounts=_money(document.get("other_amounts", {})),
    )


def _party(document: Mapping[str, Any]) -> Party:
    return _nested(Party, "profile", Profile, document)


def _service(document: Mapping[str, Any]) -> Service:
    return _nested(Service, "paper", Paper, document)


def _amounts(document: Mapping[str, Any]) -> Amounts:
    return _nested(Amounts, "claim", ClaimAmounts, _money(document))


def _quantities(document: Mapping[str, Any]) -> Quantities:
    return _nested(Quantities, "counts", Counts, document)


def _nested(kind: type, name: str, inner: type, document: Mapping[str, Any]) -> Any:
    """A group whose rarer facts stand in a class of their own."""
    own = {fact: value for fact, value in document.items() if fact in kind.__slots__}  # type: ignore[attr-defined]
    rare = {fact: value for fact, value in document.items() if fact not in own}
    values = _values(kind, own)
    return kind(**values, **{name: inner(**_values(inner, rare))}) if rare else kind(**values)


def _values(kind: type, document: Mapping[str, Any]) -> dict[str, Any]:
    amounts = _MONEY.get(kind, frozenset()) if kind is not Amounts and kind is not ClaimAmounts else frozenset()
    return {name: parse_yuan(value) if name in amounts else _value(name, value) for name, value in document.items()}


def _value(name: str, value: Any) -> Any:
    if name in _SETS:
        return frozenset(value)
    if name == "labels":
        return tuple(Label(**{key: _value(key, each) for key, each in label.items()}) for label in value)
    if name in ("credit_listings", "violations"):
        return tuple(Listing(each["list"], _value("from_on", each["from"]), _value("to_on", each.get("to"))) for each in value)
    if name == "spend":
        return tuple(Spent(date.fromisoformat(each["on"]), parse_yuan(each["amount"])) for each in value)
    if name == "rate":
        return Decimal(value)
    if value is not None and (name.endswith("_on") or name in ("valid_from", "valid_to")):
        return date.fromisoformat(value)
    return value


def _money(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(parse_yuan(each) for each in value) if isinstance(value, list) else parse_yuan(value)
        for name, value in document.items()
    }


def _plain(group: Any) -> dict[str, Any]:
    """A group with its nested one, as JSON; what is not known is left out."""
    names, values_of, amounts = _read_at_once(type(group))  # type: ignore[arg-type]  # a class can be a key
    found: dict[str, Any] = {}
    for name, value in zip(names, values_of(group), strict=True):
        if value is None or value == () or value == frozenset():
            continue
        if isinstance(value, _NESTED):
            found |= _plain(value)
        else:
            found[name] = _plain_money(value) if name in amounts else _plain_value(name, value)
    return found


@cache
def _read_at_once(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], frozenset[str]]:
    """The names of a group's facts, what gives all their values, and which of them are money: of hundreds most are not known."""
    names: tuple[str, ...] = kind.__slots__  # type: ignore[attr-defined]
    return names, attrgetter(*names), _MONEY.get(kind, frozenset())


def _plain_money(value: Any) -> Any:
    return [plain_yuan(each) for each in value] if isinstance(value, tuple) else plain_yuan(value)


def _plain_value(name: str, value: Any) -> Any:
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if name in ("credit_listings", "violations"):
        return [{"list": each.list, "from": each.since.isoformat(), **_until(each.to)} for each in value]
    if name == "labels":
        return [{key: _plain_value(key, one) for key, one in label._asdict().items() if one not in (None, "")} for label in value]
    if name == "spend":
        return [{"on": each.on.isoformat(), "amount": plain_yuan(each.amount_fen)} for each in value]
    return value


def _until(day: date | None) -> dict[str, str]:
    return {} if day is None else {"to": day.isoformat()}


_DAYS = frozenset({"on", "from", "to", "valid_from", "valid_to"})


def _day_faults(document: Any, path: str) -> list[Fault]:
    """Days that have the right shape and do not exist."""
    faults: list[Fault] = []
    items = document.items() if isinstance(document, Mapping) else enumerate(document)
    for name, value in items:
        where = f"{path}.{name}" if isinstance(name, str) else f"{path}[{name}]"
        if isinstance(value, Mapping | list) and where != "$.other":
            faults += _day_faults(value, where)
        elif isinstance(name, str) and (name in _DAYS or name.endswith("_on")) and isinstance(value, str) and not is_day(value):
            faults.append(Fault(where, f"{value!r} is not a day of the calendar; write YYYY-MM-DD"))
    return faults


def is_day(text: str) -> bool:
    """Whether ``YYYY-MM-DD`` names a day that exists."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def allowed_values(path: str) -> tuple[str, ...]:
    """The values that a rule finds of a fact by the schema, where it lists them; empty for a fact that may be any text. A rule is asked of
    one side at a time, and never finds both."""
    group, _, name = path.partition(".")
    schema: Any = load_schema(_SCHEMA).schema
    described = schema["properties"].get(group, {}).get("properties", {}).get(name, {})
    return tuple(value for value in described.get("enum", ()) if value not in BOTH)
