"""The addresses of the import pages."""

from __future__ import annotations

from django.urls import path

from frontend.views import imports

urlpatterns = [
    path("imports/", imports.import_list, name="import_list"),
    path("imports/<int:pk>/", imports.import_run, name="import_run"),
    path("imports/<int:pk>/progress/", imports.import_progress, name="import_progress"),
    path("imports/<int:pk>/columns/", imports.import_columns, name="import_columns"),
    path("imports/<int:pk>/read-again/", imports.import_read_again, name="import_read_again"),
    path("imports/<int:pk>/confirm/", imports.import_confirm, name="import_confirm"),
    path("imports/<int:pk>/cancel/", imports.import_cancel, name="import_cancel"),
    path("imports/<int:pk>/go-on/", imports.import_go_on, name="import_go_on"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import_undo"),
    path("imports/<int:pk>/report.csv", imports.import_report, name="import_report"),
    path("imports/<int:pk>/file/", imports.import_file, name="import_file"),
    path("imports/mappings/new/", imports.mapping_add, name="mapping_add"),
    path("imports/mappings/<int:pk>/file/", imports.mapping_file, name="mapping_file"),
    path("imports/mappings/<int:pk>/rename/", imports.mapping_rename, name="mapping_rename"),
    path("imports/mappings/<int:pk>/delete/", imports.mapping_forget, name="mapping_forget"),
]
