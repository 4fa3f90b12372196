"""Every component at one glance, for those who build pages (only with JISHI_DEBUG)."""

from __future__ import annotations

from datetime import UTC, datetime

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from frontend.states import kinds, states_of
from frontend.views.help import EXAMPLE, EXAMPLE_LATER


class SampleForm(forms.Form):
    name = forms.CharField(help_text="As on the licence.")
    kind = forms.ChoiceField(choices=[("a", "Firm"), ("b", "Team")])
    mode = forms.ChoiceField(choices=[("a", "By myself"), ("b", "With an operator")], widget=forms.RadioSelect)
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    agree = forms.BooleanField(label="I have read the laboratory's rules")


def gallery(request: HttpRequest) -> HttpResponse:
    at = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    context = {
        "states": [(kind, sorted(states_of(kind))) for kind in sorted(kinds())],
        "example": EXAMPLE,
        "later": EXAMPLE_LATER,
        "lines": [{"name": "DEMO-QH-A", "fen": 48_000, "mode": "deducted_now", "note": "40 %"}],
        "steps": [
            {"text": "3 h at 400.00", "fen": 120_000, "clause": "Price list 2026-1"},
            {"text": "40 % of 1,200.00", "fen": 48_000, "clause": "DEMO-QH-A, article 6", "minus": True},
        ],
        "entries": [
            {"icon": "send", "title": "Requested", "at": at, "who": "Li Na"},
            {"icon": "circle-check", "title": "Approved", "at": at, "who": "Wang Lei", "text": "Bring your own samples."},
            {"icon": "clock", "title": "Check in", "later": True},
        ],
        "starts": at,
        "ends": at.replace(hour=9),
        "empty_form": SampleForm(),
        "wrong_form": SampleForm({"kind": "a"}),
        "page": Paginator(range(900), 20).page(4),
    }
    return render(request, "pages/gallery.html", context)
