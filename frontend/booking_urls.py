"""The addresses of booking: from a slot to the charge, and the programmes that subsidise it."""

from __future__ import annotations

from django.urls import path

from frontend.views import (
    approvals,
    bookings,
    check_in_codes,
    device_keys,
    here,
    maintenance,
    programmes,
    quotes,
    sessions,
    usage_problems,
    usage_review,
)

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
    path("bookings/<int:pk>/accept", bookings.reservation_accept_quote, name="reservation_accept_quote"),
    path("bookings/<int:pk>/calendar.ics", bookings.reservation_calendar, name="reservation_calendar"),
    path("bookings/<int:pk>/approve", approvals.reservation_approve, name="reservation_approve"),
    path("bookings/<int:pk>/reject", approvals.reservation_reject, name="reservation_reject"),
    path("approvals/", approvals.approval_inbox, name="approval_inbox"),
    path("sessions/", sessions.sessions_today, name="sessions_today"),
    path("sessions/<int:pk>/check-in", sessions.session_check_in, name="session_check_in"),
    path("sessions/<int:pk>/check-out", sessions.session_check_out, name="session_check_out"),
    path("sessions/<int:pk>/not-used", sessions.session_no_show, name="session_no_show"),
    path("sessions/to-agree/", usage_review.session_reviews, name="session_reviews"),
    path("sessions/problems/", usage_problems.session_problems, name="session_problems"),
    path("sessions/problems/<int:pk>/attach", usage_problems.problem_attach, name="problem_attach"),
    path("sessions/problems/<int:pk>/ignore", usage_problems.problem_ignore, name="problem_ignore"),
    path("sessions/write-down/", usage_problems.session_enter, name="session_enter"),
    path("sessions/codes/", check_in_codes.session_labels, name="session_labels"),
    path("sessions/codes/<int:pk>/code.svg", check_in_codes.session_label_code, name="session_label_code"),
    path("sessions/codes/<int:pk>/renew", check_in_codes.session_label_renew, name="session_label_renew"),
    path("sessions/codes/<int:pk>/points", check_in_codes.session_label_ticks, name="session_label_ticks"),
    path("sessions/devices/", device_keys.session_devices, name="session_devices"),
    path("sessions/devices/<int:pk>/revoke", device_keys.session_device_revoke, name="session_device_revoke"),
    path("bookings/<int:pk>/agree", usage_review.usage_agree, name="usage_agree"),
    path("bookings/<int:pk>/other-times", usage_review.usage_adjust, name="usage_adjust"),
    path("bookings/<int:pk>/answer", usage_review.usage_answer, name="usage_answer"),
    path("bookings/<int:pk>/dispute", usage_review.usage_dispute, name="usage_dispute"),
    path("bookings/<int:pk>/decide", usage_review.usage_decide, name="usage_decide"),
    path("bookings/<int:pk>/close-out", usage_review.usage_close_out, name="usage_close_out"),
    path("bookings/<int:pk>/confirm-grade", usage_review.usage_confirm_grade, name="usage_confirm_grade"),
    path("here/", here.here_now, name="here_now"),
    path("here/start", here.here_start, name="here_start"),
    path("here/extend", here.here_extend, name="here_extend"),
    path("here/end", here.here_end, name="here_end"),
    path("here/agree", here.here_agree, name="here_agree"),
    path("here/report", here.here_report, name="here_report"),
    path("here/at/<str:code>/", here.here_scan, name="here_scan"),
    path("programmes/", programmes.programme_list, name="programme_list"),
    path("programmes/<slug:code>/", programmes.programme_detail, name="programme_detail"),
]
