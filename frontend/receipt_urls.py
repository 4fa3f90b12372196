"""The addresses of receipts and statements of account."""

from __future__ import annotations

from django.urls import path

from frontend.views import receipts

_KINDS = (("receipts", "receipt"), ("account-statements", "account_statement"))
_ACTS = (
    ("", receipts.paper_detail, "detail"),
    ("progress", receipts.paper_progress, "progress"),
    ("retry", receipts.paper_retry, "retry"),
    ("files/<str:layout>", receipts.paper_download, "download"),
)
urlpatterns = [
    path("receipts/", receipts.receipt_list, name="receipt_list"),
    path("receipts/issue", receipts.receipt_issue, name="receipt_issue"),
    path("account-statements/issue", receipts.account_statement_issue, name="account_statement_issue"),
    *(
        path(f"{place}/<int:pk>/{act}", view, {"kind": kind}, name=f"{kind}_{name}")
        for place, kind in _KINDS
        for act, view, name in _ACTS
    ),
]
