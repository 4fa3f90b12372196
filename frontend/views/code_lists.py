"""The lists of codes that records name: as they stand, and taking in a newer one."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config.kernel.access import Role
from frontend.code_list_form import CodeListForm
from frontend.http import actor_of
from frontend.views.imports import hand_over
from instruments.code_wording import SCHEME_NAMES
from instruments.queries import codes


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
    rows = [(SCHEME_NAMES[one.scheme], one) for one in codes.list_states(actor, today)]
    return render(request, "standards/code_lists.html", {"rows": rows, "form": form}, status=status)
