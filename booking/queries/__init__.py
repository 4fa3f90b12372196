"""Reads that pages and API share, with what an actor may see applied once."""

from booking.queries.reservations import (
    GIVEN_UP,
    LAB_ROLES,
    DaySlots,
    FeedRow,
    Week,
    approval_inbox,
    bookable_organisations,
    day_feed,
    day_of_calendar,
    free_slots,
    lab_reservations,
    last_reservation_of,
    my_reservations,
    reservation_detail,
    reservations_visible,
    sessions_of_day,
)

__all__ = [
    "GIVEN_UP",
    "LAB_ROLES",
    "DaySlots",
    "FeedRow",
    "Week",
    "approval_inbox",
    "bookable_organisations",
    "day_feed",
    "day_of_calendar",
    "free_slots",
    "lab_reservations",
    "last_reservation_of",
    "my_reservations",
    "reservation_detail",
    "reservations_visible",
    "sessions_of_day",
]
