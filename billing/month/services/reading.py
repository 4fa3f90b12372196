"""Every line of a month at once: what can be billed by an owner, or what statements would take. A constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.bills.services.collecting import DEDUCTED_NOW, open_charges, open_fees
from billing.firms import loading
from billing.firms.rules.profile import related
from billing.month.rules import anomalies
from billing.month.rules.lines import Line, Proof, Use
from billing.month.services import behind
from billing.month.services.behind import Tested
from billing.settlement.closed import of_office
from billing.settlement.models import Award, Charge, StatementLine
from billing.settlement.rules.series import Series
from billing.settlement.services.statements import unstated
from billing.subsidy.rules.outcome import SettlementMode
from config.kernel.time_range import TimeRange
from instruments.rules.opening import ranges_open_to_anybody
from instruments.services import schedule_store

#: What is read of the use behind a charge.
_USE = (
    "reservation_id",
    "reservation__instrument_id",
    "reservation__requested_by_id",
    "reservation__starts_at",
    "reservation__ends_at",
    "reservation__session__actual_starts_at",
    "reservation__session__actual_ends_at",
    "reservation__session__billable_starts_at",
    "reservation__session__billable_ends_at",
    "reservation__session__billable_minutes",
    "reservation__session__late_entered",
    "reservation__session__evidence",
    "reservation__instrument__policy__max_minutes",
    "reservation__instrument__calendar_id",
    "reservation__instrument__site__time_zone",
    "reservation__instrument__organisation_id",
    "reservation__organisation_id",
    "reservation__commission__sheet_id",
    "sample_job_id",
    "sample_job__requested_by_id",
    "sample_job__tested_at",
    "sample_job__lab_id",
    "sample_job__organisation_id",
    "sample_job__commission__sheet_id",
)
#: What was used so long outside its booking is not looked for.
_BESIDE_BOOKED = timedelta(days=1)
_Row = dict[str, Any]


def bill_lines(owner_id: int, until_on: date, today: date, customers: Sequence[int] = ()) -> list[Line]:
    """What can be billed up to and with ``until_on``, of some customers only where they are named; who belongs together is as of today."""
    charges, fees = open_charges(owner_id, until_on), open_fees(owner_id, until_on)
    if customers:
        charges, fees = charges.filter(customer__in=customers), fees.filter(customer__in=customers)
    names = ("pk", "customer", "created_at", "gross_fen", "deducted_fen", "refunded_fen", "payable_now_fen", *_USE)
    rows = list(charges.order_by("pk").values(*names))
    awarded = _awarded(charges)
    lines = [_charge_line(row, awarded.get(row["pk"], (0, 0))) for row in rows]
    lines += [
        _fee_line(*row)
        for row in fees.order_by("pk").values_list("pk", "customer", "created_at", "gross_fen", "relieved", "ends_at")
    ]
    billed = Charge.objects.filter(bill_lines__voided=False, reservation__instrument__organisation=owner_id)
    return _looked_at(lines, {("charge", row["pk"]): row for row in rows}, today, billed, owner_id)


def statement_lines(series: Series, month: date, today: date, payees: Sequence[int] = ()) -> list[Line]:
    """What an office's statements of the month (its first day) would take, of some payees only where they are named."""
    awards = of_office(unstated(month), series)
    if payees:
        awards = awards.filter(payee_id__in=payees)
    names = (*(f"charge__{name}" for name in _USE), "charge__gross_fen")
    own = ("pk", "payee_id", "programme_version_id", "mode", "created_at", "service_on", "total_fen", "credited_fen")
    rows = [
        {name.removeprefix("charge__"): value for name, value in row.items()}
        for row in awards.order_by("pk").values(*own, *names)
    ]
    stated = Charge.objects.filter(Exists(StatementLine.objects.filter(award__charge=OuterRef("pk"))))
    return _looked_at([_award_line(row) for row in rows], {("award", row["pk"]): row for row in rows}, today, stated)


def _awarded(charges: QuerySet[Any]) -> dict[int, tuple[int, int]]:
    """What the awards of each charge give now and later."""
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    modes = (DEDUCTED_NOW, SettlementMode.REFUNDED_LATER.value)
    rows = Award.objects.filter(charge__in=charges.values("pk"), mode__in=modes)
    for charge_id, mode, total_fen in rows.values_list("charge_id", "mode", "total_fen"):
        found[charge_id][modes.index(mode)] += total_fen
    return {pk: (deducted, refunded) for pk, (deducted, refunded) in found.items()}


def _charge_line(row: _Row, awards: tuple[int, int]) -> Line:
    return Line(
        thing="charge",
        thing_id=row["pk"],
        party_id=row["customer"],
        version_id=None,
        at=row["created_at"],
        service_on=_day(_ended_at(row)),
        gross_fen=row["gross_fen"],
        deducted_fen=row["deducted_fen"],
        relieved_fen=0,
        refunded_fen=row["refunded_fen"],
        claims_fen=sum(awards),
        amount_fen=row["payable_now_fen"],
        awards=awards,
    )


def _fee_line(pk: int, customer: int, created_at: datetime, gross_fen: int, relieved_fen: int, ends_at: datetime) -> Line:
    return Line(
        thing="fee",
        thing_id=pk,
        party_id=customer,
        version_id=None,
        at=created_at,
        service_on=_day(ends_at),
        gross_fen=gross_fen,
        deducted_fen=0,
        relieved_fen=relieved_fen,
        refunded_fen=0,
        claims_fen=0,
        amount_fen=gross_fen - relieved_fen,
    )


def _award_line(row: _Row) -> Line:
    left = row["total_fen"] - row["credited_fen"]
    return Line(
        thing="award",
        thing_id=row["pk"],
        party_id=row["payee_id"],
        version_id=row["programme_version_id"],
        mode=row["mode"],
        at=row["created_at"],
        service_on=row["service_on"],
        gross_fen=row["gross_fen"],
        deducted_fen=0,
        relieved_fen=0,
        refunded_fen=0,
        claims_fen=left,
        amount_fen=left,
    )


def _ended_at(row: _Row) -> datetime:
    """When the use was over, or the last test was made."""
    found: datetime = row["reservation__ends_at"] or row["sample_job__tested_at"] or row["created_at"]
    return found


def _day(at: datetime) -> date:
    return at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _looked_at(
    lines: list[Line], rows: dict[tuple[str, int], _Row], today: date, issued: QuerySet[Any], lab_id: int | None = None
) -> list[Line]:
    """The lines with the use behind them and what is odd about it. ``issued``: the charges that stand on documents already; ``lab_id``:
    whose reports alone are looked at, None: everybody's."""
    known = _Known(_opening(rows.values()), _ties(rows.values(), today), behind.tested(rows.values()))
    files, elsewhere = behind.files([*rows.values()], lab_id)
    uses = {key: _use(row, known, files) for key, row in rows.items()}
    lines = [replace(line, use=uses.get(line.key)) for line in lines]
    odd = anomalies.found(lines, _beside([*uses.values()], issued), elsewhere)
    return [replace(line, odd=odd[line.key]) if line.key in odd else line for line in lines]


def _beside(uses: Sequence[Use], issued: QuerySet[Any]) -> list[Use]:
    """What of ``issued`` was used in the months of these uses, on the same instruments or by the same people; one query."""
    months: dict[tuple[int, int], TimeRange] = {}
    for use in uses:
        if use.ends_at > use.starts_at:
            month = (use.starts_at.year, use.starts_at.month)
            had = months.get(month, use.span)
            months[month] = TimeRange(min(had.starts_at, use.starts_at), max(had.ends_at, use.ends_at))
    if not months:
        return []
    within = Q()
    for each in months.values():
        first, last = each.starts_at - _BESIDE_BOOKED, each.ends_at + _BESIDE_BOOKED
        within |= Q(reservation__starts_at__lt=last, reservation__ends_at__gt=first)
    same = Q(reservation__instrument__in={use.instrument_id for use in uses} - {None})
    same |= Q(reservation__requested_by__in={use.person_id for use in uses})
    nothing = _Known({}, {}, {})
    return [_use(row, nothing, {}) for row in issued.filter(within & same).order_by("pk").values("pk", "created_at", *_USE)]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of all uses at once: when calendars were open, who belongs together, how many samples of a job were tested."""

    opened: dict[int, list[TimeRange]]
    ties: dict[tuple[int, int], bool]
    samples: dict[int, Tested]


def _use(row: _Row, known: _Known, files: Mapping[tuple[str, int], tuple[Proof, ...]]) -> Use:
    return _session(row, known, files) if row["reservation_id"] is not None else _job(row, known, files)


def _session(row: _Row, known: _Known, files: Mapping[tuple[str, int], tuple[Proof, ...]]) -> Use:
    starts_at = row["reservation__session__actual_starts_at"] or row["reservation__starts_at"]
    ends_at = max(starts_at, row["reservation__session__actual_ends_at"] or row["reservation__ends_at"])
    ranges = known.opened.get(row["reservation__instrument__calendar_id"])
    of = ("session", row["reservation_id"])
    said = " ".join((row["reservation__session__evidence"] or "").split()).casefold()
    return Use(
        of=of,
        instrument_id=row["reservation__instrument_id"],
        person_id=row["reservation__requested_by_id"],
        starts_at=starts_at,
        ends_at=ends_at,
        billed_minutes=row["reservation__session__billable_minutes"] or 0,
        most_minutes=row["reservation__instrument__policy__max_minutes"] or 0,
        proofs=(*((Proof(said, of),) if said else ()), *files.get(of, ())),
        open=_within(_taken(row), ranges) if ranges is not None else None,
        related=known.ties.get((row["reservation__organisation_id"], row["reservation__instrument__organisation_id"]), False),
    )


def _job(row: _Row, known: _Known, files: Mapping[tuple[str, int], tuple[Proof, ...]]) -> Use:
    of, at = ("job", row["sample_job_id"]), _ended_at(row)
    found = known.samples.get(row["sample_job_id"], Tested(0, 0))
    return Use(
        of=of,
        instrument_id=None,
        person_id=row["sample_job__requested_by_id"],
        starts_at=at,
        ends_at=at,
        billed_samples=found.billed,
        tested_samples=found.tested,
        proofs=files.get(of, ()),
        related=known.ties.get((row["sample_job__organisation_id"], row["sample_job__lab_id"]), False),
    )


def _taken(row: _Row) -> TimeRange:
    """When an instrument was booked, and beyond it what was used and is billed. Rounding bills no time that was used."""
    starts_at, ends_at = row["reservation__starts_at"], row["reservation__ends_at"]
    from_at, until_at = row["reservation__session__billable_starts_at"], row["reservation__session__billable_ends_at"]
    if until_at is None:
        return TimeRange(starts_at, ends_at)
    used_from = row["reservation__session__actual_starts_at"] or from_at
    used_until = row["reservation__session__actual_ends_at"] or until_at
    return TimeRange(min(starts_at, max(from_at, used_from)), max(ends_at, min(until_at, used_until)))


def _within(span: TimeRange, ranges: Sequence[TimeRange]) -> bool:
    """Whether one of sorted, disjoint ranges holds the whole span."""
    low, high = 0, len(ranges)
    while low < high:
        middle = (low + high) // 2
        if ranges[middle].starts_at <= span.starts_at:
            low = middle + 1
        else:
            high = middle
    return low > 0 and ranges[low - 1].contains(span)


def _opening(rows: Iterable[_Row]) -> dict[int, list[TimeRange]]:
    """When each calendar was open to anybody, over all its sessions; not those without opening hours."""
    spans: dict[int, tuple[datetime, datetime, str]] = {}
    for row in rows:
        if row["reservation_id"] is None:
            continue
        calendar_id, zone = row["reservation__instrument__calendar_id"], row["reservation__instrument__site__time_zone"]
        taken = _taken(row)
        first, last, _zone = spans.get(calendar_id, (taken.starts_at, taken.ends_at, zone))
        spans[calendar_id] = (min(first, taken.starts_at), max(last, taken.ends_at), zone)
    if not spans:
        return {}
    rules = schedule_store.rules_by_calendar(spans)
    return {
        pk: ranges_open_to_anybody(rules[pk], ZoneInfo(zone), TimeRange(first, last))
        for pk, (first, last, zone) in spans.items()
        if rules[pk].opens_at_all
    }


def _ties(rows: Iterable[_Row], on: date) -> dict[tuple[int, int], bool]:
    """Which customer and provider belong together on a day, by (customer, provider); one query."""
    pairs = {
        (
            row["reservation__organisation_id"] or row["sample_job__organisation_id"],
            row["reservation__instrument__organisation_id"] or row["sample_job__lab_id"],
        )
        for row in rows
    }
    if not pairs:
        return {}
    known, keys = loading.known(pk for pair in pairs for pk in pair)
    return {(one, other): one != other and related(known, keys[one], keys[other], on) for one, other in pairs}
