"""Erasing a person."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from billing.erasure import services
from config.kernel.access import Role
from config.kernel.errors import Refusal
from frontend.firm_forms import MoneyForm
from frontend.form_page import FormPage, answer
from frontend.http import actor_of


class ErasePersonForm(MoneyForm):
    """Whom, once more whom, and why."""

    email = forms.CharField(label=gettext_lazy("E-mail address of the person"), max_length=254)
    again = forms.CharField(
        label=gettext_lazy("The address again"), max_length=254, help_text=gettext_lazy("Erasing cannot be undone.")
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


@login_required
@require_http_methods(["GET", "POST"])
def person_erase(request: HttpRequest) -> HttpResponse:
    """The operator erases a person who asked for it; what is kept and why is said on the page."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    form = ErasePersonForm(request.POST if request.method == "POST" else None)

    def act() -> HttpResponse:
        typed = form.cleaned_data
        if typed["email"].strip().lower() != typed["again"].strip().lower():
            raise Refusal.of("person.type_again", field="again")
        found = services.erase(actor, typed["email"], typed["reason"], timezone.now())
        said = {"rows": sum(found.rows.values()), "tables": len(found.rows)}
        messages.success(request, _("Erased: %(rows)s rows in %(tables)s tables. Issued papers stay as they are.") % said)
        if found.homonyms:
            messages.warning(
                request, _("Somebody else bears the same name, so only the e-mail address was replaced in other rows.")
            )
        return redirect("person_erase")

    lead = _(
        "Log-in and keys are taken away; name and e-mail address are replaced everywhere but in issued papers, which the law keeps."
        " Amounts stay."
    )
    page = FormPage(_("Erase a person"), reverse("home"), _("Home"), _("Erase for good"), lead)
    return answer(request, page, form, act)
