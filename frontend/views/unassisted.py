"""Sessions to come in which nobody assists yet, and giving them all to those who can."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from booking.queries.unassisted import proposals, unassisted
from booking.services import assisting_all
from config.kernel.access import Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.booking_form import read_id
from frontend.http import actor_of
from frontend.refusals import sentences

#: So many are shown, and given, at a time.
PER_PAGE = 50


@login_required
@require_http_methods(["GET", "POST"])
def unassisted_list(request: HttpRequest) -> HttpResponse:
    """A page of them, each with who would assist; POST gives all that were shown with somebody (``give``: booking and person), or none."""
    actor, now = actor_of(request), timezone.now()
    actor.require(Role.LAB_MANAGER)
    problems: list[str] = []
    status = 200
    if request.method == "POST":
        try:
            count = assisting_all.give_all(actor, _chosen(request.POST.getlist("give")), now)
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            problems, status = sentences(refusal), status_of(refusal)
        else:
            messages.success(
                request, ngettext("%(count)s session was given.", "%(count)s sessions were given.", count) % {"count": count}
            )
            return redirect(request.get_full_path())
    page = Paginator(unassisted(actor, now), PER_PAGE).get_page(request.GET.get("page"))
    rows = proposals(list(page), now)
    context = {
        "rows": rows,
        "given": sum(one.helper is not None for one in rows),
        "page": page,
        "problems": problems,
    }
    return render(request, "assisting/unassisted.html", context, status=status)


def _chosen(pairs: list[str]) -> list[tuple[int, int]]:
    """What was sent, booking and person. Raises NotFound for what cannot be read: it is nobody's."""
    found = [(read_id(booking), read_id(person)) for booking, _colon, person in (pair.partition(":") for pair in pairs)]
    if not all(all(pair) for pair in found):
        raise NotFound.of("access.not_found", model="reservation")
    return found
