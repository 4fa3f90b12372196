"""A document of money that one person proposed: another one of finance issues it or sends it back. Bills and statements alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.settlement.proposal_models import Proposal
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.http import actor_of, stands_at
from frontend.refusals import sentences

P = TypeVar("P", bound=Proposal)


@dataclass(frozen=True)
class Proposals(Generic[P]):
    """One kind of them. ``page``, ``document``: the routes of a proposal and of what was issued; ``shown``: what the document would say
    now, for the template, or a Refusal; ``anew``: said after one was declined."""

    page: str
    document: str
    template: str
    find: Callable[[Actor, int], P]
    decides: Callable[[Actor, P], bool]
    shown: Callable[[Actor, P, datetime], dict[str, Any]]
    issue: Callable[[Actor, int, datetime], Any]
    decline: Callable[[Actor, int, str, datetime], P]
    anew: Promise

    def response(self, request: HttpRequest, pk: int, refusal: Refusal | None = None, heading: str = "") -> HttpResponse:
        """What was proposed, what the document would say now, and who decided; ``heading`` stands over a refusal."""
        actor = actor_of(request)
        found = self.find(actor, pk)
        decides = self.decides(actor, found)
        context: dict[str, Any] = {
            "proposal": found,
            "decides": decides,
            "own": found.proposed_by_id == actor.user_id,
            "problems": sentences(refusal) if refusal else [],
            "heading": heading or _("Nothing was issued"),
        }
        if decides:
            try:
                context |= self.shown(actor, found, timezone.now())
            except (NotFound, Forbidden):
                raise
            except Refusal as changed:
                context["problems"] = context["problems"] or sentences(changed)
        stands_at(request, self.page, pk)
        return render(request, self.template, context, status=status_of(refusal) if refusal else 200)

    def issued(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Issue it as another person."""
        try:
            document = self.issue(actor_of(request), pk, timezone.now())
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            return self.response(request, pk, refusal)
        messages.success(request, _("Issued as %(number)s. The documents are being made.") % {"number": document.number})
        return redirect(self.document, pk=document.pk)

    def declined(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send it back with a reason, or withdraw one's own."""
        try:
            self.decline(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            return self.response(request, pk, refusal, _("That was not done"))
        messages.success(request, str(self.anew))
        return redirect(self.page, pk=pk)
