"""What the catalogue is made from: instruments and resources with owner, place and what belongs to them, one statement a batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import connection

from instruments.queries.places import RESOURCE_PLACE


@dataclass(frozen=True, slots=True)
class InstrumentRow:
    """An instrument, or a large facility (``kind``), as the catalogue sees it. ``measures`` are its published test items: name, matrix,
    analytes."""

    id: int
    kind: str
    owner_id: int
    owner_name: str
    owner_name_en: str
    suspended: bool
    zones: list[str]
    site_name: str
    region_code: str
    calendar_id: int
    is_open: bool
    name: str
    name_en: str
    model: str
    manufacturer: str
    technique: str
    inner_id: str
    class_code: str
    keywords: list[str]
    technique_codes: list[str]
    service_modes: list[str]
    status: str
    published: bool
    training_needed: bool
    description: str
    description_en: str
    functions: str
    service_content: str
    technical_indicators: str
    measures: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """A resource of another kind as the catalogue sees it; what only some kinds have is empty for the others."""

    id: int
    kind: str
    owner_id: int
    owner_name: str
    owner_name_en: str
    suspended: bool
    zones: list[str]
    region_code: str
    name: str
    name_en: str
    inner_id: str
    keywords: list[str]
    published: bool
    description: str
    description_en: str
    method: str
    standard: str
    matrix: str
    analytes: list[dict[str, Any]]
    price_unit: str
    taxon: str
    creators: str
    details: str
    behind: list[int]
    behind_techniques: list[str]


_INSTRUMENTS = """
SELECT i.id,
       CASE WHEN EXISTS (SELECT 1 FROM instruments_facilityrecord f WHERE f.instrument_id = i.id) THEN 'facility' ELSE 'instrument' END,
       i.organisation_id, o.name, o.name_en, o.status = 'suspended',
       ARRAY(SELECT jsonb_array_elements_text(o.policy_zones)), s.name, coalesce(nullif(s.region_code, ''), o.region_code), i.calendar_id,
       EXISTS (SELECT 1 FROM instruments_calendarentry e
                WHERE e.calendar_id = i.calendar_id AND e.kind = 'opening' AND e.removed_at IS NULL),
       i.name, i.name_en, i.model, i.manufacturer, i.technique, i.inner_id, i.class_code,
       ARRAY(SELECT jsonb_array_elements_text(i.keywords)), ARRAY(SELECT jsonb_array_elements_text(i.technique_codes)),
       ARRAY(SELECT jsonb_array_elements_text(i.service_modes)), i.status, i.published, i.training_needed,
       i.description, i.description_en, i.functions, i.service_content, i.technical_indicators,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('name', r.name, 'matrix', t.matrix, 'analytes', t.analytes) ORDER BY r.id), '[]')::text
          FROM instruments_testitem_instruments l
          JOIN instruments_testitem t ON t.resource_id = l.testitem_id
          JOIN instruments_resource r ON r.id = t.resource_id
         WHERE l.instrument_id = i.id AND r.published)
  FROM instruments_instrument i
  JOIN instruments_organisation o ON o.id = i.organisation_id
  JOIN instruments_site s ON s.id = i.site_id
 WHERE i.id = ANY(%s)
 ORDER BY i.id"""

_RESOURCES = f"""
SELECT r.id, r.kind, r.organisation_id, o.name, o.name_en, o.status = 'suspended',
       ARRAY(SELECT jsonb_array_elements_text(o.policy_zones)),
       {RESOURCE_PLACE}, r.name, r.name_en, r.inner_id,
       ARRAY(SELECT jsonb_array_elements_text(r.keywords)), r.published,
       r.description, r.description_en, coalesce(t.method, ''), coalesce(t.standard, ''), coalesce(t.matrix, ''),
       coalesce(t.analytes, '[]')::text, coalesce(t.price_unit, ''), concat_ws(' ', g.genus, g.species),
       jsonb_path_query_array(coalesce(d.creators, l.creators, '[]'), '$.** ? (@.type() == "string")')::text,
       concat_ws(' ', t.condition, t."group", d.spatial, l.publisher, l.source, l.type, d.media_types::text,
                 (SELECT string_agg(q.scheme, ' ' ORDER BY q.id) FROM instruments_qualification q WHERE q.test_item_id = r.id),
                 (SELECT string_agg(g.descriptors ->> name, ' ')
                    FROM unnest(ARRAY['ACCENUMB', 'ACCENAME', 'CROPNAME', 'ORIGCTY', 'COLLSITE', 'INSTCODE', 'catalogNumber',
                                      'scientificName', 'vernacularName', 'institutionCode', 'countryCode', 'locality']) AS name)),
       ARRAY(SELECT b.instrument_id FROM instruments_testitem_instruments b WHERE b.testitem_id = r.id),
       ARRAY(SELECT DISTINCT jsonb_array_elements_text(i.technique_codes) FROM instruments_testitem_instruments b
               JOIN instruments_instrument i ON i.id = b.instrument_id WHERE b.testitem_id = r.id)
  FROM instruments_resource r
  JOIN instruments_organisation o ON o.id = r.organisation_id
  LEFT JOIN instruments_testitem t ON t.resource_id = r.id
  LEFT JOIN instruments_germplasm g ON g.resource_id = r.id
  LEFT JOIN instruments_dataset d ON d.resource_id = r.id
  LEFT JOIN instruments_literature l ON l.resource_id = r.id
 WHERE r.id = ANY(%s)
 ORDER BY r.id"""  # noqa: S608  (our own SQL)


_MEASURES_PLACE = [field.name for field in fields(InstrumentRow)].index("measures")
_ANALYTES_PLACE = [field.name for field in fields(ResourceRow)].index("analytes")


def instrument_rows(ids: Sequence[int]) -> Iterator[InstrumentRow]:
    """The instruments of these ids that exist, by id."""
    return (InstrumentRow(*row) for row in _rows(_INSTRUMENTS, ids, _MEASURES_PLACE))


def resource_rows(ids: Sequence[int]) -> Iterator[ResourceRow]:
    """The resources of these ids that exist, by id."""
    return (ResourceRow(*row) for row in _rows(_RESOURCES, ids, _ANALYTES_PLACE))


def _rows(sql: str, ids: Sequence[int], json_place: int) -> Iterator[list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(ids)])
        found = cursor.fetchall()
    for row in found:
        values = list(row)
        values[json_place] = json.loads(values[json_place])
        yield values
