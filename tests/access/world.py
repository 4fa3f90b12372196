"""One of everything for two sides that must never meet: ours (Gaoyuan at the Kunlun lab) and theirs (Lianhe at another lab).

What only a side may see carries a word that stands nowhere else (``OURS``, ``THEIRS`` ...), so that a leak is found in any byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.test import Client

from billing.pricing import sample_prices
from billing.settlement.models import Quote
from billing.settlement.services import session_extras, statements
from billing.settlement.services.session_extras import Used
from booking.models import DeviceRun, Downtime, MaintenancePlan, Occupancy
from booking.rules.device_runs import EventKind
from booking.rules.series import SeriesRule
from booking.rules.time_search import TimeSearch
from booking.services import (
    assistants,
    changes,
    check_in_points,
    close_out,
    device_events,
    device_keys,
    feeds,
    reservations,
    series,
    subscriptions,
    time_alerts,
    together,
    transitions,
    usage_review,
    waiting,
)
from booking.services.changes import ChangeRequest
from booking.services.close_out import Closing
from booking.services.device_events import Batch, Told
from booking.services.reservations import ReservationRequest
from booking.services.series import Pick
from booking.services.together import Bundle, Place
from booking.services.waiting import Wish
from config.kernel.access import Role
from config.kernel.services import files, tokens
from config.kernel.services.tokens import digest
from config.kernel.time_range import TimeRange
from instruments.models import (
    FacilityRecord,
    Instrument,
    InstrumentCentre,
    InstrumentSheet,
    Invitation,
    JoinRequest,
    Membership,
    Notice,
    Organisation,
    Resource,
    ResourceChange,
    SavedSearch,
    Site,
    User,
    VerificationRequest,
)
from instruments.queries import actor_for
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence
from instruments.services import (
    catalogue,
    closure_import,
    notice_settings,
    resource_requests,
    resources,
    schedule_store,
    vocabulary,
    webhooks,
)
from instruments.services.notices import News, tell
from instruments.services.resource_requests import Application, Delivery
from instruments.services.saved_searches import unsubscribe_token
from tests.access import world_bills as bills
from tests.access import world_claims as claims
from tests.access import world_money as money
from tests.access import world_month as months
from tests.access import world_orders as order
from tests.access import world_programmes as programmes
from tests.access import world_samples as samples
from tests.access import world_spending as spending
from tests.agreeing import check_out_agreed
from tests.conftest import NOW, PRICE, build_cast, programme_document
from tests.handed_out import give

#: Names, addresses and accounts of a customer's people; what they do; an instrument that is not published; keys of a person.
OURS_PEOPLE, OURS_WORK, OURS_HIDDEN, OURS_KEYS = "kx5people", "kx5work", "kx5hidden", "kx5keys"
THEIRS_PEOPLE, THEIRS_WORK, THEIRS_HIDDEN, THEIRS_KEYS = "qz7people", "qz7work", "qz7hidden", "qz7keys"
#: What a lab wants to change and has not published; what somebody told a lab is wrong.
OURS_CHANGE, THEIRS_CHANGE, OURS_PROBLEM, THEIRS_PROBLEM = "kx5change", "qz7change", "kx5problem", "qz7problem"

#: What a lab knows about a person's training and what was noted about them.
OURS_RECORD, THEIRS_RECORD = "kx5record", "qz7record"

#: The groups and fund cards of a customer.
OURS_MONEY, THEIRS_MONEY = "kx5money", "qz7money"

ROLES: dict[str, str] = {
    "anonymous": "",
    "outsider": "out",
    "researcher": "lin",
    "firm_admin": "zhao",
    "lab_manager": "wang",
    "owner_finance": "li",
    "programme_officer": "chen",
    "finance": "qian",
    "inspector": "wu",
    "operator": "zhou",
    "foreign": "he",
}
"""Role of the matrix to person of the cast. ``outsider`` has an account and no organisation."""

MISSING = 987_654_321


@dataclass
class World:
    """``objects``: kind -> (ours, theirs); the ids of a route's parameters come from here. ``sessions``: role -> session key.
    ``actors``: role -> what that person may, for who asks for rows instead of addresses."""

    cast: Any
    objects: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    actors: dict[str, Any] = field(default_factory=dict)
    other_lab: Any = None
    other_instrument: Any = None
    other_office: Any = None

    def person(self, role: str) -> User | None:
        return self.cast.users[ROLES[role]] if ROLES[role] else None


def build_world(now: datetime = NOW) -> World:
    cast = build_cast(now)
    world = World(cast)
    _name_people(cast, now)
    _publish_programmes(world)
    _found_other_lab(world, now)
    _reserve_everything(world, now)
    _hear_devices(world, now)
    _keep_people_busy(world, now)
    _issue_statements(world, now)
    programmes.build(world, now)
    _keep_records(world, now)
    _keep_calendars(world, now)
    _share_resources(world, now)
    _teach(world, now)
    _write_prices(world, now)
    _name_assistants(world, now)
    order.build(world, now)
    spending.build(world, now)
    samples.build(world, now)
    money.build(world, now)
    claims.build(world, now, (OURS_WORK, THEIRS_WORK))
    bills.build(world, now, (OURS_WORK, THEIRS_WORK))
    claims.credited(world, now)
    months.build(world, now, (OURS_WORK, THEIRS_WORK))
    _tell_people(world, now)
    catalogue.rebuild(now)
    vocabulary.rebuild_vocabulary()
    _take_in_lists(world, now)
    for role in ROLES:
        if (person := world.person(role)) is not None:
            client = Client()
            client.force_login(person)
            world.sessions[role] = client.session.session_key
    return world


def _name_people(cast: Any, now: datetime) -> None:
    for firm, names, marks in (
        (cast.firm, ("lin", "zhao"), (OURS_PEOPLE, OURS_KEYS)),
        (cast.other_firm, ("he",), (THEIRS_PEOPLE, THEIRS_KEYS)),
    ):
        people, keys = marks
        firm.name = f"{firm.name} {people}"
        firm.bank_account_number, firm.address, firm.name_key = f"6222 {people}", f"1 {people} road", f"{firm.name_key}{people}"
        firm.save()
        for name in names:
            user = cast.users[name]
            user.full_name, user.email = f"{name.title()} {people}", f"{name}@{people}.example"
            user.save()
            tokens.issue(cast.actor(name), f"token {keys}", ["read"], now)
    cast.users["out"] = User.objects.create(email="out@example.org", full_name="Out", password="!", language="en")
    cast.users["bo"] = User.objects.create(email="bo@example.org", full_name="Bo", password="!", language="en")


def _publish_programmes(world: World) -> None:
    from billing.subsidy import services

    for code in ("DEMO-QH-A", "DEMO-QH-V"):
        version = services.draft_version(world.cast.actor("chen"), programme_document(code), world.cast.now)
        services.publish_version(world.cast.actor("sun"), version, world.cast.now)
        world.versions[code] = version
    draft = services.draft_version(world.cast.actor("chen"), programme_document("SH-VOUCHER"), world.cast.now)
    world.objects["programme"] = (world.versions["DEMO-QH-A"].programme.code, draft.programme.code)


def _found_other_lab(world: World, now: datetime) -> None:
    cast = world.cast
    world.other_lab = Organisation.objects.create(
        kind="owner", name="Zangbo Institute", status="verified", verified_at=now, region_code="630104", name_key="zangbo",
        owner_class="public_welfare_2", quality_grade="A", created_at=now, bank_account_number=f"6222 {THEIRS_PEOPLE}",
    )  # fmt: skip
    for role in (Role.LAB_MANAGER, Role.OWNER_FINANCE):
        Membership.objects.create(user=cast.users["bo"], organisation=world.other_lab, role=role, created_at=now)
    site = Site.objects.create(organisation=world.other_lab, name="Lhasa Road", time_zone="Asia/Shanghai", region_code="630104")
    world.other_instrument = _instrument(world.other_lab, site, "Electron microscope", now)
    world.objects["site"] = (cast.site.pk, site.pk)
    hidden = [
        _instrument(cast.lab, cast.site, f"Prototype {OURS_HIDDEN}", now, published=False),
        _instrument(world.other_lab, site, f"Prototype {THEIRS_HIDDEN}", now, published=False),
    ]
    for instrument in hidden:
        picture = instrument.name.encode()
        instrument.photo = files.store(picture, file_name="p.webp", media_type="image/webp", user_id=None, now=now)
        instrument.save()
        FacilityRecord.objects.create(instrument=instrument, abbreviation="PSF")
    world.objects["hidden"] = (hidden[0].pk, hidden[1].pk)
    photos = [(each.pk, each.photo.sha256[:12]) for each in hidden]
    world.objects["photo"] = (photos[0], photos[1])
    world.objects["instrument"] = (cast.xrd.pk, world.other_instrument.pk)
    closures = []
    for instrument in (cast.xrd, world.other_instrument):
        start = datetime(2026, 12, 24, 8)
        entry = CalendarEntry(EntryKind.CLOSURE, start, start.replace(hour=20), None)
        closures.append((instrument.pk, schedule_store.add_entry(instrument.calendar_id, "Asia/Shanghai", entry)))
    world.objects["closure"] = (closures[0], closures[1])
    _more_of_their_calendars(world, now)


def _more_of_their_calendars(world: World, now: datetime) -> None:
    """Something that comes again, something removed, and maintenance, on an instrument of each side."""
    again, removed, kept, down, plans = [], [], [], [], []
    for instrument in (world.cast.xrd, world.other_instrument):
        start = datetime(2026, 12, 25, 8)
        entry = CalendarEntry(EntryKind.CLOSURE, start, start.replace(hour=9), Recurrence("weekly"))
        pair = [schedule_store.add_entry(instrument.calendar_id, "Asia/Shanghai", entry) for _ in range(2)]
        schedule_store.remove_entry(instrument.calendar_id, pair[1], now)
        again.append((instrument.pk, pair[0]))
        removed.append((instrument.pk, pair[1]))
        during = (datetime(2026, 12, 28, 1, tzinfo=UTC), datetime(2026, 12, 28, 2, tzinfo=UTC))
        occupancy = Occupancy.objects.create(calendar_id=instrument.calendar_id, during=during, source="maintenance")
        kept.append((instrument.pk, occupancy.pk))
        stopped = Downtime.objects.create(
            instrument=instrument,
            kind="service",
            starts_at=datetime(2026, 12, 29, 1, tzinfo=UTC),
            ends_at=datetime(2026, 12, 29, 2, tzinfo=UTC),
            made_by=world.cast.users["wang"],
            made_at=now,
        )
        down.append(stopped.pk)
        plan = MaintenancePlan.objects.create(
            instrument=instrument, name="Lamp", kind="consumables", every_months=6, duration_minutes=60, remind_days=14,
            since=now, made_by=world.cast.users["wang"],
        )  # fmt: skip
        plans.append(plan.pk)
    world.objects["closure:again"] = (again[0], again[1])
    world.objects["closure:removed"] = (removed[0], removed[1])
    world.objects["maintenance"] = (kept[0], kept[1])
    world.objects["downtime"] = (down[0], down[1])
    world.objects["plan"] = (plans[0], plans[1])


def _name_assistants(world: World, now: datetime) -> None:
    """The managers may assist on what they have not published, and are away once."""
    found: dict[str, list[Any]] = {"assistant": [], "named": [], "absence": []}
    for place, manager in enumerate(("wang", "bo")):
        actor, hidden_id = world.cast.actor(manager), world.objects["hidden"][place]
        one = assistants.name(actor, hidden_id, actor.person_id, now).assistant
        first = datetime(2026, 12, 21, 1, tzinfo=UTC)
        note = (OURS_HIDDEN, THEIRS_HIDDEN)[place]
        away = assistants.add_absence(actor, one.pk, TimeRange(first, first + timedelta(hours=1)), note, now)
        for kind, value in (("assistant", one.pk), ("named", (hidden_id, one.pk)), ("absence", (one.pk, away.pk))):
            found[kind].append(value)
    world.objects |= {kind: (values[0], values[1]) for kind, values in found.items()}


def _write_prices(world: World, now: datetime) -> None:
    """A family of prices with a member, and a price that is being written, for both labs."""
    from billing.models import PriceDraft, PriceFamily, PriceFamilyMember
    from billing.pricing.rules.typed import typed_of

    found = []
    for lab, instrument_id, mark in (
        (world.cast.lab, world.objects["instrument"][0], OURS_WORK),
        (world.other_lab, world.objects["instrument"][1], THEIRS_WORK),
    ):
        family = PriceFamily.objects.create(organisation=lab, name=mark, created_at=now)
        PriceFamilyMember.objects.create(family=family, instrument_id=instrument_id)
        PriceDraft.objects.create(instrument_id=instrument_id, typed=typed_of(PRICE), updated_at=now)
        found.append(family.pk)
    world.objects["price_family"] = (found[0], found[1])


def _instrument(owner: Organisation, site: Site, name: str, now: datetime, *, published: bool = True) -> Instrument:
    from billing.pricing.models import PriceVersion

    calendar_id = schedule_store.create_calendar(name)
    weekly = Recurrence(frequency="weekly", interval=1, weekdays=(0, 1, 2, 3, 4, 5, 6), until=None, count=None)
    start = datetime(2025, 1, 6, 8)
    schedule_store.add_entry(calendar_id, site.time_zone, CalendarEntry(EntryKind.OPENING, start, start.replace(hour=20), weekly))
    made = Instrument.objects.create(
        organisation=owner, site=site, calendar_id=calendar_id, name=name, class_code="010301", published=published,
        service_modes=["self_operated"], created_at=now, updated_at=now,
    )  # fmt: skip
    PriceVersion.objects.create(instrument=made, effective_from=date(2025, 1, 1), document=PRICE, published_at=now)
    return made


#: kind -> (first hour in UTC, hours, state to reach). One day has room for all of them on each instrument.
_PLANS: dict[str, tuple[datetime, float, str]] = {
    "requested": (datetime(2026, 11, 25, 1, tzinfo=UTC), 2, "requested"),
    "waiting": (datetime(2026, 11, 26, 1, tzinfo=UTC), 2, "waiting"),
    "approved": (datetime(2026, 11, 23, 1, 30, tzinfo=UTC), 1.5, "approved"),
    "moving": (datetime(2026, 11, 26, 4, tzinfo=UTC), 2, "approved"),
    "in_use": (datetime(2026, 11, 23, 0, tzinfo=UTC), 1.5, "in_use"),
    "missed": (datetime(2026, 11, 22, 6, tzinfo=UTC), 2, "approved"),
    "over": (datetime(2026, 11, 19, 1, tzinfo=UTC), 2, "over"),
    "adjusting": (datetime(2026, 11, 19, 4, tzinfo=UTC), 2, "adjusting"),
    "disputed": (datetime(2026, 11, 19, 7, tzinfo=UTC), 2, "disputed"),
    "graded": (datetime(2026, 11, 20, 1, tzinfo=UTC), 2, "graded"),
    "agreed": (datetime(2026, 10, 20, 1, tzinfo=UTC), 3, "agreed"),
    "agreed_later": (datetime(2026, 10, 21, 1, tzinfo=UTC), 3, "agreed"),
}


def _reserve_everything(world: World, now: datetime) -> None:
    cast = world.cast
    sides = (
        ("lin", cast.firm, cast.xrd, "wang", OURS_WORK),
        ("he", cast.other_firm, world.other_instrument, "bo", THEIRS_WORK),
    )
    for kind, plan in _PLANS.items():
        ours, theirs = (_reservation(cast, *side, *plan) for side in sides)
        world.objects[f"reservation:{kind}"] = (ours, theirs)
    ours, theirs = (_wait(cast, who, firm, instrument) for who, firm, instrument, *_rest in sides)
    world.objects["wait"] = (ours, theirs)
    made = [_repeat(cast, who, firm, instrument, mark) for who, firm, instrument, _manager, mark in sides]
    world.objects["series"] = (made[0], made[1])
    grouped = [_together(cast, who, firm, instrument) for who, firm, instrument, *_rest in sides]
    world.objects["group"] = (grouped[0], grouped[1])
    used = [
        session_extras.propose(cast.actor(manager), pk, Used(1, words=f"cells {mark}", rate_fen=5_00), now).pk
        for pk, (_who, _firm, _instrument, manager, mark) in zip(world.objects["reservation:disputed"], sides, strict=True)
    ]
    world.objects["session_extra"] = (used[0], used[1])
    moving = world.objects["reservation:moving"]
    moves = [_move(cast, who, pk, mark) for pk, who, mark in zip(moving, ("lin", "he"), (OURS_WORK, THEIRS_WORK), strict=True)]
    world.objects["move"] = (moves[0], moves[1])
    world.objects["move_id"] = (moves[0][1], moves[1][1])


def _hear_devices(world: World, now: datetime) -> None:
    """A key, a run that does not add up and a code on each side."""
    found: dict[str, list[Any]] = {}
    sides = (
        (world.cast.lab, world.cast.xrd, "wang", OURS_HIDDEN),
        (world.other_lab, world.other_instrument, "bo", THEIRS_HIDDEN),
    )
    for lab, instrument, manager, mark in sides:
        actor = world.cast.actor(manager)
        key, text = device_keys.issue(actor, lab.pk, instrument.pk, f"PC {mark}", now)
        at = datetime(2026, 11, 21, 16, tzinfo=UTC)
        told = (Told("a", EventKind.START, at, device=mark), Told("b", EventKind.STOP, at + timedelta(hours=1), device=mark))
        device_events.receive(key, Batch(now, told), now)
        point = check_in_points.set_ticks(actor, instrument.pk, [f"Tick {mark}"], now)
        run = DeviceRun.objects.get(instrument=instrument)
        named = (("device_key", key.pk), ("run", run.pk), ("code", instrument.pk), ("scan", point.code), ("device", text))
        for kind, value in named:
            found.setdefault(kind, []).append(value)
    world.objects |= {kind: (values[0], values[1]) for kind, values in found.items()}


def _wait(cast: Any, who: str, firm: Any, instrument: Instrument) -> int:
    """Somebody who is offered a time of a day on which nothing else happens."""
    start = datetime(2026, 12, 1, 1, tzinfo=UTC)
    window = TimeRange(start, start + timedelta(hours=4))
    entry = waiting.join(cast.actor(who), Wish(instrument.pk, firm.pk, window, 120, "self_operated"), cast.now)
    waiting.offer_free_time(cast.now)
    return entry.pk


def _repeat(cast: Any, who: str, firm: Any, instrument: Instrument, mark: str) -> int:
    """Two times of a series, on days on which nothing else happens."""
    start = datetime(2026, 12, 5, 9)
    rule = SeriesRule(start, start + timedelta(hours=2), "daily", count=2)
    wish = series.Wish(instrument.pk, firm.pk, rule, "self_operated", f"purpose {mark}", f"project {mark}")
    shown = series.report(cast.actor(who), wish, cast.now)
    picks = [Pick(row.occurrence.ordinal, row.during) for row in shown.wanted if row.during]
    return series.ask(cast.actor(who), wish, picks, cast.now, idempotency_key=f"series-{who}").series_id


def _together(cast: Any, who: str, firm: Any, instrument: Instrument) -> int:
    """A group on two instruments of one lab, on a day on which nothing else happens."""
    second = _instrument(instrument.organisation, instrument.site, f"Beside {instrument.pk}", cast.now)
    start = datetime(2026, 12, 8, 1, tzinfo=UTC)
    during = TimeRange(start, start + timedelta(hours=2))
    places = tuple(Place(one.pk, during, "self_operated") for one in (instrument, second))
    return together.ask(cast.actor(who), Bundle(firm.pk, places), cast.now, idempotency_key=f"group-{who}").group_id


def _move(cast: Any, who: str, pk: int, mark: str) -> tuple[int, int]:
    """A proposal of the customer for a later time of the same day: (reservation, change)."""
    start = datetime(2026, 11, 26, 7, tzinfo=UTC)
    wish = ChangeRequest(pk, TimeRange(start, start + timedelta(hours=2)), f"later {mark}")
    return pk, changes.change(cast.actor(who), wish, cast.now, idempotency_key=f"move-{who}").change_id


def _reservation(
    cast: Any, who: str, firm: Any, instrument: Any, manager: str, mark: str, start: datetime, hours: float, state: str
) -> int:
    during, before = TimeRange(start, start + timedelta(hours=hours)), start - timedelta(days=3)
    request = ReservationRequest(instrument.pk, firm.pk, during, "self_operated", f"purpose {mark}", f"project {mark}")
    pk = reservations.reserve(cast.actor(who), request, before, idempotency_key=f"{who}-{start}").reservation_id
    if state == "waiting":
        quote = Quote.objects.get(reservation_id=pk)
        quote.pk, quote.revision, quote.accepted_at, quote.accepted_by = None, 2, None, None
        quote.save(force_insert=True)
    reviewed = {"over", "adjusting", "disputed", "graded"}
    if state in {"approved", "in_use", "agreed", *reviewed}:
        transitions.approve(cast.actor(manager), pk, before)
    if state in {"in_use", "agreed", *reviewed}:
        transitions.check_in(cast.actor(manager), pk, start)
    if state in reviewed:
        transitions.check_out(cast.actor(manager), pk, during.ends_at, f"note {mark}")
    if state == "adjusting":
        usage_review.ask_adjustment(cast.actor(who), pk, None, f"wish {mark}", during.ends_at)
    if state == "disputed":
        usage_review.dispute(cast.actor(who), pk, f"dispute {mark}", during.ends_at)
    if state == "graded":
        close_out.close(cast.actor(manager), pk, Closing(note=f"closed {mark}", grade="B"), during.ends_at)
    if state == "agreed":
        check_out_agreed(cast.actor(manager), pk, during.ends_at, f"note {mark}")
    return pk


def _time_alert(cast: Any, name: str, mark: str) -> int:
    search = TimeSearch(120, date(2026, 11, 24), date(2026, 12, 24), text=mark)
    return time_alerts.ask(cast.actor(name), search, cast.now).pk


def _keep_people_busy(world: World, now: datetime) -> None:
    """Invitations, wishes to join, licences to check, members and keys on both sides."""
    cast = world.cast
    out = cast.users["out"]
    sides = (
        (cast.firm, "zhao", "lin", OURS_PEOPLE, "ours"),
        (cast.other_firm, "he", "he", THEIRS_PEOPLE, "theirs"),
    )
    found: dict[str, list[Any]] = {}
    for firm, admin, member, mark, side in sides:
        invitation = Invitation.objects.create(
            organisation=firm, email=f"new@{mark}.example", role="researcher", token_sha256=digest(f"invitation-{side}"),
            invited_by=cast.users[admin], created_at=now, expires_at=now + timedelta(days=7),
        )  # fmt: skip
        asker = User.objects.create(email=f"asker@{mark}.example", full_name=f"Asker {mark}", password="!")
        wish = JoinRequest.objects.create(organisation=firm, user=asker, note=f"please {mark}", created_at=now)
        saved = SavedSearch.objects.create(user=cast.users[admin], name="Diffraction", last_checked_at=now, created_at=now)
        firm.status = "claimed"
        licence = files.store(
            f"%PDF-1.4 {mark}".encode(), file_name="licence.pdf", media_type="application/pdf", user_id=out.pk, now=now
        )
        request = VerificationRequest.objects.create(
            organisation=firm, licence=licence, submitted_by=cast.users[admin], submitted_at=now, reason=""
        )
        for kind, value in (
            ("organisation", firm.pk),
            ("invitation", invitation.pk),
            ("invitation_token", f"invitation-{side}"),
            ("join_request", wish.pk),
            ("verification", request.pk),
            ("member", (firm.pk, cast.users[member].pk)),
            ("token", cast.users[admin].api_tokens.get().pk),
            ("time_alert", _time_alert(cast, admin, OURS_KEYS if side == "ours" else THEIRS_KEYS)),
            ("saved_search", saved.pk),
            ("saved_search_token", unsubscribe_token(saved.pk)),
        ):
            found.setdefault(kind, []).append(value)
    world.objects |= {kind: (values[0], values[1]) for kind, values in found.items()}


def _tell_people(world: World, now: datetime) -> None:
    """News, mail about the work of a lab, and a webhook with a delivery, on both sides."""
    cast = world.cast
    sides = (("zhao", cast.firm, cast.lab, OURS_KEYS), ("he", cast.other_firm, world.other_lab, THEIRS_KEYS))
    found: dict[str, list[Any]] = {}
    for admin, firm, lab, mark in sides:
        person = cast.users[admin]
        tell(News("registry.problem_seen", {"instrument": f"XRD {mark}", "answer": ""}, lab_id=lab.pk), Q(pk=person.pk), now)
        notice = Notice.objects.filter(user=person).latest("pk")
        address, events = f"https://hooks.example.org/{mark}", ["reservation.requested"]
        webhook, _secret = webhooks.register_webhook(cast.actor(admin), firm.pk, address, events, now)
        delivery = webhooks.send_test(cast.actor(admin), webhook.pk, now)
        notice.deliveries.update(state="failed")
        type(delivery).objects.filter(pk=delivery.pk).update(state="failed")
        for kind, value in (
            ("notice", notice.pk),
            ("notice_token", notice_settings.unsubscribe_token(person.pk, ["registry"])),
            ("delivery", notice.deliveries.get().pk),
            ("webhook", webhook.pk),
            ("webhook_delivery", delivery.pk),
        ):
            found.setdefault(kind, []).append(value)
    world.objects |= {kind: (values[0], values[1]) for kind, values in found.items()}


def _keep_calendars(world: World, now: datetime) -> None:
    """A file of closures, a followed calendar and a calendar link on both sides."""
    cast = world.cast
    found: dict[str, list[Any]] = {}
    file = (
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20261229T080000Z\nDURATION:PT1H\nSUMMARY:%s\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    sides = (("wang", cast.xrd, "zhao", OURS_HIDDEN, OURS_KEYS), ("bo", world.other_instrument, "he", THEIRS_HIDDEN, THEIRS_KEYS))
    for manager, instrument, customer, secret, keys in sides:
        actor = cast.actor(manager)
        handed_in = closure_import.hand_in(actor, [instrument.pk], file % secret.encode(), "lab.ics", now)
        address = f"https://calendars.example/{secret}.ics"
        subscription = subscriptions.subscribe(actor, instrument.pk, address, f"Lab {secret}", now)
        link, key = feeds.issue_feed(cast.actor(customer), "mine", f"phone {keys}", now)
        for kind, value in (
            ("closure_import", handed_in.pk),
            ("subscription", subscription.pk),
            ("feed", link.pk),
            ("feed_link", key),
        ):
            found.setdefault(kind, []).append(value)
    world.objects |= {kind: (values[0], values[1]) for kind, values in found.items()}


def _share_resources(world: World, now: datetime) -> None:
    """Published and hidden resources of both labs, and requests for the published ones in the states that have actions."""
    cast = world.cast
    sides = ((cast.actor("wang"), cast.lab, OURS_HIDDEN), (actor_for(cast.users["bo"]), world.other_lab, THEIRS_HIDDEN))
    made: dict[str, list[int]] = {"resource": [], "draft_resource": [], "resource_sheet": [], "test_item": []}
    for keeper, lab, hidden in sides:
        public = {"name": f"Brine data of {lab.pk}", "access_terms": "Cite it.", "published": True}
        made["resource"].append(resources.create_resource(keeper, lab.pk, "dataset", public, {}, now).pk)
        draft = {"name": f"Draft data {hidden}"}
        made["draft_resource"].append(resources.create_resource(keeper, lab.pk, "dataset", draft, {}, now).pk)
        handed_in = {
            "kind": "dataset",
            "file": _sheet(lab, now, "dataset"),
            "uploaded_by": User.objects.earliest("pk"),
            "uploaded_at": now,
        }
        made["resource_sheet"].append(InstrumentSheet.objects.create(organisation=lab, **handed_in).pk)
        test = resources.create_resource(keeper, lab.pk, "test_item", {"name": f"XRD of {lab.pk}", "published": True}, {}, now)
        sample_prices.publish_test_price(keeper, test, "sample", 8000, {}, date(2025, 1, 1), now, date(2025, 1, 1))
        made["test_item"].append(test.pk)
    made["resource_change"] = [
        ResourceChange.objects.create(
            resource_id=pk, state="submitted", values={"name": f"Brine {proposed}"}, base={"name": ""}, created_at=now,
            submitted_by=cast.users[manager], submitted_at=now,
        ).pk
        for pk, manager, proposed in zip(made["resource"], ("wang", "bo"), (OURS_CHANGE, THEIRS_CHANGE), strict=True)
    ]  # fmt: skip
    world.objects |= {kind: (ours, theirs) for kind, (ours, theirs) in made.items()}
    asking = (
        (cast.actor("lin"), cast.firm, OURS_WORK, sides[0][0], made["test_item"][0]),
        (cast.actor("he"), cast.other_firm, THEIRS_WORK, sides[1][0], made["test_item"][1]),
    )
    for state in ("requested", "approved", "delivered"):
        ours, theirs = (_resource_request(*side, state, now) for side in asking)
        world.objects[f"resource_request:{state}"] = (ours, theirs)


def _resource_request(asker: Any, firm: Any, work: str, keeper: Any, resource_id: int, state: str, now: datetime) -> int:
    seen = resource_requests.terms_fingerprint(Resource.objects.get(pk=resource_id))
    application = Application(resource_id, firm.pk, f"purpose {state} {work}", "3", True, seen)
    request = resource_requests.apply(asker, application, now)
    if state != "requested":
        resource_requests.approve(keeper, request.pk, now)
    if state == "delivered":
        resource_requests.deliver(keeper, request.pk, Delivery("file", "", f"data {work}".encode(), "data.csv"), now)
    return request.pk


def _issue_statements(world: World, now: datetime) -> None:
    """October: ours pays the Kunlun lab under the voucher programme, theirs pays Lianhe back."""
    from billing.settlement.models import Award
    from billing.settlement.proposal_models import StatementProposal

    cast, made = world.cast, []
    sides = (("DEMO-QH-V", cast.lab, OURS_WORK), ("DEMO-QH-A", cast.other_firm, THEIRS_WORK))
    for code, payee, mark in sides:
        assert Award.objects.filter(programme_version=world.versions[code], payee=payee).count() == 2
        issued = statements.issue(cast.actor("qian"), world.versions[code].pk, payee.pk, date(2026, 10, 1), now)
        give(issued, f"%PDF-1.4 {mark}".encode(), now, "pdf", "xlsx", name="s.pdf")
        made.append(issued)
    world.objects["statement"] = (made[0].pk, made[1].pk)
    proposed = [
        StatementProposal.objects.create(
            programme_version=each.programme_version, payee=each.payee, period_on=each.period_on, mode="x", line_count=1,
            total_fen=100, proposed_by=cast.users["zhou"], proposed_at=now,
        ).pk
        for each in made
    ]  # fmt: skip
    world.objects["statement_proposal"] = (proposed[0], proposed[1])


def _keep_records(world: World, now: datetime) -> None:
    """Pictures, documents, changes, problems, tables and ratings on both sides."""
    from booking.models import Delegation, SessionRating
    from instruments.models import (
        InstrumentChange,
        InstrumentDocument,
        InstrumentImage,
        InstrumentProblem,
    )

    cast = world.cast
    sides = (
        (cast.lab, cast.xrd, "wang", "lin", (OURS_HIDDEN, OURS_CHANGE, OURS_PROBLEM)),
        (world.other_lab, world.other_instrument, "bo", "he", (THEIRS_HIDDEN, THEIRS_CHANGE, THEIRS_PROBLEM)),
    )
    found: dict[str, list[Any]] = {}
    for place, (owner, shown, manager, customer, marks) in enumerate(sides):
        mark, proposed, wrong = marks
        hidden_id = world.objects["hidden"][place]
        stored = _stored(mark, now)
        document = InstrumentDocument.objects.create(
            instrument_id=hidden_id, file=stored, title=f"Manual {mark}", added_at=now, added_by=cast.users[manager]
        )
        picture = InstrumentImage.objects.create(instrument_id=hidden_id, file=stored, caption=f"Inside {mark}", position=1)
        change = InstrumentChange.objects.create(
            instrument=shown, state="submitted", values={"technique": f"XRD {proposed}"}, base={"technique": ""}, base_updated_at=now,
            created_by=cast.users[manager], created_at=now, submitted_by=cast.users[manager], submitted_at=now,
        )  # fmt: skip
        problem = InstrumentProblem.objects.create(
            instrument=shown,
            text=f"It hums {wrong}",
            photo=_stored(wrong, now),
            reported_by=cast.users[customer],
            reported_at=now,
        )
        sheet = InstrumentSheet.objects.create(
            organisation=owner, file=_sheet(owner, now), uploaded_by=cast.users[manager], uploaded_at=now
        )
        centre = InstrumentCentre.objects.create(
            organisation=owner, inner_id="C1", name=f"Centre {proposed}", created_at=now, updated_at=now
        )
        rating = SessionRating.objects.create(
            reservation_id=world.objects["reservation:agreed_later"][place], instrument=shown, stars=4, comment="Fine",
            rated_by=cast.users[customer], rated_at=now,
        )  # fmt: skip
        absence = Delegation.objects.create(
            organisation=owner,
            manager=cast.users[manager],
            deputy=User.objects.create(email=f"deputy-{owner.pk}@example.org", full_name="Deputy", password="!", language="en"),
            starts_at=now,
            ends_at=now + timedelta(days=2),
            created_at=now,
        )
        for kind, value in (
            ("delegation", absence.pk),
            ("document", (hidden_id, document.pk)),
            ("document:act", (hidden_id, document.pk)),
            ("picture", (hidden_id, picture.pk)),
            ("change", change.pk),
            ("problem", problem.pk),
            ("sheet", sheet.pk),
            ("centre", centre.pk),
            ("rating", rating.pk),
            ("owner", owner.pk),
        ):
            found.setdefault(kind, []).append(value)
    world.objects |= {kind: (values[0], values[1]) for kind, values in found.items()}


def _teach(world: World, now: datetime) -> None:
    """Courses, places, licences, proofs, noted events, appeals and lists on both sides."""
    from booking.models import (
        AccessListEntry,
        CourseScope,
        CourseSession,
        CreditAppeal,
        CreditEvent,
        Enrolment,
        Licence,
        RecognitionRequest,
        TrainingCourse,
    )

    cast, day = world.cast, timedelta(days=1)
    found: dict[str, list[Any]] = {}
    sides = (
        (cast.lab, cast.xrd, cast.users["wang"], cast.users["lin"], OURS_RECORD),
        (world.other_lab, world.other_instrument, cast.users["bo"], cast.users["he"], THEIRS_RECORD),
    )
    for lab, instrument, manager, person, mark in sides:
        course = TrainingCourse.objects.create(organisation=lab, title="Alone", level="self", created_by=manager, created_at=now)
        CourseScope.objects.create(course=course, instrument=instrument)
        places: dict[str, Any] = {"course": course, "place": "Room 1", "places": 5, "created_at": now}
        coming = CourseSession.objects.create(starts_at=now + 30 * day, ends_at=now + 31 * day, **places)
        begun = [CourseSession.objects.create(starts_at=now - each * day, ends_at=now + day, **places) for each in (1, 2)]
        place: dict[str, Any] = {"person": person, "enrolled_at": now, "note": mark}
        licence: dict[str, Any] = {
            "organisation": lab, "person": person, "instrument": instrument, "level": "self", "origin": "manual",
            "granted_at": now, "granted_by": manager, "evidence": _stored(mark, now), "evidence_reference": mark, "changed_at": now,
        }  # fmt: skip
        noted: dict[str, Any] = {
            "person": person, "organisation": lab, "kind": "manual", "lab_points": -5, "platform_points": -5, "at": now,
            "made_by": cast.users["li"], "note": mark,
        }  # fmt: skip
        for kind, row in (
            ("course", course),
            ("course_session", coming),
            ("enrolment", Enrolment.objects.create(session=coming, state="enrolled", **place)),
            ("enrolment:begun", Enrolment.objects.create(session=begun[0], state="enrolled", **place)),
            ("enrolment:attended", Enrolment.objects.create(session=begun[1], state="attended", **place)),
            ("licence", Licence.objects.create(**licence)),
            ("licence:suspended", Licence.objects.create(state="suspended", reason=mark, **licence)),
            ("recognition", RecognitionRequest.objects.create(
                instrument=instrument, person=person, level="self", statement=mark, evidence=_stored(mark, now), asked_at=now)),
            ("credit_event", CreditEvent.objects.create(**noted)),
            ("appeal", CreditAppeal.objects.create(event=CreditEvent.objects.create(**noted), text=mark, made_at=now)),
            ("listing", AccessListEntry.objects.create(
                organisation=lab, person=person, verdict="allow", reason=mark, created_by=manager, created_at=now)),
        ):  # fmt: skip
            found.setdefault(kind, []).append(row.pk)
    world.objects |= {kind: (values[0], values[1]) for kind, values in found.items()}


def _stored(mark: str, now: datetime) -> Any:
    return files.store(f"%PDF-1.4 {mark}".encode(), file_name="d.pdf", media_type="application/pdf", user_id=None, now=now)


def _sheet(owner: Organisation, now: datetime, kind: str = "") -> Any:
    """A table of an owner's instruments, or of its resources of a kind, as it was downloaded."""
    from config.kernel.access import Actor, Grant
    from instruments.services import resource_sheets, sheets

    manager = Actor(user_id=None, name="", grants=(Grant(owner.pk, Role.LAB_MANAGER),))
    if kind:
        content = resource_sheets.download(manager, owner.pk, kind, ["version"], {})
    else:
        content = sheets.download(manager, owner.pk, ["technique"])
    return files.store(content, file_name="t.xlsx", media_type="application/octet-stream", user_id=None, now=now)


def _take_in_lists(world: World, now: datetime) -> None:
    """Imports in every state that waits for a person, a saved mapping, a zone and a code list for both sides."""
    from instruments.models import CodeLoad, ImportRun, ImportRunRow, PolicyZone, SavedMapping

    cast = world.cast
    for lab, manager, mark in ((cast.lab, "wang", OURS_HIDDEN), (world.other_lab, "bo", THEIRS_HIDDEN)):
        content = f"name\n{mark}\n".encode()
        stored = files.store(content, file_name=f"{mark}.csv", media_type="text/csv", user_id=None, now=now)
        for kind, state in (("import", "preview"), ("import:mapping", "mapping"), ("import:given_up", "preview")):
            facts = {"columns": [mark], "samples": [[mark]], "delimiter": ","}
            run = ImportRun.objects.create(
                kind="instruments", layout="new", organisation=lab, file=stored, state=state, counts={"created": 1}, facts=facts,
                created_by=cast.users[manager], created_at=now,
            )  # fmt: skip
            ImportRunRow.objects.create(run=run, line=2, fate="created", name=mark)
            world.objects[kind] = (*world.objects.get(kind, ()), run.pk)
        mapping = SavedMapping.objects.create(organisation=lab, name=mark, document={"fields": {}}, updated_at=now)
        zone = PolicyZone.objects.create(slug=f"zone-{lab.pk}", name=f"Zone {lab.pk}")
        load = CodeLoad.objects.create(scheme="panet", valid_from=now.date(), sha256="0" * 64, loaded_at=now)
        for kind, one in (("saved_mapping", mapping.pk), ("zone", zone.pk), ("code_load", load.pk)):
            world.objects[kind] = (*world.objects.get(kind, ()), one)
