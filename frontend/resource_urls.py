"""The addresses of the pages of resources that are not booked, and of requests for them."""

from __future__ import annotations

from django.urls import path

from frontend.views import resource_requests, resource_sheets, resources

urlpatterns = [
    path("resources/statistics/", resources.resource_statistics, name="resource_statistics"),
    path("resources/ours/", resources.resource_list, name="resource_list"),
    path("resources/tables/<str:kind>/", resource_sheets.sheet_start, name="resource_sheet_start"),
    path("resources/tables/<str:kind>/<int:owner>/download/", resource_sheets.sheet_download, name="resource_sheet_download"),
    path("resources/tables/<str:kind>/<int:owner>/upload/", resource_sheets.sheet_upload, name="resource_sheet_upload"),
    path("resources/tables/preview/<int:pk>/", resource_sheets.sheet_preview, name="resource_sheet_preview"),
    path("resources/tables/preview/<int:pk>/apply/", resource_sheets.sheet_apply, name="resource_sheet_apply"),
    path("resources/new/<str:kind>/", resources.resource_create, name="resource_create"),
    path("resources/<int:pk>/", resources.resource_detail, name="resource_detail"),
    path("resources/<int:pk>/quote/", resources.resource_quote, name="resource_quote"),
    path("resources/<int:pk>/edit/", resources.resource_edit, name="resource_edit"),
    path("resources/<int:pk>/price/", resources.resource_price, name="resource_price"),
    path("resources/<int:pk>/publish/", resources.resource_publish, name="resource_publish"),
    path("resources/<int:pk>/request/", resource_requests.resource_request_create, name="resource_request_create"),
    path("requests/", resource_requests.resource_request_list, name="resource_request_list"),
    path("requests/inbox/", resource_requests.resource_inbox, name="resource_inbox"),
    path("requests/<int:pk>/", resource_requests.resource_request_detail, name="resource_request_detail"),
    path("requests/<int:pk>/approve/", resource_requests.resource_request_approve, name="resource_request_approve"),
    path("requests/<int:pk>/refuse/", resource_requests.resource_request_refuse, name="resource_request_refuse"),
    path("requests/<int:pk>/deliver/", resource_requests.resource_request_deliver, name="resource_request_deliver"),
    path("requests/<int:pk>/withdraw/", resource_requests.resource_request_withdraw, name="resource_request_withdraw"),
    path("requests/<int:pk>/feedback/", resource_requests.resource_request_feedback, name="resource_request_feedback"),
    path("requests/<int:pk>/file/", resource_requests.resource_request_file, name="resource_request_file"),
]
