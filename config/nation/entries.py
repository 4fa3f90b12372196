"""The catalogue entries of the synthetic country, by one statement over what was written."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def write(now: datetime) -> int:
    """An entry for every instrument that has none; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, {"now": now})
        return int(cursor.rowcount)


_WRITE = """
INSERT INTO instruments_catalogueentry
    (kind, instrument_id, organisation_id, calendar_id, name, name_en, name_pinyin, search, class_code, region_code, zones,
     technique_codes, service_modes, status, public, bookable, training_needed, approval_needed, price_from_fen, price_unit,
     subsidy_eligible, updated_at)
SELECT 'instrument', i.id, i.organisation_id, i.calendar_id, i.name, i.name_en, i.name_pinyin, i.search, i.class_code, s.region_code, '{}',
       ARRAY(SELECT jsonb_array_elements_text(i.technique_codes)), ARRAY(SELECT jsonb_array_elements_text(i.service_modes)), i.status,
       i.published AND o.status <> 'suspended',
       i.status IN ('normal', 'occasionally_faulty')
           AND EXISTS (SELECT FROM instruments_calendarentry e WHERE e.calendar_id = i.calendar_id AND e.kind = 'opening'),
       i.training_needed, coalesce(p.approval_required, true),
       (SELECT min(rate::numeric * 100) FROM jsonb_each_text(price.document -> 'rates') AS r (class, rate) WHERE class <> 'inside'),
       CASE WHEN price.id IS NULL THEN '' ELSE 'hour' END, price.id IS NOT NULL, %(now)s
  FROM instruments_instrument i
  JOIN instruments_site s ON s.id = i.site_id
  JOIN instruments_organisation o ON o.id = i.organisation_id
  LEFT JOIN booking_instrumentpolicy p ON p.instrument_id = i.id
  LEFT JOIN LATERAL (SELECT id, document FROM billing_priceversion WHERE instrument_id = i.id
                     AND effective_from <= %(now)s::date ORDER BY effective_from DESC LIMIT 1) price ON true
ON CONFLICT (instrument_id) DO NOTHING
"""
