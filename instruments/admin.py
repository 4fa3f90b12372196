"""People, organisations and instruments in the read-only admin."""

from config.kernel.admin import show
from instruments.models import (
    CalendarEntry,
    CalendarSettings,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    Site,
    User,
    VerificationRequest,
)

show(
    CalendarEntry,
    CalendarSettings,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    Site,
    User,
    VerificationRequest,
)
