"""The lists of codes that records name: as they stand, and taking in a newer one."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config.kernel.access import Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Refusal
from frontend.code_list_form import CodeListForm
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from instruments.code_wording import SCHEME_NAMES
from instruments.queries import codes
from instruments.services import import_runs, uploads


@login_required
@require_http_methods(["GET", "POST"])
def code_list(request: HttpRequest) -> HttpResponse:
    """What there is of each list, and a file to look at before anything is written."""
    actor, today = actor_of(request), timezone.localdate()
    actor.require(Role.OPERATOR)
    form, status = CodeListForm(today), 200
    if request.method == "POST":
        form, status = CodeListForm(today, request.POST, request.FILES), 422
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                run = import_runs.start(actor, form.asked(), uploads.received(file), file.name or "", timezone.now())
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                return redirect("import_run", run.pk)
    rows = [(SCHEME_NAMES[one.scheme], one) for one in codes.list_states(actor, today)]
    return render(request, "standards/code_lists.html", {"rows": rows, "form": form}, status=status)
