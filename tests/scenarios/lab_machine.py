"""A lab in which anything may happen next: people book, change their minds, come late, fall out, and time goes on.

After every step all invariants of the platform hold, and each step is done or refused with a reason. Hypothesis chooses the steps; a
failure prints them as a programme that can be run again.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import currently_in_test_context, event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from billing.pricing import sample_prices
from billing.pricing import services as pricing
from billing.pricing.models import PriceVersion
from billing.settlement.services.extension_quotes import extension_figures
from booking import tasks
from booking.models import (
    Downtime,
    InstrumentPolicy,
    Occupancy,
    OccupancySource,
    Reservation,
    ReservationChange,
    Sample,
    SampleExtra,
    SampleJob,
    WaitEntry,
)
from booking.ports import ExpectedFigures
from booking.rules.changes import Side
from booking.rules.deciding import Rivals, Verdict
from booking.rules.downtime import Choice, DowntimeKind
from booking.rules.samples import ExtraEvent, SampleStep
from booking.rules.service_facts import ServiceFacts
from booking.services import (
    changes,
    decisions,
    downtimes,
    extending,
    holds,
    inbox,
    sample_decisions,
    sample_extras,
    sample_jobs,
    sample_reports,
    sample_steps,
    self_service,
    service_facts,
    swaps,
    transitions,
    usage_review,
    waiting,
)
from booking.services.changes import ChangeRequest
from booking.services.decision_rows import How
from booking.services.enquiry_files import Attachment
from booking.services.inbox import Wish as Verdicts
from booking.services.reject_reasons import Why
from booking.services.reservations import ReservationRequest
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.invariants import Finding, registered
from config.kernel.services import parking
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence
from instruments.services import catalogue, resources, schedule_store
from tests.conftest import NOW, PRICE, Cast
from tests.scenarios.machine_cards import Cards
from tests.scenarios.machine_devices import Devices
from tests.scenarios.machine_figures import SeenFigures
from tests.scenarios.machine_imports import Lists
from tests.scenarios.machine_series import SeriesOfTimes

ZONE = ZoneInfo("Asia/Shanghai")
FEES = {"late_cancel": {"share": "0.5"}, "no_show": {"share": "1"}}
JOBS = (
    tasks.handle_due,
    tasks.offer_free_time,
    tasks.agree_usage,
    tasks.close_sample_jobs,
    tasks.escalate_overdue,
    tasks.follow_devices,
)
REPORT = Attachment(b"%PDF-1.7 report", "report.pdf")
# What no step here writes, and what is looked at in the installation rather than in the rows.
ELSEWHERE = ("registry.", "kernel.files_unchanged", "kernel.guards_installed")
# What reads every paper again would be a quarter of each look; papers never change, so one look at the end finds what is wrong.
AT_THE_END = ("papers.",)

PEOPLE = st.sampled_from(["lin", "zhao", "he", "ma"])
PICKS = st.integers(0, 5)
SLOTS = st.tuples(st.integers(0, 2), st.integers(8, 19), st.sampled_from([60, 90, 180]))
"""Day from today, hour in Shanghai, minutes."""
Slot = tuple[int, int, int]
WHAT = (
    *("booking",) * 8, *("samples",) * 3, *("come",) * 3, *("want",) * 3, *("time",) * 2, "offer", "change", "outage", "send",
    *("series",) * 2, "again", *("device",) * 2, "run", "card", "list", "leader",
)  # fmt: skip
STEPS: dict[str, tuple[str, ...]] = {
    "requested": (
        "hear_the_leader", "decide", "decide", "swap", "move", "cancel", "approve_over_rivals", "change_the_card", "accept_the_figures",
        "decide", "cancel", "decide", "correct",
    ),
    "approved": (
        "check_in", "check_in", "move", "swap", "cancel", "mark_no_show", "take_the_decision_back", "change_the_card", "check_in",
        "check_in", "cancel", "move", "correct",
    ),
    "rejected": ("take_the_decision_back", "cancel"),
    "in_use": ("check_out", "check_out", "extend"),
    "completed": ("agree", "agree", "ask_for_less", "dispute"),
    "adjusting": ("answer_the_wish", "agree"),
    "adjustment_refused": ("agree", "dispute"),
    "disputed": ("settle_the_dispute",),
    "no_show": ("check_in",),
}  # fmt: skip
"""What people may try with a booking in each state, more often what usually follows."""
SAMPLE_STEPS: dict[str, tuple[str, ...]] = {
    "asked": ("accept", "accept", "refuse", "cancel"),
    "accepted": ("receive", "receive", "extra", "cancel", "take_the_answer_back"),
    "refused": ("take_the_answer_back", "cancel"),
    "received": ("prepare", "test", "go_wrong", "extra"),
    "preparing": ("test", "test", "go_wrong"),
    "tested": ("report", "report", "go_wrong", "extra"),
    "reported": ("close", "object", "extra"),
}


class LabMachine(Cards, SeriesOfTimes, Devices, Lists, SeenFigures, RuleBasedStateMachine):
    """One lab with two instruments that share a calendar, one that has its own, and one test item, two firms, a group of its own people
    with a fund card, a device, and the time."""

    zone = ZONE
    mode = "self_operated"
    """How everything is booked."""

    cast: Cast
    done: Counter[str] = Counter()
    """How often each step was done and not refused, over all runs of the class."""

    found: dict[str, tuple[str, ...]] = {}
    """Invariants that did not hold, with what is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.keys = count()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(tasks, "timezone", SimpleNamespace(now=lambda: self.now))
        self.parked: list[BaseException] = []
        self.patch.setattr(
            parking.logger, "exception", lambda *_said: self.parked.append(sys.exception() or KeyError("no exception"))
        )
        self.start_of_devices()
        self.start_of_lists()
        self.start_of_figures()
        self.whole = transaction.atomic()
        self.whole.__enter__()

    def teardown(self) -> None:
        try:
            self.hold({name: check for name, check in registered().items() if name.startswith(AT_THE_END)})
        finally:
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)
            self.patch.undo()

    # --- Tools --------------------------------------------------------------------------------------------------------
    def attempt(self, name: str, act: Callable[[], Any]) -> None:
        """Do it, or be refused with a reason; what the database would say at the end of the transaction it says now."""
        try:
            with transaction.atomic():
                act()
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        except Refusal as refused:
            if currently_in_test_context():
                event(f"{name}: {refused.reasons[0].code}")
            return
        self.done[name] += 1

    def actor(self, name: str) -> Actor:
        return self.cast.actor(name)

    def customer(self, name: str) -> Any:
        return {"he": self.cast.other_firm, "ma": self.cast.lab}.get(name, self.cast.firm)

    def person_of(self, row: Any) -> str:
        return {self.cast.other_firm.pk: "he", self.cast.lab.pk: "ma"}.get(row.organisation_id, "lin")

    def during(self, slot: tuple[int, int, int]) -> TimeRange:
        day, hour, minutes = slot
        start = datetime.combine(self.now.astimezone(ZONE).date() + timedelta(days=day), time(hour), ZONE)
        return TimeRange(start, start + timedelta(minutes=minutes))

    def key(self) -> str:
        return f"k{next(self.keys)}"

    def pick(self, rows: Iterable[Any], place: int) -> Any:
        found = list(rows)
        return found[place % len(found)] if found else None

    # --- The lab ------------------------------------------------------------------------------------------------------
    @initialize(approval=st.booleans(), blocks=st.booleans(), buffer=st.sampled_from([0, 30]), fees=st.booleans())
    def a_lab(self, approval: bool, blocks: bool, buffer: int, fees: bool) -> None:
        rules = {"approval_required": approval, "pending_blocks": blocks, "notice_minutes": 0, "buffer_after_minutes": buffer}
        wang, on = self.actor("wang"), date(2026, 11, 23)
        self.instruments = (self.cast.xrd, self.twin("Twin", self.cast.xrd.calendar_id, on))
        self.apart = self.twin("Apart", self.calendar(), on)
        for one in (*self.instruments, self.apart):
            InstrumentPolicy.objects.update_or_create(instrument=one, defaults=rules)
        if fees:
            pricing.publish_price(self.actor("li"), self.cast.xrd, PRICE | {"fees": FEES}, on, self.now, on)
        part = {"turnaround_days": 2, "daily_capacity": 4}
        self.item = resources.create_resource(wang, self.cast.lab.pk, "test_item", {"name": "Li in brine"}, part, self.now)
        resources.set_published(wang, self.item.pk, True, self.now)
        sample_prices.publish_test_price(wang, self.item, "sample", 8_000, {}, on, self.now, on)
        self.start_of_assistance()
        for who, hour in (("lin", 10), ("ma", 12), ("he", 14), ("zhao", 16)):
            self.somebody_wants_a_time(who, (0, hour, 90), "book")
        self.somebody_sends_samples("lin", 3, 0)

    def start_of_assistance(self) -> None:
        """Nobody is named; a lab in which somebody is, is ``machine_assistants.AssistedLab``."""

    def time_goes_on(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        for job in JOBS:
            self.attempt("a job", lambda job=job: job(timestamp=0))

    def calendar(self) -> int:
        """One that is open as the diffractometer's."""
        calendar_id = schedule_store.create_calendar("apart")
        weekly = Recurrence(frequency="weekly", interval=1, weekdays=(0, 1, 2, 3, 4, 5, 6), until=None, count=None)
        opens = datetime(2025, 1, 6, 8)
        entry = CalendarEntry(EntryKind.OPENING, opens, opens.replace(hour=20), weekly)
        schedule_store.add_entry(calendar_id, self.cast.site.time_zone, entry)
        return calendar_id

    def twin(self, name: str, calendar_id: int, on: date) -> Instrument:
        """Another instrument of the lab."""
        made = Instrument.objects.create(
            organisation=self.cast.lab, site=self.cast.site, calendar_id=calendar_id, name=name, class_code="010301",
            service_modes=[self.mode], created_at=self.now, updated_at=self.now,
        )  # fmt: skip
        PriceVersion.objects.create(instrument=made, effective_from=on, document=PRICE, published_at=self.now)
        catalogue.refresh_instruments([made.pk], self.now)
        return made

    @rule(
        what=st.sampled_from(WHAT),
        who=PEOPLE,
        place=PICKS,
        which=st.integers(0, 11),
        yes=st.booleans(),
        by_lab=st.booleans(),
        slot=SLOTS,
    )
    def next(self, what: str, who: str, place: int, which: int, yes: bool, by_lab: bool, slot: Slot) -> None:
        """One thing happens. One rule for all: what often follows is tried often, so that bookings get far."""
        if what == "time":
            self.time_goes_on((15, 30, 60, 240, 4 * 1440)[min(which, 4)])
        elif what == "come":
            self.the_time_of_a_booking_comes(0 if yes else place, (-10, 0, 10, 40)[which % 4])
        elif what == "want":
            self.somebody_wants_a_time(who, slot, ("book", "book", "hold", "wait_for")[which % 4], self.instruments[yes])
        elif what == "booking":
            self.a_booking_goes_on(place, which, yes, by_lab, slot)
        elif what == "offer":
            self.answer_an_offer(place, ("accept", "decline", "withdraw")[which % 3])
        elif what == "change":
            self.answer_a_move(place, ("accept", "accept", "refuse", "withdraw")[which % 4], by_lab)
        elif what == "outage":
            self.an_outage(self.instruments[by_lab], 2 if yes else 30, list(Choice)[which % 4], slot[0] % 2)
        elif what == "series":
            self.somebody_wants_a_series(who, slot, which, self.instruments[yes])
        elif what == "again":
            self.a_series_is_changed(place, which, yes, by_lab, slot)
        elif what == "device":
            self.a_device_tells(which, yes and by_lab)
        elif what == "run":
            self.somebody_looks_at_a_run(place, which)
        elif what == "card":
            self.the_keeper_of_cards(place, which, yes)
        elif what == "list":
            self.a_list_is_brought_or_taken_back(who, slot, which, self.instruments[yes], by_lab)
        elif what == "leader":
            self.to_hear_the_leader(None, self.actor("gao"), yes, slot)
        elif what == "send":
            self.somebody_sends_samples(who, 1 + which % 6, slot[0])
        else:
            self.samples_go_on(place, which, yes)

    # --- Before the session -------------------------------------------------------------------------------------------
    def somebody_wants_a_time(self, who: str, slot: Slot, what: str, instrument: Instrument | None = None) -> None:
        instrument_id = (instrument or self.cast.xrd).pk
        actor, customer, during = self.actor(who), self.customer(who).pk, self.during(slot)
        asked = ReservationRequest(instrument_id, customer, during, self.mode, fund_card_id=self.card_of(who, slot[1]))
        asked = replace(asked, expected=self.look(actor, asked))
        wish = waiting.Wish(instrument_id, customer, during, 60, self.mode)
        acts: dict[str, Callable[[], Any]] = {
            "book": lambda: self.book_as_shown(actor, asked),
            "hold": lambda: holds.hold(actor, instrument_id, during, self.now, customer, self.mode),
            "wait_for": lambda: waiting.join(actor, wish, self.now),
        }
        self.attempt(what, acts[what])

    def answer_an_offer(self, place: int, answer: str) -> None:
        row = self.pick(WaitEntry.objects.filter(state__in=["offered", "waiting"]).order_by("state", "pk"), place)
        if row is None:
            return
        who = self.actor(row.requested_by.email.split("@")[0])
        self.attempt(f"{answer} an offer", lambda: getattr(waiting, answer)(who, row.pk, self.now))

    def answer_a_move(self, place: int, answer: str, by_lab: bool) -> None:
        row = self.pick(ReservationChange.objects.filter(state="open").order_by("-pk"), place)
        if row is None:
            return
        who = self.actor("wang" if by_lab else self.person_of(row.reservation))
        more = ("Rather not",) if answer == "refuse" else ()
        self.attempt(f"{answer} a move", lambda: getattr(changes, answer)(who, row.pk, self.now, *more))

    def the_time_of_a_booking_comes(self, place: int, minutes: int) -> None:
        """The clock goes on to about its start; no job runs until then."""
        ahead = Reservation.objects.filter(state__in=["approved", "requested"], starts_at__gt=self.now)
        row = self.pick(ahead.order_by("starts_at"), place)
        if row is not None:
            self.now = max(self.now, row.starts_at + timedelta(minutes=minutes))

    # --- A booking, whatever it is at -----------------------------------------------------------------------------------
    def a_booking_goes_on(self, place: int, which: int, yes: bool, by_lab: bool, slot: Slot) -> None:
        alive = Reservation.objects.filter(state__in=STEPS) if place else Reservation.objects
        row = self.pick(alive.order_by("starts_at", "pk"), place)
        if row is None:
            return
        steps = STEPS.get(row.state, ("cancel",))
        getattr(self, f"to_{steps[which % len(steps)]}")(row, self.actor("wang" if by_lab else self.person_of(row)), yes, slot)

    def to_decide(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        wish = Verdicts(Verdict.APPROVE) if yes else Verdicts(Verdict.REJECT, Why(words="Not this week"))
        how = How(undo=slot[0] == 0)
        self.attempt(f"decide {wish.verdict}", lambda: inbox.decide(self.actor("wang"), row.pk, wish, self.now, how))

    def to_approve_over_rivals(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        wish = Verdicts(Verdict.APPROVE, rivals=Rivals.DECLINE if yes else Rivals.KEEP)
        self.attempt("approve over rivals", lambda: inbox.decide(self.actor("wang"), row.pk, wish, self.now))

    def to_take_the_decision_back(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        self.attempt("take the decision back", lambda: decisions.take_back(self.actor("wang"), row.pk, self.now))

    def to_move(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        asked = ChangeRequest(row.pk, self.during(slot), "Asked on the phone", agreed=yes)
        self.attempt("move", lambda: changes.change(who, asked, self.now, idempotency_key=self.key()))
        place = (self.apart, self.apart, *self.instruments)[slot[1] % 4].pk
        if place != row.instrument_id:
            there = replace(asked, instrument_id=place, agreed=not yes, side=Side.LAB)
            lab = self.actor("wang")
            self.attempt("move elsewhere", lambda: changes.change(lab, there, self.now, idempotency_key=self.key()))

    def to_correct(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        facts = ServiceFacts("Another purpose", f"Project {slot[0]}" if yes else row.research_project, row.service_direction, "4")
        self.attempt("correct what it is for", lambda: service_facts.correct(who, row.pk, facts, self.now))

    def to_swap(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        ahead = Reservation.objects.filter(state__in=["requested", "approved"], starts_at__gt=self.now).exclude(pk=row.pk)
        other = self.pick(ahead.order_by("starts_at", "pk"), slot[0])
        if other is not None:
            asked = swaps.Swap(row.pk, other.pk, "Asked on the phone", agreed=yes)
            self.attempt(
                "swap", lambda: swaps.swap(self.actor("wang") if yes else who, asked, self.now, idempotency_key=self.key())
            )

    def to_check_in(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        if yes:
            self.attempt("start by phone", lambda: self_service.start(self.actor(self.person_of(row)), row.pk, (), self.now))
        else:
            self.attempt("check in", lambda: transitions.check_in(self.actor("wang"), row.pk, self.now))

    def to_extend(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        until = row.ends_at + timedelta(minutes=slot[2])
        customer = self.actor(self.person_of(row))
        found = extension_figures(row, until, self.now)
        shown = ExpectedFigures(found.payable_now_fen, found.final_cost_fen)
        self.attempt("extend", lambda: extending.extend(customer, row.pk, until, shown, self.now))

    def to_check_out(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        if slot[0] == 0:
            customer = self.actor(self.person_of(row))
            self.attempt("end by phone", lambda: self_service.end(customer, row.pk, agrees=yes, now=self.now))
        else:
            self.attempt("check out", lambda: transitions.check_out(self.actor("wang"), row.pk, self.now))

    def to_mark_no_show(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        self.attempt("mark no show", lambda: transitions.mark_no_show(self.actor("wang"), row.pk, self.now))

    def to_agree(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        self.attempt("agree", lambda: usage_review.agree(who, row.pk, self.now))

    def to_ask_for_less(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        proposed = None if yes else TimeRange(row.starts_at, row.starts_at + timedelta(minutes=slot[2] // 2))
        asked = (self.actor(self.person_of(row)), row.pk, proposed, "It stood still", self.now)
        self.attempt("ask for less", lambda: usage_review.ask_adjustment(*asked))

    def to_answer_the_wish(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        wang = self.actor("wang")
        if yes:
            self.attempt("accept the wish", lambda: usage_review.accept_adjustment(wang, row.pk, self.now))
        else:
            self.attempt("refuse the wish", lambda: usage_review.refuse_adjustment(wang, row.pk, "It ran", self.now))

    def to_dispute(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        self.attempt("dispute", lambda: usage_review.dispute(who, row.pk, "Nothing was measured", self.now))

    def to_settle_the_dispute(self, row: Reservation, who: Actor, yes: bool, slot: Slot) -> None:
        decision = ("as_measured", "as_proposed", "nothing")[slot[0]]
        decided = (self.actor("luo"), row.pk, decision, "The log says so", self.now)
        self.attempt("settle the dispute", lambda: usage_review.decide(*decided))

    # --- Out of service -------------------------------------------------------------------------------------------------
    def an_outage(self, broken: Instrument, hours: int, choice: Choice, in_days: int) -> None:
        """What is out of service works again; else it goes out of service."""
        row = Downtime.objects.filter(closed_at=None).first()
        if row is not None:
            self.attempt("works again", lambda: downtimes.close(self.actor("wang"), row.pk, self.now))
            return
        start = self.now + timedelta(days=in_days)
        kind = DowntimeKind.SERVICE if in_days else DowntimeKind.BREAKDOWN
        during = TimeRange(start, start + timedelta(hours=hours))
        hit = downtimes.hit(broken, during, self.now)
        later = TimeRange(during.ends_at + timedelta(days=3), during.ends_at + timedelta(days=3, hours=1))
        place = (self.apart.pk, later.starts_at) if choice is Choice.ANOTHER else None
        choices = {pk: downtimes.Decision(choice, (later,) if choice is Choice.OFFER else (), place) for pk in hit}
        outage = downtimes.Outage(kind, during, "Tube", decisions=choices, seen=frozenset(hit))
        declared = (self.actor("wang"), broken.pk, outage, self.now)
        self.attempt("break down", lambda: downtimes.declare(*declared, idempotency_key=self.key()))

    # --- Samples ------------------------------------------------------------------------------------------------------
    def somebody_sends_samples(self, who: str, samples: int, in_days: int) -> None:
        arrive_on = self.now.astimezone(ZONE).date() + timedelta(days=in_days)
        wish = sample_jobs.Wish(self.item.pk, self.customer(who).pk, samples, arrive_on=arrive_on)
        self.attempt("send samples", lambda: sample_jobs.ask(self.actor(who), wish, self.now, idempotency_key=self.key()))

    def samples_go_on(self, place: int, which: int, some: bool) -> None:
        job = self.pick(SampleJob.objects.order_by("pk"), place)
        if job is None:
            return
        steps = SAMPLE_STEPS.get(job.state, ("extra", "cancel"))
        getattr(self, f"samples_{steps[which % len(steps)]}")(job, some)

    def samples_accept(self, job: SampleJob, some: bool) -> None:
        self.attempt("accept samples", lambda: sample_jobs.accept(self.actor("wang"), job.pk, self.now, how=How(undo=some)))

    def samples_refuse(self, job: SampleJob, some: bool) -> None:
        self.attempt(
            "refuse samples", lambda: sample_jobs.refuse(self.actor("wang"), job.pk, "Too many", self.now, How(undo=some))
        )

    def samples_take_the_answer_back(self, job: SampleJob, some: bool) -> None:
        self.attempt("take the answer back", lambda: sample_decisions.take_back(self.actor("wang"), job.pk, self.now))

    def samples_cancel(self, job: SampleJob, some: bool) -> None:
        who = self.actor("wang" if some else self.person_of(job))
        self.attempt("cancel samples", lambda: sample_jobs.cancel(who, job.pk, "Changed plans", self.now))

    def samples_receive(self, job: SampleJob, some: bool) -> None:
        self.work_on(job, SampleStep.RECEIVE, some)

    def samples_prepare(self, job: SampleJob, some: bool) -> None:
        self.work_on(job, SampleStep.PREPARE, some)

    def samples_test(self, job: SampleJob, some: bool) -> None:
        self.work_on(job, SampleStep.TEST, some)

    def samples_go_wrong(self, job: SampleJob, some: bool) -> None:
        """One is lost or unfit; a step is taken back."""
        for step in (SampleStep.LOSE, SampleStep.FIND_UNFIT) if some else (SampleStep.TAKE_BACK,):
            self.work_on(job, step, True)

    def work_on(self, job: SampleJob, step: SampleStep, some: bool) -> None:
        ids = list(Sample.objects.filter(job=job).order_by("position").values_list("pk", flat=True))
        taken = (self.actor("wang"), ids[:1] if some else ids, step, self.now, "As seen")
        self.attempt(f"{step} samples", lambda: sample_steps.take(*taken, job_id=job.pk))

    def samples_extra(self, job: SampleJob, some: bool) -> None:
        """What is to be paid on top is proposed, or what was proposed is answered."""
        row = SampleExtra.objects.filter(job=job, state="proposed").first()
        if row is None:
            asked = (self.actor("wang"), job.pk, "retest", "Dissolve again", 5_000, self.now)
            self.attempt("propose an extra", lambda: sample_extras.propose(*asked))
            return
        said, who = (ExtraEvent.AGREE, self.person_of(job)) if some else (ExtraEvent.WITHDRAW, "wang")
        answered = (self.actor(who), row.pk, said, self.now)
        self.attempt(f"{said} an extra", lambda: sample_extras.answer(*answered, amount_fen=row.amount_fen))

    def samples_report(self, job: SampleJob, some: bool) -> None:
        self.attempt("report samples", lambda: sample_reports.report(self.actor("wang"), job.pk, REPORT, "", self.now))

    def samples_object(self, job: SampleJob, some: bool) -> None:
        objected = (self.actor(self.person_of(job)), job.pk, "The blank is missing", self.now)
        self.attempt("object to samples", lambda: sample_reports.object_to(*objected))

    def samples_close(self, job: SampleJob, some: bool) -> None:
        self.attempt("close samples", lambda: sample_reports.close(self.actor(self.person_of(job)), job.pk, self.now))

    # --- What is always true ------------------------------------------------------------------------------------------
    @invariant()
    def all_invariants_hold(self) -> None:
        self.hold({name: check for name, check in registered().items() if not name.startswith(ELSEWHERE + AT_THE_END)})

    def hold(self, checks: Mapping[str, Callable[[], Finding]]) -> None:
        found = {name: check().violations for name, check in checks.items()}
        broken = {name: wrong for name, wrong in found.items() if wrong}
        self.found.update(broken)
        assert broken == {}

    @invariant()
    def no_job_broke(self) -> None:
        """What a job parks because a rule refuses it is for people to look at; anything else is a fault of ours."""
        broken = [error for error in self.parked if not isinstance(error, Refusal)]
        if broken:
            raise broken[0]

    @invariant()
    def nothing_is_kept_that_is_over(self) -> None:
        """Of what was given up no time is kept from others."""
        kept = Occupancy.objects.filter(source=OccupancySource.RESERVATION, blocking=True)
        assert not kept.filter(reservation__state__in=["rejected", "cancelled", "expired", "no_show"]).exists()
