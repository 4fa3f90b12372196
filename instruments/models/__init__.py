from instruments.models.instrument import (
    BOOKABLE_STATUSES,
    CalendarEntry,
    CalendarEntryKind,
    Instrument,
    InstrumentStatus,
    ServiceMode,
    Site,
)
from instruments.models.organisation import (
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    OrganisationKind,
    OrganisationStatus,
    OwnerClass,
    VerificationRequest,
)
from instruments.models.user import User

__all__ = [
    "BOOKABLE_STATUSES",
    "CalendarEntry",
    "CalendarEntryKind",
    "Instrument",
    "InstrumentStatus",
    "Invitation",
    "JoinRequest",
    "Membership",
    "Organisation",
    "OrganisationIdentifier",
    "OrganisationKind",
    "OrganisationStatus",
    "OwnerClass",
    "ServiceMode",
    "Site",
    "User",
    "VerificationRequest",
]
