"""A month as its finance sees it: what stands where between use and money, how much of it, what blocks it and who has to act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.bills.models import Bill
from billing.bills.queries import with_standing
from billing.bills.services.collecting import end_of, open_by_customer
from billing.bills.services.issuing import local_day
from billing.month.bill_ends import Ends, ends_of
from billing.month.models import Draft, DraftRun, DraftState, ExportItem, ItemState, RunState
from billing.month.outstanding import without_settled
from billing.month.paid_out import came_of, paid_out
from billing.month.queries import current_run
from billing.month.rules.drafts import Identity
from billing.month.services.acting import acts_for
from billing.settlement.closed import closed_until, of_office
from billing.settlement.models import Quote, Statement
from billing.settlement.rules.period import first_day, is_over, last_day, next_month, previous_month
from billing.settlement.rules.series import STATEMENTS, Series
from billing.settlement.services.statements import unstated
from billing.subsidy.models import Programme
from booking.models import Reservation, SampleJob
from booking.rules.samples import JobState
from booking.rules.states import IN_REVIEW, ReservationState
from config.kernel.access import Actor, Role, visible_to
from config.kernel.errors import NotFound
from instruments.models import Organisation


@dataclass(frozen=True, slots=True)
class Block:
    """What holds things up (a code that says also who has to act), and how many."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Stage:
    """``fen`` is an estimate before usage is agreed. Of bills that are issued it is without what was credited of them."""

    code: str
    count: int
    fen: int
    blocks: tuple[Block, ...] = ()
    estimate: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """Drafts of an office (``fen`` in all) that failed in a run over all offices together, from before each had its own, and of which
    something is on no document yet; they can be tried again there."""

    run_id: int
    count: int
    fen: int


@dataclass(frozen=True, slots=True)
class Board:
    """``run``: the drafts that stand now. ``closed``: the month takes no new line. ``identities``: how the sums of its bills hang together.
    ``earlier``: what failed before each office had its own runs."""

    series: Series
    period_on: date
    stages: tuple[Stage, ...]
    run: DraftRun | None
    over: bool
    closed: bool
    acts: bool
    next_on: date | None
    identities: tuple[Identity, ...] = ()
    earlier: Earlier | None = None


def series_of(actor: Actor) -> list[tuple[Series, Organisation | None]]:
    """The series that the actor sees: of its owners by name; of statements those of its offices that have programmes (the inspector: of
    every office), and of programmes that name no office."""
    owners: QuerySet[Organisation] = Organisation.objects.filter(pk__in=actor.organisations(Role.OWNER_FINANCE), kind="owner")
    found: list[tuple[Series, Organisation | None]] = [(Series(one.pk), one) for one in owners.order_by("name_pinyin", "pk")]
    if not actor.has(Role.FINANCE, Role.INSPECTOR):
        return found
    offices: QuerySet[Organisation] = Organisation.objects.filter(programmes__isnull=False).distinct()
    if not actor.has(Role.INSPECTOR):
        offices = offices.filter(pk__in=actor.organisations(Role.FINANCE))
    issuing = [(Series(office_id=one.pk), one) for one in offices.order_by("name_pinyin", "pk")]
    if not issuing or Programme.objects.filter(issuer__isnull=True).exists():
        return [*found, *issuing, (Series(), None)]
    return [*found, *issuing]


def require_seen(actor: Actor, series: Series) -> None:
    """Raise NotFound for the months of another owner or office, except for the inspector."""
    if not acts_for(actor, series) and not actor.has(Role.INSPECTOR):
        raise NotFound.of("access.not_found", model="month")


def board(actor: Actor, series: Series, period_on: date, now: datetime) -> Board:
    """The month of a series. A constant number of queries. Raises NotFound."""
    require_seen(actor, series)
    month, today = first_day(period_on), local_day(now)
    run = current_run(actor, series, month)
    until = closed_until(series)
    drafts, ends = _drafts(run), None
    if series.owner_id is not None:
        stages = (_unconfirmed(series.owner_id, month, now), _agreed(series.owner_id, month, drafts), *_of_run(run, drafts))
        ends = ends_of(with_standing(_bills_of(series.owner_id, month)))
        stages += _bills(_bills_of(series.owner_id, month), ends)
    else:
        stages = (_awarded(series, month, drafts), *_of_run(run, drafts), *_statements(series, month))
    return Board(
        series=series,
        period_on=month,
        stages=stages,
        run=run,
        over=is_over(month, today),
        closed=until is not None and month <= until,
        acts=acts_for(actor, series),
        next_on=next_month(month) if next_month(month) <= today else None,
        identities=ends.identities if ends is not None else (),
        earlier=_earlier(series, month) if series.office_id is not None else None,
    )


def _earlier(series: Series, month: date) -> Earlier | None:
    rows = Draft.objects.filter(run__series=STATEMENTS, run__period_on=month, run__state=RunState.DONE, state=DraftState.FAILED)
    own = without_settled(rows).filter(programme_version__programme__issuer=series.office_id).values("run").order_by("run")
    found = own.annotate(count=Count("pk"), fen=Sum("total_fen")).first()
    return Earlier(found["run"], found["count"], found["fen"]) if found is not None else None


#: What waits while usage is not agreed: (state, code of what blocks and who acts).
_WAITS = {
    ReservationState.IN_USE.value: "lab_ends",
    ReservationState.COMPLETED.value: "sides_agree",
    ReservationState.ADJUSTING.value: "lab_answers",
    ReservationState.ADJUSTMENT_REFUSED.value: "customer_answers",
    ReservationState.DISPUTED.value: "second_decides",
}


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings.TIME_ZONE))


def unconfirmed(owner_id: int, month: date, now: datetime) -> QuerySet[Any]:
    """The sessions of other customers that ended in a month and whose use is not agreed, with ``quoted_fen``."""
    last_quote = Quote.objects.filter(reservation_id=OuterRef("pk")).order_by("-revision").values("payable_now_fen")[:1]
    rows = Reservation.objects.filter(
        instrument__organisation_id=owner_id,
        state__in=[ReservationState.IN_USE, *IN_REVIEW],
        ends_at__gte=_start_of(month),
        ends_at__lt=min(end_of(last_day(month)), now),
    )
    return rows.exclude(organisation_id=owner_id).annotate(quoted_fen=Coalesce(Subquery(last_quote), 0))


def unconfirmed_jobs(owner_id: int, month: date) -> QuerySet[Any]:
    """The sample jobs of other customers that were reported in a month or before it and are not closed."""
    last_quote = Quote.objects.filter(sample_job_id=OuterRef("pk")).order_by("-revision").values("payable_now_fen")[:1]
    rows = SampleJob.objects.filter(lab_id=owner_id, state=JobState.REPORTED.value, reported_at__lt=end_of(last_day(month)))
    return rows.exclude(organisation_id=owner_id).annotate(quoted_fen=Coalesce(Subquery(last_quote), 0))


def _unconfirmed(owner_id: int, month: date, now: datetime) -> Stage:
    states = unconfirmed(owner_id, month, now).order_by().values("state").annotate(count=Count("pk"), fen=Sum("quoted_fen"))
    found = {row["state"]: row for row in states}
    jobs = unconfirmed_jobs(owner_id, month).aggregate(count=Count("pk"), fen=Coalesce(Sum("quoted_fen"), 0))
    blocks = [Block(code, found[state]["count"]) for state, code in _WAITS.items() if state in found]
    if jobs["count"]:
        blocks.append(Block("customer_closes", jobs["count"]))
    count = sum(row["count"] for row in found.values()) + jobs["count"]
    return Stage("unconfirmed", count, sum(row["fen"] for row in found.values()) + jobs["fen"], tuple(blocks), estimate=True)


def _drafts(run: DraftRun | None) -> dict[str, tuple[int, int, int]]:
    """(drafts, lines, fen) of a run by state; what failed and was issued some other way since is none of them."""
    if run is None:
        return {}
    rows = without_settled(Draft.objects.filter(run=run)).values("state").order_by()
    rows = rows.annotate(count=Count("pk"), line_sum=Sum("line_count"), fen=Sum("total_fen"))
    return {row["state"]: (row["count"], row["line_sum"], row["fen"]) for row in rows}


_IN_DRAFTS = (DraftState.READY.value, DraftState.PARKED.value, DraftState.FAILED.value)


def _agreed(owner_id: int, month: date, drafts: dict[str, tuple[int, int, int]]) -> Stage:
    found = open_by_customer(owner_id, last_day(month))
    lines, fen = sum(each.charges + each.fees for each in found), sum(each.amount_fen for each in found)
    return _not_drafted("agreed", lines, fen, drafts)


def _awarded(series: Series, month: date, drafts: dict[str, tuple[int, int, int]]) -> Stage:
    return _not_drafted("awarded", *_left(of_office(unstated(month), series)), drafts)


def _left(awards: QuerySet[Any]) -> tuple[int, int]:
    """How many awards of ``unstated``, and what of them is left."""
    found = awards.order_by().aggregate(count=Count("pk"), fen=Coalesce(Sum(F("total_fen") - F("credited_fen")), 0))
    return found["count"], found["fen"]


def _not_drafted(code: str, lines: int, fen: int, drafts: dict[str, tuple[int, int, int]]) -> Stage:
    """What is open beyond the drafts that stand."""
    drafted = [drafts[state] for state in _IN_DRAFTS if state in drafts]
    lines, fen = max(0, lines - sum(each[1] for each in drafted)), max(0, fen - sum(each[2] for each in drafted))
    return Stage(code, lines, fen, (Block("finance_drafts", lines),) if lines else ())


def _of_run(run: DraftRun | None, drafts: dict[str, tuple[int, int, int]]) -> tuple[Stage, ...]:
    none = (0, 0, 0)
    parked, failed, ready = (drafts.get(state, none) for state in ("parked", "failed", "ready"))
    blocks = [Block(code, each[0]) for code, each in (("finance_mends", parked), ("finance_runs_again", failed)) if each[0]]
    reviewed = ready if run is not None and run.state == RunState.OPEN else none
    second = ready if run is not None and run.state == RunState.HANDED_OVER else none
    issuing = ready if run is not None and run.state == RunState.RELEASED else none
    return (
        Stage("parked", parked[0] + failed[0], parked[2] + failed[2], tuple(blocks)),
        Stage("drafts", reviewed[0], reviewed[2], (Block("finance_reviews", reviewed[0]),) if reviewed[0] else ()),
        Stage("second", second[0], second[2], (Block("second_releases", second[0]),) if second[0] else ()),
        Stage("issuing", issuing[0], issuing[2], (Block("worker_issues", issuing[0]),) if issuing[0] else ()),
    )


def _bills_of(owner_id: int, month: date) -> QuerySet[Bill]:
    return Bill.objects.filter(owner_id=owner_id, until_on__range=(month, last_day(month)), void__isnull=True)


def _bills(rows: QuerySet[Bill], ends: Ends) -> tuple[Stage, ...]:
    """Bills by what became of them; a bill is counted once, where all of it ended: with money, given up, credited, or not yet."""
    exported = ends_of(with_standing(rows.filter(_was_exported("bill"))))
    waits = Block("finance_exports", ends.count - exported.count)
    part, owing = Block("paid_in_part", ends.paid_in_part), Block("customer_pays", ends.open)
    return (
        Stage("issued", ends.count, ends.net_fen),
        Stage("exported", exported.count, exported.net_fen, _some(waits)),
        Stage("open", ends.open, ends.to_come_fen, _some(owing)),
        Stage("paid", ends.paid, ends.came_in_fen, _some(part)),
        Stage("uncollectible", ends.given_up, ends.given_up_fen),
        Stage("credited", ends.credited, ends.taken_back_fen, _some(Block("credited_in_part", ends.credited_in_part))),
    )


def _statements(series: Series, month: date) -> tuple[Stage, ...]:
    rows = of_office(Statement.objects.filter(period_on=month), series)
    found = paid_out(rows)
    sums = list(came_of(rows).values())
    blocks = _some(*(Block(code, count) for code, count in found.waits))
    paid = Stage("paid", found.paid.count(), sum(each.paid_fen for each in sums), blocks)
    back = _ended("taken_back", [each.taken_back_fen for each in sums])
    failed = _ended("payment_failed", [each.failed_fen for each in sums])
    return (*_issued(rows, rows.filter(_was_exported("statement"))), paid, *back, *failed)


def _ended(code: str, amounts: Sequence[int]) -> tuple[Stage, ...]:
    """The statements of which something ended so, with how much; nothing where none did."""
    some = [fen for fen in amounts if fen]
    return (Stage(code, len(some), sum(some)),) if some else ()


def _was_exported(of: str) -> Exists:
    return Exists(ExportItem.objects.filter(**{f"{of}_id": OuterRef("pk")}, state=ItemState.DONE, export__state="done"))


def _issued(rows: QuerySet[Any], exported: QuerySet[Any]) -> tuple[Stage, ...]:
    issued, out = _stage("issued", rows), _stage("exported", exported)
    return (issued, Stage("exported", out.count, out.fen, _some(Block("finance_exports", issued.count - out.count))))


def _stage(code: str, rows: QuerySet[Any], blocks: tuple[Block, ...] = ()) -> Stage:
    found = rows.aggregate(count=Count("pk"), fen=Coalesce(Sum("total_fen"), 0))
    return Stage(code, found["count"], found["fen"], _some(*blocks))


def _some(*blocks: Block) -> tuple[Block, ...]:
    return tuple(block for block in blocks if block.count)


@dataclass(frozen=True, slots=True)
class ForOwner:
    """What programmes owe an owner for a month: awarded and on no statement yet (the office has to act), and on statements."""

    open_count: int
    open_fen: int
    statements: int
    stated_fen: int


def statements_for(actor: Actor, owner_id: int, period_on: date) -> ForOwner:
    """The owner's side of settlement statements; two queries."""
    month = first_day(period_on)
    left = _left(unstated(month).filter(payee_id=owner_id))
    rows = visible_to(Statement.objects.filter(payee_id=owner_id, period_on=month), actor)
    found = rows.aggregate(count=Count("pk"), fen=Coalesce(Sum("total_fen"), 0))
    return ForOwner(*left, found["count"], found["fen"])


def sessions_to_agree(actor: Actor, owner_id: int, period_on: date, now: datetime) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """The sessions and the sample jobs behind the first stage, the oldest first. Raises NotFound."""
    require_seen(actor, Series(owner_id))
    month = first_day(period_on)
    sessions = visible_to(unconfirmed(owner_id, month, now), actor).select_related("instrument__site", "organisation")
    jobs = visible_to(unconfirmed_jobs(owner_id, month), actor).select_related("resource", "organisation")
    return sessions.order_by("ends_at", "pk"), jobs.order_by("reported_at", "pk")


def latest_month(now: datetime) -> date:
    """The first day of the last month that is over."""
    return previous_month(first_day(local_day(now)))


def what_waits(row: Any) -> str:
    """What a session of ``unconfirmed`` waits for, as a code of ``Block``."""
    return _WAITS[row.state]
