"""Forms of vouchers: announcing, applying, deciding, recognising."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.vouchers.models import VoucherQuota
from billing.vouchers.rules.terms import Area, Terms
from billing.wording import region_word
from frontend.firm_forms import MoneyForm, day_field, fen, scan_field
from frontend.presenters.instruments import is_english
from frontend.yuan_typed import YuanField, typed_fen
from instruments.queries.facet_labels import Names, zone_names

_LONG = 4000
_AREA = re.compile(r"(?P<area>[^:：]*)[:：](?P<amount>.*)")


def _area(line: str) -> Area:
    """An area, a colon and yuan. Raises ValueError."""
    found = _AREA.fullmatch(line)
    amount = typed_fen(found["amount"]) if found else None
    if found is None or amount is None:
        raise ValueError("not an area, a colon and an amount")
    name = found["area"].strip()
    everywhere = name in ("*", "")
    return Area("" if everywhere or name.isdigit() else name, name if name.isdigit() else "", amount)


class AnnouncementForm(MoneyForm):
    """An offer of vouchers with its quotas by area."""

    programme = forms.ChoiceField(label=_("Programme and limit"))
    title = forms.CharField(label=_("Title"), max_length=_LONG)
    title_en = forms.CharField(label=_("Title in English"), max_length=200, required=False)
    notice = forms.CharField(label=_("Notice"), max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 5}))
    opens_on = day_field(_("Applications from"))
    closes_on = day_field(_("Applications until"), _("The last day."))
    face_yuan = YuanField(
        label=_("Face value of a voucher (yuan)"), help_text=_("Empty: each applicant asks for an amount."), required=False
    )
    most_yuan = YuanField(
        label=_("At most for one applicant (yuan)"), help_text=_("Leave it empty when there is a face value."), required=False
    )
    life_days = forms.IntegerField(
        label=_("Days a voucher holds"), min_value=1, help_text=_("From its issue, that day included.")
    )
    last_on = day_field(_("No voucher holds beyond"), _("A hard end, whenever it was issued."))
    areas = forms.CharField(
        label=_("Quotas by area"),
        max_length=_LONG,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_(
            "One area a line: the short name of a zone, the first digits of a division, or * for everywhere; then a colon and yuan, "
            "like 6301: 500000."
        ),
    )

    def __init__(self, choices: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programme"].choices = choices  # type: ignore[attr-defined]

    def clean_areas(self) -> tuple[Area, ...]:
        """Each line as an area."""
        areas = []
        for line in self.cleaned_data["areas"].splitlines():
            if not line.strip():
                continue
            try:
                areas.append(_area(line.strip()))
            except ValueError as error:
                message = _("“%(line)s” is not an area, a colon and an amount.")
                raise forms.ValidationError(message, params={"line": line.strip()[:80]}) from error
        return tuple(areas)

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = super().clean() or {}
        if typed.get("face_yuan") is None and typed.get("most_yuan") is None:
            self.add_error("most_yuan", _("Give a face value, or at most how much one applicant gets."))
        return typed

    def terms(self) -> tuple[str, Terms]:
        """The programme's code and what was typed; call it on a valid form."""
        typed = self.cleaned_data
        code, _sep, cap_id = typed["programme"].partition("|")
        face = fen(typed["face_yuan"])
        return code, Terms(
            cap_id=cap_id,
            title=typed["title"],
            title_en=typed["title_en"],
            notice=typed["notice"],
            opens_on=typed["opens_on"],
            closes_on=typed["closes_on"],
            face_fen=face,
            most_fen=face if face is not None else fen(typed["most_yuan"]) or 0,
            life_days=typed["life_days"],
            last_on=typed["last_on"],
            areas=typed["areas"],
        )


class ApplicationForm(MoneyForm):
    """What a firm asks for."""

    organisation = forms.ChoiceField(label=pgettext_lazy("application for a voucher", "For"))
    quota = forms.ChoiceField(
        label=pgettext_lazy("quota of vouchers", "Area"), help_text=_("Where your organisation is registered.")
    )
    asked_yuan = YuanField(label=_("Amount asked for (yuan)"))
    purpose = forms.CharField(label=_("What you need it for"), max_length=_LONG, widget=forms.Textarea(attrs={"rows": 4}))
    file = scan_field(_("Evidence"), _("PDF, JPEG or PNG, as the notice asks: contract, plan or project paper."))

    def __init__(
        self, organisations: list[tuple[str, str]], quotas: list[tuple[str, Any]], face_fen: int | None, *args: Any
    ) -> None:
        super().__init__(*args)
        self.fields["organisation"].choices = organisations  # type: ignore[attr-defined]
        self.fields["quota"].choices = quotas  # type: ignore[attr-defined]
        self.face_fen = face_fen
        if face_fen is not None:
            del self.fields["asked_yuan"]

    def asked_fen(self) -> int:
        """In fen; of a voucher with a face value that value."""
        return self.face_fen if self.face_fen is not None else fen(self.cleaned_data["asked_yuan"]) or 0


class ReviewForm(MoneyForm):
    """The reviewer's recommendation."""

    recommended_yuan = YuanField(label=_("Recommended amount (yuan)"))
    note = forms.CharField(label=_("Note"), max_length=_LONG, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class RecogniseForm(MoneyForm):
    """A voucher that a partner region issued."""

    organisation = forms.CharField(label=_("Code of the holder"), max_length=60, help_text=_("Its unified social credit code."))
    origin = forms.ChoiceField(label=_("Issued by"))
    number = forms.CharField(label=_("Its number there"), max_length=200)
    programme = forms.ChoiceField(label=_("Counts under"))
    face_yuan = YuanField(label=_("Worth (yuan)"))
    valid_from = day_field(_("Holds from"))
    valid_to = day_field(_("Holds until"), _("The last day."))
    file = scan_field(_("Evidence"), _("PDF, JPEG or PNG of the voucher."))

    def __init__(self, origins: list[tuple[str, str]], programmes: list[tuple[str, str]], *args: Any) -> None:
        super().__init__(*args)
        self.fields["origin"].choices = origins  # type: ignore[attr-defined]
        self.fields["programme"].choices = programmes  # type: ignore[attr-defined]


def area_word(quota: VoucherQuota, zones: Names) -> Any:
    """An area in words; ``zones`` are the names of policy zones (``zones_of``)."""
    if quota.zone:
        return zone_word(quota.zone, zones)
    return region_word(quota.code_prefix) if quota.code_prefix else _("everywhere")


def zones_of(quotas: Iterable[VoucherQuota]) -> Names:
    """The names of the zones of quotas, in one query at most."""
    return zone_names({each.zone for each in quotas if each.zone})


def zone_word(slug: str, zones: Names) -> str:
    """A zone by its name in the reader's language; one that is no longer there by its short name."""
    name, name_en = zones.get(slug, (slug, ""))
    return (name_en or name) if is_english() else name
