"""One place of access: what each role sees of each model, own and foreign, and that no model is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from schedule.models import Calendar

from billing.models import (
    Account,
    Award,
    Charge,
    PriceVersion,
    Programme,
    ProgrammeVersion,
    Quote,
    Statement,
    StatementLine,
    TestItemPrice,
    Transfer,
)
from booking.models import (
    CalendarSubscription,
    FeedToken,
    InstrumentPolicy,
    Occupancy,
    Reservation,
    ReservationTransition,
    SessionRating,
    SubscribedEvent,
    TimeAlert,
    UsageSession,
)
from config.kernel.access import get_visible, register_scope, scoped_models, visible_to
from config.kernel.errors import NotFound
from config.kernel.models import ApiToken, AuditEntry, StoredFile
from instruments.access import ALL, NONE
from instruments.models import (
    CalendarEntry,
    CalendarSettings,
    CatalogueEntry,
    ChannelAddress,
    ClosureImport,
    Code,
    CodeLoad,
    CustomsRecord,
    DataSet,
    Delivery,
    FacilityRecord,
    FormerCalendar,
    FormerIdentifier,
    Germplasm,
    ImportRun,
    ImportRunRow,
    Instrument,
    InstrumentCentre,
    InstrumentChange,
    InstrumentDocument,
    InstrumentFunding,
    InstrumentImage,
    InstrumentProblem,
    InstrumentSheet,
    Invitation,
    JoinRequest,
    Literature,
    Membership,
    Notice,
    NoticeSettings,
    Organisation,
    OrganisationIdentifier,
    PolicyZone,
    Qualification,
    Resource,
    ResourceRequest,
    SavedMapping,
    SavedSearch,
    Site,
    TestItem,
    User,
    VerificationRequest,
    Webhook,
    WebhookDelivery,
)
from instruments.services import catalogue
from tests.access.rows import ROWS

from .conftest import PEOPLE

OUR_APPS = ("kernel", "instruments", "booking", "billing")
INTERNAL = {
    "kernel.heartbeat": "shown as a whole on the health page, says nothing about anybody",
    "kernel.idempotencyrecord": "read back by the same actor, route and key only",
    "kernel.storedfile": "reached through the object that owns the file, never by itself",
    "billing.numberseries": "a counter",
    "instruments.searchterm": "words of what is public, nothing of anybody's",
    "instruments.cataloguecount": "counts of what is public",
    "instruments.cataloguetechnique": "says of public entries again what they say",
    "booking.dayavailability": "when a calendar is free, without by whom it is taken; joined to what the actor may see",
    "booking.calendaravailability": "up to when the days of a calendar are known",
    "booking.busychange": "where a busy time of a calendar was told to lie, without whose it is",
    "booking.sessionfault": "for whom the lab reported a fault; read by what tells them the answer",
    "booking.escalation": "that a late answer was told to the lab, once; read by the job that tells",
    "instruments.importedclosure": "which event a public closure came from; compared when a file comes again, never shown",
}
EVERYBODY = frozenset([*PEOPLE, "nobody"])
OFFICIALS = frozenset({"programme_officer", "finance", "inspector", "operator"})
SUPERVISORS = frozenset({"programme_officer", "finance", "inspector"})
SALT = frozenset({"salt_admin", "salt_researcher"})
LAKE = frozenset({"lab_manager", "owner_finance"})


@dataclass
class World:
    """One object of every model that belongs to the salt firm, the lake institute or the public."""

    rows: dict[str, Any]


def _frozen(now, gross=1000, deducted=400, refunded=100):
    return {
        "gross_fen": gross,
        "deducted_fen": deducted,
        "refunded_fen": refunded,
        "payable_now_fen": gross - deducted,
        "final_cost_fen": gross - deducted - refunded,
        "estimate": False,
        "inputs": {},
        "inputs_sha256": "0" * 64,
        "result": {},
        "engine_version": "1",
        "created_at": now,
    }


def _news(cast, now) -> dict[str, Any]:
    admin, lake = cast.user("salt_admin"), cast.lake_institute
    notice = Notice.objects.create(user=admin, event="x", group="lab", needs_action=False, params={}, lab=lake, created_at=now)
    webhook, office_webhook = (
        Webhook.objects.create(organisation=whose, address="https://x.example/", events=[], created_by=admin, created_at=now)
        for whose in (cast.salt_firm, cast.office)
    )
    ready = {"event": "x", "channel": "email", "created_at": now, "due_at": now}
    return {
        "notice": notice,
        "notice settings": NoticeSettings.objects.create(user=admin, time_zone="Asia/Shanghai"),
        "channel address": ChannelAddress.objects.create(user=admin, channel="sms", address="1", code_sent_at=now),
        "delivery": Delivery.objects.create(notice=notice, user=admin, **ready),
        "account delivery": Delivery.objects.create(address="x@example.org", **ready),
        "webhook": webhook,
        "office webhook": office_webhook,
        "webhook delivery": WebhookDelivery.objects.create(webhook=webhook, event="x", payload={}, created_at=now, due_at=now),
    }


@pytest.fixture
def world(cast, now) -> World:
    salt, lake = cast.salt_firm, cast.lake_institute
    admin = cast.user("salt_admin")
    calendar = Calendar.objects.create(name="XRD", slug="xrd")
    site = Site.objects.create(organisation=lake, name="North shore")
    instrument = Instrument.objects.create(
        organisation=lake, site=site, calendar=calendar, name="XRD", created_at=now, updated_at=now
    )
    draft = Instrument.objects.create(
        organisation=lake,
        site=site,
        calendar=Calendar.objects.create(name="Draft", slug="draft"),
        name="Draft",
        published=False,
        created_at=now,
        updated_at=now,
    )
    catalogue.refresh_instruments([instrument.pk, draft.pk], now)
    entry, draft_entry = CatalogueEntry.objects.order_by("instrument_id")
    reservation = Reservation.objects.create(
        instrument=instrument,
        organisation=salt,
        requested_by=cast.user("salt_researcher"),
        starts_at=now,
        ends_at=now + timedelta(hours=2),
        state="agreed",
        service_mode="assisted",
        created_at=now,
    )
    transition = ReservationTransition.objects.create(reservation=reservation, action="request", to_state="requested", at=now)
    session = UsageSession.objects.create(reservation=reservation, booked_starts_at=now, booked_ends_at=now, actual_starts_at=now)
    occupancy = Occupancy.objects.create(
        calendar=calendar, during=(now, now + timedelta(hours=2)), source="reservation", reservation=reservation
    )
    maintenance = Occupancy.objects.create(
        calendar=calendar, during=(now + timedelta(hours=3), now + timedelta(hours=4)), source="maintenance"
    )
    subscription = CalendarSubscription.objects.create(
        calendar=calendar, instrument=instrument, title="Lab", address="https://lab.example/x.ics",
        created_by=cast.user("lab_manager"), created_at=now, due_at=now,
    )  # fmt: skip
    quote = Quote.objects.create(reservation=reservation, revision=1, valid_until=now, **_frozen(now))
    price = PriceVersion.objects.create(instrument=instrument, effective_from=date(2026, 1, 1), document={}, published_at=now)
    draft_price = PriceVersion.objects.create(instrument=draft, effective_from=date(2026, 1, 1), document={}, published_at=now)
    charge = Charge.objects.create(reservation=reservation, price_version=price, **_frozen(now))
    programme = Programme.objects.create(code="DEMO", issuer=cast.office, created_at=now)
    draft_programme = Programme.objects.create(code="DRAFT", issuer=cast.office, created_at=now)
    versions = [
        ProgrammeVersion.objects.create(
            programme=found,
            label="1",
            valid=(date(2026, 1, 1), date(2027, 1, 1)),
            document={},
            document_sha256="0" * 64,
            author=cast.user("programme_officer"),
            approver=approver,
            created_at=now,
            published_at=now if approver else None,
        )
        for found, approver in ((programme, cast.user("finance")), (draft_programme, None))
    ]
    pool = Account.objects.create(key="pool", kind="pool", limited=True, programme=programme, granted_fen=1000, created_at=now)
    draft_pool = Account.objects.create(
        key="draft", kind="pool", limited=True, programme=draft_programme, granted_fen=1000, created_at=now
    )
    treasury = Account.objects.create(key="limits:pool", kind="treasury", limited=False, created_at=now)
    cap = Account.objects.create(
        key="cap", kind="cap", limited=True, organisation=salt, programme=programme, granted_fen=1000, created_at=now
    )
    transfer = Transfer.objects.create(
        kind="hold", debit=pool, credit=cap, amount_fen=5, source_type="reservation", source_id=1, reason="hold", at=now
    )
    grant = Transfer.objects.create(
        kind="grant", debit=treasury, credit=pool, amount_fen=5, source_type="version", source_id=1, reason="g", at=now
    )
    award = Award.objects.create(
        charge=charge,
        programme_version=versions[0],
        payee=salt,
        mode="refund",
        total_fen=100,
        payers=[],
        service_on=date(2026, 11, 20),
        created_at=now,
    )
    statement = Statement.objects.create(
        number="S-1",
        programme_version=versions[0],
        payee=salt,
        period_on=date(2026, 11, 1),
        total_fen=100,
        line_count=1,
        content={"programme": {"mode": "refund"}},
        content_sha256="0" * 64,
        issued_at=now,
        issued_by=cast.user("finance"),
    )
    line = StatementLine.objects.create(statement=statement, award=award, position=1)
    stored = StoredFile.objects.create(sha256="0" * 64, size_bytes=1, media_type="x", file_name="x", path="x", created_at=now)
    rows = {
        "firm": salt,
        "owner": lake,
        "office": cast.office,
        "firm code": salt.identifiers.get(),
        "owner code": lake.identifiers.get(),
        "former code": FormerIdentifier.objects.create(
            organisation=salt, scheme="uscc", value=salt.identifiers.get().value, left_at=now
        ),
        "site": site,
        "instrument": instrument,
        "draft instrument": draft,
        "entry": entry,
        "draft entry": draft_entry,
        "saved search": SavedSearch.objects.create(user=admin, name="XRD", query="q=XRD", last_checked_at=now, created_at=now),
        "policy": InstrumentPolicy.objects.create(instrument=instrument),
        "draft policy": InstrumentPolicy.objects.create(instrument=draft),
        "researcher": cast.user("salt_researcher"),
        "membership": Membership.objects.get(user=cast.user("salt_researcher")),
        "invitation": Invitation.objects.create(
            organisation=salt, email="x@y.org", role="researcher", token_sha256="1", invited_by=admin,
            created_at=now, expires_at=now,
        ),
        "join request": JoinRequest.objects.create(organisation=salt, user=cast.user("outsider"), created_at=now),
        "verification": VerificationRequest.objects.create(
            organisation=salt, licence=stored, submitted_by=admin, submitted_at=now
        ),
        "token": ApiToken.objects.create(user=admin, name="t", key_sha256="1", created_at=now),
        "closure import": ClosureImport.objects.create(
            organisation=lake, file=stored, time_zone="Asia/Shanghai", created_by=cast.user("lab_manager"), created_at=now
        ),
        "subscription": subscription,
        "subscribed event": SubscribedEvent.objects.create(
            subscription=subscription, uid="1", starts_at=now, ends_at=now + timedelta(hours=1)
        ),
        "feed": FeedToken.objects.create(user=admin, kind="mine", name="phone", key_sha256="2", created_at=now),
        "audit": AuditEntry.objects.create(at=now, action="x", object_type="x", object_id="1"),
        "reservation": reservation,
        "transition": transition,
        "session": session,
        "occupancy": occupancy,
        "maintenance": maintenance,
        "quote": quote,
        "charge": charge,
        "price": price,
        "draft price": draft_price,
        "programme": programme,
        "draft programme": draft_programme,
        "version": versions[0],
        "draft version": versions[1],
        "pool": pool,
        "draft pool": draft_pool,
        "treasury": treasury,
        "cap": cap,
        "transfer": transfer,
        "grant": grant,
        "award": award,
        "statement": statement,
        "line": line,
    }  # fmt: skip
    rows |= _shared(cast, instrument, stored, now) | _kept(cast, instrument, reservation, stored, now)
    return World(rows)


def _shared(cast, instrument, stored, now) -> dict[str, Any]:
    """Resources of every kind, one published and one draft, with their parts, and a request of the salt firm."""
    rows: dict[str, Any] = {}
    for prefix, published in (("", True), ("draft ", False)):
        made = {
            kind: Resource.objects.create(
                kind=kind, organisation=cast.lake_institute, name=kind, published=published, created_at=now, updated_at=now
            )
            for kind in ("test_item", "germplasm", "dataset", "literature")
        }
        item = TestItem.objects.create(resource=made["test_item"])
        rows |= {
            f"{prefix}resource": made["test_item"],
            f"{prefix}test item": item,
            f"{prefix}qualification": Qualification.objects.create(test_item=item, scheme="CMA"),
            f"{prefix}test price": TestItemPrice.objects.create(
                test_item=item, effective_from=date(2026, 1, 1), unit="sample", amount_fen=100, published_at=now
            ),
            f"{prefix}germplasm": Germplasm.objects.create(resource=made["germplasm"], standard="mcpd"),
            f"{prefix}data set": DataSet.objects.create(resource=made["dataset"]),
            f"{prefix}literature": Literature.objects.create(resource=made["literature"]),
        }
    rows["resource request"] = ResourceRequest.objects.create(
        resource=rows["resource"], organisation=cast.salt_firm, requested_by=cast.user("salt_researcher"), state="requested",
        purpose="brine", terms_accepted_at=now, requested_at=now,
    )  # fmt: skip
    return rows


def _kept(cast, instrument, reservation, stored, now) -> dict[str, Any]:
    """What belongs to an instrument, to keeping it, and to those who wait or rate."""
    keeper = cast.user("lab_manager")
    run = ImportRun.objects.create(
        kind="instruments", layout="csv", organisation=cast.lake_institute, file=stored, state="waiting", created_by=keeper,
        created_at=now,
    )  # fmt: skip
    return {
        "code": Code.objects.create(scheme="nrii", code="01"),
        "code load": CodeLoad.objects.create(scheme="nrii", valid_from=now.date(), sha256="0" * 64, loaded_at=now),
        "zone": PolicyZone.objects.create(slug="park", name="Park"),
        "customs": CustomsRecord.objects.create(instrument=instrument),
        "former calendar": FormerCalendar.objects.create(instrument=instrument, calendar_id=instrument.calendar_id, left_at=now),
        "facility": FacilityRecord.objects.create(instrument=instrument),
        "funding": InstrumentFunding.objects.create(instrument=instrument, source="own"),
        "image": InstrumentImage.objects.create(instrument=instrument, file=stored, position=1),
        "removed image": InstrumentImage.objects.create(instrument=instrument, file=stored, position=2, removed_at=now),
        "document": InstrumentDocument.objects.create(instrument=instrument, file=stored, title="Manual", added_at=now),
        "removed document": InstrumentDocument.objects.create(
            instrument=instrument, file=stored, title="Old", added_at=now, removed_at=now
        ),
        "change": InstrumentChange.objects.create(
            instrument=instrument, state="submitted", base_updated_at=now, created_at=now, submitted_at=now, submitted_by=keeper
        ),
        "problem": InstrumentProblem.objects.create(
            instrument=instrument, text="It smokes", reported_by=cast.user("salt_researcher"), reported_at=now
        ),
        "sheet": InstrumentSheet.objects.create(
            organisation=cast.lake_institute, file=stored, uploaded_by=keeper, uploaded_at=now
        ),
        "centre": InstrumentCentre.objects.create(
            organisation=cast.lake_institute, inner_id="C1", name="Centre", created_at=now, updated_at=now
        ),
        "import": run,
        "import row": ImportRunRow.objects.create(run=run, line=2, fate="created"),
        "mapping": SavedMapping.objects.create(organisation=cast.lake_institute, name="Ours", document={}, updated_at=now),
        "shared mapping": SavedMapping.objects.create(name="Everybody's", document={}, updated_at=now),
        "rating": SessionRating.objects.create(
            reservation=reservation, instrument=instrument, stars=4, rated_by=cast.user("salt_researcher"), rated_at=now
        ),
        "time alert": TimeAlert.objects.create(
            user=cast.user("salt_admin"), search={}, last_on=date(2026, 12, 1), created_at=now
        ),
        **_news(cast, now),
    }


KEEPERS = frozenset({"lab_manager", "operator"})
ON_RESERVATION = SALT | LAKE | SUPERVISORS
MATRIX: dict[str, frozenset[str]] = {
    "firm": SALT | OFFICIALS,
    "owner": EVERYBODY,
    "office": OFFICIALS,
    "firm code": SALT | OFFICIALS,
    "owner code": EVERYBODY,
    "former code": SALT | OFFICIALS,
    "site": EVERYBODY,
    "instrument": EVERYBODY,
    "draft instrument": frozenset({"lab_manager", "operator"}),
    "entry": EVERYBODY,
    "draft entry": frozenset({"lab_manager", "operator"}),
    "saved search": frozenset({"salt_admin"}),
    "policy": EVERYBODY,
    "draft policy": frozenset({"lab_manager", "operator"}),
    "researcher": SALT | {"inspector", "operator"},
    "membership": SALT | {"inspector", "operator"},
    "invitation": frozenset({"salt_admin", "operator"}),
    "join request": frozenset({"salt_admin", "operator", "outsider"}),
    "verification": frozenset({"salt_admin", "operator", "inspector"}),
    "token": frozenset({"salt_admin"}),
    "closure import": frozenset({"lab_manager", "operator"}),
    "subscription": frozenset({"lab_manager", "operator"}),
    "subscribed event": frozenset({"lab_manager", "operator"}),
    "feed": frozenset({"salt_admin"}),
    "audit": frozenset({"inspector", "operator"}),
    "reservation": ON_RESERVATION,
    "transition": ON_RESERVATION,
    "session": ON_RESERVATION,
    "occupancy": ON_RESERVATION,
    "maintenance": LAKE | SUPERVISORS,
    "quote": ON_RESERVATION,
    "charge": ON_RESERVATION,
    "price": EVERYBODY,
    "draft price": frozenset({"lab_manager", "operator"}),
    "programme": EVERYBODY,
    "draft programme": OFFICIALS,
    "version": EVERYBODY,
    "draft version": OFFICIALS,
    "pool": EVERYBODY,
    "draft pool": SUPERVISORS,
    "treasury": SUPERVISORS,
    "cap": SALT | SUPERVISORS,
    "transfer": SALT | SUPERVISORS,
    "grant": SUPERVISORS,
    "award": ON_RESERVATION,
    "statement": SUPERVISORS | {"salt_admin"},
    "line": SUPERVISORS | {"salt_admin"},
    "resource": EVERYBODY,
    "test item": EVERYBODY,
    "qualification": EVERYBODY,
    "test price": EVERYBODY,
    "germplasm": EVERYBODY,
    "data set": EVERYBODY,
    "literature": EVERYBODY,
    "draft resource": KEEPERS,
    "draft test item": KEEPERS,
    "draft qualification": KEEPERS,
    "draft test price": KEEPERS,
    "draft germplasm": KEEPERS,
    "draft data set": KEEPERS,
    "draft literature": KEEPERS,
    "resource request": SALT | {"lab_manager", "inspector"},
    "code": EVERYBODY,
    "code load": frozenset({"operator"}),
    "zone": EVERYBODY,
    "customs": EVERYBODY,
    "former calendar": EVERYBODY,
    "facility": EVERYBODY,
    "funding": EVERYBODY,
    "image": EVERYBODY,
    "removed image": KEEPERS,
    "document": EVERYBODY,
    "removed document": KEEPERS,
    "change": KEEPERS | {"inspector"},
    "problem": KEEPERS | {"salt_researcher"},
    "sheet": KEEPERS,
    "centre": KEEPERS,
    "import": KEEPERS,
    "import row": KEEPERS,
    "mapping": KEEPERS,
    "shared mapping": KEEPERS,
    "rating": EVERYBODY,
    "time alert": frozenset({"salt_admin"}),
    "notice": frozenset({"salt_admin"}),
    "notice settings": frozenset({"salt_admin"}),
    "channel address": frozenset({"salt_admin"}),
    "delivery": KEEPERS,
    "account delivery": frozenset({"operator"}),
    "webhook": frozenset({"salt_admin"}),
    "office webhook": frozenset({"operator"}),
    "webhook delivery": frozenset({"salt_admin"}),
}


def test_every_role_sees_exactly_its_part_of_every_model(cast, world):
    assert set(world.rows) == set(MATRIX)
    wrong = []
    for name in cast.names:
        actor = cast.who(name)
        for key, row in world.rows.items():
            sees = visible_to(type(row).objects.filter(pk=row.pk), actor).exists()
            if sees != (name in MATRIX[key]):
                wrong.append((key, name, sees))
    assert wrong == []


def test_nothing_is_seen_twice(cast, world):
    for name in cast.names:
        actor = cast.who(name)
        for model in scoped_models():
            keys = list(visible_to(model._default_manager.all(), actor).values_list("pk", flat=True))
            assert len(keys) == len(set(keys)), (model, name)


def test_every_model_has_a_scope_or_is_internal_for_a_reason(world):
    ours = {model for app in OUR_APPS for model in apps.get_app_config(app).get_models() if not model._meta.auto_created}
    unclassified = {model._meta.label_lower for model in ours - scoped_models()}
    assert unclassified == set(INTERNAL)
    covered = {type(row) for row in world.rows.values()} | {CalendarEntry, CalendarSettings}
    of_the_addresses = {apps.get_model(label) for label in ROWS}
    assert scoped_models() - of_the_addresses == covered, (
        "a model with a scope belongs into this matrix or that of tests.access.rows"
    )


def test_a_model_without_a_scope_fails_closed(cast):
    with pytest.raises(LookupError):
        visible_to(StoredFile.objects.all(), cast.who("operator"))


def test_a_scope_is_registered_once():
    with pytest.raises(RuntimeError):
        register_scope(Organisation, lambda queryset, actor: queryset)


def test_a_foreign_object_is_the_same_as_none(cast):
    for pk in (cast.salt_firm.pk, 10**9):
        with pytest.raises(NotFound) as refusal:
            get_visible(Organisation.objects.all(), cast.who("wool_admin"), pk=pk)
        assert refusal.value.reasons[0].code == "access.not_found"


def test_everything_or_a_rule_is_still_everything(cast):
    everybody = User.objects.count()
    assert User.objects.filter(ALL | NONE).count() == everybody
    assert User.objects.filter(NONE | ALL).count() == everybody
    assert User.objects.filter(NONE).count() == 0


def test_a_suspended_owner_disappears_for_the_public(cast, world):
    Organisation.objects.filter(pk=cast.lake_institute.pk).update(status="suspended")
    for name in ("outsider", "nobody", "salt_admin", "lab_manager"):
        actor = cast.who(name)
        for model in (Instrument, Site, PriceVersion, OrganisationIdentifier):
            mine = visible_to(model.objects.all(), actor)
            assert not mine.filter(**{_to_owner(model): cast.lake_institute.pk}).exists(), (name, model)
    assert visible_to(Instrument.objects.all(), cast.who("operator")).exists()


def _to_owner(model) -> str:
    return "instrument__organisation_id" if model is PriceVersion else "organisation_id"


def test_who_leaves_a_firm_sees_no_more_of_its_reservations(cast, world):
    Membership.objects.filter(user=cast.user("salt_researcher")).delete()
    assert not visible_to(Reservation.objects.all(), cast.who("salt_researcher")).exists()


def test_opening_hours_are_as_public_as_their_instrument(cast, world, now):
    from schedule.models import Event

    for slug in ("xrd", "draft"):
        calendar = Calendar.objects.get(slug=slug)
        event = Event.objects.create(start=now, end=now + timedelta(hours=1), title="o", calendar=calendar)
        CalendarEntry.objects.create(event=event, calendar=calendar, kind="opening", time_zone="Asia/Shanghai")
        CalendarSettings.objects.create(calendar=calendar, closed_on_holidays=True)
    for model in (CalendarEntry, CalendarSettings):
        seen = {name: visible_to(model.objects.all(), cast.who(name)).count() for name in cast.names}
        assert seen == {name: 2 if name in {"lab_manager", "operator"} else 1 for name in cast.names}
