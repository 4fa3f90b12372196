"""Publishing and finding the prices of test items."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError

from billing.ledger.rules.money import plain_yuan
from billing.pricing.models import TestItemPrice
from billing.pricing.rules.compare import RateChange, sample_changes, unconfirmed
from billing.pricing.rules.counted import CountedTerms, compile_counted
from billing.pricing.rules.samples import CUSTOMER_CLASSES, UNITS, UNITS_OF_TIME, SamplePrice
from billing.pricing.services import Beside
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import constraint_name, whole
from instruments.models import Resource
from instruments.ports import ListPrice
from instruments.services import catalogue, resources

MOST_FEN = 100_000_000_000


class InForce(NamedTuple):
    """A version of a price; ``revision``: the how-manieth of its day. ``price`` is None while the lab gives it on request."""

    version_id: int
    effective_from: date
    revision: int
    unit: str
    price: SamplePrice | None


@whole
def publish_test_price(
    actor: Actor,
    resource: Resource,
    unit: str,
    amount_fen: int | None,
    class_fen: Mapping[str, int],
    effective_from: date,
    now: datetime,
    today: date,
    confirmed: Collection[str] = (),
) -> TestItemPrice:
    """Publish a price that is in force from ``effective_from`` (a local date) until the next one.

    ``confirmed`` are the keys of the large changes (``flat_changes``) that were said yes to. Raises Forbidden, Refusal
    ``price.unit_unknown``, ``price.class_unknown``, ``price.amount_out_of_range``, ``price.in_the_past``, ``price.is_a_schedule`` (a
    schedule would be in force on that day, of which a flat price knows nothing) with every reason; then
    ``price.jump_not_confirmed`` for each large change that was not; Conflict ``price.published_meanwhile``.
    """
    if not actor.has(Role.OPERATOR):
        actor.require_in(resource.organisation_id, Role.LAB_MANAGER, Role.OWNER_FINANCE)
    reasons = _reasons(unit, amount_fen, class_fen)
    if effective_from < today:
        reasons.append(Reason("price.in_the_past", {}, "effective_from"))
    before = in_force([resource.pk], effective_from).get(resource.pk)
    if before is not None and before.price is not None and before.price.terms is not None:
        reasons.append(Reason("price.is_a_schedule", {}, ""))
    Refusal.raise_any(reasons)
    Refusal.raise_any(unconfirmed(flat_changes(before, unit, amount_fen, class_fen), confirmed))
    version = TestItemPrice(
        test_item_id=resource.pk,
        effective_from=effective_from,
        revision=_revision(before, effective_from),
        unit=unit,
        amount_fen=amount_fen,
        class_fen=dict(class_fen),
        published_at=now,
        published_by_id=actor.user_id,
    )
    _write([version])
    resources.set_price_units({resource.pk: unit})
    after = {"unit": unit, "amount_fen": amount_fen, "class_fen": dict(class_fen), "effective_from": effective_from.isoformat()}
    audit.record(actor, "test_price.publish", version, now, after=after)
    catalogue.refresh_resources([resource.pk], now)
    return version


def flat_changes(before: InForce | None, unit: str, amount_fen: int | None, class_fen: Mapping[str, int]) -> list[RateChange]:
    """The large changes of a price without a schedule against the one in force, each to be said yes to by itself."""
    new = SamplePrice(unit, amount_fen, dict(class_fen)) if amount_fen is not None else None
    return [change for change in sample_changes(before.price if before is not None else None, new) if change.large]


@whole
def publish_test_schedule(
    actor: Actor,
    resource: Resource,
    terms: CountedTerms,
    effective_from: date,
    now: datetime,
    today: date,
    beside: Beside,
) -> TestItemPrice:
    """As ``publish_test_price`` for a whole schedule of what is counted. Raises Forbidden, Refusal ``price.in_the_past``, Conflict
    ``price.published_meanwhile``."""
    actor.require_in(resource.organisation_id, Role.LAB_MANAGER, Role.OWNER_FINANCE)
    if effective_from < today:
        raise Refusal.of("price.in_the_past", "effective_from")
    price = SamplePrice.of_terms(terms)
    version = TestItemPrice(
        test_item_id=resource.pk,
        effective_from=effective_from,
        revision=_revision(in_force([resource.pk], effective_from).get(resource.pk), effective_from),
        unit=price.unit,
        amount_fen=price.amount_fen,
        class_fen=dict(price.class_fen),
        document=terms.document,
        cost_sheet=beside.cost_sheet,
        family_id=beside.family_id,
        published_at=now,
        published_by_id=actor.user_id,
    )
    _write([version])
    resources.set_price_units({resource.pk: price.unit})
    after = {"unit": price.unit, "document": terms.document, "effective_from": effective_from.isoformat()}
    audit.record(actor, "test_price.publish", version, now, after=after)
    catalogue.refresh_resources([resource.pk], now)
    return version


def in_force(resource_ids: Iterable[int], on: date) -> dict[int, InForce]:
    """The versions in force on a local date, by resource: one query. Items without any version are left out."""
    rows = (
        TestItemPrice.objects.filter(test_item_id__in=list(resource_ids), effective_from__lte=on)
        .order_by("test_item_id", "-effective_from", "-revision")
        .distinct("test_item_id")
    )
    return {row.test_item_id: _compiled(row) for row in rows}


def document_of(unit: str, amount_fen: int, class_fen: Mapping[str, int]) -> dict[str, Any]:
    """The schedule of format 2 that means the same as a price without one: a rate for each class of the platform."""
    rates = {name: plain_yuan(class_fen.get(name, amount_fen)) for name in CUSTOMER_CLASSES}
    rounding = {"step": "fen", "mode": "half_up"}
    return {"format": 2, "currency": settings.CURRENCY, "unit": unit, "rates": rates, "rounding": rounding}


def counted(resource_ids: Iterable[int], on: date) -> frozenset[int]:
    """Those of the test items that samples can be sent for: with a price in force on a local date that counts them."""
    ids = list(resource_ids)
    found = in_force(ids, on) if ids else {}
    return frozenset(pk for pk, each in found.items() if each.price is not None and each.unit not in UNITS_OF_TIME)


def _compiled(row: TestItemPrice) -> InForce:
    if row.document is not None:
        price: SamplePrice | None = SamplePrice.of_terms(compile_counted(row.document))
    else:
        price = None if row.amount_fen is None else SamplePrice(row.unit, row.amount_fen, row.class_fen)
    return InForce(row.pk, row.effective_from, row.revision, row.unit, price)


def _revision(before: InForce | None, on: date) -> int:
    """Of a version that starts on a day, when ``before`` is what would be in force then."""
    return before.revision + 1 if before is not None and before.effective_from == on else 1


def _write(rows: Sequence[TestItemPrice]) -> list[TestItemPrice]:
    """Store versions. Raises Conflict ``price.published_meanwhile`` where somebody else stored one of the same day since it was looked."""
    try:
        return TestItemPrice.objects.bulk_create(rows)
    except IntegrityError as error:
        if constraint_name(error) != "test_item_price_one_per_day":
            raise
        raise Conflict.of("price.published_meanwhile") from error


def _reasons(unit: str, amount_fen: int | None, class_fen: Mapping[str, int]) -> list[Reason]:
    reasons = []
    if unit not in UNITS:
        reasons.append(Reason("price.unit_unknown", {"text": unit[:40], "known": list(UNITS)}, "unit"))
    if amount_fen is not None and not 0 <= amount_fen <= MOST_FEN:
        reasons.append(Reason("price.amount_out_of_range", {}, "amount_fen"))
    for name, fen in class_fen.items():
        if name not in CUSTOMER_CLASSES:
            params = {"text": name[:40], "known": list(CUSTOMER_CLASSES)}
            reasons.append(Reason("price.class_unknown", params, "class_fen"))
        elif not 0 <= fen <= MOST_FEN:
            reasons.append(Reason("price.amount_out_of_range", {}, "class_fen"))
    return reasons


class SamplePrices:
    """What the registry asks of prices (``instruments.ports.SamplePricePort``)."""

    def set_list_prices(
        self, actor: Actor, prices: Mapping[int, ListPrice], on: date, now: datetime
    ) -> Mapping[int, ListPrice | None]:
        """Publish the prices that differ from those in force; what classes of customers pay instead stays as it is,
        and so does a price that is a whole schedule: a list cannot say one.

        Returns what those were (None: there was none). Raises Conflict ``price.published_meanwhile``.
        """
        known = in_force(prices, on)
        listed = {pk: _list_price(version) for pk, version in known.items()}
        before: dict[int, ListPrice | None] = {}
        rows = []
        for pk, wanted in prices.items():
            version, was = known.get(pk), listed.get(pk)
            if version is not None and version.price is not None and version.price.terms is not None:
                continue
            if was == wanted or (was is None and wanted.amount_fen is None):
                continue
            before[pk] = was
            classes = version.price.class_fen if version is not None and version.price is not None else {}
            rows.append(_row(actor, pk, wanted, classes, on, now, _revision(version, on)))
        created = _write(rows)
        audit.record_many(actor, "test_price.import", TestItemPrice, [_told(row) for row in created], now)
        resources.set_price_units({pk: prices[pk].unit for pk in before})
        return before

    def list_prices(self, resource_ids: Sequence[int], on: date) -> Mapping[int, ListPrice]:
        """The prices for everybody on a local day, in one query; items without any are left out."""
        return {pk: _list_price(version) for pk, version in in_force(resource_ids, on).items()}


def _list_price(version: InForce) -> ListPrice:
    return ListPrice(version.price.amount_fen if version.price else None, version.unit)


def _told(row: TestItemPrice) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """What the audit trail keeps of a version."""
    return row.pk, {}, {"test_item": row.test_item_id, "amount_fen": row.amount_fen, "unit": row.unit}


def _row(
    actor: Actor, pk: int, wanted: ListPrice, classes: Mapping[str, int], on: date, now: datetime, revision: int
) -> TestItemPrice:
    return TestItemPrice(
        test_item_id=pk,
        effective_from=on,
        revision=revision,
        unit=wanted.unit,
        amount_fen=wanted.amount_fen,
        class_fen=dict(classes),
        published_at=now,
        published_by_id=actor.user_id,
    )
