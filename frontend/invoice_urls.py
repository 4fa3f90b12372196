"""The addresses of VAT invoices, of bills and of settlement statements: asked for by who pays, recorded by who issues."""

from __future__ import annotations

from django.urls import path

from frontend.views import invoices

urlpatterns = [
    path("invoices/", invoices.invoice_list, name="invoice_list"),
    path("invoices/export", invoices.invoice_export, name="invoice_export"),
    path("invoices/import/", invoices.invoice_import, name="invoice_import"),
    path("invoices/<int:pk>/file", invoices.invoice_file, name="invoice_file"),
    path("invoices/<int:pk>/red", invoices.invoice_red, name="invoice_red"),
    path("bills/<int:pk>/invoice/", invoices.bill_invoice, name="bill_invoice"),
    path("bills/<int:pk>/invoice/ask", invoices.invoice_ask, name="invoice_ask"),
    path("bills/<int:pk>/invoice/withdraw", invoices.invoice_withdraw, name="invoice_withdraw"),
    path("bills/<int:pk>/invoice/refuse", invoices.invoice_refuse, name="invoice_refuse"),
    path("bills/<int:pk>/invoice/record", invoices.invoice_record, name="invoice_record"),
    path("statements/<int:pk>/invoice/", invoices.statement_invoice, name="statement_invoice"),
    path("statements/<int:pk>/invoice/ask", invoices.sold_invoice_ask, name="sold_invoice_ask"),
    path("statements/<int:pk>/invoice/withdraw", invoices.sold_invoice_withdraw, name="sold_invoice_withdraw"),
    path("statements/<int:pk>/invoice/refuse", invoices.sold_invoice_refuse, name="sold_invoice_refuse"),
    path("statements/<int:pk>/invoice/record", invoices.sold_invoice_record, name="sold_invoice_record"),
]
