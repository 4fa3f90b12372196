"""What billing tells the catalogue: the lowest public price of an instrument or a test, and whether a programme reaches it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection

from billing.firms.rules.places import place_of
from billing.pricing.rules.lowest import lowest_public_fen
from billing.pricing.rules.samples import SamplePrice
from billing.settlement.services.assessing import SERVICE_KIND, TESTING_KIND
from billing.subsidy import services as subsidy
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.facts import Facts, Party, Service
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.reach import reaches
from instruments.queries.places import RESOURCE_PLACE

_PRICES = """
SELECT DISTINCT ON (asked.id) asked.id, (asked.at AT TIME ZONE s.time_zone)::date, p.document::text,
       o.region_code, ARRAY(SELECT jsonb_array_elements_text(o.policy_zones)), o.status = 'verified', o.quality_grade, s.region_code
  FROM unnest(%s::bigint[], %s::timestamptz[]) AS asked(id, at)
  JOIN instruments_instrument i ON i.id = asked.id
  JOIN instruments_site s ON s.id = i.site_id
  JOIN instruments_organisation o ON o.id = i.organisation_id
  JOIN billing_priceversion p ON p.instrument_id = i.id AND p.published_at <= asked.at
                              AND p.effective_from <= (asked.at AT TIME ZONE s.time_zone)::date
 ORDER BY asked.id, p.effective_from DESC"""

_TEST_PRICES = f"""
SELECT DISTINCT ON (asked.id) asked.id, (asked.at AT TIME ZONE %s)::date, p.unit, p.amount_fen, p.class_fen::text,
       o.region_code, ARRAY(SELECT jsonb_array_elements_text(o.policy_zones)), o.status = 'verified', o.quality_grade,
       {RESOURCE_PLACE}, t.service_kind
  FROM unnest(%s::bigint[], %s::timestamptz[]) AS asked(id, at)
  JOIN instruments_resource r ON r.id = asked.id
  JOIN instruments_testitem t ON t.resource_id = r.id
  JOIN instruments_organisation o ON o.id = r.organisation_id
  JOIN billing_testitemprice p ON p.test_item_id = r.id AND p.published_at <= asked.at
                              AND p.effective_from <= (asked.at AT TIME ZONE %s)::date
 ORDER BY asked.id, p.effective_from DESC, p.revision DESC"""  # noqa: S608  (our own SQL)


def offers(as_of: Mapping[int, datetime]) -> dict[int, dict[str, Any]]:
    """Price and subsidy of each instrument that has a price, as of an instant each: two statements."""
    with connection.cursor() as cursor:
        cursor.execute(_PRICES, [list(as_of), list(as_of.values())])
        rows = cursor.fetchall()
    programmes = _Programmes()
    found = {}
    for pk, on, document, *facts in rows:
        lowest = _lowest(document)
        reached = lowest is not None and programmes.reach(_facts(SERVICE_KIND, on, *facts), on, as_of[pk])
        found[pk] = {
            "price_from_fen": lowest,
            "price_unit": "hour" if lowest is not None else "",
            "subsidy_eligible": reached,
        }
    return found


def test_offers(as_of: Mapping[int, datetime]) -> dict[int, dict[str, Any]]:
    """As ``offers``, of each test item that has a price; one whose price is given on request has none here."""
    with connection.cursor() as cursor:
        cursor.execute(_TEST_PRICES, [settings.TIME_ZONE, list(as_of), list(as_of.values()), settings.TIME_ZONE])
        rows = cursor.fetchall()
    programmes = _Programmes()
    found = {}
    for pk, on, unit, amount_fen, class_fen, *facts, kind in rows:
        if amount_fen is None:
            continue
        lowest = SamplePrice(unit, amount_fen, json.loads(class_fen)).lowest_fen
        reached = programmes.reach(_facts(kind or TESTING_KIND, on, *facts), on, as_of[pk])
        found[pk] = {"price_from_fen": lowest, "price_unit": unit, "subsidy_eligible": reached}
    return found


@lru_cache(maxsize=4096)
def _lowest(document: str) -> int | None:
    """Labs with the same rates share the answer."""
    return lowest_public_fen(json.loads(document))


def _facts(kind: str, on: date, region: str, zones: list[str], verified: bool, grade: str, site_region: str) -> Facts:
    return Facts(
        provider=Party(region_code=region or None, policy_zones=frozenset(zones), verified=verified),
        instrument=place_of(site_region, region, zones),
        service=Service(kind, on, invoice_on=on, claim_on=on, approval_on=on),
        grade=grade or None,
    )


class _Programmes:
    """The published programmes, read when first asked for; answers are kept, since most instruments of an owner share them."""

    def __init__(self) -> None:
        self._versions: list[tuple[date, date, datetime, Programme]] | None = None
        self._answers: dict[tuple[Facts, datetime], bool] = {}

    def reach(self, facts: Facts, on: date, at: datetime) -> bool:
        key = (facts, at)
        if key not in self._answers:
            self._answers[key] = any(
                reaches(programme, facts)
                for first, end, published_at, programme in self._all()
                if first <= on < end and published_at <= at
            )
        return self._answers[key]

    def _all(self) -> list[tuple[date, date, datetime, Programme]]:
        if self._versions is None:
            rows = ProgrammeVersion.objects.filter(published_at__isnull=False).order_by("pk").only("valid", "published_at")
            self._versions = [
                (row.valid.lower, row.valid.upper, row.published_at, subsidy.in_force(row.pk).programme)
                for row in rows
                if row.published_at is not None
            ]
        return self._versions
