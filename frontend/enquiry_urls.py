"""The addresses of questions to labs, quotations and commission sheets."""

from __future__ import annotations

from django.urls import path

from frontend.views import commissions, enquiries, needs, quotations

urlpatterns = [
    path("enquiries/", enquiries.enquiry_list, name="enquiry_list"),
    path("enquiries/inbox/", enquiries.enquiry_inbox, name="enquiry_inbox"),
    path("enquiries/new/", enquiries.enquiry_create, name="enquiry_create"),
    path("enquiries/<int:pk>/", enquiries.enquiry_detail, name="enquiry_detail"),
    path("enquiries/<int:pk>/write/", enquiries.enquiry_write, name="enquiry_write"),
    path("enquiries/<int:pk>/close/", enquiries.enquiry_close, name="enquiry_close"),
    path("enquiries/<int:pk>/quotation/", quotations.quotation_create, name="quotation_create"),
    path("enquiries/files/<int:pk>/", enquiries.enquiry_file, name="enquiry_file"),
    path("enquiries/answer-time/<int:pk>/", enquiries.answer_time_set, name="answer_time_set"),
    path("needs/new/", needs.need_create, name="need_create"),
    path("needs/<int:pk>/", needs.need_detail, name="need_detail"),
    path("quotations/<int:pk>/", quotations.quotation_detail, name="quotation_detail"),
    path("quotations/<int:pk>/edit/", quotations.quotation_edit, name="quotation_edit"),
    path("quotations/<int:pk>/send/", quotations.quotation_send, name="quotation_send"),
    path("quotations/<int:pk>/withdraw/", quotations.quotation_withdraw, name="quotation_withdraw"),
    path("quotations/<int:pk>/accept/", quotations.quotation_accept, name="quotation_accept"),
    path("quotations/<int:pk>/decline/", quotations.quotation_decline, name="quotation_decline"),
    path("quotations/<int:pk>/pdf/", quotations.quotation_pdf, name="quotation_pdf"),
    path("quotations/<int:pk>/retry/", quotations.quotation_retry, name="quotation_retry"),
    path("commissions/", commissions.commission_list, name="commission_list"),
    path("commissions/<int:pk>/", commissions.commission_detail, name="commission_detail"),
    path("commissions/<int:pk>/edit/", commissions.commission_edit, name="commission_edit"),
    path("commissions/<int:pk>/issue/", commissions.commission_issue, name="commission_issue"),
    path("commissions/<int:pk>/sign/", commissions.commission_sign, name="commission_sign"),
    path("commissions/<int:pk>/scan/", commissions.commission_scan, name="commission_scan"),
    path("commissions/<int:pk>/cancel/", commissions.commission_cancel, name="commission_cancel"),
    path("commissions/<int:pk>/finish/", commissions.commission_finish, name="commission_finish"),
    path("commissions/<int:pk>/link/", commissions.commission_link, name="commission_link"),
    path("commissions/<int:pk>/charge/", commissions.commission_charge, name="commission_charge"),
    path("commissions/<int:pk>/unlink/", commissions.commission_unlink, name="commission_unlink"),
    path("commissions/<int:pk>/pdf/<str:copy>/", commissions.commission_pdf, name="commission_pdf"),
    path("commissions/<int:pk>/retry/", commissions.commission_retry, name="commission_retry"),
    path("commissions/<int:pk>/scan/<str:side>/", commissions.commission_scan_file, name="commission_scan_file"),
]
