"""People, organisations and instruments in the read-only admin."""

from config.kernel.admin import show
from instruments.models import (
    CalendarEntry,
    Code,
    ImportRun,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    PolicyZone,
    SavedMapping,
    Site,
    User,
    VerificationRequest,
)

show(
    CalendarEntry,
    Code,
    ImportRun,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    PolicyZone,
    SavedMapping,
    Site,
    User,
    VerificationRequest,
)
