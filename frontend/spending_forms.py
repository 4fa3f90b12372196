"""Forms about research groups and fund cards. The services check; a form only carries what was typed."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.cards.queries import CardBalance
from billing.cards.services import CardFacts
from billing.ledger.rules.money import FEN_PER_YUAN
from frontend.firm_forms import fen
from frontend.training_forms import WithChoices
from frontend.yuan_typed import YuanField
from instruments.models import FundCard, ResearchGroup
from instruments.queries import Member

_LONG = 2000  # the services say what really fits


def _date() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _amount(label: Any, hint: Any) -> YuanField:
    return YuanField(label=label, help_text=hint, required=False)


def to_yuan(fen: int | None) -> Decimal | None:
    """An amount as it stands in a field."""
    return None if fen is None else Decimal(fen) / FEN_PER_YUAN


class GroupForm(WithChoices):
    """Name, leader, and above which amount the leader is asked."""

    name = forms.CharField(label=_("Name of the group"), max_length=_LONG)
    leader = forms.ChoiceField(label=_("Leader"), help_text=_("A person of the organisation, who agrees to larger bookings."))
    threshold_fen = _amount(
        _("The leader agrees above (yuan)"), _("For one booking. 0: to every booking. Empty: the leader is never asked.")
    )

    def __init__(self, people: Iterable[Member], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices("leader", [("", _("Choose")), *((str(one.user_id), one.name) for one in people)])


class MemberForm(WithChoices):
    """Who spends for the group, from when until when."""

    user = forms.ChoiceField(label=_("Colleague"))
    from_on = forms.DateField(label=_("From"), widget=_date())
    until_on = forms.DateField(label=_("Until"), required=False, widget=_date(), help_text=_("The last day. Empty: for now."))

    def __init__(self, people: Iterable[Member], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices("user", [("", _("Choose")), *((str(one.user_id), one.name) for one in people)])


class CardForm(forms.Form):
    """A fund card and what is on it."""

    number = forms.CharField(label=_("Card number"), max_length=_LONG, help_text=_("As the finance office knows it."))
    title = forms.CharField(label=_("Project or source of the money"), max_length=_LONG)
    valid_from = forms.DateField(label=_("Valid from"), widget=_date())
    valid_until = forms.DateField(
        label=_("Valid until"), widget=_date(), help_text=_("The last day of a session that it can pay.")
    )
    budget_fen = _amount(_("Budget (yuan)"), _("What may be spent in all. Empty: no limit."))
    threshold_fen = _amount(
        _("The leader agrees above (yuan)"), _("For one booking, in place of the group's amount. Empty: as the group says.")
    )

    def facts(self) -> CardFacts:
        """What was typed; the form is valid."""
        said = self.cleaned_data
        return CardFacts(
            said["number"],
            said["title"],
            said["valid_from"],
            said["valid_until"],
            fen(said["budget_fen"]),
            fen(said["threshold_fen"]),
        )


def group_initial(group: ResearchGroup) -> dict[str, Any]:
    """The group as its form shows it."""
    return {"name": group.name, "leader": str(group.leader_id), "threshold_fen": to_yuan(group.threshold_fen)}


def card_initial(card: FundCard, balance: CardBalance) -> dict[str, Any]:
    """The card as its form shows it."""
    return {
        "number": card.number,
        "title": card.title,
        "valid_from": card.valid_from,
        "valid_until": card.valid_until,
        "budget_fen": to_yuan(balance.budget_fen),
        "threshold_fen": to_yuan(card.threshold_fen),
    }
