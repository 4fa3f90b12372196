"""A page that is one form: shown, sent to a service, and shown again with every reason at its field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.kernel.api.problems import status_of
from config.kernel.errors import NotFound, Refusal
from frontend.firm_forms import MoneyForm


@dataclass(frozen=True, slots=True)
class FormPage:
    """The words around the form. ``keep``: under which name the browser remembers what was typed; empty: it does not."""

    title: str
    back_url: str
    back: str
    submit: str
    lead: str = ""
    submit_icon: str = ""
    keep: str = ""
    upload: bool = False


def answer(request: HttpRequest, page: FormPage, form: MoneyForm, act: Callable[[], HttpResponse]) -> HttpResponse:
    """The page for GET; for POST what ``act`` answers once the form is valid, or the page with what it refused. NotFound goes on."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return act()
            except NotFound:
                raise
            except Refusal as refusal:
                form.add_refusal(refusal)
                status = status_of(refusal)
    context = {name: getattr(page, name) for name in FormPage.__slots__} | {"form": form}
    return render(request, "components/form_page.html", context, status=status)
