"""The addresses of bills, credit notes and payments."""

from __future__ import annotations

from django.urls import path

from frontend.views import bill_proposals, bills, credit_notes, hand_payments, payments

urlpatterns = [
    path("bills/", bills.bill_list, name="bill_list"),
    path("bills/open/", bills.bill_open, name="bill_open"),
    path("bills/issue", bills.bill_issue, name="bill_issue"),
    path("bills/proposals/<int:pk>/", bill_proposals.bill_proposal, name="bill_proposal"),
    path("bills/proposals/<int:pk>/issue", bill_proposals.bill_proposal_issue, name="bill_proposal_issue"),
    path("bills/proposals/<int:pk>/decline", bill_proposals.bill_proposal_decline, name="bill_proposal_decline"),
    path("bills/<int:pk>/", bills.bill_detail, name="bill_detail"),
    path("bills/<int:pk>/progress", bills.bill_progress, name="bill_progress"),
    path("bills/<int:pk>/retry", bills.bill_retry, name="bill_retry"),
    path("bills/<int:pk>/files/<str:kind>", bills.bill_download, name="bill_download"),
    path("bills/<int:pk>/void", bills.bill_void, name="bill_void"),
    path("bills/<int:pk>/write-off", bills.bill_write_off, name="bill_write_off"),
    path("bills/<int:pk>/pay", bills.bill_pay, name="bill_pay"),
    path("bills/<int:pk>/lines/<int:position>/credit/", credit_notes.bill_credit, name="bill_credit"),
    path("credit-notes/<int:pk>/", credit_notes.credit_note_detail, name="credit_note_detail"),
    path("credit-notes/<int:pk>/progress", credit_notes.credit_note_progress, name="credit_note_progress"),
    path("credit-notes/<int:pk>/retry", credit_notes.credit_note_retry, name="credit_note_retry"),
    path("credit-notes/<int:pk>/files/<str:kind>", credit_notes.credit_note_download, name="credit_note_download"),
    path("payments/", payments.payment_list, name="payment_list"),
    path("payments/give-certain", payments.payment_give_certain, name="payment_give_certain"),
    path("payments/import/", payments.payment_import, name="payment_import"),
    path("payments/by-hand/", hand_payments.hand_payment_list, name="hand_payment_list"),
    path("payments/by-hand/enter/", hand_payments.hand_payment_enter, name="hand_payment_enter"),
    path("payments/by-hand/<int:pk>/confirm", hand_payments.hand_payment_confirm, name="hand_payment_confirm"),
    path("payments/by-hand/<int:pk>/end", hand_payments.hand_payment_end, name="hand_payment_end"),
    path("payments/by-hand/<int:pk>/evidence", hand_payments.hand_payment_evidence, name="hand_payment_evidence"),
    path("payments/news/", payments.provider_news, name="provider_news"),
    path("payments/news/<int:pk>/again", payments.provider_news_again, name="provider_news_again"),
    path("payments/<int:pk>/", payments.payment_detail, name="payment_detail"),
    path("payments/<int:pk>/give", payments.payment_give, name="payment_give"),
    path("payments/<int:pk>/refund", payments.payment_refund, name="payment_refund"),
    path("payments/allocations/<int:pk>/undo", payments.payment_undo, name="payment_undo"),
]
