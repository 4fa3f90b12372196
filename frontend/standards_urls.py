"""The addresses of what other systems ask for, of policy zones and code lists."""

from __future__ import annotations

from django.urls import path

from frontend.views import centres, code_lists, completeness, standards

urlpatterns = [
    path("organisations/<int:pk>/national-record.xlsx", standards.national_record, name="organisation_national_record"),
    path("organisations/<int:pk>/national-record.json", standards.national_messages, name="organisation_national_messages"),
    path("organisations/<int:pk>/facility-record.xlsx", standards.facility_record, name="organisation_facility_record"),
    path("organisations/<int:pk>/completeness/", completeness.completeness, name="organisation_completeness"),
    path("organisations/<int:pk>/centres/", centres.centre_list, name="centre_list"),
    path("organisations/<int:pk>/centres/new/", centres.centre_create, name="centre_create"),
    path("organisations/<int:pk>/centre-record.xlsx", centres.centre_record, name="centre_record"),
    path("centres/<int:pk>/", centres.centre_edit, name="centre_edit"),
    path("centres/<int:pk>/remove/", centres.centre_remove, name="centre_remove"),
    path("code-lists/", code_lists.code_list, name="code_list"),
    path("code-lists/<int:pk>/take-back/", code_lists.code_list_take_back, name="code_list_take_back"),
    path("policy-zones/", standards.zone_list, name="zone_list"),
    path("policy-zones/new/", standards.zone_create, name="zone_create"),
    path("policy-zones/<int:pk>/", standards.zone_edit, name="zone_edit"),
]
