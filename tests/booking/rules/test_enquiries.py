"""The life of a question to a lab, against the table written out as plain words."""

import pytest

from booking.rules.enquiries import EnquiryEvent, EnquiryState, events_from, next_state
from config.kernel.errors import Refusal

STEPS = {
    ("open", "ask"): "open",
    ("open", "answer"): "answered",
    ("open", "close"): "closed",
    ("answered", "ask"): "open",
    ("answered", "answer"): "answered",
    ("answered", "close"): "closed",
    ("closed", "ask"): "open",
}


@pytest.mark.parametrize("state", EnquiryState)
@pytest.mark.parametrize("event", EnquiryEvent)
def test_every_state_takes_exactly_the_events_of_the_table(state, event):
    expected = STEPS.get((state.value, event.value))
    assert (event in events_from(state)) == (expected is not None)
    if expected is not None:
        assert next_state(state, event) == expected
        return
    with pytest.raises(Refusal) as caught:
        next_state(state, event)
    (reason,) = caught.value.reasons
    assert reason.code == "enquiry.illegal_transition"
    assert reason.params == {"state": state.value, "event": event.value}
