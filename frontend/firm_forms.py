"""Forms of a firm's facts, credit lists, partner regions and opening balances. What was typed is checked by the services."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.firms import wording
from billing.firms.rules.declarations import LABELS_OF, LEVELS, TIES
from billing.firms.services.credit import LISTS
from config.kernel.errors import Refusal
from frontend.forms import refusal_to_form
from frontend.organisation_forms import split_list
from frontend.yuan_typed import YuanField

_LONG = 2000


def day_field(label: Any, hint: Any = "", *, required: bool = True) -> forms.DateField:
    """A local day."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, help_text=hint, widget=widget)


def fen(amount: Decimal | None) -> int | None:
    """Yuan as fen."""
    return None if amount is None else int(amount * 100)


def scan_field(label: Any, hint: Any) -> forms.FileField:
    """A scan as evidence."""
    widget = forms.FileInput(attrs={"accept": "application/pdf,image/jpeg,image/png"})
    return forms.FileField(label=label, help_text=hint, allow_empty_file=True, widget=widget)


def table_field(label: Any, hint: Any) -> forms.FileField:
    """A table as CSV."""
    return forms.FileField(
        label=label, help_text=hint, allow_empty_file=True, widget=forms.FileInput(attrs={"accept": ".csv,text/csv"})
    )


class MoneyForm(forms.Form):
    """A form whose refusals come back at its own names of fields: amounts are typed in yuan and refused in fen."""

    def add_refusal(self, refusal: Refusal) -> None:
        """Show every reason at its field."""
        placed = [replace(each, field=self._place(each.field)) for each in refusal.reasons]
        refusal_to_form(self, Refusal(*placed))

    def _place(self, name: str) -> str:
        typed = (name.replace("_fen", "_yuan"), name.removesuffix("_fen"))
        return next((each for each in typed if each in self.fields), name)


class DeclarationForm(MoneyForm):
    """One kind of declaration, with its evidence."""

    year = forms.IntegerField(label=_("Year"), help_text=_("A year that is over, as in the annual report."))
    staff = forms.IntegerField(label=_("Staff at its end"), required=False, min_value=0)
    revenue_yuan = YuanField(label=_("Revenue of the year (yuan)"), required=False)
    assets_yuan = YuanField(label=_("Total assets (yuan)"), required=False)
    net_assets_yuan = YuanField(
        label=_("Net assets (yuan)"), required=False, help_text=_("Total assets less debts; 0 where debts are larger.")
    )
    capital_yuan = YuanField(label=_("Registered capital (yuan)"), required=False)
    region_code = forms.CharField(
        label=_("Registered in (division code)"), max_length=10, help_text=_("Six digits, like 630104.")
    )
    policy_zones = forms.CharField(
        label=_("Policy zones"), max_length=_LONG, required=False, help_text=_("Short names of zones, separated by commas.")
    )
    founded_on = day_field(_("Founded on"), _("As the licence says. Programmes for young firms look at it."), required=False)
    industry_code = forms.CharField(
        label=_("Industry (GB/T 4754)"), max_length=10, required=False, help_text=_("A letter, digits or both, like C2614.")
    )
    label = forms.ChoiceField(label=_("Label"))
    level = forms.ChoiceField(label=_("Awarded at level"), choices=[(code, wording.LEVELS[code]) for code in LEVELS])
    number = forms.CharField(label=_("Number of the certificate"), max_length=_LONG)
    party_kind = forms.ChoiceField(
        label=_("The controller is"), choices=list(wording.PARTY_KINDS.items()), widget=forms.RadioSelect, initial="organisation"
    )
    tie = forms.ChoiceField(label=_("How you are tied"), choices=[(code, wording.TIES[code]) for code in TIES])
    name = forms.CharField(label=_("Name"), max_length=_LONG)
    uscc = forms.CharField(
        label=_("Unified social credit code"),
        max_length=60,
        required=False,
        help_text=_("Of the organisation, 18 characters."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    mark = forms.CharField(
        label=_("Last four characters of the identity number"),
        max_length=10,
        required=False,
        help_text=_("Only of a person. Firms that name the same person share limits; the whole number is never kept."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    valid_from = day_field(_("Holds from"))
    valid_to = day_field(_("Holds until"), _("The last day. Empty: open."), required=False)
    file = scan_field(_("Evidence"), _("PDF, JPEG or PNG: annual report, licence, certificate or register extract."))

    FIELDS: ClassVar[dict[str, tuple[str, ...]]] = {
        "figures": ("year", "staff", "revenue_yuan", "assets_yuan", "net_assets_yuan", "capital_yuan"),
        "place": ("region_code", "policy_zones", "founded_on", "industry_code", "valid_from", "valid_to"),
        "label": ("label", "level", "number", "valid_from", "valid_to"),
        "controller": ("party_kind", "name", "uscc", "mark", "valid_from", "valid_to"),
        "affiliate": ("tie", "name", "uscc", "valid_from", "valid_to"),
    }

    def __init__(self, kind: str, declarer: str, *args: Any, **kwargs: Any) -> None:
        """``declarer``: the kind of organisation that declares."""
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.fields["label"].choices = [(code, wording.LABELS[code]) for code in LABELS_OF[declarer]]  # type: ignore[attr-defined]
        for name in set(self.fields) - {*self.FIELDS[kind], "file"}:
            del self.fields[name]

    def content(self) -> dict[str, Any]:
        """What was typed, as the service takes it; call it on a valid form."""
        typed = {name: value for name, value in self.cleaned_data.items() if name != "file"}
        for name in [name for name in typed if name.endswith("_yuan")]:
            typed[name.replace("_yuan", "_fen")] = fen(typed.pop(name))
        if "policy_zones" in typed:
            typed["policy_zones"] = split_list(typed["policy_zones"])
        return typed


class CreditListForm(MoneyForm):
    """A credit list as a table."""

    list_code = forms.ChoiceField(label=_("List"), choices=[(code, wording.LISTS[code]) for code in LISTS])
    source = forms.CharField(
        label=_("Where it comes from"), max_length=_LONG, help_text=_("The office and the number of the notice.")
    )
    file = table_field(
        _("Table (CSV)"),
        _("Columns: uscc, name, from, to, note (or 统一社会信用代码, 名称, 列入日期, 移出日期, 备注). All rows or none."),
    )


class PartnerForm(MoneyForm):
    """A partner region; its code and platform only when it is new."""

    region_code = forms.CharField(label=_("Code of the region"), max_length=10, help_text=_("Six digits, like 310000."))
    platform_id = forms.CharField(label=_("Identifier of its platform"), max_length=60, help_text=_("Like CN-310000."))
    name = forms.CharField(label=_("Name"), max_length=_LONG)
    name_en = forms.CharField(label=_("Name in English"), max_length=200, required=False)
    mode = forms.ChoiceField(
        label=_("How services across the regions are settled"),
        choices=list(wording.MODES.items()),
        widget=forms.RadioSelect,
        initial="redeem",
        help_text=_("In both the home region of the firm pays."),
    )
    valid_from = day_field(_("Holds from"))
    valid_to = day_field(_("Holds until"), _("The last day. Empty: open."), required=False)
    basis = forms.CharField(label=_("Agreement"), max_length=_LONG, help_text=_("Its name and number."))

    def __init__(self, *args: Any, known: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if known:
            del self.fields["region_code"], self.fields["platform_id"]


class TableForm(MoneyForm):
    """The list of a partner's providers."""

    file = table_field(
        _("Table (CSV)"),
        _("Columns: uscc, name, from, to (or 统一社会信用代码, 名称, 入库日期, 有效期至). It replaces the list before."),
    )


class OpeningForm(MoneyForm):
    """Opening balances, or invoices and projects that were subsidised already."""

    what = forms.ChoiceField(
        label=_("What the table holds"),
        choices=[
            ("balances", _("What firms received already")),
            ("corrections", _("Balances to take back: the rows as they were loaded")),
            ("items", _("Invoices and projects that were subsidised already")),
        ],
        widget=forms.RadioSelect,
        initial="balances",
    )
    file = table_field(
        _("Table (CSV)"),
        _("Received: uscc, programme, cap, year, amount in yuan. Subsidised: uscc, kind (invoice, project), class, number."),
    )
    evidence = scan_field(_("Evidence"), _("PDF, JPEG or PNG: the payment list or notice that it rests on."))
    reason = forms.CharField(label=_("Reason"), max_length=_LONG, help_text=_("It stays with the rows for good."))


class DecisionForm(MoneyForm):
    """Accept or refuse a declaration; cannot be undone, so it is confirmed."""

    decision = forms.ChoiceField(
        label=_("Does the evidence say so?"),
        choices=[("accept", _("Yes: it counts for programmes")), ("refuse", _("No: refuse; it may be declared again"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=_LONG,
        required=False,
        help_text=_("Needed for a refusal; the organisation reads it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    confirmed = forms.BooleanField(label=_("I compared it with the evidence. This cannot be undone."))


class IncomeForm(MoneyForm):
    """What an owner earned from customers outside in a year, with its evidence."""

    year = forms.IntegerField(label=_("Year"), help_text=_("A calendar year that is over."))
    income_yuan = YuanField(
        label=_("Income from customers outside (yuan)"),
        help_text=_(
            "From services to other organisations and persons, over this platform and elsewhere; not from the own institution."
        ),
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=_LONG,
        required=False,
        help_text=_("Such as the account and the page of the report. May be left out."),
    )
    file = scan_field(_("Evidence"), _("PDF, JPEG or PNG: the page of the accounts or an audit report."))


class IncomeDecisionForm(DecisionForm):
    """Confirm or refuse the figure of a year."""

    decision = forms.ChoiceField(
        label=_("Does the evidence say so?"),
        choices=[("confirm", _("Yes: it counts for programmes")), ("refuse", _("No: refuse; it may be declared again"))],
        widget=forms.RadioSelect,
    )


class ReasonedForm(MoneyForm):
    """A reason, for what is done to an account or an application."""

    reason = forms.CharField(label=_("Reason"), max_length=_LONG)


class LastDayForm(ReasonedForm):
    """A last day and a reason."""

    last_day = day_field(_("Last day"), _("What is left lapses after it. Empty: it does not end."), required=False)
    field_order = ["last_day", "reason"]


class TopUpDecisionForm(MoneyForm):
    """Add the money that a colleague asked for, or do not."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[("add", _("Add the money now")), ("refuse", _("Do not add it"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=_LONG, required=False, help_text=_("Needed where it is not added."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


class FigureForm(ReasonedForm):
    """The figure of a limit and why."""

    amount_yuan = YuanField(label=_("Figure (yuan)"))
    field_order = ["amount_yuan", "reason"]


class FigureDecisionForm(TopUpDecisionForm):
    """Set the figure that a colleague asked for, or do not."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[("set", _("Set the figure now")), ("refuse", _("Do not set it"))],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _("Needed where it is not set.")


class EndForm(ReasonedForm):
    """On which day a programme version ends instead, and why."""

    last_on = day_field(_("New last day"), _("Today or later. The version still holds on this day."))
    field_order = ["last_on", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _("It stands on the page of the version, where everybody reads it.")


class EndDecisionForm(TopUpDecisionForm):
    """Confirm the end that a colleague proposed, or let the version go on."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[("confirm", _("Confirm it: the version ends so")), ("refuse", _("Do not confirm it: the version goes on"))],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _("Needed where it is not confirmed.")


class TopUpForm(ReasonedForm):
    """An amount and a reason."""

    amount_yuan = YuanField(label=_("Amount (yuan)"))
    field_order = ["amount_yuan", "reason"]
