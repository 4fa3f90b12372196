"""Writing the registry: sites, instruments, their state and photo. Every change is audited with before and after.

Opening hours are written by ``instruments.services.opening_hours``; its commonest verbs can be called from here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from config.kernel.access import Actor
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.models import Instrument, InstrumentStatus, Organisation, Site
from instruments.ports import against_retirement
from instruments.rules import registry_map, registry_values
from instruments.rules.persistent_ids import kept_ids, without_kept
from instruments.rules.registry_values import clean_fields
from instruments.services import catalogue, schedule_store, uploads
from instruments.services.instrument_changes import (
    checked_owner,
    class_reasons,
    jsonable,
    managed_instrument,
    name_pinyin,
    needs_review,
    owner_institution,
    refuse_unreviewed,
    require_manager,
)
from instruments.services.opening_hours import close_between, set_weekly_hours
from instruments.services.weekly_hours import WeeklyWindow, weekly_windows

__all__ = [
    "InstrumentFields",
    "SiteFields",
    "WeeklyWindow",
    "clean_site",
    "close_between",
    "create_instrument",
    "create_instrument_somewhere",
    "create_site",
    "set_photo",
    "set_published",
    "set_status",
    "set_weekly_hours",
    "update_instrument",
    "weekly_windows",
]


@dataclass(frozen=True, slots=True)
class SiteFields:
    """A place: ``time_zone`` is an IANA name, ``region_code`` six digits or empty."""

    name: str
    name_en: str = ""
    time_zone: str = "Asia/Shanghai"
    region_code: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class InstrumentFields:
    """What is known about an instrument; ``original_value_fen`` in fen, ``class_code`` two, four or six digits.

    Fields and their lengths are those of ``instruments.rules.registry_values``; see the model for what they mean.
    """

    name: str
    name_en: str = ""
    inner_id: str = ""
    class_code: str = ""
    model: str = ""
    manufacturer: str = ""
    original_value_fen: int | None = None
    commissioned_on: date | None = None
    technique: str = ""
    description: str = ""
    description_en: str = ""
    service_modes: tuple[str, ...] = ()
    status: str = "normal"
    published: bool = True
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    contact_address: str = ""
    contact_postal_code: str = ""
    department: str = ""
    affiliation: str = ""
    affiliation_name: str = ""
    acquisition: str = ""
    use_type: str = ""
    share_mode: str = ""
    nation_code: str = ""
    technical_indicators: str = ""
    functions: str = ""
    subject_codes: tuple[str, ...] = ()
    technique_codes: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    service_content: str = ""
    achievements: str = ""
    access_terms: str = ""
    fee_note: str = ""
    service_url: str = ""
    effect_1: str = ""
    effect_2: str = ""
    asset_number: str = ""
    fixed_asset_code: str = ""
    accessories: str = ""
    certification: str = ""
    known_users: str = ""
    purchased_on: date | None = None
    imported: bool | None = None
    customs_supervised: bool | None = None
    training_needed: bool = False
    doi: str = ""
    cstr: str = ""


@whole
def create_site(actor: Actor, organisation_id: int, fields: SiteFields, now: datetime) -> Site:
    """A new place of an owner.

    Raises Refusal ``name.*``, ``site.name_taken``, ``import.time_zone_unknown``, ``instrument.region_code_invalid``.
    """
    require_manager(actor, organisation_id)
    owner = owner_institution(organisation_id)
    values = clean_site(fields)
    if Site.objects.filter(organisation=owner, name=values["name"]).exists():
        raise Refusal.of("site.name_taken", "name", name=values["name"])
    site = Site.objects.create(organisation=owner, **values)
    audit.record(actor, "site.create", site, now, after=values)
    return site


def new_site(actor: Actor, organisation_id: int, name: str, now: datetime) -> Site:
    """A new place named in an instrument's form, in its owner's division: what is wrong with it stands at ``new_place``."""
    region = Organisation.objects.filter(pk=organisation_id).values_list("region_code", flat=True).first()
    try:
        return create_site(actor, organisation_id, SiteFields(name=name, region_code=region or ""), now)
    except Refusal as refusal:
        raise Refusal(*(Reason(reason.code, reason.params, "new_place") for reason in refusal.reasons)) from refusal


@whole
def create_instrument_somewhere(
    actor: Actor, organisation_id: int, site_id: int | None, new_place: str, fields: InstrumentFields, now: datetime
) -> Instrument:
    """As ``create_instrument``, at one of the owner's places or at a new one that is created with it."""
    place = new_site(actor, organisation_id, new_place, now) if new_place else site_of(organisation_id, site_id or 0)
    return create_instrument(actor, place.pk, fields, now)


@whole
def create_instrument(
    actor: Actor, site_id: int, fields: InstrumentFields, now: datetime, *, calendar_id: int | None = None
) -> Instrument:
    """A new instrument at a site of its owner, with a calendar of its own unless it shares another's.

    It is not published yet where the operator looks first (``instrument_changes.needs_review``). Raises Forbidden, Refusal
    ``instrument.*`` / ``name.*`` with every reason.
    """
    site = Site.objects.select_related("organisation").filter(pk=site_id).first()
    if site is None:
        raise NotFound.of("access.not_found", model="site")
    require_manager(actor, site.organisation_id)
    checked_owner(site.organisation)
    values = _clean_instrument(asdict(fields))
    values["published"] = values["published"] and not needs_review(actor, site.organisation)
    instrument = Instrument(
        organisation=site.organisation,
        site=site,
        calendar_id=calendar_id or schedule_store.create_calendar(values["name"]),
        name_pinyin=name_pinyin(values["name"]),
        created_at=now,
        updated_at=now,
        **values,
    )
    instrument.save()
    catalogue.refresh_instruments([instrument.pk], now)
    audit.record(actor, "instrument.create", instrument, now, after=jsonable(values) | {"site": site.pk})
    return instrument


@whole
def update_instrument(
    actor: Actor, instrument_id: int, changes: Mapping[str, Any], now: datetime, reason: str = "", *, new_place: str = ""
) -> Instrument:
    """Change the named fields (of ``InstrumentFields``, and ``site_id`` within the same owner); others stay as they are.

    ``new_place`` names a place that is created for it.

    Raises NotFound, Forbidden, Refusal ``instrument.*`` / ``name.*`` with every reason, among them ``instrument.review_needed``
    (see ``instrument_edits``) and ``booking.ahead_of_retirement`` (it is booked still). Nothing is written when nothing differs.
    """
    instrument = managed_instrument(actor, instrument_id)
    values = _clean_instrument({name: value for name, value in changes.items() if name != "site_id"}, instrument)
    if new_place:
        values["site_id"] = new_site(actor, instrument.organisation_id, new_place, now).pk
    elif changes.get("site_id", instrument.site_id) != instrument.site_id:
        values["site_id"] = site_of(instrument.organisation_id, changes["site_id"]).pk
    before = {name: getattr(instrument, name) for name in values if getattr(instrument, name) != values[name]}
    if not before:
        return instrument
    after = {name: values[name] for name in before}
    refuse_unreviewed(actor, instrument, after)
    if after.get("status") == InstrumentStatus.RETIRED:
        Refusal.raise_any([*against_retirement([instrument.pk], now).values()])
    for name, value in after.items():
        setattr(instrument, name, value)
    instrument.name_pinyin = name_pinyin(instrument.name)
    instrument.updated_at = now
    instrument.save()
    if "site_id" in after:
        with schedule_store.changing([instrument.calendar_id]):
            schedule_store.tell_changed(instrument.calendar_id)
    if "name" in after:
        _rename_own_calendar(instrument)
    tests_follow = {"technique_codes", "site_id"} & after.keys()
    refresh = catalogue.refresh_with_tests if tests_follow else catalogue.refresh_instruments
    refresh([instrument.pk], now)
    audit.record(actor, "instrument.update", instrument, now, before=jsonable(before), after=jsonable(after), reason=reason)
    return instrument


def set_status(actor: Actor, instrument_id: int, status: str, now: datetime, reason: str = "") -> Instrument:
    """Say whether it runs. Raises as ``update_instrument`` (``instrument.status_unknown``)."""
    return update_instrument(actor, instrument_id, {"status": status}, now, reason)


def set_published(actor: Actor, instrument_id: int, published: bool, now: datetime) -> Instrument:
    """Show it to the public, or keep it among its lab's own drafts."""
    return update_instrument(actor, instrument_id, {"published": published}, now)


@whole
def set_photo(actor: Actor, instrument_id: int, content: bytes, now: datetime) -> Instrument:
    """Keep a photo, drawn anew as WebP of at most 1600 pixels a side without metadata.

    Raises Refusal ``upload.*`` on field ``file`` for anything that is not a JPEG or PNG that can be read.
    """
    instrument = managed_instrument(actor, instrument_id)
    stored = files.store(
        uploads.drawn_picture(content),
        file_name=f"instrument-{instrument.pk}.webp",
        media_type="image/webp",
        user_id=actor.user_id,
        now=now,
    )
    before = {"photo": instrument.photo_id}
    instrument.photo = stored
    instrument.updated_at = now
    instrument.save(update_fields=["photo", "updated_at"])
    audit.record(actor, "instrument.photo", instrument, now, before=before, after={"photo": stored.pk, "sha256": stored.sha256})
    return instrument


def clean_site(fields: SiteFields) -> dict[str, Any]:
    """The fields of a place as they are kept. Raises Refusal with every reason (see ``create_site``)."""
    values: dict[str, Any] = {}
    reasons: list[Reason] = []
    for name, clean in (
        ("name", lambda: registry_values.clean_name(fields.name, 200, "name")),
        ("name_en", lambda: registry_values.clean_text(fields.name_en, 200, "name_en")),
        ("time_zone", lambda: registry_map.time_zone(fields.time_zone or "Asia/Shanghai")),
        ("region_code", lambda: registry_values.region_code(fields.region_code)),
        ("address", lambda: registry_values.clean_text(fields.address, 300, "address")),
    ):
        try:
            values[name] = clean()
        except Refusal as refusal:
            reasons += refusal.reasons
    Refusal.raise_any(reasons)
    return values


def _clean_instrument(given: Mapping[str, Any], stored: Instrument | None = None) -> dict[str, Any]:
    cleaned = clean_fields(given)
    kept = kept_ids([] if stored is None else [(stored.doi, stored.cstr)])
    Refusal.raise_any([*without_kept(cleaned.reasons, kept), *class_reasons(cleaned.values.get("class_code", ""))])
    return cleaned.values


def site_of(organisation_id: int, site_id: int) -> Site:
    """One of an owner's places. Raises Refusal ``instrument.site_unknown``."""
    site = Site.objects.filter(pk=site_id, organisation_id=organisation_id).first()
    if site is None:
        raise Refusal.of("instrument.site_unknown", "site_id")
    return site


def _rename_own_calendar(instrument: Instrument) -> None:
    """A shared calendar keeps its name."""
    if not Instrument.objects.filter(calendar_id=instrument.calendar_id).exclude(pk=instrument.pk).exists():
        schedule_store.rename_calendar(instrument.calendar_id, instrument.name)
