"""Inputs and results of an assessment as JSON, so that a charge can freeze them and anyone can recompute them later.

``inputs_to_json`` keeps whole documents: the frozen inputs alone are enough to compute the result in a fresh process.
The order of keys carries no meaning (a database may change it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from billing.ledger.rules.documents import sha256_of
from billing.pricing.rules.pricing import ALONE, AnyLine, LineKind, PricedSession, PriceLine, UnitLine, Use
from billing.pricing.rules.public_days import NO_PUBLIC_DAYS, public_days_from_json, public_days_to_json
from billing.pricing.rules.samples import ExtraCharge
from billing.pricing.rules.schedule import PriceSchedule
from billing.pricing.rules.steps import Step
from billing.subsidy.rules import engines
from billing.subsidy.rules.assess import Assessment, Candidate, session_facts
from billing.subsidy.rules.engines import as_read_by
from billing.subsidy.rules.facts import Facts, GroupsRead, facts_document, frozen_facts
from billing.subsidy.rules.given_here import OTHERS, given_of
from billing.subsidy.rules.outcome import (
    Award,
    Balance,
    Home,
    Outcome,
    Payee,
    PayerLine,
    Refused,
    SettlementMode,
    SideAward,
    Unmet,
)
from billing.subsidy.rules.programme import Programme
from config.kernel.time_range import TimeRange

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything an assessment depends on; the arguments of ``assess_session``. ``nothing``: nothing is charged for the time.

    ``use``: what the price asks of the session beside its time, public holidays included. ``engine``: the version that works it out.
    """

    schedule: PriceSchedule
    time_range: TimeRange
    zone: ZoneInfo
    customer_class: str
    candidates: tuple[Candidate, ...]
    subsidised_until: datetime | None = None
    nothing: bool = False
    use: Use = ALONE
    extras: tuple[ExtraCharge, ...] = ()
    engine: str = field(default_factory=engines.current)

    def assess(self) -> Assessment:
        """By the engine that is named, whichever functions it shares. Raises OtherEngine, and what the engine raises."""
        return engines.named(self.engine, self._worked_out())

    def facts_of(self, place: int) -> Facts:
        """The facts on which the candidate at ``place`` is decided, completed by what is priced and by what programmes before it gave.
        Raises as ``assess``."""
        return session_facts(
            beside_others(self, place),
            self.schedule,
            self.time_range,
            self.zone,
            self.customer_class,
            self.subsidised_until,
            self.use,
        )

    def _worked_out(self) -> Assessment:
        engine = engines.engine(self.engine)
        if self.nothing:
            local_on = self.time_range.starts_at.astimezone(self.zone).date()
            return engine.nothing(local_on, self.customer_class, self.candidates, self.extras, self.schedule.tax)
        return engine.session(
            self.schedule,
            self.time_range,
            self.zone,
            self.customer_class,
            self.candidates,
            self.subsidised_until,
            self.use,
            self.extras,
        )


class Assessed(Protocol):
    """What can be worked out: a session or a commissioned test."""

    @property
    def candidates(self) -> tuple[Candidate, ...]: ...
    def assess(self) -> Any: ...


def beside_others(inputs: Assessed, place: int) -> Candidate:
    """The candidate at ``place`` by itself, told what programmes before it gave where it looks at that."""
    candidate = inputs.candidates[place]
    if not place or OTHERS not in candidate.told:
        return candidate
    return replace(candidate, beside=(*candidate.beside, *given_of(inputs.assess().outcomes[:place])))


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a recomputed result differs from the frozen one. A value that is not there is None."""

    path: str
    frozen: Any
    recomputed: Any


def inputs_to_json(inputs: Inputs) -> Json:
    """The inputs with their documents, facts and prior balances. Amounts of balances are fen."""
    return {
        **use_to_json(inputs),
        "engine": inputs.engine,
        "schedule": inputs.schedule.document,
        "starts_at": inputs.time_range.starts_at.isoformat(),
        "ends_at": inputs.time_range.ends_at.isoformat(),
        "zone": inputs.zone.key,
        "customer_class": inputs.customer_class,
        "candidates": [candidate_to_json(candidate) for candidate in inputs.candidates],
    }


def candidate_to_json(candidate: Candidate) -> Json:
    """A programme to be tried, with facts and prior balances; ``told`` only where it is told something of the price or of others."""
    data: Json = {
        "programme": candidate.programme.document,
        "facts": facts_document(candidate.facts),
        "balances": {cap: _balance_to_json(balance) for cap, balance in candidate.balances.items()},
    }
    return data | {"told": sorted(candidate.told)} if candidate.told else data


def _balance_to_json(balance: Balance) -> Json:
    data: Json = {"limit_fen": balance.limit_fen, "used_fen": balance.used_fen}
    if balance.promised_fen is not None:
        data["promised_fen"] = balance.promised_fen
    if balance.homes:
        data["homes"] = [home._asdict() for home in balance.homes]
    return data


def _balance(data: Mapping[str, Any]) -> Balance:
    if "homes" not in data:
        return Balance(**data)
    return Balance(**{**data, "homes": tuple(Home(**home) for home in data["homes"])})


def candidates_of(
    programmes: Sequence[Programme], frozen: Sequence[Mapping[str, Any]], before: GroupsRead | None = None
) -> tuple[Candidate, ...]:
    """Frozen candidates under their compiled programmes, in the same order. Their facts are mostly the same. ``before``: facts that were
    read of others."""
    before = before or GroupsRead()
    return tuple(
        Candidate(
            programme,
            frozen_facts(data["facts"], before),
            {cap: _balance(each) for cap, each in data["balances"].items()},
            frozenset(data.get("told", ())),
        )
        for programme, data in zip(programmes, frozen, strict=True)
    )


def use_to_json(inputs: Inputs) -> Json:
    """What is only there for some sessions: the end of what may be subsidised, that nothing is charged, that an operator works along, what
    was used besides, and the public holidays where the price knows them."""
    found: Json = {}
    if inputs.subsidised_until:
        found["subsidised_until"] = inputs.subsidised_until.isoformat()
    if inputs.nothing:
        found["nothing"] = True
    if inputs.use.operated:
        found["operated"] = True
    if inputs.extras:
        found["extras"] = [{**each.named(), "amount_fen": each.amount_fen} for each in inputs.extras]
    if inputs.schedule.holidays is not None:
        found["public_days"] = public_days_to_json(inputs.use.days)
    return found


def _use_of(data: Mapping[str, Any]) -> Use:
    days = public_days_from_json(data["public_days"]) if "public_days" in data else NO_PUBLIC_DAYS
    return Use(bool(data.get("operated", False)), days)


def inputs_from_json(data: Mapping[str, Any]) -> Inputs:
    """Read frozen inputs. Raises OtherEngine for inputs of an engine that is not here, DocumentError for a bad document."""
    engine = engines.engine(data["engine"])
    programmes = [engine.programme(each["programme"]) for each in data["candidates"]]
    return _inputs(engine.schedule(data["schedule"]), programmes, data)


def inputs_under(
    schedule: PriceSchedule, programmes: Sequence[Programme], data: Mapping[str, Any], before: GroupsRead | None = None
) -> Inputs:
    """Frozen inputs whose documents are compiled already, in the order of ``data["candidates"]``. ``before``: facts that were read of
    others. Those of an older engine are compiled by that one. Raises OtherEngine."""
    version = data["engine"]
    compiled = [as_read_by(version, programme) for programme in programmes]
    return _inputs(as_read_by(version, schedule), compiled, data, before)


def _inputs(
    schedule: PriceSchedule, programmes: Sequence[Programme], data: Mapping[str, Any], before: GroupsRead | None = None
) -> Inputs:
    return Inputs(
        schedule=schedule,
        time_range=TimeRange(datetime.fromisoformat(data["starts_at"]), datetime.fromisoformat(data["ends_at"])),
        zone=ZoneInfo(data["zone"]),
        customer_class=data["customer_class"],
        candidates=candidates_of(programmes, data["candidates"], before),
        subsidised_until=datetime.fromisoformat(data["subsidised_until"]) if "subsidised_until" in data else None,
        nothing=bool(data.get("nothing", False)),
        use=_use_of(data),
        extras=tuple(ExtraCharge(**each) for each in data.get("extras", ())),
        engine=data["engine"],
    )


def inputs_sha256(data: Mapping[str, Any]) -> str:
    """The SHA-256 of the canonical text of frozen inputs."""
    return sha256_of(data)


def assessment_to_json(assessment: Assessment) -> Json:
    """The whole result: figures, lines, outcomes with their steps."""
    data: Json = _plain(assessment)
    for written, outcome in zip(data["outcomes"], assessment.outcomes, strict=True):
        written["outcome"] = "award" if isinstance(outcome, Award) else "refused"
    return data


def assessment_from_json(data: Mapping[str, Any]) -> Assessment:
    """Read a frozen result: ``assessment_from_json(assessment_to_json(a)) == a``."""
    priced = data["priced"]
    return Assessment(
        **{name: data[name] for name in FIGURES},
        priced=PricedSession(
            customer_class=priced["customer_class"],
            local_on=date.fromisoformat(priced["local_on"]),
            gross_fen=priced["gross_fen"],
            minimum_top_up_fen=priced["minimum_top_up_fen"],
            lines=tuple(_price_line(line) for line in priced["lines"]),
            steps=steps_of(priced["steps"]),
        ),
        outcomes=tuple(outcome_of(each) for each in data["outcomes"]),
        steps=steps_of(data["steps"]),
        engine=data["engine"],
    )


def replay(data: Mapping[str, Any]) -> Json:
    """Compute the result of frozen inputs anew, without looking at any stored one."""
    return assessment_to_json(inputs_from_json(data).assess())


def differences(frozen: object, recomputed: object, path: str = "$") -> Iterator[Difference]:
    """Every place where two results (as JSON) are not the same; none means identical."""
    if isinstance(frozen, Mapping) and isinstance(recomputed, Mapping):
        for name in sorted({*frozen, *recomputed}):
            yield from differences(frozen.get(name), recomputed.get(name), f"{path}.{name}")
    elif isinstance(frozen, list) and isinstance(recomputed, list):
        longest = max(len(frozen), len(recomputed))
        for place in range(longest):
            yield from differences(_at(frozen, place), _at(recomputed, place), f"{path}[{place}]")
    elif frozen != recomputed or type(frozen) is not type(recomputed):
        yield Difference(path, frozen, recomputed)


FIGURES = ("gross_fen", "deducted_fen", "refunded_fen", "payable_now_fen", "final_cost_fen", "estimate")


def _at(values: Sequence[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


_PLAIN_ALREADY = frozenset({str, int, bool, type(None)})


def _plain(value: Any) -> Any:
    """A dataclass, named tuple, enum, date or container of them as plain JSON."""
    kind: type = type(value)
    return value if kind in _PLAIN_ALREADY else _writer(kind)(value)


@cache
def _writer(kind: type) -> Callable[[Any], Any]:
    """What makes plain JSON of values of a kind."""
    if kind is Step:
        return _plain_step
    if kind is tuple or kind is list:
        return lambda values: [_plain(each) for each in values]
    if issubclass(kind, Enum):
        return attrgetter("_value_")
    if issubclass(kind, date):
        return kind.isoformat
    if issubclass(kind, Mapping):
        return _plain_items
    if issubclass(kind, tuple):
        return lambda value: _plain_items(value._asdict())
    names: tuple[str, ...] = getattr(kind, "__slots__", ())
    if not names or issubclass(kind, str):
        return lambda value: value
    return lambda value: {name: _plain(getattr(value, name)) for name in names}


def _plain_step(step: Step) -> Json:
    """Most of a result. What is plain already is not copied: nobody changes it."""
    part, clause, key, params, amount_fen = step
    if not _PLAIN_ALREADY.issuperset(map(type, params.values())):
        params = _plain_items(params)
    return {"part": part, "clause": clause, "key": key, "params": params, "amount_fen": amount_fen}


def _plain_items(value: Mapping[str, Any]) -> Json:
    return {name: item if type(item) in _PLAIN_ALREADY else _plain(item) for name, item in value.items()}


def steps_to_json(steps: Iterable[Step]) -> list[Json]:
    """Steps as they are kept: ``steps_of(steps_to_json(steps)) == tuple(steps)``."""
    return [_plain_step(step) for step in steps]


def steps_of(data: Sequence[Json]) -> tuple[Step, ...]:
    """Frozen steps."""
    return tuple(Step(**step) for step in data)


def _price_line(data: Json) -> AnyLine:
    starts, ends = (data[name] and datetime.fromisoformat(data[name]) for name in ("starts_at", "ends_at"))
    line = UnitLine if "unit" in data else PriceLine
    return line(**{**data, "kind": LineKind(data["kind"]), "starts_at": starts, "ends_at": ends})


def outcome_of(data: Json) -> Outcome:
    """A frozen outcome of one programme."""
    fields = {name: value for name, value in data.items() if name != "outcome"}
    fields["steps"] = steps_of(data["steps"])
    if data["outcome"] == "refused":
        return Refused(**{**fields, "reasons": tuple(Unmet(**reason) for reason in data["reasons"])})
    lines = (PayerLine(line["payer"], Payee(line["payee"]), line["amount_fen"]) for line in data["lines"])
    return Award(
        **{
            **fields,
            "mode": SettlementMode(data["mode"]),
            "payee": Payee(data["payee"]),
            "lines": tuple(lines),
            "basis_on": date.fromisoformat(data["basis_on"]),
            "binding_caps": tuple(data["binding_caps"]),
            "sides": _sides(data.get("sides")),
        }
    )


def _sides(data: Sequence[Json] | None) -> tuple[SideAward, ...] | None:
    """The sides of a frozen award; awards frozen before there were sides, and those of one side, have none."""
    if data is None:
        return None
    return tuple(
        SideAward(each["side"], SettlementMode(each["mode"]), Payee(each["payee"]), each["total_fen"], each["lines"])
        for each in data
    )
