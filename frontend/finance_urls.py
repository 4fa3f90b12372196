"""The addresses of finance: months, statements and their documents."""

from __future__ import annotations

from django.urls import path

from frontend.views import finance, statement_proposals

urlpatterns = [
    path("finance/", finance.finance_period, name="finance_period"),
    path("finance/issue", finance.statement_issue, name="statement_issue"),
    path("statements/", finance.statement_list, name="statement_list"),
    path("statements/proposals/<int:pk>/", statement_proposals.statement_proposal, name="statement_proposal"),
    path("statements/proposals/<int:pk>/issue", statement_proposals.statement_proposal_issue, name="statement_proposal_issue"),
    path(
        "statements/proposals/<int:pk>/decline", statement_proposals.statement_proposal_decline, name="statement_proposal_decline"
    ),
    path("statements/<int:pk>/", finance.statement_detail, name="statement_detail"),
    path("statements/<int:pk>/progress", finance.statement_progress, name="statement_progress"),
    path("statements/<int:pk>/retry", finance.statement_retry, name="statement_retry"),
    path("statements/<int:pk>/files/<str:kind>", finance.statement_download, name="statement_download"),
    path("statements/<int:pk>/lines/<int:position>/", finance.statement_line, name="statement_line"),
]
