"""The open data of every kind of resource: streams that hold a few at a time, and the catalogue that describes them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Prefetch, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from config.kernel.access import NOBODY, visible_to
from config.kernel.errors import NotFound
from instruments import ports
from instruments.models import Instrument, Resource, ResourceKind
from instruments.open_data_wording import SET_DESCRIPTIONS, SET_TITLES
from instruments.queries import public_records
from instruments.queries.national import page_address as instrument_address
from instruments.rules.standards import open_resources
from instruments.rules.standards.open_catalogue import Download, OpenSet
from instruments.rules.standards.open_resources import PublicResource
from instruments.rules.standards.public import LICENCE_ID, LICENCE_NAME, LICENCE_URL
from instruments.services.resource_parts import QUALIFICATION_FIELDS, part_of

_CHUNK = 500
#: The sets beside the instruments, by the name in their address, with the kind of their resources.
KINDS: dict[str, str] = {
    "test-items": ResourceKind.TEST_ITEM.value,
    "datasets": ResourceKind.DATASET.value,
    "literature": ResourceKind.LITERATURE.value,
    "germplasm": ResourceKind.GERMPLASM.value,
}
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def resource_stream(name: str, layout: str, now: datetime, owner_id: int | None = None) -> Iterator[bytes]:
    """All published resources of a set, or those of one owner, by number, a few at a time. Raises NotFound for a set, a format or an owner
    that is none."""
    if name not in KINDS or layout not in MEDIA_TYPES:
        raise NotFound.of("access.not_found", model="format")
    kind = KINDS[name]
    records = _records(public_records.of_owner(_published().filter(kind=kind), owner_id), kind, timezone.localdate(now))
    return _csv(kind, records) if layout == "csv" else _json(name, records)


def open_sets(owner_id: int | None = None) -> list[OpenSet]:
    """Every set with its files, how much is in it and when it changed last, of everybody or of one owner: two queries, and one for the
    owner each. Raises NotFound."""
    instruments = public_records.of_owner(visible_to(Instrument.objects.all(), NOBODY), owner_id)
    told: dict[str, tuple[int, datetime | None]] = {"instruments": _extent(instruments)}
    rows = (
        public_records.of_owner(_published(), owner_id)
        .values("kind")
        .annotate(found=Count("pk"), newest=Max("updated_at"))
        .order_by()
    )
    by_kind = {row["kind"]: (row["found"], row["newest"]) for row in rows}
    told |= {name: by_kind.get(kind, (0, None)) for name, kind in KINDS.items()}
    return [_set(name, *extent, owner_id) for name, extent in told.items()]


def page_address() -> str:
    """The whole address of the page that lists the sets."""
    return settings.PUBLIC_URL + reverse("open_data")


def _extent(rows: QuerySet[Any]) -> tuple[int, datetime | None]:
    found = rows.aggregate(found=Count("pk"), newest=Max("updated_at"))
    return found["found"], found["newest"]


def _set(name: str, count: int, newest: datetime | None, owner_id: int | None) -> OpenSet:
    layouts = (
        {one: found.media_type for one, found in public_records.BULK_LAYOUTS.items()} if name == "instruments" else MEDIA_TYPES
    )
    words = {}
    for language in ("en", "zh-hans"):
        with override(language):
            words[language] = (str(SET_TITLES[name]), str(SET_DESCRIPTIONS[name]))
    return OpenSet(
        code=name,
        url=f"{page_address()}#{name}",
        title=words["en"][0],
        title_zh=words["zh-hans"][0],
        description=words["en"][1],
        description_zh=words["zh-hans"][1],
        count=count,
        modified=timezone.localdate(newest).isoformat() if newest else "",
        downloads=tuple(
            Download(layout, media_type.partition(";")[0], _file(name, layout, owner_id))
            for layout, media_type in layouts.items()
        ),
    )


def _file(name: str, layout: str, owner_id: int | None) -> str:
    to = reverse("api_open_data", args=[layout]) if name == "instruments" else reverse("api_open_resources", args=[name, layout])
    return settings.PUBLIC_URL + to + (f"?owner={owner_id}" if owner_id is not None else "")


def _published() -> QuerySet[Resource]:
    return visible_to(Resource.objects.filter(published=True), NOBODY)


def _records(published: QuerySet[Resource], kind: str, today: date) -> Iterator[PublicResource]:
    rows = published.select_related("organisation", kind).prefetch_related(*_beside(kind)).order_by("pk")
    batch: list[Resource] = []
    for resource in rows.iterator(chunk_size=_CHUNK):
        batch.append(resource)
        if len(batch) == _CHUNK:
            yield from _batch(batch, today)
            batch = []
    yield from _batch(batch, today)


def _beside(kind: str) -> list[str | Prefetch]:
    """What hangs on the typed part, whose relation is called as the kind is; of its instruments those that everybody sees."""
    found: list[str | Prefetch] = [f"{kind}__qualifications"] if "qualifications" in open_resources.PARTS[kind] else []
    if "instruments" in open_resources.PARTS[kind]:
        found.append(Prefetch(f"{kind}__instruments", visible_to(Instrument.objects.order_by("pk"), NOBODY)))
    return found


def _batch(batch: Sequence[Resource], today: date) -> Iterator[PublicResource]:
    ids = [one.pk for one in batch if one.kind == ResourceKind.TEST_ITEM]
    prices = ports.sample_prices().list_prices(ids, today) if ids else {}
    for resource in batch:
        price = prices.get(resource.pk)
        beside: dict[str, Any] = {}
        if resource.kind == ResourceKind.TEST_ITEM:
            amount = None if price is None or price.amount_fen is None else Decimal(price.amount_fen) / 100
            beside = {"price_yuan": amount, "currency": "" if amount is None else settings.CURRENCY}
            beside["price_unit"] = resource.test_item.price_unit if price is None else price.unit
            rows = sorted(resource.test_item.qualifications.all(), key=lambda row: row.pk)
            beside["qualifications"] = [{name: getattr(row, name) for name in QUALIFICATION_FIELDS} for row in rows]
        yield PublicResource(resource.kind, _core(resource), _part(resource, beside), resource.updated_at)


def _core(resource: Resource) -> dict[str, Any]:
    names = (
        "name",
        "name_en",
        "inner_id",
        "description",
        "description_en",
        "keywords",
        "region_code",
        "access_terms",
        "doi",
        "cstr",
    )
    return {name: getattr(resource, name) for name in names} | {
        "id": resource.pk,
        "url": settings.PUBLIC_URL + reverse("resource_detail", args=[resource.pk]),
        "owner": resource.organisation.name,
        "owner_en": resource.organisation.name_en,
        "resource_licence": resource.licence,
    }


def _part(resource: Resource, beside: dict[str, Any]) -> dict[str, Any]:
    part = part_of(resource)
    names = [name for name in open_resources.PARTS[resource.kind] if name not in {*beside, "instruments"}]
    values = {name: getattr(part, name) for name in names} | beside
    if "instruments" in open_resources.PARTS[resource.kind]:
        values["instruments"] = [instrument_address(one.pk) for one in part.instruments.all()]
    return values


class _Line:
    """A file that gives back what was written to it last."""

    def write(self, text: str) -> str:
        return text


def _csv(kind: str, records: Iterator[PublicResource]) -> Iterator[bytes]:
    writer = csv.writer(_Line())
    yield ("\ufeff" + str(writer.writerow(open_resources.head(kind)))).encode()
    for one in records:
        yield str(writer.writerow(open_resources.row(one))).encode()


def _json(name: str, records: Iterator[PublicResource]) -> Iterator[bytes]:
    licence = json.dumps({"id": LICENCE_ID, "name": LICENCE_NAME, "url": LICENCE_URL})
    yield f'{{"licence": {licence}, "{name}": [\n'.encode()
    before = ""
    for one in records:
        yield (before + json.dumps(open_resources.record(one), ensure_ascii=False, indent=1)).encode()
        before = ",\n"
    yield b"\n]}\n"
