"""The addresses of finding a time."""

from __future__ import annotations

from django.urls import path

from frontend.views import times

urlpatterns = [
    path("find-a-time/", times.find_a_time, name="find_a_time"),
    path("find-a-time/alerts/", times.time_alert_list, name="time_alert_list"),
    path("find-a-time/alerts/new", times.time_alert_create, name="time_alert_create"),
    path("find-a-time/alerts/<int:pk>/forget", times.time_alert_forget, name="time_alert_forget"),
]
