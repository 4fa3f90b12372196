"""Every state that a row can have has a word, an icon and a tone."""

from __future__ import annotations

import pytest

from booking.rules.states import ReservationState
from frontend.icons import icon_svg
from frontend.states import kinds, look_of, states_of
from instruments.models import InstrumentStatus, OrganisationStatus
from instruments.queries.imports import FATES

TONES = {"good", "wait", "bad", "live", "info", "calm"}
ALL = [(kind, state) for kind in sorted(kinds()) for state in sorted(states_of(kind))]


@pytest.mark.parametrize(("kind", "state"), ALL)
def test_a_state_has_a_word_a_drawn_icon_and_a_known_tone(kind: str, state: str) -> None:
    look = look_of(kind, state)
    assert str(look.word)
    assert look.tone in TONES
    assert "<path" in icon_svg(look.icon)


def test_every_state_of_a_reservation_an_instrument_an_organisation_and_a_row_of_a_list_can_be_shown() -> None:
    assert states_of("reservation") == {state.value for state in ReservationState}
    assert states_of("instrument") == set(InstrumentStatus.values)
    assert states_of("organisation") == set(OrganisationStatus.values)
    assert states_of("fate") == set(FATES)


def test_an_unknown_state_is_an_error_and_not_a_blank_badge() -> None:
    with pytest.raises(KeyError):
        look_of("reservation", "lost")


def test_an_icon_that_the_build_does_not_know_is_an_error() -> None:
    with pytest.raises(KeyError):
        icon_svg("no-such-icon")
