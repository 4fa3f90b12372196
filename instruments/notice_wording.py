"""What is told about people, organisations, instruments and resources."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from instruments.notice_events import Event, Group, Params, Words, register_events, register_groups
from instruments.rules.search_state import asks_for_time, search_of_query
from instruments.services.saved_searches import unsubscribe_token

register_groups(
    {
        "organisation": Group(_("My organisations"), _("Who joins, whether the licence is verified, webhooks.")),
        "registry": Group(_("Instruments and problems"), _("Changes that are looked at, problems that people report.")),
        "resources": Group(_("Data sets, literature, germplasm"), _("Requests for resources and what becomes of them.")),
        "alerts": Group(_("Alerts that I asked for"), _("Saved searches, times that become free.")),
        "account": Group(_("Account"), hidden=True),
    }
)


def _saved_searches(params: Params) -> Words:
    total = sum(one["count"] for one in params["searches"])
    title = ngettext("%(count)s new result of your saved searches", "%(count)s new results of your saved searches", total) % {
        "count": total
    }
    lines = [line for one in params["searches"] for line in _search_lines(one)]
    return Words(title, tuple(lines), tuple(line for one in params["searches"] for line in _search_in_mail(one)))


def _search_lines(one: Params) -> list[str]:
    english = (get_language() or "").startswith("en")
    lines = [one["name"]]
    lines += [f"- {entry['name_en'] if english and entry['name_en'] else entry['name']}" for entry in one["entries"]]
    if one["count"] > len(one["entries"]):
        lines.append(gettext("- and %(count)s more") % {"count": one["count"] - len(one["entries"])})
    if asks_for_time(search_of_query(one["query"])):
        lines.append(gettext("Whether they are free in the days of your search was not looked at."))
    return lines


def _search_in_mail(one: Params) -> list[str]:
    query = f"{one['query']}&sort=newest" if one["query"] else "sort=newest"
    stop = settings.PUBLIC_URL + reverse("saved_search_unsubscribe", args=[unsubscribe_token(one["id"])])
    return [
        *_search_lines(one),
        gettext("See them: %(link)s") % {"link": f"{settings.PUBLIC_URL}{reverse('search')}?{query}"},
        gettext("No more mails about this search: %(link)s") % {"link": stop},
        "",
    ]


def _delivered(params: Params) -> Words:
    note = params["note"] or gettext("The file is waiting on the page of your request.")
    return Words(gettext("%(resource)s is delivered") % params, (note, gettext("Please say afterwards how it was.")))


register_events(
    {
        "account.mail": Event("account", "", name=_("Mail about the account")),
        "account.code": Event("account", "", name=_("Code to confirm an address")),
        "organisation.invitation": Event("account", "", name=_("Invitation to an organisation")),
        "organisation.join_requested": Event(
            "organisation",
            _("%(person)s asks to join %(organisation)s"),
            (_("E-mail address: %(email)s"), "%(note)s"),
            "user-plus",
            needs_action=True,
            name=_("Somebody asks to join"),
        ),
        "organisation.join_accepted": Event(
            "organisation", _("You are now in %(organisation)s"), icon="user-check", name=_("Request to join accepted")
        ),
        "organisation.join_declined": Event(
            "organisation",
            _("Your request to join %(organisation)s was declined"),
            (_("Ask its administrator why."),),
            "user-off",
            name=_("Request to join declined"),
        ),
        "organisation.verified": Event(
            "organisation",
            _("%(organisation)s is verified"),
            (_("Subsidies can be granted from now on."),),
            "shield-check",
            name=_("Organisation verified"),
        ),
        "organisation.not_verified": Event(
            "organisation",
            _("%(organisation)s could not be verified"),
            (_("Reason: %(reason)s"), _("Mend it and hand it in again.")),
            "circle-x",
            needs_action=True,
            name=_("Organisation not verified"),
        ),
        "webhook.switched_off": Event(
            "organisation",
            _("A webhook of %(organisation)s is switched off"),
            (_("%(failures)s deliveries in a row did not reach %(host)s. Look at the log, mend it and switch it on again."),),
            "alert-triangle",
            needs_action=True,
            name=_("Webhook switched off"),
        ),
        "registry.change_submitted": Event(
            "registry",
            _("To review: %(instrument)s of %(organisation)s"),
            (_("%(organisation)s wants to change or publish %(instrument)s."),),
            "git-compare",
            needs_action=True,
            name=_("A change waits for review"),
        ),
        "registry.change_accepted": Event(
            "registry", _("%(instrument)s: your change is published"), icon="circle-check", name=_("Change published")
        ),
        "registry.change_refused": Event(
            "registry",
            _("%(instrument)s: your change was refused"),
            (_("Reason: %(reason)s"), _("You can take it up again.")),
            "circle-x",
            needs_action=True,
            name=_("Change refused"),
        ),
        "registry.problem_reported": Event(
            "registry",
            _("Problem with %(instrument)s"),
            (_("Somebody reports a problem with %(instrument)s:"), "%(text)s"),
            "alert-triangle",
            needs_action=True,
            name=_("Problem reported"),
        ),
        "registry.problem_seen": Event(
            "registry",
            _("%(instrument)s: the lab has seen the problem you reported"),
            ("%(answer)s",),
            "eye",
            name=_("Problem seen by the lab"),
        ),
        "registry.problem_solved": Event(
            "registry",
            _("%(instrument)s: the problem you reported is solved"),
            ("%(answer)s",),
            "circle-check",
            name=_("Problem solved"),
        ),
        "resource_request.requested": Event(
            "resources",
            _("%(organisation)s asks for %(resource)s"),
            (_("What for: %(purpose)s"),),
            "database",
            needs_action=True,
            public=True,
            name=_("Resource asked for"),
        ),
        "resource_request.withdrawn": Event(
            "resources",
            _("%(organisation)s no longer asks for %(resource)s"),
            (_("There is nothing left to do."),),
            "ban",
            public=True,
            name=_("Request for a resource withdrawn"),
        ),
        "resource_request.approved": Event(
            "resources",
            _("Your request for %(resource)s is approved"),
            (_("The owner delivers it next and writes to you again."),),
            "circle-check",
            public=True,
            name=_("Request for a resource approved"),
        ),
        "resource_request.refused": Event(
            "resources",
            _("Your request for %(resource)s was refused"),
            (_("Reason: %(reason)s"),),
            "circle-x",
            public=True,
            name=_("Request for a resource refused"),
        ),
        "resource_request.delivered": Event(
            "resources",
            _("%(resource)s is delivered"),
            icon="download",
            compose=_delivered,
            public=True,
            name=_("Resource delivered"),
        ),
        "resource_request.closed": Event(
            "resources",
            _("Feedback on %(resource)s: %(rating)s of 5"),
            ("%(feedback)s",),
            "star",
            public=True,
            name=_("Feedback on a resource"),
        ),
        "alerts.saved_search": Event(
            "alerts",
            pgettext_lazy("event", "New results of saved searches"),
            icon="search",
            name=pgettext_lazy("event", "New results of saved searches"),
            compose=_saved_searches,
        ),
    }
)
