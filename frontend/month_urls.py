"""The addresses of finance's month: the board, drafts, exports and evidence."""

from __future__ import annotations

from django.urls import path

from frontend.views import month, month_exports, month_runs

urlpatterns = [
    path("month/", month.month_board, name="month_board"),
    path("month/unconfirmed/", month.month_unconfirmed, name="month_unconfirmed"),
    path("month/prepare/", month.month_prepare, name="month_prepare"),
    path("month/close", month.month_close, name="month_close"),
    path("month/runs/<int:pk>/", month_runs.month_run, name="month_run"),
    path("month/runs/<int:pk>/move", month_runs.month_run_move, name="month_run_move"),
    path("month/drafts/<int:pk>/", month_runs.month_draft, name="month_draft"),
    path("month/drafts/<int:pk>/paper.html", month_runs.month_draft_paper, name="month_draft_paper"),
    path("month/lines/<int:pk>/", month_runs.month_line, name="month_line"),
    path("month/exports/", month_exports.month_export_start, name="month_export_start"),
    path("month/exports/<int:pk>/", month_exports.month_export, name="month_export"),
    path("month/exports/<int:pk>/progress", month_exports.month_export_progress, name="month_export_progress"),
    path("month/exports/<int:pk>/change", month_exports.month_export_change, name="month_export_change"),
    path("month/exports/<int:pk>/archive.zip", month_exports.month_export_file, name="month_export_file"),
    path("bills/<int:pk>/evidence.zip", month_exports.bill_evidence, name="bill_evidence"),
    path("claims/<int:pk>/evidence.zip", month_exports.claim_pack, name="claim_pack"),
    path("statements/<int:pk>/evidence.zip", month_exports.statement_evidence, name="statement_evidence"),
]
