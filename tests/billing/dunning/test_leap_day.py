"""The page on which finance lets a customer's bills wait."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from config.kernel.errors import NotFound
from frontend.views import dunning


@pytest.mark.parametrize("typed", ["", "soon"])
def test_a_day_that_cannot_be_read_is_refused_on_a_leap_day_too(rf, monkeypatch, typed):
    """The service refuses a day that is over; it is asked with one, whatever today is."""
    asked = []

    def exempt(actor, owner, customer, until, reason, now):
        asked.append(until)
        raise NotFound.of("access.not_found", model="organisation")

    monkeypatch.setattr(dunning, "actor_of", lambda request: None)
    monkeypatch.setattr(dunning.reminding, "exempt", exempt)
    monkeypatch.setattr(dunning.timezone, "now", lambda: datetime(2028, 2, 29, 4, tzinfo=UTC))
    request = rf.post("/dunning/exempt", {"pair": "1:2", "until": typed, "reason": "r"})
    request.user = SimpleNamespace(is_authenticated=True)
    with pytest.raises(NotFound):
        dunning.dunning_exempt(request)
    assert asked == [date.min]
