"""Rows of several models in one hand-written statement, for the hot paths: with every reservation the ORM takes longer to word a wide
join than the database to answer it.

The objects carry only the fields that booking and money decide on or that are told to people; others are read when asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from django.db.models import JSONField, Model

from booking.models import InstrumentPolicy, Reservation
from instruments.models import Instrument, Organisation, Site

M = TypeVar("M", bound=Model)


def _fields(model: type[Model], *names: str) -> tuple[str, ...]:
    """Those of the model's columns in its own order, as ``from_db`` wants them; all without ``names``."""
    return tuple(field.attname for field in model._meta.concrete_fields if not names or field.attname in names)


INSTRUMENT = _fields(
    Instrument,
    "id",
    "organisation_id",
    "site_id",
    "calendar_id",
    "name",
    "name_en",
    "status",
    "service_modes",
    "published",
    "class_code",
    "original_value_fen",
)
SITE = _fields(Site, "id", "time_zone", "region_code")
PARTY = _fields(
    Organisation,
    "id",
    "kind",
    "status",
    "name",
    "name_en",
    "region_code",
    "policy_zones",
    "staff_count",
    "annual_revenue_fen",
    "quality_grade",
    "owner_class",
)
POLICY = _fields(InstrumentPolicy)
RESERVATION = _fields(Reservation)
INSTRUMENT_SHOWN = _fields(Instrument, *INSTRUMENT, "model", "photo_id", "training_needed")
SITE_SHOWN = _fields(Site, *SITE, "latitude", "longitude")


@cache
def _json_of(model: type[Model]) -> frozenset[str]:
    """The model's columns that come as text and are JSON."""
    return frozenset(field.attname for field in model._meta.concrete_fields if isinstance(field, JSONField))


def columns(alias: str, names: tuple[str, ...]) -> str:
    """The columns ``names`` of the table ``alias``, for a SELECT."""
    return ", ".join(f"{alias}.{name}" for name in names)


def row_of(model: type[M], names: tuple[str, ...], values: Iterator[Any]) -> M | None:
    """The next row of ``values`` as a model whose other fields stay unread; None where the join found nothing."""
    taken = list(islice(values, len(names)))
    if not taken or taken[0] is None:
        return None
    documents = _json_of(model)
    read = [
        json.loads(value) if name in documents and value is not None else value for name, value in zip(names, taken, strict=True)
    ]
    return model.from_db("default", names, read)


def with_policy(instrument: Instrument, policy: InstrumentPolicy | None) -> Instrument:
    """The instrument knows its policy, or that it has none."""
    Instrument._meta.get_field("policy").set_cached_value(instrument, policy)
    return instrument
