"""The addresses of what other systems ask for, and of policy zones."""

from __future__ import annotations

from django.urls import path

from frontend.views import completeness, standards

urlpatterns = [
    path("organisations/<int:pk>/national-record.xlsx", standards.national_record, name="organisation_national_record"),
    path("organisations/<int:pk>/facility-record.xlsx", standards.facility_record, name="organisation_facility_record"),
    path("organisations/<int:pk>/completeness/", completeness.completeness, name="organisation_completeness"),
    path("policy-zones/", standards.zone_list, name="zone_list"),
    path("policy-zones/new/", standards.zone_create, name="zone_create"),
    path("policy-zones/<int:pk>/", standards.zone_edit, name="zone_edit"),
]
