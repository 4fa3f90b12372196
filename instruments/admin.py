"""People, organisations and instruments in the read-only admin."""

from config.kernel.admin import show
from instruments.models import (
    CalendarEntry,
    CalendarSettings,
    Code,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    PolicyZone,
    Site,
    User,
    VerificationRequest,
)

show(
    CalendarEntry,
    CalendarSettings,
    Code,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    PolicyZone,
    Site,
    User,
    VerificationRequest,
)
