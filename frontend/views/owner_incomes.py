"""What an owner of instruments earned from customers outside, year by year: declared by it, confirmed by an officer of its region."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing.firms import income_queries
from billing.firms.income_models import OwnerIncome
from billing.firms.services import incomes
from config.kernel.access import Actor, Role
from config.kernel.errors import Forbidden
from config.kernel.http import attachment
from frontend.firm_forms import IncomeDecisionForm, IncomeForm, fen
from frontend.form_page import FormPage, answer, tried
from frontend.http import actor_of
from frontend.templatetags.jishi import bilingual
from instruments.models import Organisation
from instruments.services import uploads

PER_PAGE = 25


def _state(row: OwnerIncome) -> str:
    return {None: "open", True: "accepted", False: "refused"}[row.confirmed]


def _may_declare(actor: Actor, organisation: Organisation) -> bool:
    return organisation.pk in actor.organisations(*incomes.DECLARERS)


@login_required
@require_GET
def income_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The years of an owner: what counts, what was declared, and what the platform charged itself."""
    actor = actor_of(request)
    organisation = income_queries.owner_for(actor, pk)
    years = income_queries.years_of(actor, pk, timezone.localdate())
    context = {
        "organisation": organisation,
        "years": [
            {"year": each, "rows": [{"row": row, "state": _state(row), "counts": row == each.counts} for row in each.versions]}
            for each in years
        ],
        "may_declare": _may_declare(actor, organisation),
    }
    return render(request, "firms/incomes.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def income_declare(request: HttpRequest, pk: int) -> HttpResponse:
    """Declare the figure of a year, with its evidence; ``?year=`` is proposed."""
    actor = actor_of(request)
    organisation = income_queries.owner_for(actor, pk)
    if not _may_declare(actor, organisation):
        raise Forbidden.of("access.role_needed", roles=sorted(incomes.DECLARERS))
    last = timezone.localdate().year - 1
    asked = request.GET.get("year", "")
    initial = {"year": int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= len(str(last)) else last}
    form = IncomeForm(request.POST, request.FILES) if request.method == "POST" else IncomeForm(initial=initial)

    def act() -> HttpResponse:
        typed, amount = form.cleaned_data, fen(form.cleaned_data["income_yuan"])
        evidence = uploads.received(typed["file"])
        incomes.declare(actor, pk, typed["year"], -1 if amount is None else amount, typed["note"], evidence, timezone.now())
        messages.success(request, _("Declared. It counts once an officer of the region has confirmed it."))
        return redirect("income_list", pk)

    page = FormPage(
        title=_("Income from customers outside"),
        lead=_(
            "What the institution earned in a year from services to others, as in its accounts. It is never changed: a correction is"
            " declared again, and the one that was confirmed last counts."
        ),
        back_url=reverse("income_list", args=[pk]),
        back=bilingual(organisation),
        submit=_("Declare"),
        submit_icon="send",
        keep="declare-income",
        upload=True,
    )
    return answer(request, page, form, act)


@login_required
@require_GET
def income_queue(request: HttpRequest) -> HttpResponse:
    """Figures that wait for an officer of the region, the oldest first; its finance and inspectors may look."""
    actor = actor_of(request)
    page = Paginator(income_queries.queue(actor), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": page.object_list, "decides": actor.has(Role.PROGRAMME_OFFICER)}
    return render(request, "firms/income_queue.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def income_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The declared figure beside its evidence, what the platform knows and what counted so far, and the decision."""
    actor = actor_of(request)
    actor.require(Role.PROGRAMME_OFFICER)
    row = income_queries.income_for(actor, pk)
    form = IncomeDecisionForm(request.POST if request.method == "POST" else None)

    def act() -> HttpResponse:
        confirm = form.cleaned_data["decision"] == "confirm"
        incomes.decide(actor, pk, confirm, form.cleaned_data["reason"], timezone.now())
        said = _("Confirmed: it counts from now on.") if confirm else _("Refused; the institution reads your reason.")
        messages.success(request, said)
        return redirect("income_queue")

    done, status = tried(request, form, act)
    if done is not None:
        return done
    context = {
        "row": row,
        "became": _state(row),
        "before": income_queries.before(row),
        "known_now": income_queries.known_income(row.organisation_id, [row.year])[row.year],
        "form": form,
        "may_decide": incomes.may_decide(actor, row),
        "is_image": row.evidence.media_type.startswith("image/"),
    }
    return render(request, "firms/income_decide.html", context, status=status)


@login_required
@require_GET
def income_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The scan, as a download."""
    stored, content = incomes.evidence_for(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)
