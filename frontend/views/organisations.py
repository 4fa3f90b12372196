"""Organisations: mine, founding one, its page, its people, joining one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.kernel.access import Role, get_visible
from config.kernel.api.problems import status_of
from config.kernel.errors import Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.messages import reason_sentence
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at
from frontend.organisation_forms import CodeForm, InviteForm, JoinForm, LicenceForm, OrganisationForm, ReasonForm, RolesForm
from frontend.refusals import sentences
from instruments import queries
from instruments.access import administers, keeps_profile, sees_private_profile
from instruments.models import JoinRequest, Organisation, OrganisationKind, OrganisationStatus
from instruments.rules.roles import ROLES
from instruments.services import invitations, joining, members, organisations, uploads, verification
from instruments.services.organisation_facts import OrganisationFacts, facts_of
from instruments.wording import role_name

_KIND_TEMPLATE = "organisations/kind.html"


@login_required
@require_GET
def organisation_list(request: HttpRequest) -> HttpResponse:
    """Mine, each with what is worth doing next, and what I asked to join."""
    actor = actor_of(request)
    context = {
        "mine": queries.my_organisations(actor),
        "asked": queries.my_join_requests(actor),
        "keeps_zones": actor.has(Role.OPERATOR),
    }
    return render(request, "organisations/list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def organisation_create(request: HttpRequest) -> HttpResponse:
    """First the kind, in plain words, then what that kind needs."""
    actor, kind = actor_of(request), request.GET.get("kind", "")
    kinds = [found for found in OrganisationKind.values if found != OrganisationKind.GOVERNMENT or actor.has(Role.OPERATOR)]
    if kind not in kinds:
        return render(request, _KIND_TEMPLATE, {"kinds": kinds})
    form = OrganisationForm(kind, request.POST if request.method == "POST" else None)
    status, taken = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            facts, accepted = form.facts(OrganisationFacts(name="")), form.cleaned_data["accept_look_alike"]
            try:
                created = organisations.create_organisation(actor, kind, facts, timezone.now(), accept_look_alike=accepted)
            except Refusal as refusal:
                form.add_refusal(refusal)
                status, taken = status_of(refusal), _taken(refusal, facts)
            else:
                messages.success(request, _("%(name)s is created. See below what comes next.") % {"name": created.name})
                return redirect("organisation_detail", created.pk)
    return render(request, "organisations/create.html", {"form": form, "kind": kind, "taken": taken}, status=status)


def _taken(refusal: Refusal, facts: OrganisationFacts) -> dict[str, Any] | None:
    """The organisation that has the typed code already, to be joined."""
    if not isinstance(refusal, Conflict) or "organisation_id" not in refusal.extra:
        return None
    scheme = refusal.reasons[0].params["scheme"]
    return {**refusal.extra, "code": facts.identifiers.get(scheme, "")}


@require_GET
def organisation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of an organisation: facts for everybody who sees it, people and licence for its own."""
    return detail_response(request, pk)


def detail_response(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    """The page of an organisation; with a refusal, its reasons above and its status."""
    actor, now = actor_of(request), timezone.now()
    found = queries.organisation_for(actor, pk)
    is_administrator, is_member = administers(actor, found), pk in actor.organisations()
    requests = list(queries.verification_requests(actor, found))
    people = queries.members_of(actor, found)
    context = {
        "organisation": found,
        "is_administrator": is_administrator,
        "is_member": is_member,
        "keeps_profile": keeps_profile(actor, found),
        "sees_private": sees_private_profile(actor, found),
        "may_suspend": actor.has(Role.OPERATOR) and not is_member,
        "keeps_rules": found.kind == OrganisationKind.OWNER and found.pk in actor.organisations(Role.LAB_MANAGER),
        "keeps_instruments": found.kind == OrganisationKind.OWNER
        and (actor.has(Role.OPERATOR) or pk in actor.organisations(Role.LAB_MANAGER)),
        "open_to_all": found.kind == OrganisationKind.OWNER and found.status == OrganisationStatus.VERIFIED,
        "may_ask": request.user.is_authenticated and not is_member and found.kind != OrganisationKind.GOVERNMENT,
        "next_step": queries.next_step(found, any(one.decided_at is None for one in requests)) if is_administrator else "",
        "people": people,
        "invitations": queries.open_invitations(actor, found, now) if is_administrator else [],
        "join_requests": queries.open_join_requests(actor, found) if is_administrator else [],
        "verification_requests": requests,
        "role_choices": [role.value for role in ROLES[found.kind]],
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "organisation_detail", pk)
    return render(request, "organisations/detail.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_http_methods(["GET", "POST"])
def organisation_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The profile."""
    actor = actor_of(request)
    found = queries.organisation_for(actor, pk)
    if not keeps_profile(actor, found):
        raise Forbidden.of("access.role_needed", roles=[])
    stored = facts_of(found)
    data = request.POST if request.method == "POST" else None
    form = OrganisationForm(found.kind, data, bank=True, initial=OrganisationForm.initial_of(stored))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            accepted = form.cleaned_data["accept_look_alike"]
            try:
                saved = organisations.update_profile(actor, pk, form.facts(stored), timezone.now(), accept_look_alike=accepted)
            except Refusal as refusal:
                form.add_refusal(refusal)
                status = status_of(refusal)
            else:
                if saved.status != found.status:
                    messages.warning(
                        request,
                        _("Saved. Because something that subsidies rest on changed, the organisation has to be verified again."),
                    )
                else:
                    messages.success(request, _("The profile is saved."))
                return redirect("organisation_detail", pk)
    return render(request, "organisations/edit.html", {"form": form, "organisation": found}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def organisation_verify(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in the licence scan."""
    actor = actor_of(request)
    found = queries.organisation_for(actor, pk)
    _require_administrator(request, found)
    form = LicenceForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                verification.submit_verification(actor, pk, uploads.received(form.cleaned_data["file"]), timezone.now())
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("The licence is handed in. You get a mail when it has been checked."))
                return redirect("organisation_detail", pk)
    return render(request, "organisations/verify.html", {"form": form, "organisation": found}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def organisation_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Invite a colleague."""
    actor = actor_of(request)
    found = queries.organisation_for(actor, pk)
    _require_administrator(request, found)
    form = InviteForm(found.kind, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            email, role = form.cleaned_data["email"], form.cleaned_data["role"]
            try:
                sent = invitations.invite(actor, pk, email, role, timezone.now())
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": sent.email})
                return redirect("organisation_detail", pk)
    return render(request, "organisations/invite.html", {"form": form, "organisation": found}, status=status)


@login_required
@require_POST
def invitation_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    withdrawn = invitations.withdraw_invitation(actor_of(request), pk, timezone.now())
    messages.success(request, _("The invitation to %(email)s is withdrawn.") % {"email": withdrawn.email})
    return redirect("organisation_detail", withdrawn.organisation_id)


@login_required
@require_http_methods(["GET", "POST"])
def invitation_accept(request: HttpRequest, token: str) -> HttpResponse:
    """What the link in an invitation's mail opens."""
    actor, now = actor_of(request), timezone.now()
    if request.method == "POST":
        accepted = invitations.accept_invitation(actor, token, now)
        values = {"name": accepted.organisation.name, "role": role_name(accepted.role)}
        messages.success(request, _("You are now in %(name)s as %(role)s.") % values)
        return redirect("organisation_detail", accepted.organisation_id)
    found, problem = queries.invitation_by_token(token), ""
    try:
        invitations.refuse_unless_open(found, now)
    except Refusal as refusal:
        problem = reason_sentence(refusal.reasons[0])
    if not problem and queries.person(actor).email.lower() != found.email.lower():
        problem = reason_sentence(Reason("invitation.other_address"))
    return render(
        request, "organisations/invitation.html", {"invitation": found, "problem": problem}, status=422 if problem else 200
    )


@login_required
@require_GET
def organisation_join(request: HttpRequest) -> HttpResponse:
    """Find an organisation by its code."""
    form = CodeForm(request.GET if "code" in request.GET else None)
    found: list[Organisation] = []
    status = 200
    if form.is_bound:
        if form.is_valid():
            found = list(joining.organisations_with_code(form.cleaned_data["code"]))
            if not found:
                form.add_error("code", reason_sentence(Reason("join.nothing_found")))
        status = 200 if found else 422
    code = form.cleaned_data.get("code", "") if form.is_bound else ""
    context = {"form": form, "found": found, "join_form": JoinForm(initial={"code": code})}
    return render(request, "organisations/join.html", context, status=status)


@login_required
@require_POST
def join_request(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask to join."""
    form = JoinForm(request.POST)
    if not form.is_valid():
        raise Refusal.of(
            "name.too_long", field="note", length=len(request.POST.get("note", "")), max_length=joining.NOTE_MAX_LENGTH
        )
    asked = joining.request_to_join(actor_of(request), pk, form.cleaned_data["code"], form.cleaned_data["note"], timezone.now())
    messages.success(
        request, _("%(name)s is asked. You get a mail when somebody has decided.") % {"name": asked.organisation.name}
    )
    return redirect("organisation_list")


@login_required
@require_POST
def join_request_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody in with a role, or not."""
    actor, accept = actor_of(request), request.POST.get("decision") == "accept"
    try:
        decided = joining.decide_join_request(actor, pk, accept, request.POST.get("role", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, get_visible(JoinRequest.objects.all(), actor, pk=pk).organisation_id, refusal)
    person = {"person": str(decided.user)}
    messages.success(request, _("%(person)s is in.") % person if accept else _("%(person)s was declined.") % person)
    return redirect("organisation_detail", decided.organisation_id)


@login_required
@require_http_methods(["GET", "POST"])
def member_edit(request: HttpRequest, pk: int, user_id: int) -> HttpResponse:
    """The roles of one member."""
    actor = actor_of(request)
    found = queries.organisation_for(actor, pk)
    _require_administrator(request, found)
    member = queries.member_of(actor, found, user_id)
    form = RolesForm(found.kind, request.POST if request.method == "POST" else None, initial={"roles": member.roles})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                members.change_roles(actor, pk, user_id, form.cleaned_data["roles"], timezone.now())
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("The roles of %(person)s are saved.") % {"person": member.name})
                return redirect("organisation_detail", pk) if user_id != actor.user_id else redirect("organisation_list")
    context = {"form": form, "organisation": found, "member": member}
    return render(request, "organisations/member.html", context, status=status)


@login_required
@require_POST
def member_remove(request: HttpRequest, pk: int, user_id: int) -> HttpResponse:
    """Take somebody out, or leave."""
    actor = actor_of(request)
    members.remove_member(actor, pk, user_id, timezone.now())
    if user_id == actor.user_id:
        messages.success(request, _("You have left."))
        return redirect("organisation_list")
    messages.success(request, _("The person is no longer a member."))
    return redirect("organisation_detail", pk)


@login_required
@require_http_methods(["GET", "POST"])
def organisation_suspend(request: HttpRequest, pk: int) -> HttpResponse:
    """Suspend, or lift a suspension, with a reason."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    found = queries.organisation_for(actor, pk)
    suspend = found.status != "suspended"
    form = ReasonForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                verification.set_suspension(actor, pk, suspend, form.cleaned_data["reason"], timezone.now())
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                done = _("%(name)s is suspended.") if suspend else _("The suspension of %(name)s is lifted.")
                messages.success(request, done % {"name": found.name})
                return redirect("organisation_detail", pk)
    return render(request, "organisations/suspend.html", {"form": form, "organisation": found, "suspend": suspend}, status=status)


def _require_administrator(request: HttpRequest, organisation: Organisation) -> None:
    if not administers(actor_of(request), organisation):
        raise Forbidden.of("access.role_needed", roles=[])
