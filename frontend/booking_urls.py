"""The addresses of booking: from a slot to the charge, and the programmes that subsidise it."""

from __future__ import annotations

from django.urls import path

from frontend.views import approvals, bookings, changes, maintenance, programmes, quotes, sessions

urlpatterns = [
    path("instruments/<int:pk>/slots", quotes.instrument_slots, name="instrument_slots"),
    path("instruments/<int:pk>/book", bookings.reservation_create, name="reservation_create"),
    path("instruments/<int:pk>/maintenance/", maintenance.instrument_maintenance, name="instrument_maintenance"),
    path(
        "instruments/<int:pk>/maintenance/<int:occupancy>/take-back/", maintenance.maintenance_remove, name="maintenance_remove"
    ),
    path("quotes/preview", quotes.quote_preview, name="quote_preview"),
    path("bookings/", bookings.reservation_list, name="reservation_list"),
    path("bookings/<int:pk>/", bookings.reservation_detail, name="reservation_detail"),
    path("bookings/<int:pk>/cancel", bookings.reservation_cancel, name="reservation_cancel"),
    path("bookings/<int:pk>/move", changes.reservation_move, name="reservation_move"),
    path("bookings/<int:pk>/changes/<int:change>/accept", changes.move_accept, name="move_accept"),
    path("bookings/<int:pk>/changes/<int:change>/refuse", changes.move_refuse, name="move_refuse"),
    path("bookings/<int:pk>/changes/<int:change>/withdraw", changes.move_withdraw, name="move_withdraw"),
    path("bookings/<int:pk>/accept", bookings.reservation_accept_quote, name="reservation_accept_quote"),
    path("bookings/<int:pk>/calendar.ics", bookings.reservation_calendar, name="reservation_calendar"),
    path("bookings/<int:pk>/approve", approvals.reservation_approve, name="reservation_approve"),
    path("bookings/<int:pk>/reject", approvals.reservation_reject, name="reservation_reject"),
    path("approvals/", approvals.approval_inbox, name="approval_inbox"),
    path("sessions/", sessions.sessions_today, name="sessions_today"),
    path("sessions/<int:pk>/check-in", sessions.session_check_in, name="session_check_in"),
    path("sessions/<int:pk>/check-out", sessions.session_check_out, name="session_check_out"),
    path("sessions/<int:pk>/not-used", sessions.session_no_show, name="session_no_show"),
    path("programmes/", programmes.programme_list, name="programme_list"),
    path("programmes/<slug:code>/", programmes.programme_detail, name="programme_detail"),
]
