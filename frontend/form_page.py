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
    done, status = tried(request, form, act)
    if done is not None:
        return done
    context = {name: getattr(page, name) for name in FormPage.__slots__} | {"form": form}
    return render(request, "components/form_page.html", context, status=status)


def tried(request: HttpRequest, form: MoneyForm, act: Callable[[], HttpResponse]) -> tuple[HttpResponse | None, int]:
    """What ``act`` answered to a valid form that was sent, or None and the status with which the form is shown (again, with what was
    refused). NotFound goes on."""
    if request.method != "POST":
        return None, 200
    if not form.is_valid():
        return None, 422
    try:
        return act(), 200
    except NotFound:
        raise
    except Refusal as refusal:
        form.add_refusal(refusal)
        return None, status_of(refusal)
