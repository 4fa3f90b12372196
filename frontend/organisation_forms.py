"""Forms about organisations and their people. Everything is checked by the services; a form only carries what was typed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import Reason, Refusal
from frontend.forms import refusal_to_form
from frontend.yuan_typed import YuanField
from instruments.models import OrganisationKind
from instruments.queries.codes import zones_on
from instruments.queries.divisions import selectable
from instruments.rules.regions import Language
from instruments.rules.roles import ROLES
from instruments.services.organisation_facts import OrganisationFacts
from instruments.wording import OWNER_CLASS_NAMES, ROLE_NAMES, SCHEME_NAMES, SCOPE_NAMES

CODE_SCHEMES: dict[str, tuple[str, ...]] = {
    OrganisationKind.FIRM: ("uscc", "foreign-registration"),
    OrganisationKind.TEAM: ("uscc",),
    OrganisationKind.OWNER: ("uscc", "ror", "uk-ukprn", "foreign-registration"),
    OrganisationKind.GOVERNMENT: ("uscc",),
}
_CODE_HINTS: dict[str, Promise | str] = {
    "uscc": _("18 characters, on the licence. Blanks and small letters are fine."),
    "ror": _("Like 05qbk4x57, if there is one."),
}
#: Levels of a division.
_PROVINCE, _PREFECTURE = 1, 2
_LONG = 2000  # the services say what really fits


class OrganisationForm(forms.Form):
    """The profile of one kind of organisation; ``bank`` adds the account that payments go to."""

    name = forms.CharField(label=_("Name"), max_length=_LONG, help_text=_("As on the licence."))
    name_en = forms.CharField(label=_("English name"), max_length=_LONG, required=False)
    region_code = forms.ChoiceField(
        label=_("Region"), required=False, help_text=_("Where it is registered; subsidies depend on it.")
    )
    region_other = forms.CharField(
        label=_("Region outside Qinghai"),
        max_length=10,
        required=False,
        help_text=_("Six-digit code of the division, only when it is not in the list."),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    owner_class = forms.ChoiceField(label=_("Class of institution"), required=False)
    staff_count = forms.IntegerField(
        label=_("Staff"), required=False, help_text=_("People employed at the end of last year."), min_value=0
    )
    revenue_yuan = YuanField(
        label=_("Last year's revenue (yuan)"), required=False, help_text=_("Staff and revenue decide the size class.")
    )
    address = forms.CharField(label=_("Address"), max_length=_LONG, required=False)
    policy_zones = forms.CharField(
        label=_("Policy zones"),
        max_length=_LONG,
        required=False,
        help_text=_("Development zones or incubators you are in, separated by commas."),
    )
    bank_name = forms.CharField(label=_("Bank"), max_length=_LONG, required=False)
    bank_account_name = forms.CharField(label=_("Account holder"), max_length=_LONG, required=False)
    bank_account_number = forms.CharField(
        label=_("Account number"), max_length=200, required=False, help_text=_("Refunded subsidies are paid to this account.")
    )
    accept_look_alike = forms.BooleanField(label=_("It is another organisation; go on with this name."), required=False)

    def __init__(self, kind: str, *args: Any, bank: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.asks_look_alike = False
        for scheme in CODE_SCHEMES[kind]:
            abroad = bool(self.data.get("code_foreign-registration", "").strip())
            hint = _CODE_HINTS.get(scheme, "")
            if kind == OrganisationKind.FIRM and scheme == "uscc":
                hint = _("18 characters, on the licence. A firm registered abroad gives its number there instead.")
            self.fields[f"code_{scheme}"] = forms.CharField(
                label=str(SCHEME_NAMES[scheme]),
                max_length=200,
                required=kind == OrganisationKind.FIRM and scheme == "uscc" and not abroad,
                help_text=str(hint),
                widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )
        self.fields["region_code"].choices = region_choices()  # type: ignore[attr-defined]
        self.fields["owner_class"].choices = [("", _("Please choose")), *OWNER_CLASS_NAMES.items()]  # type: ignore[attr-defined]
        known = [zone.slug for zone in zones_on(timezone.localdate())]
        if known:
            zones_hint = _("Short names of the zones you are in, separated by commas. Known: %(zones)s.") % {
                "zones": ", ".join(known)
            }
            self.fields["policy_zones"].help_text = str(zones_hint)
        for name in self._left_out(bank):
            del self.fields[name]
        self.order_fields(["name", "name_en", *(f"code_{scheme}" for scheme in CODE_SCHEMES[kind])])

    def _left_out(self, bank: bool) -> list[str]:
        names = [] if self.kind == OrganisationKind.OWNER else ["owner_class"]
        if self.kind not in (OrganisationKind.FIRM, OrganisationKind.TEAM):
            names += ["staff_count", "revenue_yuan", "policy_zones"]
        if not bank:
            names += ["bank_name", "bank_account_name", "bank_account_number"]
        return names

    @staticmethod
    def initial_of(facts: OrganisationFacts) -> dict[str, Any]:
        """What the form shows for stored facts."""
        listed = facts.region_code in {each.code for each in selectable()}
        revenue = facts.annual_revenue_fen
        return {
            "name": facts.name,
            "name_en": facts.name_en,
            "region_code": facts.region_code if listed else "",
            "region_other": "" if listed else facts.region_code,
            "owner_class": facts.owner_class,
            "staff_count": facts.staff_count,
            "revenue_yuan": None if revenue is None else Decimal(revenue) / 100,
            "address": facts.address,
            "policy_zones": ", ".join(facts.policy_zones),
            "bank_name": facts.bank_name,
            "bank_account_name": facts.bank_account_name,
            "bank_account_number": facts.bank_account_number,
            **{f"code_{scheme}": value for scheme, value in facts.identifiers.items()},
        }

    def facts(self, stored: OrganisationFacts) -> OrganisationFacts:
        """``stored`` with what was typed; what the form does not ask stays. Validate the form first."""
        typed = self.cleaned_data
        asked = {scheme: typed[f"code_{scheme}"] for scheme in CODE_SCHEMES[self.kind]}
        changes: dict[str, Any] = {name: typed[name] for name in _PLAIN if name in typed}
        changes["identifiers"] = {**stored.identifiers, **asked}
        changes["region_code"] = typed["region_other"] or typed["region_code"]
        if "revenue_yuan" in typed:
            revenue = typed["revenue_yuan"]
            changes["annual_revenue_fen"] = None if revenue is None else int(revenue * 100)
        if "policy_zones" in typed:
            changes["policy_zones"] = tuple(split_list(typed["policy_zones"]))
        return replace(stored, **changes)

    def add_refusal(self, refusal: Refusal) -> None:
        """Show every reason at the field it belongs to."""
        refusal_to_form(self, Refusal(*(self._placed(reason) for reason in refusal.reasons)))
        self.asks_look_alike = any(reason.code == "organisation.looks_alike" for reason in refusal.reasons)

    def _placed(self, reason: Reason) -> Reason:
        places = {"annual_revenue_fen": "revenue_yuan", "identifiers": "code_uscc", "identifier": "code_uscc"}
        target = places.get(reason.field, reason.field)
        if reason.field in {"identifier", "identifiers"} and f"code_{reason.params.get('scheme')}" in self.fields:
            target = f"code_{reason.params['scheme']}"
        if reason.field == "region_code" and self.cleaned_data.get("region_other"):
            target = "region_other"
        return replace(reason, field=target)


_PLAIN = (
    "name",
    "name_en",
    "owner_class",
    "staff_count",
    "address",
    "bank_name",
    "bank_account_name",
    "bank_account_number",
)


def split_list(text: str) -> list[str]:
    """Parts between commas, also full-width and enumeration commas."""
    for separator in ("\uff0c", "\u3001", ";", "\uff1b"):
        text = text.replace(separator, ",")
    return [part.strip() for part in text.split(",") if part.strip()]


def region_choices() -> list[Any]:
    """The divisions for a select: prefectures as groups with their counties, those without any by themselves."""
    language: Language = "en" if (get_language() or "").startswith("en") else "zh"
    choices: list[Any] = [("", pgettext_lazy("region", "Please choose"))]
    group: list[tuple[str, str]] = []
    for division in selectable():
        choice = (division.code, division.name(language))
        if division.level == _PROVINCE:
            choices.append(choice)
        elif division.level == _PREFECTURE:
            group = [choice]
            choices.append((choice[1], group))
        else:
            group.append(choice)
    return [one[1][0] if isinstance(one[1], list) and len(one[1]) == 1 else one for one in choices]


def _role_choices(kind: str) -> list[tuple[str, Promise | str]]:
    return [(role.value, ROLE_NAMES[role]) for role in ROLES[kind]]


class InviteForm(forms.Form):
    """A colleague's address and role."""

    email = forms.CharField(label=_("E-mail address"), max_length=300, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = _role_choices(kind)  # type: ignore[attr-defined]


class RolesForm(forms.Form):
    """All roles of one member."""

    roles = forms.MultipleChoiceField(label=_("Roles"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = _role_choices(kind)  # type: ignore[attr-defined]


class CodeForm(forms.Form):
    """Searching an organisation to join by its code."""

    code = forms.CharField(
        label=_("Code of the organisation"),
        max_length=200,
        help_text=_("Its unified social credit code or another registered number. Ask a colleague."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class JoinForm(forms.Form):
    """A word to the administrators."""

    code = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    note = forms.CharField(
        label=_("Who are you?"),
        max_length=_LONG,
        required=False,
        help_text=_("Your administrator reads this, for example your department."),
    )


class LicenceForm(forms.Form):
    """The scan of the licence."""

    file = forms.FileField(
        label=_("Scan of the licence"),
        help_text=_("PDF, JPEG or PNG. Name, code and region must be readable."),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/jpeg,image/png"}),
    )


class DecisionForm(forms.Form):
    """Accept or refuse a licence; cannot be undone, so it is confirmed."""

    decision = forms.ChoiceField(
        label=_("Does the licence agree with the profile?"),
        choices=[("accept", _("Yes: the organisation becomes verified")), ("refuse", _("No: refuse; it may hand in again"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=_LONG,
        required=False,
        help_text=_("Needed for a refusal; the organisation reads it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    confirmed = forms.BooleanField(
        label=_("I compared name, code, region, size and zones with the papers. This cannot be undone.")
    )


class ReasonForm(forms.Form):
    """Why an organisation is suspended or reinstated."""

    reason = forms.CharField(label=_("Reason"), max_length=_LONG, widget=forms.Textarea(attrs={"rows": 3}))


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(label=_("Name"), max_length=_LONG, help_text=_("What it is for, for example: nightly export."))
    scopes = forms.MultipleChoiceField(label=_("What it may do"), choices=SCOPE_NAMES.items, widget=forms.CheckboxSelectMultiple)
    expires_on = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: until you revoke it."),
    )
