"""What is told about the end of a programme version that was proposed."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.subsidy.end_models import VersionEnd
from config.kernel.access import Role
from instruments.notice_events import Event, Group, register_events, register_groups
from instruments.services.notices import News, holders, person, tell
from instruments.services.settling import settle

ASKED, SET, REFUSED = "programme.stop_asked", "programme.stopped", "programme.stop_refused"
_WHAT = _("%(programme)s, version %(label)s: last day %(last_on)s instead of %(before_on)s")
register_groups({"programmes": Group(_("Programmes"), _("Programmes that shall end early, and what was decided."), place=42)})
register_events(
    {
        ASKED: Event(
            "programmes",
            _("The end of a programme waits for a second officer"),
            (_WHAT, _("Proposed by %(person)s"), _("Reason: %(reason)s")),
            "ban",
            needs_action=True,
            name=_("End of a programme proposed"),
        ),
        SET: Event(
            "programmes",
            _("A programme ends early"),
            (_WHAT, _("Confirmed by %(person)s"), _("Reason: %(reason)s")),
            "ban",
            name=_("End of a programme confirmed"),
        ),
        REFUSED: Event(
            "programmes",
            _("A programme goes on: its end was not confirmed"),
            (_WHAT, _("Decided by %(person)s"), _("Reason: %(reason)s")),
            "ban",
            name=_("End of a programme not confirmed"),
        ),
    }
)


def tell_asked(row: VersionEnd, name: str, now: datetime) -> None:
    """Tell the officers of the office (any office's where the programme names none) but who proposed it."""
    tell(_news(ASKED, row, name, row.reason), _officers(row) & ~person(row.asked_by_id), now)


def tell_decided(row: VersionEnd, name: str, now: datetime) -> None:
    """Nobody is waited for any more; the officers but who decided are told what was."""
    settle(row, [ASKED], now)
    done = row.state == VersionEnd.State.SET
    news = _news(SET if done else REFUSED, row, name, row.reason if done else row.answer)
    tell(news, _officers(row) & ~person(row.decided_by_id), now)


def _officers(row: VersionEnd) -> Q:
    return holders(Role.PROGRAMME_OFFICER, row.version.programme.issuer_id)


def _news(event: str, row: VersionEnd, name: str, reason: str) -> News:
    params = {
        "programme": row.version.programme.code,
        "label": row.version.label,
        "last_on": row.last_on.isoformat(),
        "before_on": row.last_before.isoformat(),
        "person": name,
        "reason": reason,
    }
    return News(event, params, f"/programmes/ends/{row.pk}/", row)
