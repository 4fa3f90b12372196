"""What is told of figures of limits: to whoever can be the second person, and to who asked."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from billing.subsidy.figure_models import CapFigure
from billing.subsidy.rules.parts.caps import Cap
from config.kernel.access import Role
from instruments.notice_events import Event, Group, register_events, register_groups
from instruments.services.notices import News, holders, person, tell
from instruments.services.settling import settle

GROUP = "figures"
ASKED, SET, REFUSED = "figure.asked", "figure.set", "figure.refused"
_WHAT = (_("%(programme)s, %(limit_kind)s: %(limit_fen)s"), _("Year: %(year)s"))
_OUTCOMES = {CapFigure.State.SET: SET, CapFigure.State.REFUSED: REFUSED}
register_groups(
    {
        GROUP: Group(
            _("Figures that programmes go by"),
            _("Figures of limits and incomes of institutions that wait for a second person, and what was decided about them."),
            place=43,
        )
    }
)
register_events(
    {
        ASKED: Event(
            GROUP,
            _("The figure of a limit waits for a second person"),
            (*_WHAT, _("Asked for by %(person)s: %(reason)s")),
            "cash",
            needs_action=True,
            name=_("Figure of a limit asked for"),
        ),
        SET: Event(
            GROUP,
            _("The figure that you asked for is set"),
            (*_WHAT, _("Set by %(person)s")),
            "circle-check",
            name=_("Figure of a limit set"),
        ),
        REFUSED: Event(
            GROUP,
            _("The figure that you asked for is not set"),
            (*_WHAT, _("Reason: %(reason)s")),
            "circle-x",
            name=_("Figure of a limit not set"),
        ),
    }
)


def tell_asked(figure: CapFigure, cap: Cap, now: datetime) -> None:
    """Tell those of the programme's office (any office's where it names none) who may set it: everybody but who asked."""
    office_id = figure.version.programme.issuer_id
    keepers = holders(Role.FINANCE, office_id) | holders(Role.PROGRAMME_OFFICER, office_id)
    tell(_news(ASKED, figure, cap, str(figure.asked_by), figure.reason), keepers & ~person(figure.asked_by_id), now)


def tell_decided(figure: CapFigure, cap: Cap, now: datetime) -> None:
    """Nobody is waited for any more; who asked is told, unless they took it back themselves."""
    settle(figure, [ASKED], now)
    if figure.decided_by_id != figure.asked_by_id:
        news = _news(_OUTCOMES[CapFigure.State(figure.state)], figure, cap, str(figure.decided_by), figure.answer)
        tell(news, person(figure.asked_by_id), now)


def _news(event: str, figure: CapFigure, cap: Cap, who: str, reason: str) -> News:
    params = {
        "programme": figure.version.programme.code,
        "limit_kind": [cap.per.value, cap.payer],
        "limit_fen": figure.limit_fen,
        "year": str(figure.year or ""),
        "person": who,
        "reason": reason,
    }
    path = f"/programmes/budgets/figures/{figure.pk}/" if event == ASKED else "/programmes/budgets/"
    return News(event, params, path, figure)
