"""The rule for one row in hand and the rule for a query are the same rule."""

from __future__ import annotations

import pytest

from config.kernel.access import NOBODY, visible_to
from instruments.access import sees_instrument
from instruments.models import Instrument
from tests.conftest import Cast

PEOPLE = ("lin", "zhao", "he", "wang", "li", "chen", "qian", "wu", "zhou", None)


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("status", ["verified", "claimed", "suspended"])
def test_a_row_in_hand_is_seen_by_exactly_those_whose_query_finds_it(cast: Cast, published: bool, status: str) -> None:
    Instrument.objects.filter(pk=cast.xrd.pk).update(published=published)
    actors = {name: cast.actor(name) if name else NOBODY for name in PEOPLE}
    cast.lab.status = status
    cast.lab.save()
    by_query = {name: visible_to(Instrument.objects.all(), actor).exists() for name, actor in actors.items()}
    by_row = {
        name: sees_instrument(actor, published=published, owner_id=cast.lab.pk, owner_status=status)
        for name, actor in actors.items()
    }
    assert by_row == by_query
    assert any(by_row.values()) and (published and status != "suspended") == all(by_row.values())
