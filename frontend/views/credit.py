"""Credit points and lists: a person's own record, the lab's page, and its rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from booking.queries import credit as queries
from booking.queries import licences as teaching
from booking.rules.credit import Scope, policy_from
from booking.services import access_lists, credit
from booking.services.access_lists import Listing
from booking.training_wording import MEASURE_NAMES, licence_scope
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at
from frontend.presenters.credit import because, rules_in_words
from frontend.refusals import sentences, status_of
from frontend.training_forms import ListingForm, NoteForm, RulesForm, end_of_day
from instruments.models import Organisation

PER_PAGE = 20


@login_required
@require_GET
def my_record(request: HttpRequest) -> HttpResponse:
    """What I hold, where I am enrolled, what was noted about me and what follows from it."""
    return _record_page(request)


def _record_page(request: HttpRequest, refusal: Refusal | None = None, failed: int = 0) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    held = teaching.held(teaching.my_licences(actor), now)
    standings = [
        (row, standing, [(one, MEASURE_NAMES[one.kind], because(one)) for one in standing.measures])
        for row, standing in queries.my_standings(actor, now)
    ]
    entries = [one for one in queries.list_entries(actor, now) if one.person_id == actor.user_id and one.verdict == "deny"]
    context = {
        "licences": [(one, licence_scope(one.licence)) for one in held],
        "enrolments": teaching.my_enrolments(actor)[:PER_PAGE],
        "standings": standings,
        "entries": entries,
        "page": Paginator(queries.my_events(actor), PER_PAGE).get_page(request.GET.get("page")),
        "now": now,
        "problems": sentences(refusal) if refusal else [],
        "failed": failed,
    }
    stands_at(request, "my_record")
    return render(request, "training/record.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def credit_appeal(request: HttpRequest, pk: int) -> HttpResponse:
    """Say why something should not count."""
    try:
        credit.appeal(actor_of(request), pk, request.POST.get("text", ""), timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _record_page(request, refusal, pk)
    messages.success(request, _("Your appeal is with the lab. Somebody who did not note it decides, and you get a mail."))
    return redirect("my_record")


@login_required
@require_GET
def credit_lab(request: HttpRequest) -> HttpResponse:
    """Appeals that wait, what was noted, who is on a list."""
    return _lab_page(request)


def _lab_page(
    request: HttpRequest,
    refusal: Refusal | None = None,
    failed: int = 0,
    status: int = 200,
    kept: Mapping[str, forms.Form] | None = None,
) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    actor.require(Role.LAB_MANAGER, Role.OPERATOR)
    kept = kept or {}
    owners = teaching.teachable_owners(actor)
    entries = queries.list_entries(actor, now)
    context: dict[str, Any] = {
        "appeals": queries.open_appeals(actor),
        "page": Paginator(queries.lab_events(actor), PER_PAGE).get_page(request.GET.get("page")),
        "entries": entries,
        "owners": owners,
        "keeps_points": queries.keeps_points([one.pk for one in owners]),
        "is_operator": actor.has(Role.OPERATOR),
        "note_form": kept.get("note_form") or NoteForm(owners),
        "list_form": kept.get("list_form") or _list_form(actor, owners),
        "problems": sentences(refusal) if refusal else [],
        "failed": failed,
    }
    stands_at(request, "credit_lab")
    return render(request, "training/credit.html", context, status=status_of(refusal) if refusal else status)


def _list_form(actor: Actor, owners: list[Organisation], data: Any = None) -> ListingForm:
    instruments = teaching.instruments_of_owners([one.pk for one in owners], actor)
    return ListingForm(owners, instruments, actor.has(Role.OPERATOR), data)


@login_required
@require_POST
def credit_note(request: HttpRequest) -> HttpResponse:
    """Points by the lab's own word."""
    actor = actor_of(request)
    form = NoteForm(teaching.teachable_owners(actor), request.POST)

    def act() -> None:
        typed = form.cleaned_data
        credit.note_manual(actor, int(typed["organisation"]), typed["email"], typed["points"], typed["note"], timezone.now())

    return _sent(request, form, act, _("Noted. The person gets a mail and can appeal."), note_form=form)


@login_required
@require_POST
def access_list_put(request: HttpRequest) -> HttpResponse:
    """Put somebody on a list."""
    actor = actor_of(request)
    form = _list_form(actor, teaching.teachable_owners(actor), request.POST)

    def act() -> None:
        typed = form.cleaned_data
        listing = Listing(
            owner_id=int(typed["organisation"]) if typed["organisation"] else None,
            verdict=typed["verdict"],
            reason=typed["reason"],
            email=typed["email"],
            customer=typed["customer"],
            instrument_id=int(typed["instrument"]) if typed["instrument"] else None,
            until=end_of_day(typed["until"], "until"),
        )
        access_lists.put_on_list(actor, listing, timezone.now())

    return _sent(request, form, act, _("It counts from now on."), list_form=form)


def _sent(request: HttpRequest, form: forms.Form, act: Callable[[], None], done: str, **kept: forms.Form) -> HttpResponse:
    """Do it when the form is whole; when it is refused, the page again with the reasons and what was typed."""
    if form.is_valid():
        try:
            act()
        except NotFound:
            raise
        except Refusal as refusal:
            refusal_to_form(form, refusal)
        else:
            messages.success(request, done)
            return redirect("credit_lab")
    return _lab_page(request, status=422, kept=kept)


@login_required
@require_POST
def access_list_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Take somebody off a list."""
    access_lists.take_off_list(actor_of(request), pk, timezone.now())
    messages.success(request, _("Taken off the list."))
    return redirect("credit_lab")


@login_required
@require_POST
def appeal_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant an appeal or refuse it, with an answer."""
    grant = request.POST.get("decision") == "grant"
    try:
        credit.decide_appeal(actor_of(request), pk, grant, request.POST.get("answer", ""), timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _lab_page(request, refusal, pk)
    messages.success(request, _("Granted: the points are given back.") if grant else _("Refused. The person reads your answer."))
    return redirect("credit_lab")


@login_required
@require_http_methods(["GET", "POST"])
def credit_rules(request: HttpRequest) -> HttpResponse:
    """How points are kept: by a lab (``owner``), or on the whole platform by its operator."""
    actor = actor_of(request)
    actor.require(Role.LAB_MANAGER, Role.OPERATOR)
    owner = _chosen_owner(request, actor)
    owner_id = owner.pk if owner else None
    stored = queries.stored_rules(actor, owner_id)
    form = RulesForm(owner is None, stored.document if stored else None, request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        stop = request.POST.get("action") == "stop"
        if stop or form.is_valid():
            try:
                credit.set_rules(actor, owner_id, None if stop else form.document(), timezone.now())
            except NotFound:
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("No points are kept any more.") if stop else _("These rules count from now on."))
                return redirect(reverse("credit_rules") + (f"?owner={owner_id}" if owner_id else ""))
    context: dict[str, Any] = {"form": form, "owner": owner, "owners": teaching.teachable_owners(actor), "stored": stored}
    if stored is not None:
        scope = Scope.PLATFORM if owner is None else Scope.LAB
        context["said"] = rules_in_words(policy_from(stored.document, scope), timezone.now())
    return render(request, "training/rules.html", context, status=status)


def _chosen_owner(request: HttpRequest, actor: Actor) -> Organisation | None:
    """The lab that is meant: the one in the address, else the first; None is the platform, for its operator."""
    owners = teaching.teachable_owners(actor)
    asked = request.GET.get("owner", "")
    chosen = next((one for one in owners if str(one.pk) == asked), None)
    if asked and chosen is None:
        raise NotFound.of("access.not_found", model="organisation")
    return chosen or (None if actor.has(Role.OPERATOR) else owners[0])
