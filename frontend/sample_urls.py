"""The addresses of sample jobs."""

from __future__ import annotations

from django.urls import path

from frontend.views import ratings, sample_inbox, sample_lab, samples

urlpatterns = [
    path("samples/", samples.sample_list, name="sample_list"),
    path("samples/new/<int:pk>/", samples.sample_create, name="sample_create"),
    path("samples/new/<int:pk>/quote/", samples.sample_quote, name="sample_quote"),
    path("samples/board/", sample_lab.sample_board, name="sample_board"),
    path("samples/all/", sample_lab.sample_all, name="sample_all"),
    path("samples/scan/", sample_lab.sample_scan, name="sample_scan"),
    path("samples/at/<str:code>/", sample_lab.sample_at, name="sample_at"),
    path("samples/at/<str:code>/step/", sample_lab.sample_at_step, name="sample_at_step"),
    path("samples/<int:pk>/", samples.sample_job, name="sample_job"),
    path("samples/<int:pk>/labels/", samples.sample_labels, name="sample_labels"),
    path("samples/<int:pk>/accept/", sample_inbox.sample_accept, name="sample_accept"),
    path("samples/<int:pk>/refuse/", sample_inbox.sample_refuse, name="sample_refuse"),
    path("samples/<int:pk>/steps/", sample_lab.sample_steps_taken, name="sample_step"),
    path("samples/<int:pk>/remains/", sample_lab.sample_remains, name="sample_remains"),
    path("samples/<int:pk>/extras/", sample_lab.sample_extra_propose, name="sample_extra_propose"),
    path("samples/<int:pk>/report/", sample_lab.sample_report, name="sample_report"),
    path("samples/<int:pk>/close-out/", sample_lab.sample_close_out, name="sample_close_out"),
    path("samples/<int:pk>/confirm-grade/", sample_lab.sample_confirm_grade, name="sample_confirm_grade"),
    path("samples/<int:pk>/rate/", ratings.sample_rate, name="sample_rate"),
    path("samples/<int:pk>/cancel/", samples.sample_cancel, name="sample_cancel"),
    path("samples/<int:pk>/accept-quote/", samples.sample_accept_quote, name="sample_accept_quote"),
    path("samples/<int:pk>/commission/", samples.sample_commission, name="sample_commission"),
    path("samples/<int:pk>/parcels/", samples.sample_parcel, name="sample_parcel"),
    path("samples/extras/<int:pk>/<str:answer>/", samples.sample_extra_answer, name="sample_extra_answer"),
    path("samples/<int:pk>/object/", samples.sample_object, name="sample_object"),
    path("samples/<int:pk>/close/", samples.sample_close, name="sample_close"),
    path("samples/reports/<int:pk>/", samples.sample_report_file, name="sample_report_file"),
]
