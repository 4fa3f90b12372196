"""The public self-test: which programmes in force would pay what for somebody like us, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from billing import wording
from billing.firms import wording as firm_wording
from billing.firms.rules.declarations import INDUSTRY, LABELS_OF
from billing.firms.rules.self_test import QUESTIONS, Answers, depends_on, questions, tried, unset
from billing.settlement.offered import offered_by, percent_of_share
from billing.subsidy import figures, queries
from billing.subsidy.rules.assess import Candidate
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.figures import settable
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.questions import MOST_NUMBER, Kind
from billing.vouchers.rules.backing import is_issued
from booking.rules.answers import known_answers, typed_answers
from booking.rules.service_facts import PUBLIC_KINDS
from booking.service_wording import DIRECTIONS
from frontend.firm_forms import day_field, fen
from frontend.http import actor_of
from frontend.organisation_forms import region_choices
from frontend.presenters.assessment import cap_name, outcome_row
from frontend.presenters.choices import QuestionRow, question_rows, way_words
from frontend.presenters.condition_words import fact_word
from frontend.presenters.programme import KINDS, SIZES
from frontend.templatetags.jishi import bilingual
from frontend.yuan_typed import YuanField
from instruments.queries.codes import zones_on
from instruments.wording import OWNER_CLASS_NAMES

SERVICES = (
    *("instrument_use", "testing", *PUBLIC_KINDS),
    *("technology_consulting", "technology_transaction", "intellectual_property", "incubation"),
)
WAYS = ("self_operated", "assisted", "commissioned", "remote")
MOST_YUAN = 10_000_000_000
_MINUTES = 60
_NOT_SAID = ("", _("not said"))


class SelfTestForm(forms.Form):
    """Who asks, and for what; some questions are only there where one of the programmes looks at the answer. Choices in words are made
    for each reader: what is made here is made once for all."""

    kind = forms.ChoiceField(label=_("Who applies"), choices=lambda: [(code, wording.kind_word(code)) for code in KINDS])
    staff = forms.IntegerField(label=_("Staff"), required=False, min_value=0, max_value=10_000_000)
    revenue_yuan = YuanField(
        label=_("Last year's revenue (yuan)"),
        help_text=_("Staff and revenue decide the size class of most firms."),
        required=False,
    )
    assets_yuan = YuanField(
        label=_("Total assets (yuan)"),
        help_text=_("Only construction, real estate, leasing and business services need it for the size class."),
        required=False,
    )
    industry = forms.RegexField(
        rf"(?i)^\s*({INDUSTRY})\s*$",
        label=_("Industry (GB/T 4754)"),
        required=False,
        help_text=_(
            "A letter, digits or both, like C2614. It says which figures decide the size class; without it those of industry."
        ),
    )
    size = forms.ChoiceField(
        label=_("Size of the firm"),
        required=False,
        choices=lambda: [("", _("by industry and figures")), *((code, wording.size_word(code)) for code in SIZES)],
    )
    region = forms.ChoiceField(label=_("Where the applicant is"))
    region_other = forms.RegexField(
        r"^\s*[1-9][0-9]{5}\s*$",
        label=_("Region outside Qinghai"),
        required=False,
        help_text=_("Six-digit code of the division, only when it is not in the list."),
    )
    zones = forms.MultipleChoiceField(label=_("Policy zones"), required=False, widget=forms.CheckboxSelectMultiple)
    labels = forms.MultipleChoiceField(
        label=_("Labels"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(code, firm_wording.LABELS[code]) for code in LABELS_OF["firm"] if code != "other"],
    )
    service = forms.ChoiceField(
        label=_("Kind of service"), choices=lambda: [(code, wording.service_word(code)) for code in SERVICES]
    )
    amount_yuan = YuanField(label=_("Fee in yuan"))
    on = day_field(_("Day of the service"), required=False)
    settlement = forms.ChoiceField(label=_("Way of settlement"), required=False)
    rate = forms.DecimalField(
        label=_("Rate of the subsidy, in per cent"), required=False, min_value=0, max_value=100, max_digits=7, decimal_places=4
    )
    purpose = forms.ChoiceField(
        label=_("What the service is for"), required=False, choices=lambda: [_NOT_SAID, *DIRECTIONS.items()]
    )
    way = forms.ChoiceField(
        label=_("How it is done"),
        required=False,
        choices=lambda: [_NOT_SAID, *((code, wording.service_way_word(code)) for code in WAYS)],
    )
    hours = forms.DecimalField(
        label=_("Hours on the instrument"), required=False, min_value=0, max_value=10_000, max_digits=8, decimal_places=2
    )
    samples = forms.IntegerField(label=_("Number of samples"), required=False, min_value=0, max_value=1_000_000)
    value_yuan = YuanField(label=_("Original value of the instrument (yuan)"), required=False)
    owner_class = forms.ChoiceField(
        label=_("Class of the institution that owns it"),
        required=False,
        choices=lambda: [_NOT_SAID, *OWNER_CLASS_NAMES.items()],
    )
    founded_on = day_field(_("Day on which the applicant was founded"), required=False)
    provider_region = forms.ChoiceField(
        label=_("Where the provider is"), required=False, help_text=_("Left open: in the region of the applicant.")
    )

    def __init__(self, programmes: Sequence[Programme], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in QUESTIONS.keys() - questions(programmes):
            del self.fields[name]
        if "provider_region" in self.fields:
            self.fields["provider_region"].choices = region_choices()  # type: ignore[attr-defined]
        found = offered_by([Candidate(each, Facts(), {}) for each in programmes])
        if found.ways:
            ways = [(way.value, way_words(way.says, way.value)) for way in found.ways]
            self.fields["settlement"].choices = ways  # type: ignore[attr-defined]
        else:
            del self.fields["settlement"]
        if found.rate is not None:
            ends = {"lowest": percent_of_share(found.rate.lowest), "highest": percent_of_share(found.rate.highest)}
            self.fields["rate"].help_text = _("The programme lets you choose from %(lowest)s to %(highest)s %%.") % ends
        else:
            del self.fields["rate"]
        for each in question_rows(found.asked, {}):
            self.fields[each.name] = _answer_field(each)
        self.fields["region"].choices = region_choices()  # type: ignore[attr-defined]
        self.fields["region"].required = False
        known = [(zone.slug, bilingual(zone)) for zone in zones_on(timezone.localdate())]
        if known:
            self.fields["zones"].choices = known  # type: ignore[attr-defined]
        else:
            del self.fields["zones"]

    def clean_industry(self) -> str:
        return str(self.cleaned_data["industry"]).strip().upper()

    def clean_amount_yuan(self) -> Any:
        amount = self.cleaned_data["amount_yuan"]
        if not 0 < amount <= MOST_YUAN:
            raise forms.ValidationError(
                _("Give the fee in yuan, more than 0 and at most 10,000,000,000, with up to two decimals.")
            )
        return amount

    def answers(self) -> Answers:
        """What was typed; call it on a valid form."""
        typed = self.cleaned_data
        return Answers(
            kind=typed["kind"],
            size=typed["size"] or None,
            staff=typed["staff"],
            revenue_fen=fen(typed["revenue_yuan"]),
            region_code=typed["region_other"].strip() or typed["region"] or None,
            policy_zones=frozenset(typed.get("zones", ())),
            labels=tuple(typed["labels"]),
            service_kind=typed["service"],
            amount_fen=fen(typed["amount_yuan"]) or 0,
            service_on=typed["on"] or timezone.localdate(),
            industry_code=typed["industry"] or None,
            assets_fen=fen(typed["assets_yuan"]),
            purpose=typed.get("purpose") or None,
            way=typed.get("way") or None,
            minutes=_minutes(typed.get("hours")),
            samples=typed.get("samples"),
            value_fen=fen(typed.get("value_yuan")),
            owner_class=typed.get("owner_class") or None,
            founded_on=typed.get("founded_on"),
            provider_region=typed.get("provider_region") or None,
            settlement=typed.get("settlement", ""),
            rate=typed["rate"] / 100 if typed.get("rate") is not None else None,
            to_programmes=known_answers(typed_answers({name: "" if each is None else each for name, each in typed.items()})),
        )


def _answer_field(question: QuestionRow) -> forms.Field:
    """The field of a question of a programme."""
    about: dict[str, Any] = {"label": question.words, "required": False, "help_text": question.hint}
    if question.options:
        return forms.ChoiceField(choices=[_NOT_SAID, *question.options], **about)
    if question.kind == Kind.AMOUNT:
        return YuanField(**about)
    return forms.IntegerField(min_value=0, max_value=MOST_NUMBER, **about)


def _fact_words(programme: Programme, fact: str) -> str:
    """A fact as the programme asks for it, else what it is called."""
    asked = next((each.says for each in programme.asks if each.fact == fact), None)
    return fact_word(fact) if asked is None else f"“{wording.document_text(asked)}”"


def _minutes(hours: Decimal | None) -> int | None:
    return None if hours is None else int(hours * _MINUTES)


def _day(typed: QueryDict) -> date:
    """The day whose programmes say what is asked; today while none is typed, or none that is a day."""
    try:
        found: date | None = SelfTestForm.base_fields["on"].clean(typed.get("on"))
    except forms.ValidationError:
        found = None
    return found or timezone.localdate()


def _in_force(request: HttpRequest, on: date) -> list[Programme]:
    return [each.programme for each in queries.programmes_visible(actor_of(request), on) if each.state == "current"]


@require_GET
def eligibility(request: HttpRequest) -> HttpResponse:
    """The form, and below it what every programme in force says."""
    asked = "amount_yuan" in request.GET
    programmes = _in_force(request, _day(request.GET))
    form = SelfTestForm(programmes, request.GET if asked else None, initial={"region": "630100", "amount_yuan": "30000"})
    context: dict[str, Any] = {"form": form, "asked": asked}
    status = 200
    if asked and not form.is_valid():
        status = 422
    elif asked:
        context |= _found(programmes, form.answers())
    return render(request, "programmes/eligibility.html", context, status=status)


def _found(programmes: list[Programme], answers: Answers) -> dict[str, Any]:
    """What every programme says: those that pay first, then those of which nobody can tell."""
    known = {each.code: figures.as_of(each.code, each.cap_year(answers.service_on)) for each in programmes if settable(each)}

    def set_for(programme: Programme) -> Mapping[str, int]:
        return known.get(programme.code, {})

    rows = [
        replace(
            outcome_row(outcome, programme),
            depends_on=tuple(_fact_words(programme, each) for each in depends_on(programme, answers, set_for)),
            unset=tuple(str(cap_name(each)) for each in unset(programme, answers, set_for)),
        )
        for outcome, programme in zip(tried(programmes, answers, set_for), programmes, strict=True)
    ]
    size, found = answers.size_class(), answers.sizing()
    said_itself = found is None or (found.size is None and answers.size is not None)
    return {
        "rows": sorted(rows, key=lambda row: (not row.awarded, bool(row.unset), not row.depends_on, -row.total_fen, row.code)),
        "count": sum(row.awarded and not row.unset for row in rows),
        "unset_count": sum(row.awarded and bool(row.unset) for row in rows),
        "size": wording.size_word(size) if size else "",
        "sizing": [] if found is None or said_itself else firm_wording.sizing_words(found),
        "on": answers.service_on,
        "elsewhere": answers.provider_region is not None,
        "by_voucher": {each.code for each in programmes if any(is_issued(cap) for cap in each.caps)},
    }
