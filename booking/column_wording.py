"""What the columns of the lists that a lab brings along are called."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from instruments.field_wording import Word

COLUMN_NAMES: dict[str, Word] = {
    "external_id": pgettext_lazy("column of a list of bookings", "Number of the booking"),
    "instrument": pgettext_lazy("column of a list of bookings", "Instrument"),
    "email": pgettext_lazy("column of a list of bookings", "E-mail of the person"),
    "customer": pgettext_lazy("column of a list of bookings", "Organisation"),
    "starts_at": pgettext_lazy("column of a list of bookings", "Start"),
    "ends_at": pgettext_lazy("column of a list of bookings", "End"),
    "day": pgettext_lazy("column of a list of bookings", "Day"),
    "from": pgettext_lazy("column of a list of bookings", "From (time of day)"),
    "to": pgettext_lazy("column of a list of bookings", "To (time of day)"),
    "service_mode": pgettext_lazy("column of a list of bookings", "Way of service"),
    "purpose": pgettext_lazy("column of a list of bookings", "Purpose"),
    "research_project": pgettext_lazy("column of a list of bookings", "Research project"),
    "evidence": pgettext_lazy("column of a list of bookings", "Evidence"),
    "charge": pgettext_lazy("column of a list of bookings", "To be charged (past use)"),
}
