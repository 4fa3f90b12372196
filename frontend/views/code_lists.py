"""The lists of codes that records name: as they stand, and taking in a newer one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from config.kernel.access import Role
from frontend.code_list_form import CodeListForm
from frontend.firm_forms import ReasonedForm
from frontend.form_page import FormPage, answer
from frontend.http import actor_of
from frontend.views.imports import hand_over
from instruments.code_wording import SCHEME_NAMES
from instruments.queries import codes
from instruments.services.code_list_undo import take_back


@login_required
@require_http_methods(["GET", "POST"])
def code_list(request: HttpRequest) -> HttpResponse:
    """What there is of each list, and a file to look at before anything is written."""
    actor, today = actor_of(request), timezone.localdate()
    actor.require(Role.OPERATOR)
    form, status = CodeListForm(today), 200
    if request.method == "POST":
        form = CodeListForm(today, request.POST, request.FILES)
        run, status = hand_over(actor, form)
        if run is not None:
            return redirect("import_run", run.pk)
    loads = codes.newest_loads(actor)
    rows = [(SCHEME_NAMES[one.scheme], one, loads.get(one.scheme)) for one in codes.list_states(actor, today)]
    return render(request, "standards/code_lists.html", {"rows": rows, "form": form}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def code_list_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a list that was taken in by mistake, with a reason."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    load = codes.load_for(actor, pk)
    form = ReasonedForm(request.POST or None)

    def act() -> HttpResponse:
        take_back(actor, pk, form.cleaned_data["reason"], timezone.now())
        messages.success(request, _("The list is taken back. Every code is as it was before."))
        return redirect("code_list")

    title = _("Take back: %(list)s") % {"list": SCHEME_NAMES[load.scheme]}
    figures = {"file": load.file_name or load.sha256[:12], "begun": len(load.begun), "ended": len(load.ended)}
    lead = _(
        "Codes that began with %(file)s: %(begun)s; that ended: %(ended)s. "
        "What began goes, what ended holds on, what was corrected is as before."
    )
    page = FormPage(title, reverse("code_list"), _("Code lists"), _("Take the list back"), lead % figures)
    return answer(request, page, form, act)
