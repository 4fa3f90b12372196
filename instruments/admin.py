"""People, organisations and instruments in the read-only admin."""

from config.kernel.admin import show
from instruments.models import (
    CalendarEntry,
    CatalogueEntry,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    SavedSearch,
    Site,
    User,
    VerificationRequest,
)

show(
    CalendarEntry,
    CatalogueEntry,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    SavedSearch,
    Site,
    User,
    VerificationRequest,
)
