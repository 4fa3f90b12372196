"""Publishing and finding price schedule versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from billing.ledger.rules.documents import DocumentError
from billing.pricing.models import PriceVersion
from billing.pricing.rules.agreed import agreed_document
from billing.pricing.rules.schedule import PriceSchedule, compile_schedule, parse_schedule
from config.kernel.access import Actor, Role
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit, transactions
from instruments.models import Instrument
from instruments.services import catalogue


class Beside(NamedTuple):
    """What is kept with a version: the cost sheet (``cost_recovery.sheet_to_json``) and the family it is published for."""

    cost_sheet: Mapping[str, Any] | None = None
    family_id: int | None = None


_NOTHING_BESIDE = Beside()


def publish_price(
    actor: Actor,
    instrument: Instrument,
    document: Mapping[str, Any],
    effective_from: date,
    now: datetime,
    today: date,
    beside: Beside = _NOTHING_BESIDE,
) -> PriceVersion:
    """Publish a schedule that is in force from ``effective_from`` (the site's date) until the next one.

    Raises Forbidden, Refusal ``price.invalid`` per fault (field = JSON path), ``price.in_the_past``, ``price.date_taken``.
    """
    actor.require_in(instrument.organisation_id, Role.LAB_MANAGER, Role.OWNER_FINANCE)
    try:
        schedule = parse_schedule(document)
    except DocumentError as error:
        raise Refusal(*(Reason("price.invalid", {"fault": fault.message}, fault.path) for fault in error.faults)) from error
    if schedule.currency != settings.CURRENCY:
        raise Refusal.of("price.invalid", field="$.currency", fault=f"all prices here are in {settings.CURRENCY}")
    if effective_from < today:
        raise Refusal.of("price.in_the_past", field="effective_from")

    def work() -> PriceVersion:
        if PriceVersion.objects.filter(instrument=instrument, effective_from=effective_from).exists():
            raise Refusal.of("price.date_taken", field="effective_from")
        version = PriceVersion.objects.create(
            instrument=instrument,
            effective_from=effective_from,
            document=dict(document),
            cost_sheet=beside.cost_sheet,
            family_id=beside.family_id,
            published_at=now,
            published_by_id=actor.user_id,
        )
        catalogue.show_instruments([instrument.pk], now)
        audit.record(actor, "price.publish", version, now, after={"effective_from": effective_from.isoformat()})
        return version

    return transactions.run(work)


def agreed_version_id(
    line_id: int, instrument_id: int, unit: str, unit_price_fen: int, actor: Actor, on: date, now: datetime
) -> int:
    """The version of what two sides agreed on in a line of a quotation for an instrument's time, made from the price list of the local
    day ``on`` when it is asked for first. Part of the caller's transaction, which has checked the actor. Raises Refusal ``price.none``."""
    found = PriceVersion.objects.filter(agreed_line_id=line_id).values_list("pk", flat=True).first()
    if found is not None:
        return found
    listed = version_id_in_force(instrument_id, on)
    if listed is None:
        raise Refusal.of("price.none")
    document = agreed_document(schedule(listed).document, unit, unit_price_fen)
    parse_schedule(document)
    version = PriceVersion.objects.create(
        agreed_line_id=line_id, effective_from=on, document=document, published_at=now, published_by_id=actor.user_id
    )
    audit.record(actor, "price.agree", version, now, after={"line": line_id})
    return version.pk


@lru_cache(maxsize=4096)
def agreed_for(version_id: int) -> int | None:
    """The id of the instrument whose time two sides agreed a version for; None of a price list. Versions never change."""
    found: int | None = PriceVersion.objects.values_list("agreed_line__instrument_id", flat=True).get(pk=version_id)
    return found


def version_id_in_force(instrument_id: int, on: date) -> int | None:
    """The id of the version in force on a local date, or None when the instrument has no price."""
    return version_ids_in_force([instrument_id], on).get(instrument_id)


def version_ids_in_force(instrument_ids: Iterable[int], on: date) -> dict[int, int]:
    """The id of the version in force on a local date, by instrument: one query. Instruments without a price are left out."""
    rows = (
        PriceVersion.objects.filter(instrument_id__in=list(instrument_ids), effective_from__lte=on)
        .order_by("instrument_id", "-effective_from")
        .distinct("instrument_id")
    )
    return dict(rows.values_list("instrument_id", "pk"))


@lru_cache(maxsize=4096)
def schedule(version_id: int) -> PriceSchedule:
    """The compiled schedule of a version; versions never change, so it is read once per process."""
    return compile_schedule(PriceVersion.objects.values_list("document", flat=True).get(pk=version_id))


def schedules(version_ids: Iterable[int]) -> dict[int, PriceSchedule]:
    """As ``schedule`` for many versions, by id, in one query. Labs with the same rates share the compiled schedule."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, document::text FROM billing_priceversion WHERE id = ANY(%s)", [list(version_ids)])
        return {pk: _compiled(text) for pk, text in cursor.fetchall()}


@lru_cache(maxsize=4096)
def _compiled(document: str) -> PriceSchedule:
    return compile_schedule(json.loads(document))
