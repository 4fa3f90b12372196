"""Webhooks of an organisation."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Reason, Refusal
from config.kernel.messages import reason_sentence
from config.kernel.services import outbound
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at
from frontend.notice_forms import WebhookEventsForm, WebhookForm
from frontend.refusals import say_refusal
from instruments import queries as registry
from instruments.access import administers
from instruments.models import Organisation, Webhook, WebhookDelivery
from instruments.notice_events import event_name
from instruments.queries import notices as queries
from instruments.services import webhooks

PAGE = 30


@login_required
@require_GET
def webhook_list(request: HttpRequest, pk: int) -> HttpResponse:
    """All of an organisation."""
    organisation = _administered(request, pk)
    rows = [
        {"webhook": one, "events": [event_name(code) for code in one.events], "state": state_of(one)}
        for one in queries.webhooks_of(actor_of(request), organisation)
    ]
    return render(request, "webhooks/list.html", {"organisation": organisation, "rows": rows})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def webhook_create(request: HttpRequest, pk: int) -> HttpResponse:
    """A new one. Its secret is in the answer to the form and nowhere else, so this one post is not redirected."""
    organisation = _administered(request, pk)
    form = WebhookForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            address, events = form.cleaned_data["address"], form.cleaned_data["events"]
            try:
                made, secret = webhooks.register_webhook(actor_of(request), pk, address, events, timezone.now())
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                return render(request, "webhooks/secret.html", {"webhook": made, "secret": secret}, status=201)
    return render(request, "webhooks/create.html", {"organisation": organisation, "form": form}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def webhook_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One, with its log; the form changes what it hears and whether it is on."""
    actor = actor_of(request)
    webhook = queries.webhook_for(actor, pk)
    form = WebhookEventsForm(
        request.POST if request.method == "POST" else None, initial={"active": webhook.active, "events": webhook.events}
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                webhooks.change_webhook(actor, pk, form.cleaned_data["events"], form.cleaned_data["active"], timezone.now())
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Saved."))
                return redirect("webhook_detail", pk)
    page = Paginator(queries.webhook_log(actor, webhook), PAGE).get_page(request.GET.get("page"))
    host = webhooks.host_of(webhook)
    context = {
        "webhook": webhook, "state": state_of(webhook), "form": form, "page": page, "rows": [_line(one, host) for one in page],
        "off_after": webhook.switched_off_why == "failures",
    }  # fmt: skip
    stands_at(request, "webhook_detail", pk)
    return render(request, "webhooks/detail.html", context, status=status)


@login_required
@require_POST
def webhook_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a delivery that says nothing."""
    return _done(request, pk, lambda: webhooks.send_test(actor_of(request), pk, timezone.now()), _("A test is on its way."))


@never_cache
@login_required
@require_POST
def webhook_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Another secret, shown this once."""
    found, secret = webhooks.renew_secret(actor_of(request), pk, timezone.now())
    return render(request, "webhooks/secret.html", {"webhook": found, "secret": secret}, status=201)


@login_required
@require_POST
def webhook_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing goes there any more."""
    organisation_id = queries.webhook_for(actor_of(request), pk).organisation_id
    webhooks.remove_webhook(actor_of(request), pk, timezone.now())
    messages.success(request, _("The webhook is removed."))
    return redirect("webhook_list", organisation_id)


@login_required
@require_POST
def webhook_redeliver(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a delivery again."""
    actor = actor_of(request)
    found = queries.webhook_delivery_for(actor, pk)
    return _done(request, found.webhook_id, lambda: webhooks.redeliver(actor, pk, timezone.now()), _("It is sent again."))


def state_of(webhook: Webhook) -> str:
    """on, off (by hand) or failing (switched off by us)."""
    if webhook.active:
        return "on"
    return "failing" if webhook.switched_off_why == "failures" else "off"


def _line(one: WebhookDelivery, host: str) -> dict[str, object]:
    params = {
        "host": host, "status": one.status or "", "seconds": int(outbound.TOTAL_SECONDS), "megabytes": "",
    }  # fmt: skip
    why = reason_sentence(Reason(one.error, params)) if one.error else ""
    return {"delivery": one, "event": event_name(one.event), "why": why, "again": one.state in ("failed", "sent")}


def _done(request: HttpRequest, pk: int, act: Callable[[], object], said: str) -> HttpResponse:
    try:
        act()
    except NotFound:
        raise
    except Refusal as refusal:
        say_refusal(request, refusal)
    else:
        messages.success(request, said)
    return redirect("webhook_detail", pk)


def _administered(request: HttpRequest, pk: int) -> Organisation:
    organisation = registry.organisation_for(actor_of(request), pk)
    if not administers(actor_of(request), organisation):
        raise Forbidden.of("access.role_needed", roles=["administrator"])
    return organisation
