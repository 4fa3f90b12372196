"""The sentences behind the codes: what happened, why, and what to do next, in the reader's language.

Each app registers its own at start-up (``<app>/messages.py``). Parameters that end in ``_fen`` are shown as yuan, instants
(ISO texts of parameters that end in ``_at``) and days (``_on``) in the reader's words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from config.kernel.date_wording import date_words, moment_words, zone_words
from config.kernel.errors import Reason

Sentence = str | Promise
_sentences: dict[str, Sentence] = {}
_formatters: dict[str, Callable[[Any], str]] = {}


def register(sentences: Mapping[str, Sentence]) -> None:
    """Add sentences by code; a code may be registered once."""
    double = sorted(set(sentences) & set(_sentences))
    if double:
        raise RuntimeError(f"messages registered twice: {double}")
    _sentences.update(sentences)


def register_formatter(suffix: str, formatter: Callable[[Any], str]) -> None:
    """Say how parameters whose name ends in ``suffix`` are shown."""
    _formatters[suffix] = formatter


def codes() -> frozenset[str]:
    return frozenset(_sentences)


def sentence(code: str, params: Mapping[str, Any]) -> str:
    """The sentence for ``code``; the code itself when nobody registered one (a test finds those)."""
    text = _sentences.get(code)
    return code if text is None else filled(text, params)


def filled(text: Sentence, params: Mapping[str, Any]) -> str:
    """A sentence with its parameters, each shown as its name says."""
    words = str(text)
    shown = {name: _show(name, value) for name, value in params.items()}
    if "%(starts_at)s" in words and "%(ends_at)s" in words and params["starts_at"] and params["ends_at"]:
        shown["ends_at"] = _end_of(params["starts_at"], params["ends_at"])
    return words % shown


def _end_of(starts_at: str | datetime, ends_at: str | datetime) -> str:
    """The end of something whose beginning stands beside it: its date only where that is another day."""
    starts, ends = (datetime.fromisoformat(each) if isinstance(each, str) else each for each in (starts_at, ends_at))
    return f"{ends:%H:%M}" if starts.date() == ends.date() else local_time(ends)


def reason_sentence(reason: Reason) -> str:
    """The sentence for a reason, with what it is about before it where that is one of several things."""
    text = sentence(reason.code, reason.params)
    return str(_("%(about)s: %(text)s") % {"about": reason.about, "text": text}) if reason.about else text


def _show(name: str, value: Any) -> str:
    for suffix, formatter in _formatters.items():
        if name.endswith(suffix):
            return formatter(value)
    if name.endswith("_at") and value:
        return local_time(value)
    if name.endswith("_on") and value:
        return local_date(value)
    if name == "zone":
        return zone_words(str(value))
    if isinstance(value, (list, tuple)):
        return pgettext("between the items of a list", ", ").join(str(item) for item in value)
    return str(value)


def local_time(value: str | datetime, zone: ZoneInfo | None = None) -> str:
    """An instant (ISO text or datetime) as date and time to the minute, in its own zone unless another is named."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if zone is not None:
        moment = moment.astimezone(zone)
    return moment_words(moment)


def local_date(value: str | date) -> str:
    """A day (ISO text or date)."""
    return date_words(date.fromisoformat(value) if isinstance(value, str) else value)


def duration_words(minutes: int) -> str:
    """Minutes as hours and minutes."""
    hours, rest = divmod(int(minutes), 60)
    parts = []
    if hours:
        parts.append(ngettext("%(count)s h", "%(count)s h", hours) % {"count": hours})
    if rest or not hours:
        parts.append(ngettext("%(count)s min", "%(count)s min", rest) % {"count": rest})
    return " ".join(parts)


register(
    {
        "access.not_found": _("Not found. It does not exist, or it belongs to somebody else."),
        "access.no_such_address": _("There is no such address. See /api/v1/schema/ for those that are."),
        "access.role_needed": _("This needs another role. Ask your organisation's administrator."),
        "access.login_needed": _("Your session has ended. Log in again; what you typed is kept."),
        "idempotency.key_missing": _("The Idempotency-Key header is missing: send a new random key with each action."),
        "idempotency.key_too_long": _("The Idempotency-Key may have %(max_length)s characters at most."),
        "idempotency.key_unreadable": _("The Idempotency-Key may hold printable ASCII characters only."),
        "idempotency.other_payload": _("This Idempotency-Key was used for another request. Send a new one."),
        "files.missing": _("The stored file is missing. Tell the operator."),
        "files.damaged": _("The stored file is damaged. Tell the operator."),
        "outbound.unreadable": _("This is no web address that can be read. Copy it again; it begins with https://."),
        "outbound.scheme": _("Only addresses that begin with https://, http:// or webcal:// can be read."),
        "outbound.https_only": _("Webhooks go to addresses that begin with https:// only, so that nobody on the way reads them."),
        "outbound.user_name": _(
            "An address with a user name or a password in it is not read. Ask for a link that works without."
        ),
        "outbound.port": _("Only the usual ports 80 and 443 are read. Ask the operator if the server has another one."),
        "outbound.not_public": _(
            "%(host)s lies on a private network and is not read from here. Use a public address, or ask the operator to allow it."
        ),
        "outbound.unknown_host": _("There is no server called %(host)s. Check the address."),
        "outbound.no_answer": _("%(host)s does not answer. It may be down; it is tried again."),
        "outbound.certificate": _(
            "The certificate of %(host)s is not valid, so that nobody knows who answers. Its keeper has to renew it."
        ),
        "outbound.redirect": _(
            "%(host)s sends us on to another address. Open the link in a browser and copy the address it ends at."
        ),
        "outbound.status": _("%(host)s answers with the error %(status)s instead of the file. Check that the link still works."),
        "outbound.too_big": _("%(host)s sends more than %(megabytes)s MB. Share a calendar that holds less of the past."),
        "outbound.too_slow": _("%(host)s took longer than %(seconds)s seconds. It is tried again."),
        "outbound.broken_off": _("What %(host)s sent broke off or cannot be read. It is tried again."),
        "kernel.busy": _("Many people are booking this right now. Try again in %(retry_after_seconds)s seconds."),
        "tokens.unknown_scopes": _("Choose at least one of these scopes: %(known)s."),
    }
)
