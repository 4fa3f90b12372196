"""News for the person who looks, and how they want to be told."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.kernel.api.problems import status_of
from config.kernel.errors import Refusal
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from frontend.notice_forms import AddressForm, CodeForm, NoticeSettingsForm
from frontend.presenters.notices import row_of
from instruments.notice_events import groups
from instruments.queries import notices as queries
from instruments.queries.notices import NoticeFilter
from instruments.services import channels, notice_settings, notices

PAGE = 30
SHOWS = ("all", "unread", "action")


@login_required
@require_GET
def notice_list(request: HttpRequest) -> HttpResponse:
    """All of mine, newest first, narrowed by ``show`` and ``group``."""
    actor = actor_of(request)
    show = request.GET.get("show", "all")
    group = request.GET.get("group", "")
    wanted = NoticeFilter(show if show in SHOWS else "all", group if group in groups() else "")
    page = Paginator(queries.my_notices(actor, wanted), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [row_of(one) for one in page],
        "wanted": wanted,
        "groups": {code: one for code, one in groups().items() if not one.hidden},
        "may_read_log": queries.may_read_log(actor),
    }
    return render(request, "notices/list.html", context)


@never_cache
@require_GET
def notice_bell(request: HttpRequest) -> HttpResponse:
    """The bell with its count, asked for now and then while a page is looked at; nothing when ``seen`` is still right.

    It asks nobody to log in: the page that asks is looked at already.
    """
    actor = actor_of(request)
    if actor.is_anonymous:
        return HttpResponse(status=204)
    unread = queries.unread_count(actor)
    if request.GET.get("seen") == str(unread):
        return HttpResponse(status=204)
    return render(request, "components/bell.html", {"unread": unread})


@login_required
@require_GET
def notice_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to what a notice is about, which marks it as read: for links in the list without scripts."""
    actor = actor_of(request)
    found = queries.my_notice(actor, pk)
    notices.mark_read(actor, [pk], timezone.now())
    return redirect(found.path if _is_ours(found.path) else "notice_list")


@login_required
@require_POST
def notice_read(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one as read."""
    actor = actor_of(request)
    queries.my_notice(actor, pk)
    notices.mark_read(actor, [pk], timezone.now())
    return _back(request)


@login_required
@require_POST
def notices_read(request: HttpRequest) -> HttpResponse:
    """Mark all as read."""
    number = notices.mark_read(actor_of(request), None, timezone.now())
    messages.success(request, ngettext("%(count)s notice is read.", "%(count)s notices are read.", number) % {"count": number})
    return _back(request)


@login_required
@require_http_methods(["GET", "POST"])
def notice_settings_page(request: HttpRequest) -> HttpResponse:
    """Events by channel, digest, quiet hours: all on one page."""
    actor = actor_of(request)
    addresses = queries.my_addresses(actor)
    known = channels.channels()
    offered: list[tuple[str, Any]] = [(notices.EMAIL, pgettext("channel", "E-mail"))]
    offered += [(name, one.label) for name, one in known.items() if name in addresses and addresses[name].verified_at]
    form = NoticeSettingsForm(queries.my_settings(actor), offered, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                notice_settings.save_settings(actor, form.wishes(), timezone.now())
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Saved. This is how you are told from now on."))
                return redirect("notice_settings")
    more = [{"name": name, "label": one.label, "address": addresses.get(name)} for name, one in known.items()]
    return render(request, "notices/settings.html", {"form": form, "channels": more}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def channel_address(request: HttpRequest, channel: str) -> HttpResponse:
    """Give an address for a channel; a code is sent there."""
    return _channel_form(request, channel, AddressForm(_known(channel), request.POST or None), "address")


@login_required
@require_http_methods(["GET", "POST"])
def channel_code(request: HttpRequest, channel: str) -> HttpResponse:
    """The code that came."""
    return _channel_form(request, _known(channel), CodeForm(request.POST or None), "code")


@login_required
@require_POST
def channel_forget(request: HttpRequest, channel: str) -> HttpResponse:
    """Reach me there no more."""
    notice_settings.forget_address(actor_of(request), _known(channel), timezone.now())
    messages.success(request, _("The address is forgotten."))
    return redirect("notice_settings")


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the link's token is what allows it
@never_cache
@require_http_methods(["GET", "POST"])
def notice_unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """End mails of a kind, from the link in a mail; asking first, since mail scanners follow links."""
    _person, codes = notice_settings.of_token(token)
    if request.method == "POST":
        notice_settings.unsubscribe(token, actor_of(request), timezone.now())
    names = [groups()[code].name for code in codes]
    return render(request, "notices/unsubscribe.html", {"names": names, "done": request.method == "POST"})


def _channel_form(request: HttpRequest, channel: str, form: AddressForm | CodeForm, step: str) -> HttpResponse:
    adapter, status = channels.channels()[channel], 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _channel_step(request, channel, step, form.cleaned_data[step])
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
    context = {"form": form, "field": form[step], "label": adapter.label, "channel": channel, "step": step}
    return render(request, "notices/channel.html", context, status=status)


def _channel_step(request: HttpRequest, channel: str, step: str, typed: str) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    if step == "address":
        notice_settings.give_address(actor, channel, typed, now)
        messages.success(request, _("A code is on its way there. Type it here."))
        return redirect("channel_code", channel)
    notice_settings.confirm_address(actor, channel, typed, now)
    messages.success(request, _("Confirmed. Choose now what goes there."))
    return redirect("notice_settings")


def _known(channel: str) -> str:
    if channel not in channels.channels():
        raise Http404
    return channel


def _is_ours(path: str) -> bool:
    return path.startswith("/") and url_has_allowed_host_and_scheme(path, None)


def _back(request: HttpRequest) -> HttpResponse:
    """To the list as it was narrowed."""
    query = request.POST.get("query", "")[:200]
    return redirect(reverse("notice_list") + (f"?{query}" if query else ""))
