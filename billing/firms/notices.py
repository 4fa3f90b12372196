"""What is told of an owner's income from customers outside: to the officers who can confirm it, and to who declared it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.firms.income_models import OwnerIncome
from billing.firms.rules.incomes import is_of_region
from billing.subsidy.notices import GROUP
from config.kernel.access import Role
from instruments.models import Membership
from instruments.notice_events import Event, register_events
from instruments.services.notices import News, person, tell
from instruments.services.settling import settle

DECLARED, CONFIRMED, REFUSED = "income.declared", "income.confirmed", "income.refused"
_WHAT = _("%(organisation)s, %(year)s: %(income_fen)s")
register_events(
    {
        DECLARED: Event(
            GROUP,
            _("The external income of an institution waits for an officer"),
            (_WHAT, _("Declared by %(person)s")),
            "cash",
            needs_action=True,
            is_gathered=True,
            name=_("External income declared"),
        ),
        CONFIRMED: Event(
            GROUP,
            _("The external income that you declared is confirmed"),
            (_WHAT,),
            "circle-check",
            name=_("External income confirmed"),
        ),
        REFUSED: Event(
            GROUP,
            _("The external income that you declared is not confirmed"),
            (_WHAT, _("Reason: %(reason)s")),
            "circle-x",
            name=_("External income not confirmed"),
        ),
    }
)


def tell_declared(row: OwnerIncome, now: datetime) -> None:
    """Tell the officers of the owner's region, but nobody of the owner itself and not who declared it: they may not decide."""
    own = Membership.objects.filter(organisation_id=row.organisation_id).values("user")
    tell(_news(DECLARED, row, f"/external-income/{row.pk}/"), _officers(row.organisation.region_code) & ~Q(pk__in=own), now)


def tell_decided(row: OwnerIncome, now: datetime) -> None:
    """Nobody is waited for any more, and who declared it reads what came of it."""
    settle(row, [DECLARED], now)
    path = f"/organisations/{row.organisation_id}/external-income/"
    tell(_news(CONFIRMED if row.confirmed else REFUSED, row, path), person(row.declared_by_id), now)


def _officers(region_code: str) -> Q:
    """Those of the offices for a division; one query."""
    rows = Membership.objects.filter(role=Role.PROGRAMME_OFFICER).values_list("user_id", "organisation__region_code")
    return person(*sorted({user_id for user_id, code in rows if is_of_region(region_code, [code])}))


def _news(event: str, row: OwnerIncome, path: str) -> News:
    params = {
        "organisation": row.organisation.name,
        "organisation_en": row.organisation.name_en,
        "year": str(row.year),
        "income_fen": row.income_fen,
        "person": str(row.declared_by),
        "reason": row.reason,
    }
    return News(event, params, path, row)
