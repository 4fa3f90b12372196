"""The addresses of people who assist in sessions."""

from __future__ import annotations

from django.urls import path

from frontend.views import assisting, unassisted

urlpatterns = [
    path("instruments/<int:pk>/assistants/", assisting.instrument_assistants, name="instrument_assistants"),
    path(
        "instruments/<int:pk>/assistants/<int:assistant>/remove/",
        assisting.instrument_assistant_remove,
        name="instrument_assistant_remove",
    ),
    path("assisting/", assisting.assisting, name="assisting"),
    path("assisting/nobody/", unassisted.unassisted_list, name="unassisted_list"),
    path("assistants/<int:pk>/", assisting.assistant_detail, name="assistant_detail"),
    path(
        "assistants/<int:pk>/absences/<int:occupancy>/remove/",
        assisting.assistant_absence_remove,
        name="assistant_absence_remove",
    ),
    path("bookings/<int:pk>/assistant", assisting.reservation_assistant, name="reservation_assistant"),
]
