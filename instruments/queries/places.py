"""Where what is shared lies: one rule for the catalogue, the page and the quote."""

from __future__ import annotations

from django.db import connection

#: Its own place, else where the first instrument behind it stands, else its owner's. ``r`` is the resource, ``o`` its owner.
RESOURCE_PLACE = """coalesce(nullif(r.region_code, ''), (
           SELECT nullif(s.region_code, '') FROM instruments_testitem_instruments l
             JOIN instruments_instrument i ON i.id = l.instrument_id JOIN instruments_site s ON s.id = i.site_id
            WHERE l.testitem_id = r.id ORDER BY i.id LIMIT 1), o.region_code)"""
_ONE = f"""
SELECT {RESOURCE_PLACE} FROM instruments_resource r JOIN instruments_organisation o ON o.id = r.organisation_id WHERE r.id = %s"""  # noqa: S608


def resource_place(resource_id: int) -> str:
    """The division in which a stored resource lies; empty where nobody said."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE, [resource_id])
        return str(cursor.fetchone()[0])
