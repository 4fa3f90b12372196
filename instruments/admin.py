"""People, organisations and instruments in the read-only admin."""

from config.kernel.admin import show
from instruments.models import (
    CalendarEntry,
    CalendarSettings,
    CatalogueEntry,
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
    ImportRun,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    PolicyZone,
    SavedSearch,
    SavedMapping,
    Site,
    User,
    VerificationRequest,
)
