"""The addresses of the ledger: accounts and postings, double-entry lines, and looking whether the books are what they were."""

from __future__ import annotations

from django.urls import path

from frontend.views import ledger

urlpatterns = [
    path("ledger/", ledger.ledger_list, name="ledger_list"),
    path("ledger/export", ledger.ledger_export, name="ledger_export"),
    path("ledger/codes", ledger.ledger_codes, name="ledger_codes"),
    path("ledger/check/", ledger.ledger_check, name="ledger_check"),
    path("ledger/<int:pk>/", ledger.ledger_account, name="ledger_account"),
]
