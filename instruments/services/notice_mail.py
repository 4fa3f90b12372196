"""The one place that makes and sends e-mail: text and HTML in the reader's language, nothing that loads from elsewhere."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from email.mime.text import MIMEText
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import ngettext

from instruments.models import Notice, User
from instruments.notice_events import Calendar, Words, events, groups, one_line, words_of
from instruments.services.channels import Undeliverable
from instruments.services.notice_settings import unsubscribe_token

_NEVER = range(550, 560)
"""SMTP answers of a mailbox that does not exist or refuses: trying again changes nothing."""


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of news in a mail."""

    words: Words
    url: str


def message_id(delivery_id: int) -> str:
    """The same for every attempt, so that a mail program which gets a second copy can tell."""
    return f"<notice-{delivery_id}@{urlsplit(settings.PUBLIC_URL).hostname or 'jishi'}>"


def send_notices(notices: Sequence[Notice], person: User, identity: str) -> None:
    """One mail about one or several notices of a person. Raises Undeliverable, or what the mail server's library raises."""
    with translation.override(person.language):
        items = [Item(words_of(one.event, one.params), link(one.path)) for one in notices]
        mail = _mail(_title(items), items, person.email, identity, _unsubscribe(notices, person))
        if len(notices) == 1:
            _attach(mail, calendar_of(notices[0], person.email))
    hand_over(mail)


def send_ready(title: str, text: str, address: str, identity: str) -> None:
    """A mail whose text was written before. Raises as ``send_notices``."""
    hand_over(EmailMultiAlternatives(one_line(title), text, to=[address], headers=_headers(identity)))


def calendar_of(notice: Notice, address: str) -> Calendar | None:
    """What goes into the reader's calendar: the thing as it is now, so that mails which overtake each other bring nothing back."""
    make = events()[notice.event].calendar if notice.event in events() else None
    return make(int(notice.object_id), address) if make is not None and notice.object_id else None


def hand_over(mail: EmailMultiAlternatives) -> None:
    """Give it to the mail server. Raises Undeliverable for what the server will never take, else what its library raises."""
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _text in refused.recipients.values()]
        if codes and all(code in _NEVER for code in codes):
            raise Undeliverable(f"SMTP {codes[0]}") from None
        raise


def rendered(items: Sequence[Item], title: str, unsubscribe: str) -> tuple[str, str]:
    """(text, HTML) of a mail."""
    context = {"title": title, "items": items, "settings_url": link(reverse("notice_settings")), "unsubscribe_url": unsubscribe}
    text = render_to_string("notices/mail.txt", context).strip() + "\n"
    return text, render_to_string("notices/mail.html", context)


def _mail(title: str, items: Sequence[Item], address: str, identity: str, unsubscribe: str) -> EmailMultiAlternatives:
    text, html = rendered(items, title, unsubscribe)
    headers = _headers(identity)
    if unsubscribe:
        headers |= {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    mail = EmailMultiAlternatives(one_line(title), text, to=[address], headers=headers)
    mail.attach_alternative(html, "text/html")
    return mail


def _headers(identity: str) -> dict[str, str]:
    return {"Message-ID": identity, "Auto-Submitted": "auto-generated"}


def _title(items: Sequence[Item]) -> str:
    if len(items) == 1:
        return items[0].words.title
    return ngettext("%(count)s piece of news from Jishi", "%(count)s pieces of news from Jishi", len(items)) % {
        "count": len(items)
    }


def _unsubscribe(notices: Sequence[Notice], person: User) -> str:
    """Ends mails about the first notice's group; a digest's link leads to ending all of its groups."""
    wanted = sorted({one.group for one in notices} & set(groups()))
    return link(reverse("notice_unsubscribe", args=[unsubscribe_token(person.pk, wanted)])) if wanted else ""


def _attach(mail: EmailMultiAlternatives, calendar: Calendar | None) -> None:
    """As an invitation that mail programs understand by themselves, and as a file for the others."""
    if calendar is None:
        return
    part = MIMEText(calendar.content.decode(), "calendar", "utf-8")
    part.set_param("method", calendar.method)
    part.add_header("Content-Disposition", "attachment", filename="reservation.ics")
    mail.attach(part)


def link(path: str) -> str:
    """The address of a page of ours for people who read it elsewhere."""
    return settings.PUBLIC_URL + path if path else ""
