"""The addresses of news, of how one wants to be told, of the mail log and of webhooks."""

from __future__ import annotations

from django.urls import path

from frontend.views import mail_log, notices, webhooks

urlpatterns = [
    path("notices/", notices.notice_list, name="notice_list"),
    path("notices/bell/", notices.notice_bell, name="notice_bell"),
    path("notices/read/", notices.notices_read, name="notices_read"),
    path("notices/<int:pk>/", notices.notice_open, name="notice_open"),
    path("notices/<int:pk>/read/", notices.notice_read, name="notice_read"),
    path("notices/settings/", notices.notice_settings_page, name="notice_settings"),
    path("notices/channels/<slug:channel>/", notices.channel_address, name="channel_address"),
    path("notices/channels/<slug:channel>/code/", notices.channel_code, name="channel_code"),
    path("notices/channels/<slug:channel>/forget/", notices.channel_forget, name="channel_forget"),
    path("notices/unsubscribe/<str:token>/", notices.notice_unsubscribe, name="notice_unsubscribe"),
    path("mail-log/", mail_log.mail_log, name="mail_log"),
    path("mail-log/<int:pk>/resend/", mail_log.mail_resend, name="mail_resend"),
    path("organisations/<int:pk>/webhooks/", webhooks.webhook_list, name="webhook_list"),
    path("organisations/<int:pk>/webhooks/new/", webhooks.webhook_create, name="webhook_create"),
    path("webhooks/<int:pk>/", webhooks.webhook_detail, name="webhook_detail"),
    path("webhooks/<int:pk>/test/", webhooks.webhook_test, name="webhook_test"),
    path("webhooks/<int:pk>/secret/", webhooks.webhook_secret, name="webhook_secret"),
    path("webhooks/<int:pk>/remove/", webhooks.webhook_remove, name="webhook_remove"),
    path("webhooks/deliveries/<int:pk>/redeliver/", webhooks.webhook_redeliver, name="webhook_redeliver"),
]
