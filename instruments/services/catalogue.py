"""The catalogue: one flat row for everything that can be found, written in the transaction of the change it follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from instruments import ports
from instruments.models import Resource, ResourceKind

_REFRESH = """
INSERT INTO instruments_catalogueentry AS entry
    (kind, resource_id, organisation_id, name, name_en, name_pinyin, search, class_code, region_code, zones, technique_codes,
     service_modes, status, public, bookable, training_needed, approval_needed, price_from_fen, price_unit, subsidy_eligible,
     updated_at)
SELECT resource.kind, resource.id, resource.organisation_id, resource.name, resource.name_en, resource.name_pinyin,
       resource.search, '', COALESCE(NULLIF(resource.region_code, ''), owner.region_code), '{}', '{}', '{}', '',
       resource.published AND owner.status <> 'suspended', FALSE, FALSE, TRUE, price.amount, COALESCE(price.unit, ''), FALSE, %(now)s
  FROM instruments_resource AS resource
  JOIN instruments_organisation AS owner ON owner.id = resource.organisation_id
  LEFT JOIN unnest(%(priced)s::bigint[], %(amounts)s::bigint[], %(units)s::text[]) AS price(resource_id, amount, unit)
    ON price.resource_id = resource.id
 WHERE resource.id = ANY(%(ids)s)
    ON CONFLICT (resource_id) DO UPDATE
   SET organisation_id = EXCLUDED.organisation_id, name = EXCLUDED.name, name_en = EXCLUDED.name_en,
       name_pinyin = EXCLUDED.name_pinyin, search = EXCLUDED.search, region_code = EXCLUDED.region_code,
       public = EXCLUDED.public, price_from_fen = EXCLUDED.price_from_fen, price_unit = EXCLUDED.price_unit,
       updated_at = EXCLUDED.updated_at
"""


def refresh_resources(ids: Sequence[int], now: datetime) -> None:
    """Bring the entries of these resources in line with their rows; call it inside the transaction of the change."""
    if not ids:
        return
    tested = list(Resource.objects.filter(pk__in=ids, kind=ResourceKind.TEST_ITEM).values_list("pk", flat=True))
    prices = ports.sample_prices().public_from(tested, now) if tested else {}
    with connection.cursor() as cursor:
        cursor.execute(
            _REFRESH,
            {
                "ids": list(ids),
                "now": now,
                "priced": list(prices),
                "amounts": [price.amount_fen for price in prices.values()],
                "units": [price.unit for price in prices.values()],
            },
        )
