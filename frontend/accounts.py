"""How allauth behaves here: mails go through the queue, in the reader's language."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.utils import translation

from config.kernel.tasks import send_mail

SITE_NAME = "Jishi"


class AccountAdapter(DefaultAccountAdapter):
    """Log-in by e-mail. A mail is a job in the caller's transaction: no change, no mail."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        user = context.get("user")
        language = getattr(user, "language", "") or translation.get_language() or settings.LANGUAGE_CODE
        site = SimpleNamespace(name=SITE_NAME, domain=urlsplit(settings.PUBLIC_URL).netloc)
        details = {"email": email, "current_site": site, **context}
        with translation.override(language):
            mail = self.render_mail(template_prefix, email, details)
        send_mail.defer(subject=str(mail.subject), text=str(mail.body), to=[email])

    def format_email_subject(self, subject: str) -> str:
        return f"{subject} · {SITE_NAME}"
