"""People, organisations and instruments in the read-only admin."""

from config.kernel.admin import show
from instruments.models import (
    CalendarEntry,
    CalendarSettings,
    CatalogueEntry,
    Code,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    PolicyZone,
    SavedSearch,
    Site,
    User,
    VerificationRequest,
)

show(
    CalendarEntry,
    CalendarSettings,
    Code,
    CatalogueEntry,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    PolicyZone,
    SavedSearch,
    Site,
    User,
    VerificationRequest,
)
