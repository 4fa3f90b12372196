"""Research groups and their fund cards: who spends together, from what, and who agrees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.cards import queries as balances
from billing.cards import services as cards
from billing.cards.queries import NOTHING
from booking.queries import spending as leader_queries
from config.kernel.access import Actor
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.firm_forms import fen
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at
from frontend.refusals import sentences, status_of
from frontend.spending_forms import CardForm, GroupForm, MemberForm, card_initial, group_initial
from instruments import queries
from instruments.access import keeps_groups
from instruments.models import OrganisationKind, ResearchGroup
from instruments.queries import spending
from instruments.services import research_groups

PER_PAGE = 25


@login_required
@require_GET
def group_list(request: HttpRequest) -> HttpResponse:
    """The groups that the actor leads, spends for or keeps, and where a new one can be made."""
    return _list_page(request)


def _list_page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    page = Paginator(spending.groups_visible(actor), PER_PAGE).get_page(request.GET.get("page"))
    mine = [row.organisation for row in queries.my_organisations(actor)]
    kept = [one for one in mine if one.kind != OrganisationKind.GOVERNMENT and keeps_groups(actor, one)]
    owners = [(one, spending.card_needed(one.pk)) for one in kept if one.kind == OrganisationKind.OWNER]
    waiting = leader_queries.waiting_for(actor).count() if leader_queries.leads_a_group(actor) else None
    problems = sentences(refusal) if refusal else []
    context = {"page": page, "kept": kept, "owners": owners, "waiting": waiting, "problems": problems}
    stands_at(request, "group_list")
    return render(request, "groups/list.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def spending_rules(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether an owner's own people need a fund card."""
    needed = request.POST.get("needed") == "yes"
    try:
        research_groups.set_card_needed(actor_of(request), pk, needed, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _list_page(request, refusal)
    if needed:
        messages.success(request, _("From now on your own people book with a fund card only."))
    else:
        messages.success(request, _("Your own people may book without a fund card again."))
    return redirect("group_list")


@login_required
@require_http_methods(["GET", "POST"])
def group_create(request: HttpRequest, pk: int) -> HttpResponse:
    """A new group of an organisation."""
    actor = actor_of(request)
    organisation = queries.organisation_for(actor, pk)
    if not keeps_groups(actor, organisation):
        raise Forbidden.of("group.not_yours")
    form = GroupForm(queries.members_of(actor, organisation), _typed(request))

    def make(now: datetime) -> HttpResponse:
        said = form.cleaned_data
        threshold = fen(said["threshold_fen"])
        made = research_groups.create_group(actor, pk, said["name"], int(said["leader"]), threshold, now)
        messages.success(request, _("The group is there. Now say who spends for it, and from which cards."))
        return redirect("group_detail", made.pk)

    context = {"form": form, "organisation": organisation, "group": None}
    return _form_page(request, "groups/group_form.html", form, context, make)


@login_required
@require_http_methods(["GET", "POST"])
def group_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Name, leader and threshold."""
    actor = actor_of(request)
    group = _kept_group(actor, pk)
    people = queries.members_of(actor, group.organisation)
    form = GroupForm(people, _typed(request), initial=group_initial(group))

    def change(now: datetime) -> HttpResponse:
        said = form.cleaned_data
        threshold = fen(said["threshold_fen"])
        research_groups.change_group(actor, pk, said["name"], int(said["leader"]), threshold, now)
        messages.success(request, _("Saved."))
        return redirect("group_detail", pk)

    context = {"form": form, "organisation": group.organisation, "group": group}
    return _form_page(request, "groups/group_form.html", form, context, change)


@login_required
@require_http_methods(["GET", "POST"])
def group_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A group: its people, its cards with what is left, and the form for one person more."""
    actor = actor_of(request)
    group = spending.group_for(actor, pk)
    if request.method == "POST" and not spending.may_add(actor, group):
        raise Forbidden.of("group.not_yours")
    people = [one for one in queries.members_of(actor, group.organisation) if one.user_id != group.leader_id]
    now = timezone.now()
    form = MemberForm(people, _typed(request), initial={"from_on": spending.today(now)})

    def add(now: datetime) -> HttpResponse:
        said = form.cleaned_data
        research_groups.set_member(actor, pk, int(said["user"]), said["from_on"], said["until_on"], now)
        messages.success(request, _("Saved. The person can choose the group's cards on these days."))
        return redirect("group_detail", pk)

    return _form_page(request, "groups/detail.html", form, _detail(actor, group, form, now), add)


def _detail(actor: Actor, group: ResearchGroup, form: MemberForm, now: datetime) -> dict[str, Any]:
    cards_of_group = list(spending.cards_visible(actor).filter(group=group))
    found = balances.balances(actor, cards_of_group)
    return {
        "group": group,
        "form": form,
        "members": spending.members_visible(actor, group),
        "cards": [(card, found.get(card.pk, NOTHING)) for card in cards_of_group],
        "may_keep": spending.may_keep(actor, group),
        "may_add": spending.may_add(actor, group),
        "today": spending.today(now),
    }


@login_required
@require_POST
def group_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a group, or open it again (``closed=no``)."""
    closed = request.POST.get("closed") != "no"
    research_groups.set_closed(actor_of(request), pk, closed, timezone.now())
    messages.success(request, _("Closed. It can be opened again here.") if closed else _("Opened again."))
    return redirect("group_detail", pk)


@login_required
@require_POST
def group_member_remove(request: HttpRequest, pk: int, user_id: int) -> HttpResponse:
    """Somebody spends no more for the group; who takes oneself out may not see it any more."""
    actor = actor_of(request)
    research_groups.remove_member(actor, pk, user_id, timezone.now())
    messages.success(request, _("Removed. What is booked already stays."))
    still = spending.groups_visible(actor).filter(pk=pk).exists()
    return redirect("group_detail", pk) if still else redirect("group_list")


@login_required
@require_http_methods(["GET", "POST"])
def card_create(request: HttpRequest, pk: int) -> HttpResponse:
    """A new card of a group, valid for this year unless said otherwise."""
    actor = actor_of(request)
    group = _kept_group(actor, pk)
    today = spending.today(timezone.now())
    form = CardForm(_typed(request), initial={"valid_from": today, "valid_until": today.replace(month=12, day=31)})

    def make(now: datetime) -> HttpResponse:
        cards.open_card(actor, pk, form.facts(), now)
        messages.success(request, _("The card can be chosen when booking."))
        return redirect("group_detail", pk)

    return _form_page(request, "groups/card_form.html", form, {"form": form, "group": group, "card": None}, make)


@login_required
@require_http_methods(["GET", "POST"])
def card_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about a card but its group."""
    actor = actor_of(request)
    card = spending.card_for(actor, pk)
    group = _kept_group(actor, card.group_id)
    balance = balances.balances(actor, [card]).get(card.pk, NOTHING)
    form = CardForm(_typed(request), initial=card_initial(card, balance))

    def change(now: datetime) -> HttpResponse:
        cards.change_card(actor, pk, form.facts(), now)
        messages.success(request, _("Saved."))
        return redirect("group_detail", group.pk)

    context = {"form": form, "group": group, "card": card, "balance": balance}
    return _form_page(request, "groups/card_form.html", form, context, change)


@login_required
@require_POST
def card_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a card, or open it again (``closed=no``)."""
    closed = request.POST.get("closed") != "no"
    card = cards.set_card_closed(actor_of(request), pk, closed, timezone.now())
    messages.success(request, _("Closed. It can be opened again here.") if closed else _("Opened again."))
    return redirect("group_detail", card.group_id)


def _kept_group(actor: Actor, pk: int) -> ResearchGroup:
    group = spending.group_for(actor, pk)
    if not spending.may_keep(actor, group):
        raise Forbidden.of("group.not_yours")
    return group


def _typed(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _form_page(
    request: HttpRequest, template: str, form: forms.Form, context: dict[str, Any], act: Callable[[datetime], HttpResponse]
) -> HttpResponse:
    """The page with its form; with POST what ``act`` answers, or the form again with every reason and what was typed."""
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return act(timezone.now())
            except (NotFound, Forbidden):
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
    return render(request, template, context, status=status)
