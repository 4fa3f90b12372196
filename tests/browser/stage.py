"""What the browser tests need beside the demo province: rare states of things, and an instrument that is open at every hour.

Run as a program in a process whose environment names the database and the home of the test server:
``python -m tests.browser.stage`` loads the demo and adds to it.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

AS_LOADED = "invariants-as-loaded.json"
ROUND_THE_CLOCK = "Round-the-clock microscope"
COSTLY = "Costly cryostat"
DRAFT = "Unpublished furnace"
FOLLOWING = "Followed fluorometer"
AT_HAND = "Microscope at hand"
BROKEN_EVENT = b"BEGIN:VEVENT\r\nUID:odd\r\nSUMMARY:Without a start\r\nEND:VEVENT\r\nEND:VCALENDAR"
INVITATION_TOKEN = "browser-invitation-token-of-the-stage"
NEWCOMER = "newcomer@demo.jishi.example"
SECOND_FACTOR = "second-factor@demo.jishi.example"
UNCONFIRMED = "unconfirmed@demo.jishi.example"
BRINE_ITEM = "Lithium and magnesium in salt lake brine"
CAPPED_FIRM_PLACE = 8
RATE_YUAN = 400


def main(now: datetime, *, as_loaded: Callable[[], None] = lambda: None) -> None:
    """Everything, on a migrated database without rows. ``as_loaded`` looks at the demo before anything is added to it."""
    call_command("load_demo", seed=1, now=now)
    as_loaded()
    from booking.services import notices
    from tests.browser import stage_bills, stage_claims, stage_money, stage_month

    with notices.silence():
        _instruments(now)
        _accounts(now)
        _organisations(now)
        _closed_month(now)
        _claims_of_the_month(now)
        _something_comes_back(now)
        stage_claims.build(now)
        stage_money.build(now)
        stage_month.build(now)
        stage_bills.build(now)
        _figures_that_changed(now)
        _calendars(now)
        _facility(now)
        _saved_mapping(now)
        _code_list(now)
        _test_item(now)
        _change_of_a_resource(now)
        _somebody_works(now)
    _one_statement_is_made(now)


def persona(email: str) -> Any:
    """The actor who logs in with ``email``."""
    from instruments.models import User
    from instruments.queries import actor_for

    return actor_for(User.objects.get(email=email))


def add_instrument(name: str, now: datetime, *, rate: int = RATE_YUAN, step: int = 30, **fields: Any) -> Any:
    """An instrument of the demo's first lab, open at every hour of every day, bookable without notice.

    ``step`` is the grid in minutes.
    """
    from billing.pricing.models import PriceVersion
    from booking.services import policies
    from booking.services.policies import Scope
    from config.demo.registry import price_document
    from instruments.models import Site
    from instruments.services import catalogue, registry

    manager = persona("lab@demo.jishi.example")
    site = Site.objects.filter(organisation_id__in=manager.organisations()).order_by("pk").first()
    modes = fields.pop("service_modes", ("self_operated", "assisted"))
    typed = registry.InstrumentFields(name=name, name_en=name, class_code="010301", service_modes=modes, **fields)
    instrument = registry.create_instrument(manager, site.pk, typed, now)
    first_day = now.date() - timedelta(days=120)
    whole_days = [registry.WeeklyWindow(weekday, time(0), time(0)) for weekday in range(7)]
    registry.set_weekly_hours(manager, instrument.pk, whole_days, first_day, now)
    own = {"granularity_minutes": step, "min_minutes": 60, "max_minutes": 720, "notice_minutes": 0, "no_show_grace_minutes": 240}
    policies.say(manager, Scope(instrument.organisation_id, instrument_id=instrument.pk), own, now)
    document = price_document(rate, peak=False)
    PriceVersion.objects.create(instrument=instrument, effective_from=first_day, document=document, published_at=now)
    catalogue.refresh_instruments([instrument.pk], now)
    return instrument


def book(actor: Any, instrument: Any, starts_at: datetime, hours: float, now: datetime, **fields: Any) -> int:
    """A request of the actor's first organisation as of ``now``; returns the reservation's id."""
    from booking.services import reservations
    from booking.services.refusing import BOOKING_ROLES
    from booking.services.reservations import ReservationRequest
    from config.kernel.time_range import TimeRange

    during = TimeRange(starts_at, starts_at + timedelta(hours=hours))
    customer = sorted(actor.organisations(*BOOKING_ROLES))[0]
    mode = instrument.service_modes[0]
    request = ReservationRequest(instrument.pk, customer, during, mode, **{"purpose": "stage", **fields})
    key = f"stage-{instrument.pk}-{customer}-{starts_at.isoformat()}"
    return int(reservations.reserve(actor, request, now, idempotency_key=key).reservation_id)


def months_ago(now: datetime, count: int) -> date:
    """The first day of the ``count``-th month before this one, in Shanghai."""
    day = (now + timedelta(hours=8)).date().replace(day=1)
    for _ in range(count):
        day = (day - timedelta(days=1)).replace(day=1)
    return day


def next_day(day: date) -> date:
    return day + timedelta(days=1)


def _instruments(now: datetime) -> None:
    from instruments.models import Instrument
    from instruments.services import registry

    manager = persona("lab@demo.jishi.example")
    clock = add_instrument(ROUND_THE_CLOCK, now, step=60, description="Open at every hour.", description_en="Open at every hour.")
    add_instrument(DRAFT, now, published=False)
    for instrument in (clock, Instrument.objects.filter(organisation=clock.organisation, status="normal").earliest("pk")):
        registry.set_photo(manager, instrument.pk, _picture(), now)
    tomorrow = datetime.combine(now.date() + timedelta(days=9), time(9))
    registry.close_between(manager, clock.pk, tomorrow, tomorrow + timedelta(hours=3), "Filling helium", now)


def _test_item(now: datetime) -> None:
    """What is measured with the instrument that is always open."""
    from instruments.models import Instrument, Resource, TestItem
    from instruments.services import catalogue, vocabulary

    clock = Instrument.objects.get(name=ROUND_THE_CLOCK)
    names = {"name": BRINE_ITEM, "name_en": BRINE_ITEM}
    times = {"created_at": now, "updated_at": now}
    resource = Resource.objects.create(kind="test_item", organisation_id=clock.organisation_id, published=True, **names, **times)
    analytes = [{"name": "Li", "limit": "0.01", "unit": "mg/L"}, {"name": "Mg", "limit": "0.05", "unit": "mg/L"}]
    item = TestItem.objects.create(resource=resource, method="ICP-OES", matrix="brine", analytes=analytes, turnaround_days=5)
    item.instruments.set([clock])
    catalogue.refresh_resources([resource.pk], now)
    vocabulary.rebuild_vocabulary()


def _somebody_works(now: datetime) -> None:
    """A colleague of the personas' researcher is at an instrument that has a code; the session began with the hour."""
    from booking.services import check_in_points, self_service, transitions

    researcher, manager = persona("firm-admin@demo.jishi.example"), persona("lab@demo.jishi.example")
    instrument = add_instrument(AT_HAND, now)
    check_in_points.set_ticks(manager, instrument.pk, ["Gloves and goggles on", "Cooling water runs"], now)
    hour = now.replace(minute=0, second=0, microsecond=0)
    pk = book(researcher, instrument, hour, 3, hour - timedelta(days=1))
    transitions.approve(manager, pk, hour - timedelta(hours=20))
    self_service.start(researcher, pk, check_in_points.ticks_of(instrument.pk), hour)


def _picture() -> bytes:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (1200, 900), "#0e6f88")
    pen = ImageDraw.Draw(picture)
    for place in range(12):
        pen.ellipse((80 + place * 85, 180 + place * 40, 330 + place * 85, 430 + place * 40), outline="#d3e8ee", width=8)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _accounts(now: datetime) -> None:
    """Somebody without an organisation, somebody with a second factor, somebody who has not confirmed the address."""
    from allauth.account.models import EmailAddress
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.contrib.auth.hashers import make_password

    from config.demo.accounts import DEMO_PASSWORD
    from config.kernel.services import tokens
    from instruments.models import User

    password = make_password(DEMO_PASSWORD)
    for email, confirmed in ((NEWCOMER, True), (SECOND_FACTOR, True), (UNCONFIRMED, False)):
        user = User.objects.create(email=email, full_name=email.partition("@")[0].title(), password=password, date_joined=now)
        EmailAddress.objects.create(user=user, email=email, verified=confirmed, primary=True)
    careful = User.objects.get(email=SECOND_FACTOR)
    TOTP.activate(careful, generate_totp_secret())
    RecoveryCodes.activate(careful)
    tokens.issue(persona("researcher@demo.jishi.example"), "Nightly analysis", ["read", "book"], now)


def _organisations(now: datetime) -> None:
    """An invitation, a request to join, a suspended firm."""
    from config.kernel.services.tokens import digest
    from instruments.models import Invitation, Organisation
    from instruments.services import invitations, joining, verification

    administrator = persona("firm-admin@demo.jishi.example")
    firm = Organisation.objects.get(pk=next(iter(administrator.organisations())))
    invitation = invitations.invite(administrator, firm.pk, NEWCOMER, "researcher", now)
    Invitation.objects.filter(pk=invitation.pk).update(token_sha256=digest(INVITATION_TOKEN))
    code = firm.identifiers.get(scheme="uscc").value
    joining.request_to_join(persona(SECOND_FACTOR), firm.pk, code, "I work in the coating group.", now)
    suspended = Organisation.objects.filter(kind="firm", status="verified").latest("pk")
    verification.set_suspension(persona("operator@demo.jishi.example"), suspended.pk, True, "Licence expired.", now)


def _closed_month(now: datetime) -> None:
    """Sessions of last month that are agreed and on no statement yet."""
    from instruments.models import Instrument

    instrument = Instrument.objects.get(name=ROUND_THE_CLOCK)
    for day in (3, 4, 5):
        closed_session(instrument.pk, months_ago(now, 1), day, now)


def _claims_of_the_month(now: datetime) -> None:
    """What was agreed since comes into the batch that takes claims."""
    from billing.claims.services import batches
    from billing.models import ClaimBatch

    batches.gather(persona("officer@demo.jishi.example"), ClaimBatch.objects.filter(closed_at=None).latest("pk").pk, now)


def _something_comes_back(now: datetime) -> None:
    """Half of a claimed line has to come back of a lab that is not the personas'; some of it was transferred and waits to be confirmed."""
    from billing.bills.services.issuing import local_day
    from billing.claims.services import clawbacks, repaying
    from billing.claims.services.repaying import Money
    from billing.models import ClaimLine

    own = persona("lab-finance@demo.jishi.example").organisations()
    lines = ClaimLine.objects.filter(kind="award", standing="included", claim__state__in=["paid", "listed", "partly_paid"])
    line = lines.exclude(claim__payee__in=own).order_by("pk").first()
    if line is None:
        raise RuntimeError("nothing was claimed that could come back")
    officer, amount = persona("officer@demo.jishi.example"), line.amount_fen // 2
    notice = clawbacks.dispute(officer, line.claim_id, line.position, amount, "一半的机时没有使用", now)
    money = Money(amount // 3, local_day(now), "示例研究院", f"退回 {notice.reference}")
    repaying.record(persona("finance@demo.jishi.example"), notice.pk, money, now)


def closed_session(instrument_id: int, month: date, day: int, now: datetime) -> None:
    """A session of the personas' firm on a day of a month that is over, from the request to the agreed use."""
    from booking.services import transitions
    from instruments.models import Instrument
    from tests.agreeing import check_out_agreed

    asking, manager = persona("firm-admin@demo.jishi.example"), persona("lab@demo.jishi.example")
    starts_at = datetime.combine(month.replace(day=day), time(13), UTC)
    assert starts_at < now
    asked_at = starts_at - timedelta(days=1)
    pk = book(asking, Instrument.objects.get(pk=instrument_id), starts_at, 2, asked_at)
    transitions.approve(manager, pk, asked_at + timedelta(hours=2))
    transitions.check_in(manager, pk, starts_at)
    check_out_agreed(manager, pk, starts_at + timedelta(hours=2))


def _figures_that_changed(now: datetime) -> None:
    """A firm whose yearly limit was used up between its request and the lab's answer, so that new figures wait for it."""
    from booking.services import transitions
    from config.kernel.errors import Conflict

    manager = persona("lab@demo.jishi.example")
    customer = persona(f"firm-admin.firm{CAPPED_FIRM_PLACE}@demo.jishi.example")
    instrument = add_instrument(COSTLY, now, rate=20_000, step=60)
    days = (0, 1, 2, 7, 8, 9)  # three a week: the lab's quota for one organisation is forty hours
    begins = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=5)
    if (begins + timedelta(hours=8)).year != (begins + timedelta(days=11)).year:
        begins += timedelta(days=14)  # all of them in one year, whose limit it is
    wanted = [book(customer, instrument, begins + timedelta(days=place), 10, now) for place in days]
    for pk in wanted:
        try:
            transitions.approve(manager, pk, now)
        except Conflict:
            return
    raise RuntimeError("the yearly limit was not reached")


def _calendars(now: datetime) -> None:
    """A file of closures that waits to be confirmed, a followed calendar with an overlap, one that cannot be read, a link."""
    from booking.rules.calendar_text import CalendarEvent, calendar_text
    from booking.services import feeds, subscription_refresh, subscriptions
    from instruments.services import closure_import
    from tests.kernel.services.neighbour import neighbour, says

    manager = persona("lab@demo.jishi.example")
    instrument = add_instrument(FOLLOWING, now, step=60)
    begins = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    book(persona("researcher@demo.jishi.example"), instrument, begins, 3, now)
    hours = [(2, 4, "Beam time"), (24, 40, "Annual maintenance"), (50, 50, "Reminder")]
    events = [
        CalendarEvent(f"{place}@lab.example", begins + timedelta(hours=first), begins + timedelta(hours=last), title, now)
        for place, (first, last, title) in enumerate(hours)
    ]
    file = calendar_text(events, name="Lab")
    closure_import.hand_in(manager, [instrument.pk], file.replace(b"END:VCALENDAR", BROKEN_EVENT), "lab.ics", now)
    with neighbour(says(file)) as server:
        settings.OUTBOUND_ALLOW = frozenset({("127.0.0.1", server.port)})
        read = subscriptions.subscribe(manager, instrument.pk, server.url("/read.ics"), "Lab calendar", now)
        subscription_refresh.refresh(read.pk, now)
        server.reply = says(b"", 404)
        unread = subscriptions.subscribe(manager, instrument.pk, server.url("/gone.ics"), "Old calendar", now)
        subscription_refresh.refresh(unread.pk, now)
    feeds.issue_feed(manager, "lab", "Control room", now)
    for subscription in (read, unread):  # nobody is there to be read again
        type(subscription).objects.filter(pk=subscription.pk).update(due_at=now + timedelta(days=1))


def _facility(now: datetime) -> None:
    """One of the instruments is a large facility."""
    from instruments.models import Instrument
    from instruments.services import instrument_details

    known = {
        "construction": "built", "category": "public", "host_institution": "Demo institute", "website": "https://facility.example/",
    }  # fmt: skip
    instrument_details.set_facility(persona("lab@demo.jishi.example"), Instrument.objects.get(name=FOLLOWING).pk, known, now)


def _saved_mapping(now: datetime) -> None:
    """What the columns of a list of the personas' lab mean."""
    from instruments.models import SavedMapping

    lab = min(persona("lab@demo.jishi.example").organisations())
    SavedMapping.objects.create(organisation_id=lab, name="Our old list", document={"fields": {}}, updated_at=now)


def _code_list(now: datetime) -> None:
    """A list of techniques that the operator took in and may take back."""
    from instruments.services.code_lists import load_codes

    content = b"ID,Label\nPaNET01007,neutron diffraction\nPaNET01191,powder diffraction\n"
    load_codes(persona("operator@demo.jishi.example"), "panet", content, now.date(), now, "techniques.csv")


def _change_of_a_resource(now: datetime) -> None:
    """A change of a published data set that waits for the operator."""
    from instruments.models import Organisation
    from instruments.services import resource_reviews, resources

    keeper, operator = persona("lab-manager.owner2@demo.jishi.example"), persona("operator@demo.jishi.example")
    owner = min(keeper.organisations())
    assert Organisation.objects.get(pk=owner).reviews_needed
    core = {"name": "Levels of a salt lake", "description": "Daily levels.", "published": True}
    made = resources.create_resource(operator, owner, "dataset", core, {"creators": ["Han"]}, now)
    resource_reviews.save(keeper, made.pk, {"description": "Hourly levels of the lake."}, {"version": "2"}, now)


def _one_statement_is_made(now: datetime) -> None:
    """The newest one's documents. The jobs of all others go: making them would keep the machine busy for the tests' whole time."""
    from django.db import connection

    from billing.settlement.models import Statement
    from billing.settlement.services import rendering

    rendering.render(Statement.objects.latest("pk").pk, now)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE task_name LIKE ANY (ARRAY['%statement%', '%claim_paper']) AND status = 'todo'"
        )


def _what_is_wrong() -> None:
    """What every invariant says of the demo, into the file that its test reads."""
    from config.env import home
    from config.kernel import invariants

    found = {name: invariant().violations for name, invariant in invariants.registered().items()}
    (home(settings.BASE_DIR) / AS_LOADED).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(datetime.now(UTC), as_loaded=_what_is_wrong)
