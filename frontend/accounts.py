"""How allauth behaves here: mails go through the queue, in the reader's language; failed log-ins are counted so that nobody can
lock somebody else out from far away."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone, translation

from config.kernel.errors import Reason
from config.kernel.messages import reason_sentence
from instruments.services.notices import mail_to

SITE_NAME = "Jishi"
ADDRESS_LENGTH = 254
_APP, _EVERYWHERE = "allauth.account", "login_failed_everywhere"


class AccountAdapter(DefaultAccountAdapter):
    """Log-in by e-mail. A mail is a job in the caller's transaction: no change, no mail."""

    def clean_email(self, email: str) -> str:
        """Raises ValidationError for an address longer than we keep, instead of keeping a part of it."""
        if len(email) > ADDRESS_LENGTH:
            raise ValidationError(reason_sentence(Reason("invitation.email_invalid")))
        return str(super().clean_email(email))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        user = context.get("user")
        language = getattr(user, "language", "") or translation.get_language() or settings.LANGUAGE_CODE
        site = SimpleNamespace(name=SITE_NAME, domain=urlsplit(settings.PUBLIC_URL).netloc)
        details = {"email": email, "current_site": site, **context}
        with translation.override(language):
            mail = self.render_mail(template_prefix, email, details)
        mail_to(email, "account.mail", str(mail.subject), str(mail.body), timezone.now())

    def format_email_subject(self, subject: str) -> str:
        return f"{subject} · {SITE_NAME}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Few failures per person and address; over all addresses many more, since whoever reaches that locks the person out."""
        super().pre_authenticate(request, **credentials)
        everywhere = ratelimit.consume(request, app=_APP, action=_EVERYWHERE, key=_login(credentials))
        if not everywhere:
            raise self.validation_error("too_many_login_attempts")
        self._login_failed_rl_usage.usage += everywhere.usage  # a log-in that succeeds takes both back

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return f"{_login(credentials)} from {ratelimit.get_ip(request)}"

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        super()._delete_login_attempts_cached_email(request, **credentials)
        ratelimit.clear(request, app=_APP, action=_EVERYWHERE, key=_login(credentials))


def _login(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email", "")).lower()
