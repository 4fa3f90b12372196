"""What national reporting still lacks, counted by field and by instrument."""

from __future__ import annotations

from typing import Any

import pytest

from config.kernel.errors import Forbidden
from instruments.models import CustomsRecord, Instrument
from instruments.queries.completeness import completeness_of

pytestmark = pytest.mark.django_db


def gaps(cast: Any) -> list[tuple[str, str]]:
    found = completeness_of(cast.actor("wang"), cast.lab.pk, cast.now)
    return [(gap.field, gap.why) for one in found.instruments for gap in one.gaps]


def test_an_instrument_with_everything_lacks_nothing(known: Instrument, cast: Any) -> None:
    cast.lab.identifiers.create(scheme="uscc", value="12630000000000123E")
    assert gaps(cast) == []
    found = completeness_of(cast.actor("wang"), cast.lab.pk, cast.now)
    assert (found.total, found.complete, found.percent) == (1, 1, 100)


def test_what_is_empty_or_too_long_is_told_with_its_limit(known: Instrument, cast: Any) -> None:
    cast.lab.identifiers.create(scheme="uscc", value="12630000000000123E")
    Instrument.objects.filter(pk=known.pk).update(functions="", technical_indicators="x" * 501, model="")
    found = completeness_of(cast.actor("wang"), cast.lab.pk, cast.now)
    assert [(gap.field, gap.why, gap.length, gap.limit) for gap in found.instruments[0].gaps] == [
        ("model", "missing", 0, 0),
        ("technical_indicators", "too_long", 501, 500),
        ("functions", "missing", 0, 0),
    ]
    assert (found.percent, [(one.field, one.missing, one.too_long) for one in found.fields]) == (
        0, [("functions", 1, 0), ("model", 1, 0), ("technical_indicators", 0, 1)],
    )  # fmt: skip


def test_the_customs_part_is_asked_for_under_supervision_only(known: Instrument, cast: Any) -> None:
    cast.lab.identifiers.create(scheme="uscc", value="12630000000000123E")
    CustomsRecord.objects.all().delete()
    assert ("customs.declaration_number", "missing") in gaps(cast)
    Instrument.objects.filter(pk=known.pk).update(customs_supervised=False)
    assert gaps(cast) == []


def test_retired_instruments_are_not_counted_and_the_queries_stay_the_same(
    known: Instrument, cast: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        Instrument.objects.create(
            organisation=cast.lab, site=cast.site, calendar_id=known.calendar_id, name=f"I{number}", created_at=cast.now,
            updated_at=cast.now, status="retired" if number == 0 else "normal",
        )  # fmt: skip
    with django_assert_max_num_queries(14):
        found = completeness_of(cast.actor("wang"), cast.lab.pk, cast.now)
    assert found.total == 30
    with pytest.raises(Forbidden):
        completeness_of(cast.actor("li"), cast.lab.pk, cast.now)
