"""The addresses of prepaid money, spending limits, unpaid bills, and differences with the payment service."""

from __future__ import annotations

from django.urls import path

from frontend.views import dunning, payments, prepaid

urlpatterns = [
    path("bills/<int:pk>/dispute", dunning.bill_dispute, name="bill_dispute"),
    path("bills/<int:pk>/dispute/answer", dunning.bill_dispute_answer, name="bill_dispute_answer"),
    path("bookings/<int:pk>/order-number", prepaid.reservation_order_number, name="reservation_order_number"),
    path("samples/<int:pk>/order-number", prepaid.sample_job_order_number, name="sample_job_order_number"),
    path("dunning/", dunning.dunning_list, name="dunning_list"),
    path("dunning/exempt", dunning.dunning_exempt, name="dunning_exempt"),
    path("payments/<int:pk>/keep", prepaid.payment_keep, name="payment_keep"),
    path("payments/differences/<int:pk>/again", payments.provider_difference_again, name="provider_difference_again"),
    path("payments/differences/<int:pk>/resolve", payments.provider_difference_resolve, name="provider_difference_resolve"),
    path("payments/news/<int:pk>/close", payments.provider_news_close, name="provider_news_close"),
    path("prepaid/", prepaid.prepaid_list, name="prepaid_list"),
    path("prepaid/limits", prepaid.limit_set, name="limit_set"),
    path("prepaid/limits/<int:pk>", prepaid.limit_change, name="limit_change"),
    path("prepaid/limits/<int:pk>/close", prepaid.limit_close, name="limit_close"),
    path("prepaid/pay", prepaid.prepaid_pay, name="prepaid_pay"),
    path("prepaid/terms", prepaid.prepaid_terms, name="prepaid_terms"),
    path("prepaid/withdraw", prepaid.prepaid_withdraw, name="prepaid_withdraw"),
]
