"""Writing a price: drafts are kept as they are typed, looked at, and published with a date for one thing or a whole family."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import F

from billing.ledger.rules.documents import DocumentError, Fault
from billing.pricing import sample_prices, services
from billing.pricing.models import PriceDraft
from billing.pricing.rules.compare import RateChange, sample_changes, schedule_changes, unconfirmed
from billing.pricing.rules.cost_recovery import CostSheet, sheet_to_json
from billing.pricing.rules.counted import CountedTerms, parse_counted
from billing.pricing.rules.samples import SamplePrice
from billing.pricing.rules.schedule import PriceSchedule, parse_schedule
from billing.pricing.rules.typed import document_of, field_of
from billing.pricing.rules.typed_costs import CostsNotRead, sheet_of
from billing.pricing.subjects import PRICERS, Kind, Subject
from config.kernel.access import Actor
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole

MOST_TYPED = 2_000
MOST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Written:
    """A draft that can be published: its document, compiled, and the cost sheet beside it."""

    document: Mapping[str, Any]
    schedule: PriceSchedule | None
    terms: CountedTerms | None
    sheet: CostSheet | None


def draft_of(subject: Subject) -> PriceDraft | None:
    """What is being written for it."""
    return PriceDraft.objects.filter(**subject.key).select_related("updated_by").first()


@whole
def save_draft(actor: Actor, subject: Subject, typed: Mapping[str, Any], seen_revision: int, now: datetime) -> PriceDraft:
    """Keep what was typed, whether or not it is a price yet. ``seen_revision``: of the draft that was opened, 0 for none.

    Raises Forbidden, Refusal ``price.draft_too_large``, Conflict ``price.draft_changed`` when somebody saved in between.
    """
    actor.require_in(subject.organisation_id, *PRICERS)
    kept = _kept(typed)
    if seen_revision == 0:
        values = {"typed": kept, "updated_at": now, "updated_by_id": actor.user_id}
        draft, created = PriceDraft.objects.get_or_create(**subject.key, defaults=values)
        if not created:
            raise Conflict.of("price.draft_changed")
        return draft
    moved = PriceDraft.objects.filter(**subject.key, revision=seen_revision).update(
        typed=kept, revision=F("revision") + 1, updated_at=now, updated_by_id=actor.user_id
    )
    if moved != 1:
        raise Conflict.of("price.draft_changed")
    return PriceDraft.objects.get(**subject.key)


@whole
def discard_draft(actor: Actor, subject: Subject, now: datetime) -> None:
    """Throw away what was being written; prices in force stay. Nothing to throw away is no mistake. Raises Forbidden."""
    actor.require_in(subject.organisation_id, *PRICERS)
    draft = PriceDraft.objects.filter(**subject.key).first()
    if draft is not None:
        audit.record(actor, "price_draft.discard", draft, now, before={"typed": draft.typed})
        draft.delete()


def faults_of(subject: Subject, typed: Mapping[str, Any]) -> list[tuple[str, Fault]]:
    """Everything that keeps what was typed from being a price: the form's field (empty: none in particular) and the fault."""
    try:
        written(subject, typed)
    except DocumentError as error:
        return [(field_of(fault.path, typed), fault) for fault in error.faults]
    except CostsNotRead as error:
        return [(name, Fault("$.cost_sheet", "not a number that can stand there")) for name in error.fields]
    return []


def written(subject: Subject, typed: Mapping[str, Any]) -> Written:
    """What was typed as a price. Raises DocumentError with every fault, CostsNotRead for the cost sheet."""
    document = document_of(typed, settings.CURRENCY)
    if subject.counts:
        terms = parse_counted(document)
        return Written(document, None, terms, sheet_of(typed, terms.rates_fen))
    schedule = parse_schedule(document)
    return Written(document, schedule, None, sheet_of(typed, schedule.rates))


def changes_of(subject: Subject, made: Written, on: date) -> list[RateChange]:
    """What differs from the prices in force on a local date; of a family from each member's, the same change once."""
    found: dict[RateChange, None] = {}
    if made.terms is not None:
        new = SamplePrice.of_terms(made.terms)
        known = sample_prices.in_force([row.pk for row in subject.test_items], on)
        for row in subject.test_items:
            before = known.get(row.pk)
            found |= dict.fromkeys(sample_changes(before.price if before else None, new))
        return list(found)
    assert made.schedule is not None
    versions = services.version_ids_in_force([row.pk for row in subject.instruments], on)
    schedules = services.schedules(versions.values())
    for instrument in subject.instruments:
        old = schedules[versions[instrument.pk]] if instrument.pk in versions else None
        found |= dict.fromkeys(schedule_changes(old, made.schedule))
    return list(found)


def large_changes(subject: Subject, made: Written, on: date) -> list[RateChange]:
    """Those that a person says yes to one by one: of prices that are in force already and jump."""
    return [change for change in changes_of(subject, made, on) if change.large]


@whole
def publish_draft(
    actor: Actor,
    subject: Subject,
    effective_from: date,
    confirmed: Collection[str],
    seen_revision: int,
    now: datetime,
) -> int:
    """Publish the draft for its thing, or for every member of its family; returns for how many. The draft is gone afterwards.

    ``confirmed`` are the keys of the large changes that were said yes to. Raises Forbidden, Conflict ``price.draft_changed``, Refusal
    ``price.invalid`` per fault, ``price.family_empty``, ``price.jump_not_confirmed`` for each that was not, and what ``publish_price``
    and ``publish_test_schedule`` raise; nothing is published then.
    """
    actor.require_in(subject.organisation_id, *PRICERS)
    draft = PriceDraft.objects.select_for_update().filter(**subject.key, revision=seen_revision).first()
    if draft is None:
        raise Conflict.of("price.draft_changed")
    try:
        made = written(subject, draft.typed)
    except DocumentError as error:
        raise _invalid(error) from error
    except CostsNotRead as error:
        raise Refusal(*(Reason("price.invalid", {"fault": "not a number"}, name) for name in error.fields)) from error
    count = _publish(actor, subject, made, effective_from, confirmed, now)
    draft.delete()
    return count


@whole
def publish_document(
    actor: Actor,
    subject: Subject,
    document: Mapping[str, Any],
    effective_from: date,
    confirmed: Collection[str],
    now: datetime,
) -> int:
    """Publish a document of any format that was written elsewhere, as ``publish_draft`` does with a draft; returns for how many things.

    Raises as that, but for the draft.
    """
    actor.require_in(subject.organisation_id, *PRICERS)
    try:
        if subject.counts:
            made = Written(document, None, parse_counted(document), None)
        else:
            made = Written(document, parse_schedule(document), None, None)
    except DocumentError as error:
        raise _invalid(error) from error
    return _publish(actor, subject, made, effective_from, confirmed, now)


def _invalid(error: DocumentError) -> Refusal:
    return Refusal(*(Reason("price.invalid", {"fault": fault.message}, fault.path) for fault in error.faults))


def _publish(
    actor: Actor, subject: Subject, made: Written, effective_from: date, confirmed: Collection[str], now: datetime
) -> int:
    if not subject.instruments and not subject.test_items:
        raise Refusal.of("price.family_empty")
    Refusal.raise_any(unconfirmed(changes_of(subject, made, effective_from), confirmed))
    sheet = sheet_to_json(made.sheet) if made.sheet is not None else None
    beside = services.Beside(sheet, subject.pk if subject.kind is Kind.FAMILY else None)
    today = subject.today(now)
    if made.terms is not None:
        for resource in subject.test_items:
            sample_prices.publish_test_schedule(actor, resource, made.terms, effective_from, now, today, beside)
    for instrument in subject.instruments:
        services.publish_price(actor, instrument, made.document, effective_from, now, today, beside)
    return len(subject.instruments) + len(subject.test_items)


def _storable(value: Any) -> str:
    """The one character that no column takes is no part of a price."""
    return str(value).replace("\x00", "")


def _kept(typed: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """What is stored of a form: texts and lists of texts. Raises Refusal ``price.draft_too_large``."""
    kept: dict[str, str | list[str]] = {}
    for name, value in typed.items():
        kept[_storable(name)] = [_storable(each) for each in value] if isinstance(value, list) else _storable(value)
    longest = max((len(text) for value in kept.values() for text in (value if isinstance(value, list) else [value])), default=0)
    if len(kept) > MOST_TYPED or longest > MOST_TEXT:
        raise Refusal.of("price.draft_too_large", most=MOST_TEXT)
    return kept
