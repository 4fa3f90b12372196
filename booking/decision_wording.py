"""What labs answer most when they decline a request."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GIVEN_TO_ANOTHER = "given_to_another"
HOUSE_REASONS: Mapping[str, Promise] = {
    "maintenance": _("The instrument is needed for maintenance at that time."),
    "operator": _("The operator is not available then; please choose another time."),
    "say_more": _("Please say more about the sample and the method, then ask again."),
    "unsuitable": _("The instrument does not suit this method; please contact us for another one."),
    GIVEN_TO_ANOTHER: _("Another request got this time; please choose another."),
}
"""By code, for labs that keep no list of their own."""
SAMPLE_REASONS: Mapping[str, Promise] = {
    "no_capacity": _("We cannot measure so many samples by then; please ask for a later day."),
    "say_more": HOUSE_REASONS["say_more"],
    "sample_unsuitable": _("Such samples cannot be tested with this method; please contact us for another one."),
    "too_little": _("What is sent is too little for this test; please send more of each sample."),
    "hazardous": _("We cannot work with material of this hazard."),
}
"""The same, about samples."""
