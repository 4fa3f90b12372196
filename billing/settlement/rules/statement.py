"""The content of a settlement statement: everything its PDF and its XLSX show, as language-neutral JSON, assembled purely.

Amounts are ints of fen, rates and factors texts of decimals, instants local ISO texts with their offset. Codes stay codes; the
documents put them into words. The content of an issued statement never changes; both files are made from it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from billing.ledger.rules.documents import sha256_of
from billing.ledger.rules.money import amount_in_capitals
from billing.pricing.rules.pricing import LineKind, line_json
from billing.pricing.rules.steps import Step
from billing.settlement.rules.period import last_day
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.outcome import Award, SettlementMode
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.sides import in_one_way

#: 2 says which edition it is and where it is made public, names bills by their number, and of each paper behind a line its hash.
FORMAT = 2
Json = dict[str, Any]

#: Who signs: the maker is known at issue, and the reviewer where somebody else released it; the others sign on paper, and none of them is
#: the same person.
SIGNATURES = ("maker", "reviewer", "approver", "finance", "head")
SEALS = ("unit_seal", "finance_seal")


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation as it stood at issue. ``scheme`` and ``code`` identify it, empty where it has no code."""

    name: str
    name_en: str = ""
    scheme: str = ""
    code: str = ""

    def as_json(self) -> Json:
        return {"name": self.name, "name_en": self.name_en, "scheme": self.scheme, "code": self.code}


@dataclass(frozen=True, slots=True)
class Bank:
    """Where the money goes."""

    name: str = ""
    account_name: str = ""
    account_number: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """An awarded session. ``starts_at``/``ends_at`` is the billable time, ``zone`` the site's; ``band_names`` name the price's bands.

    Or an awarded sample job: ``samples`` were tested between receipt and the last test, which is no time that counts; ``instrument``
    is the test item then, and ``reservation_id`` None. ``mode``: how the award is settled, empty where it is as its programme says.
    """

    award_id: int
    reservation_id: int | None
    reference: str
    instrument: str
    instrument_en: str
    inner_id: str
    owner: Party
    customer: Party
    service_way: str
    service_on: date
    starts_at: datetime
    ends_at: datetime
    zone: str
    assessment: Assessment
    awarded_fen: int
    payers: tuple[tuple[str, int], ...]
    band_names: Mapping[str, Mapping[str, str]]
    inputs_sha256: str
    engine_version: str
    samples: int = 0
    sample_job_id: int | None = None
    mode: str = ""
    credited: tuple[tuple[str, int], ...] = ()
    """What of the award went back, by payer, with credit notes that were issued before this statement."""
    papers: Mapping[str, Any] = field(default_factory=dict)
    """The bill, invoices, receipts, commission, reports and days of publicity behind it, as ``annexes.papers_of`` gives them."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What went back of a line of an earlier statement after that one was issued: why (``cause``), with which numbered ``papers`` (none
    where no paper says it), on which local day, how much (fen). ``reversal`` is the entry itself."""

    reversal: int
    statement: str
    position: int
    reference: str
    cause: str
    papers: tuple[str, ...]
    on: date
    amount_fen: int

    def as_json(self) -> Json:
        found = {name: getattr(self, name) for name in self.__slots__}
        return {**found, "papers": list(self.papers), "on": self.on.isoformat()}


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch in which the lines can be claimed, and the days on which that is handed in."""

    number: str
    opens_on: date
    closes_on: date

    def as_json(self) -> Json:
        return {"number": self.number, "opens_on": self.opens_on.isoformat(), "closes_on": self.closes_on.isoformat()}


@dataclass(frozen=True, slots=True)
class Publishing:
    """Where the lines are made public after the issue (``at``: the page), for how many ``days``, and which ``batches`` may do it."""

    at: str
    days: int
    batches: tuple[Batch, ...] = ()

    def as_json(self) -> Json:
        return {"at": self.at, "days": self.days, "batches": [each.as_json() for each in self.batches]}


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the lines. ``period_on`` is any day of the month; ``made_at`` is in the platform's zone. ``reviewer``: who
    released what ``maker`` made; empty where nobody else did, one signs on paper then. ``taken_back``: of earlier statements, told here
    first; no part of this one's total."""

    period_on: date
    programme: Programme
    office: Party
    payee: Party
    payee_kind: str
    bank: Bank
    maker: str
    made_at: datetime
    zone: str
    public: Publishing
    reviewer: str = ""
    taken_back: tuple[TakenBack, ...] = ()


class Inconsistent(ValueError):
    """Raised when an award and the assessment frozen with its charge do not say the same: nothing may be issued from them."""


def assemble(heading: Heading, sessions: Sequence[Session]) -> Json:
    """The content without its number. Raises Inconsistent when an award is not what its charge says."""
    programme = heading.programme
    month = heading.period_on.replace(day=1)
    lines = [
        _line(place, session, programme) | {"prior_period": session.service_on < month}
        for place, session in enumerate(sessions, start=1)
    ]
    used = {clause for line in lines for clause in line["clauses"]}
    return {
        "format": FORMAT,
        "number": "",
        "made_at": heading.made_at.isoformat(),
        "zone": heading.zone,
        "period": {
            "first_day": heading.period_on.replace(day=1).isoformat(),
            "last_day": last_day(heading.period_on).isoformat(),
        },
        "programme": {
            "code": programme.code,
            "version": programme.version,
            "name": dict(programme.name),
            "issuer": dict(programme.document.get("issuer", {})),
            **({"budget_item": dict(item)} if (item := programme.document.get("budget_item")) else {}),
            "kind": programme.kind,
            "mode": next((session.mode for session in sessions if session.mode), programme.mode.value),
            "form": programme.form,
            "sha256": programme.sha256,
        },
        "fund_year": programme.cap_year(heading.period_on),
        # A statement is never replaced: what changes is told beside it and on the next one.
        "edition": {"number": 1, "replaces": "", "replaced_by": ""},
        "publicity": heading.public.as_json(),
        "office": heading.office.as_json(),
        "payee": {
            **heading.payee.as_json(),
            "kind": heading.payee_kind,
            "bank_name": heading.bank.name,
            "bank_account_name": heading.bank.account_name,
            "bank_account_number": heading.bank.account_number,
        },
        "lines": lines,
        "clauses": [
            {"id": clause.id, "zh": clause.zh, "en": clause.en, "assumed": clause.assumed}
            for clause in programme.clauses.values()
            if clause.id in used
        ],
        "totals": _totals(lines),
        **({"taken_back": [each.as_json() for each in heading.taken_back]} if heading.taken_back else {}),
        "signatures": {**dict.fromkeys(SIGNATURES, ""), "maker": heading.maker, "reviewer": heading.reviewer},
    }


def numbered(content: Json, number: str) -> Json:
    """The content as issued under ``number``."""
    return {**content, "number": number}


def fingerprint(content: Json) -> str:
    """The SHA-256 of the canonical text of a content."""
    return sha256_of(content)


def _line(place: int, session: Session, programme: Programme) -> Json:
    award = _award(session, programme)
    zone = ZoneInfo(session.zone)
    seconds = 0 if session.samples else int((session.ends_at - session.starts_at).total_seconds())
    gross_fen = session.assessment.gross_fen
    credited_fen = sum(amount for _, amount in session.credited)
    return {
        "position": place,
        "award": session.award_id,
        "reservation": {"id": session.reservation_id, "reference": session.reference},
        "service_on": session.service_on.isoformat(),
        "instrument": {"name": session.instrument, "name_en": session.instrument_en, "inner_id": session.inner_id},
        "owner": session.owner.as_json(),
        "customer": session.customer.as_json(),
        "service_way": session.service_way,
        "starts_at": session.starts_at.astimezone(zone).isoformat(),
        "ends_at": session.ends_at.astimezone(zone).isoformat(),
        "zone": session.zone,
        "seconds": seconds,
        "hours": hours(seconds),
        **({"samples": session.samples, "sample_job": session.sample_job_id} if session.samples else {}),
        "customer_class": session.assessment.priced.customer_class,
        "prices": _prices(session),
        "gross_fen": gross_fen,
        "eligible_fen": award.base_fen,
        "excluded": _excluded(award.steps, gross_fen - award.base_fen, _agreed_beyond(session)),
        "grade": _grade(award.steps),
        "rates": _rates(award.steps),
        "adjustments": _adjustments(award.steps),
        "computed_fen": award.computed_fen,
        "cuts": _cuts(award.steps),
        "awarded_fen": session.awarded_fen - credited_fen,
        **({"credited_fen": credited_fen} if credited_fen else {}),
        "payers": _payers(session),
        **({"papers": dict(session.papers)} if session.papers else {}),
        "estimate": award.estimate,
        "clauses": list(dict.fromkeys(step.clause for step in award.steps if step.clause)),
        "inputs_sha256": session.inputs_sha256,
        "engine": session.engine_version,
    }


def _payers(session: Session) -> list[Json]:
    """What each payer gives, without what went back."""
    credited = dict(session.credited)
    return [{"payer": payer, "amount_fen": amount - credited.get(payer, 0)} for payer, amount in session.payers]


def _award(session: Session, programme: Programme) -> Award:
    """The award within the frozen assessment, after proving that it is the one that was posted."""
    found = [
        award for award in session.assessment.awards if (award.programme, award.version) == (programme.code, programme.version)
    ]
    if len(found) != 1:
        raise Inconsistent(f"{session.reference}: {len(found)} awards of {programme.code} {programme.version}")
    award = found[0]
    award = in_one_way(award, SettlementMode(session.mode)) if session.mode else award
    if session.awarded_fen != award.total_fen or session.awarded_fen != sum(amount for _, amount in session.payers):
        raise Inconsistent(f"{session.reference}: {award.total_fen} fen assessed, {session.awarded_fen} fen awarded")
    return award


def hours(seconds: int) -> str:
    """Seconds as hours with two decimals, for reading; what counts is the seconds."""
    return str((Decimal(seconds) / 3600).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _prices(session: Session) -> list[Json]:
    """The list price in force, one entry for each stretch of the time (of a sample job: for its units, and what was agreed beyond)."""
    if session.samples:
        return [
            {
                "kind": "samples",
                "unit": line.unit,
                "quantity": line.quantity,
                "rate_fen": line.rate_fen,
                "amount_fen": line.amount_fen,
            }
            for line in session.assessment.priced.lines
        ]
    return [
        {**line_json(line), "band_name": dict(session.band_names.get(line.band, {}))} for line in session.assessment.priced.lines
    ]


def _agreed_beyond(session: Session) -> int | None:
    """What was agreed to be charged beyond the price (fen); of a sample job nothing else is left out (None)."""
    if session.samples:
        return None
    return sum(line.amount_fen for line in session.assessment.priced.lines if line.kind is LineKind.EXTRA)


def _excluded(steps: Sequence[Step], left_out_fen: int, beyond_fen: int | None) -> list[Json]:
    """What of the fee was not eligible: what was agreed beyond the price, and by which clause a minimum."""
    beyond = left_out_fen if beyond_fen is None else min(beyond_fen, left_out_fen)
    base = next(step for step in steps if step.part == "base")
    parts = [
        {"reason": "minimum_charge", "amount_fen": left_out_fen - beyond, "clause": base.clause},
        {"reason": "agreed_beyond", "amount_fen": beyond, "clause": ""},
    ]
    return [part for part in parts if part["amount_fen"]]


def _grade(steps: Sequence[Step]) -> Json | None:
    """The quality grade that counted, and whether it was only assumed."""
    for step in steps:
        if step.part == "quality":
            return {"grade": step.params["grade"], "assumed": step.key == "subsidy.step.quality_assumed"}
    return None


def _rates(steps: Sequence[Step]) -> list[Json]:
    rates = []
    for step in steps:
        if step.key == "subsidy.step.tier":
            rates.append({"rate": step.params["rate"], "of_fen": step.params["slice_fen"]})
        elif step.part in ("rate", "uplift") and step.params.keys() >= {"rate", "base_fen"}:
            rates.append({"rate": step.params["rate"], "of_fen": step.params["base_fen"]})
    return rates


def _adjustments(steps: Sequence[Step]) -> list[Json]:
    found: list[Json] = []
    for step in steps:
        if step.part == "quality":
            found.append({"kind": "quality", "factor": step.params["factor"]})
        elif step.key == "subsidy.step.first_use_bonus":
            found.append({"kind": "first_use", "amount_fen": step.params["bonus_fen"]})
        elif step.key == "subsidy.step.asked_less":
            found.append({"kind": "asked_less", "amount_fen": step.params["asked_fen"]})
    return found


def _cuts(steps: Sequence[Step]) -> list[Json]:
    """The limits that cut the amount, in order; ``cost`` is the cost of the session itself."""
    cuts: list[Json] = []
    for step in steps:
        if step.key == "subsidy.step.cap_cut":
            cuts.append({name: step.params[name] for name in ("cap", "per", "payer", "left_fen", "wanted_fen")})
        elif step.key == "subsidy.step.promise_cut":
            of = {name: step.params[name] for name in ("cap", "per", "payer", "wanted_fen")}
            cuts.append({**of, "left_fen": step.params["promised_fen"]})
        elif step.key == "subsidy.step.within_cost":
            cuts.append({"cap": "cost", "per": "cost", "payer": "", "left_fen": step.params["cost_fen"], "wanted_fen": None})
    return cuts


def _totals(lines: Sequence[Json]) -> Json:
    """The control totals; what the payers give sums to what is awarded."""
    awarded = sum(line["awarded_fen"] for line in lines)
    by_payer: dict[str, int] = {}
    for line in lines:
        for part in line["payers"]:
            by_payer[part["payer"]] = by_payer.get(part["payer"], 0) + part["amount_fen"]
    seconds = sum(line["seconds"] for line in lines)
    return {
        "lines": len(lines),
        "seconds": seconds,
        "hours": hours(seconds),
        "gross_fen": sum(line["gross_fen"] for line in lines),
        "eligible_fen": sum(line["eligible_fen"] for line in lines),
        "excluded_fen": sum(part["amount_fen"] for line in lines for part in line["excluded"]),
        "computed_fen": sum(line["computed_fen"] for line in lines),
        "awarded_fen": awarded,
        "payers": [{"payer": payer, "amount_fen": amount} for payer, amount in by_payer.items()],
        "capitals": amount_in_capitals(awarded, currency=True),
    }
