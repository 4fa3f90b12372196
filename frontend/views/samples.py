"""Sample jobs for the customer, and the page that both sides share: asking, the job, labels, consent, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.ordering import charged
from billing.ordering import queries as orders
from billing.ordering.services import sample_links
from billing.payments.prepaid_queries import job_order_number
from billing.pricing import sample_prices
from billing.settlement import sample_figures, slip_queries
from billing.settlement.offered import share_of_percent
from billing.settlement.services import sample_money, sample_quotes
from billing.settlement.services.assessing import TESTING_KIND
from billing.settlement.services.quotes import offered_to
from booking import sample_ports
from booking.decision_wording import SAMPLE_REASONS
from booking.models import GRADES, SampleJob
from booking.queries import samples as queries
from booking.queries import spending
from booking.queries.enquiries import asking_about, asking_organisations
from booking.rules.answers import typed_answers
from booking.rules.enquiries import Side
from booking.rules.samples import HOLDING, Direction, ExtraEvent, ExtraKind, Remains
from booking.rules.service_facts import Said
from booking.sample_wording import DIRECTIONS, EXTRA_KINDS, REMAINS, WISHES
from booking.services import reject_reasons, sample_extras, sample_jobs, sample_reports, sample_spending, sample_steps
from booking.services.enquiry_files import ACCEPTED
from booking.services.sample_jobs import Wish
from config.kernel.access import Actor
from config.kernel.errors import NotFound, Refusal
from config.kernel.http import attachment
from config.kernel.messages import reason_sentence
from frontend.booking_form import read_card, read_expected, read_key
from frontend.forms import refusal_to_form
from frontend.http import actor_of, is_fragment, stands_at
from frontend.label_codes import code_svg
from frontend.presenters import assessment
from frontend.presenters import resources as resource_words
from frontend.presenters import samples as present
from frontend.presenters.agreed_lines import agreed_lines
from frontend.presenters.cards import cards_for, chosen_card
from frontend.presenters.choices import choices_view, told_rows
from frontend.presenters.inbox import undo_of
from frontend.presenters.life import STAR_WORDS
from frontend.presenters.resources import SampleQuoteView, asks_the_lab
from frontend.refusals import sentences, status_of
from frontend.sample_forms import SampleJobForm
from instruments.models import Organisation, Resource
from instruments.queries import resources
from instruments.queries.spending import cards_visible
from instruments.rules.spending import is_in_house
from instruments.services.answer_time import zone_of_owner

PER_PAGE = 30
LABELS_PER_PAGE = 50
OWN_WORDS = 700
"""So long may the own words be with which a job is refused, beside a ready sentence."""
ON_THE_WAY = timedelta(days=3)
"""So many days a parcel takes, unless one says otherwise."""


# --- Asking -----------------------------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
def sample_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Send samples for a test item: what they cost and for when they are promised stands beside the form."""
    actor, now = actor_of(request), timezone.now()
    resource = resources.test_item_for(actor, pk)
    organisations = _organisations(actor)
    today = sample_jobs.local_day(resource.organisation_id, now)
    form = _form(request, actor, resource, organisations, today)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                sheet, key = _number(text_of(request, "sheet")), read_key(request.POST)
                order = sample_links.UnderSheet(sheet) if sheet else None
                asked = sample_jobs.ask(actor, _wish(form, pk, request, now), now, idempotency_key=key, order=order)
            except NotFound:
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Asked. The lab's days are kept for you; its answer comes by mail too."))
                return redirect("sample_job", asked.pk)
    context = {
        "form": form,
        "resource": resource,
        "organisations": organisations,
        **_quoted(actor, resource, organisations, _typed(form) | _typed_beside(request), now),
    }
    return render(request, "samples/create.html", context, status=status)


@login_required
@require_GET
def sample_quote(request: HttpRequest, pk: int) -> HttpResponse:
    """The live quote and promise for what stands in the form (htmx); anybody else is led to the page."""
    actor, now = actor_of(request), timezone.now()
    resource = resources.test_item_for(actor, pk)
    if not is_fragment(request):
        return redirect("sample_create", pk)
    context = _quoted(actor, resource, _organisations(actor), request.GET, now)
    return render(request, "samples/_quote.html", {"resource": resource, **context})


def _organisations(actor: Actor) -> list[Organisation]:
    return asking_organisations(actor)


def _form(
    request: HttpRequest, actor: Actor, resource: Resource, organisations: list[Organisation], today: date
) -> SampleJobForm:
    """The form, filled from the address and from what the person sent last."""
    last = queries.last_asked(actor)
    initial: dict[str, Any] = {"arrive_on": today + ON_THE_WAY}
    if last is not None:
        kept = ("hazards", "remains_wish", "research_project", "service_direction", "fund_source")
        initial |= {name: getattr(last, name) for name in kept} | {"organisation": str(last.organisation_id)}
    for name in ("samples", "elements", "organisation"):
        text = request.GET.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < 10:
            initial[name] = text
    price = sample_prices.in_force([resource.pk], today).get(resource.pk)
    asks_elements = price is None or price.price is None or price.unit == "element"
    return SampleJobForm(organisations, asks_elements, today, request.POST or None, initial=initial)


def _typed(form: SampleJobForm) -> dict[str, str]:
    """What stands in the form, as text."""
    return {name: str(form[name].value() or "") for name in form.fields}


def _typed_beside(request: HttpRequest) -> dict[str, str]:
    """What was chosen beside the form: card and commission. Before it is sent the address may name the commission."""
    chosen = {"fund_card": text_of(request, "fund_card"), "sheet": text_of(request, "sheet") or request.GET.get("sheet", "")}
    return chosen | {name: text_of(request, name) for name in Said._fields} | {"answers": typed_answers(request.POST)}


def _said(typed: Any) -> Said:
    """What programmes that ask are told; the rate is typed in per cent."""
    kind, settlement, rate = (str(typed.get(name, "")).strip() for name in ("service_kind", "settlement", "rate"))
    return Said(kind, settlement, share_of_percent(rate), typed_answers(typed))


def _wish(form: SampleJobForm, resource_id: int, request: HttpRequest, now: datetime) -> Wish:
    actor, typed = actor_of(request), form.cleaned_data
    return Wish(
        resource_id=resource_id,
        organisation_id=int(typed["organisation"]),
        samples=typed["samples"],
        arrive_on=typed["arrive_on"],
        elements=typed.get("elements") or 1,
        names=form.names_typed(),
        note=typed["note"],
        hazards=typed["hazards"],
        remains_wish=typed["remains_wish"],
        expected=read_expected(request.POST),
        research_project=typed["research_project"],
        service_direction=typed["service_direction"],
        fund_source=typed["fund_source"],
        fund_card_id=chosen_card(actor, read_card(text_of(request, "fund_card")), now),
        **_said(_typed_beside(request))._asdict(),
    )


def _quoted(actor: Actor, resource: Resource, organisations: list[Organisation], typed: Any, now: datetime) -> dict[str, Any]:
    """Price, subsidy and promised day for what was typed."""
    chosen = typed.get("organisation", "") or (str(organisations[0].pk) if organisations else "")
    customer = next((each for each in organisations if str(each.pk) == chosen), None)
    samples, elements = _number(typed.get("samples", "")), _number(typed.get("elements", "") or "1")
    arrive_on = _day(typed.get("arrive_on", ""))
    if customer is None:
        return {"quote": None, "customer": None}
    sheets = orders.sheets_for_test(actor, resource, [customer.pk])
    sheet = next((each for each in sheets if str(each.pk) == typed.get("sheet", "")), None)
    try:
        price, contract = (
            sample_links.price_under(actor, sheet.pk, resource.pk, customer.pk) if sheet is not None else (None, None)
        )
        whose = (actor, resource.pk, customer.pk, samples, elements, now)
        told: dict[str, Any] = {
            "arrive_on": arrive_on,
            "price": price,
            "contract": contract,
            "project": str(typed.get("research_project", "")),
            "direction": str(typed.get("service_direction", "")),
        }
        said, wrong = _said(typed), []
        try:
            found = sample_quotes.preview(*whose, **told, said=said)
        except Refusal as refusal:
            wrong = list(refusal.reasons)
            if not {reason.field for reason in wrong} <= set(Said._fields):
                raise
            found = sample_quotes.preview(*whose, **told)
        quote = resource_words.quote_view(found, in_house=is_in_house(customer.pk, resource.organisation_id))
        choices = choices_view(found.offered, said, str(typed.get("rate", "")), TESTING_KIND, found.marked)
        quote = replace(quote, choices=choices, wrong_choice=[reason_sentence(reason) for reason in wrong])
    except NotFound:
        raise
    except Refusal as refusal:
        quote = SampleQuoteView(
            problems=[reason_sentence(reason) for reason in refusal.reasons], asks_the_lab=asks_the_lab(refusal)
        )
    payable = quote.rows.payable_now_fen if quote.rows is not None else None
    day = arrive_on or sample_jobs.local_day(resource.organisation_id, now)
    cards = cards_for(actor, resource.organisation_id, customer, typed.get("fund_card", ""), (day, day), payable, now)
    chosen = {"sheets": sheets, "sheet": sheet, "cards": cards}
    return {"quote": quote, "customer": customer, "arrive_on": arrive_on, **chosen}


# --- Looking ----------------------------------------------------------------------------------------------------------
@login_required
@require_GET
def sample_list(request: HttpRequest) -> HttpResponse:
    """What the person's organisations sent, newest first."""
    actor = actor_of(request)
    return render(request, "samples/list.html", {**listed(request, actor, queries.my_jobs(actor)), "is_lab": False})


def listed(request: HttpRequest, actor: Actor, rows: Any) -> dict[str, Any]:
    """One page of jobs with their figures, and the filter by state."""
    state = request.GET.get("state", "")
    chosen = state if state in queries.STATES else ""
    page = Paginator(rows.filter(state=chosen) if chosen else rows, PER_PAGE).get_page(request.GET.get("page"))
    jobs = list(page.object_list)
    figures = sample_figures.figures_of(actor, jobs, queries.agreed_extras_of(actor, jobs))
    return {
        "page": page,
        "rows": [(job, figures.get(job.pk)) for job in jobs],
        "states": queries.STATES,
        "chosen_state": chosen,
    }


@login_required
@require_GET
def sample_job(request: HttpRequest, pk: int) -> HttpResponse:
    """One job: what happens next, its samples, charges, parcels, report, history and money."""
    return job_page(request, pk)


def job_page(request: HttpRequest, pk: int, refusal: Refusal | None = None, failed: str = "") -> HttpResponse:
    """``failed`` is the form that was refused: it keeps what was typed."""
    actor, now = actor_of(request), timezone.now()
    job = queries.job_for(actor, pk)
    sides, may = queries.sides(actor, job), queries.may(actor, job)
    not_paying = _not_paying(actor, job, now) if Side.CUSTOMER in sides else []
    money = sample_figures.money_of(actor, job)
    in_house = is_in_house(job.organisation_id, job.lab_id)
    shown = money.charge or money.quote
    whole = Side.LAB in sides and Side.CUSTOMER not in sides
    zone = zone_of_owner(job.lab_id).key
    extras = list(job.extras.all())
    extra_fen = queries.agreed_extra_fen(extras)
    today = queries.today_at(job, now)
    promised = queries.promise_at_acceptance(job, now) if may.accept else job.promised_on
    context = {
        "job": job,
        "told": told_rows(job.said, offered_to(job.quotes.order_by("-revision").first()), TESTING_KIND),
        "zone": zone,
        "today": today.isoformat(),
        "promised": promised.isoformat() if promised else "",
        "is_customer": Side.CUSTOMER in sides,
        "is_lab": Side.LAB in sides,
        "may": may,
        "undo": undo_of(actor, now, pk, samples=True) if Side.LAB in sides else None,
        "reject_templates": reject_reasons.offered(actor, SAMPLE_REASONS) if may.refuse else [],
        "reason_length": OWN_WORDS,
        "next": present.next_words(job, sides),
        "samples": present.sample_rows(job, request.POST.getlist("samples")),
        "runs": job.state in HOLDING,
        "counts": present.counts(job),
        "entries": present.timeline(job, zone),
        "wish": WISHES[job.remains_wish],
        "extras": [(extra, EXTRA_KINDS[extra.kind]) for extra in extras],
        "agreed_lines": agreed_lines(*charged.offered_to_job(actor, job), "sample_job", pk) if may.propose else None,
        "extra_open": any(extra.state == "proposed" for extra in extras),
        "kinds": [(kind.value, EXTRA_KINDS[kind]) for kind in ExtraKind],
        "parcels": [(parcel, DIRECTIONS[parcel.direction]) for parcel in job.parcels.all()],
        "reports": queries.reports_of(actor, pk),
        "accepted_files": ACCEPTED,
        "steps": present.steps_for(job, today),
        "work_from": present.work_from(job, [each.state for each in job.samples.all()], today) if may.step else None,
        "remains": [(each.value, REMAINS[each]) for each in Remains if each is not Remains.WITH_LAB],
        "money": money,
        "rows": assessment.of_frozen(shown, in_house=in_house, whole=whole) if shown else None,
        "new_rows": assessment.of_frozen(money.waiting, in_house=in_house, whole=whole) if money.waiting else None,
        "extra_fen": extra_fen,
        "figures": money.figures(extra_fen),
        "not_paying": not_paying,
        **_paid_from(actor, job),
        "order_number": job_order_number(actor, pk),
        "slip": slip_queries.slip_of_samples(actor, pk) if money.charge is not None and in_house else None,
        "sheet": orders.sheet_of_samples(actor, job),
        "sheets": orders.sheets_for_samples(actor, job)
        if Side.CUSTOMER in sides and job.state == "asked" and not not_paying
        else [],
        **_closed_out(job, may),
        "asking": asking_about(actor, job.organisation_id, job.lab_id, job.requested_by_id, sample_job_id=pk),
        "problems": sentences(refusal) if refusal else [],
        "ends_job": present.asks_to_end(refusal),
        "unseen": present.figures_to_confirm(refusal) if failed == "commission" else None,
        "failed": failed,
        "typed": request.POST,
    }
    stands_at(request, "sample_job", pk)
    return render(request, "samples/detail.html", context, status=status_of(refusal) if refusal else 200)


def _closed_out(job: SampleJob, may: queries.May) -> dict[str, Any]:
    """How the service went, its grade, and what the customer thinks."""
    grades = may.grade or may.confirm
    return {
        "service": queries.service_of(job),
        "closed": queries.close_out_of(job),
        "quality_counts": grades and sample_ports.sample_money().quality_counts(job),
        "grades": GRADES,
        "rating": queries.rating_of(job),
        "may_rate": may.rate,
        "star_words": STAR_WORDS,
    }


def _not_paying(actor: Actor, job: SampleJob, now: datetime) -> list[str]:
    """Why somebody of the customer does not say yes to what the job costs; empty where they do."""
    try:
        sample_spending.require_paying(job, actor, now)
    except Refusal as refusal:
        return sentences(refusal)
    return []


def _paid_from(actor: Actor, job: SampleJob) -> dict[str, Any]:
    """The card where the actor may see it, what its leader was asked and answered, and whether that is waited for."""
    if job.fund_card_id is None:
        return {"awaits_leader": False}
    asked = spending.approval_of_samples(actor, job)
    return {
        "card": cards_visible(actor).filter(pk=job.fund_card_id).first(),
        "leader_approval": asked,
        "awaits_leader": queries.waits_for_leader(job),
        "leader_is_reader": asked is not None and asked.card is not None and asked.card.group.leader_id == actor.user_id,
    }


@login_required
@require_GET
def sample_labels(request: HttpRequest, pk: int) -> HttpResponse:
    """Labels to print: one for each sample, with a code for cameras and one for people."""
    job = queries.labels_of(actor_of(request), pk)
    page = Paginator(job.samples.all(), LABELS_PER_PAGE).get_page(request.GET.get("page"))
    labels = [(each, code_svg("sample_at", each.code)) for each in page.object_list]
    return render(request, "samples/labels.html", {"job": job, "page": page, "labels": labels})


@login_required
@require_GET
def sample_report_file(request: HttpRequest, pk: int) -> HttpResponse:
    """A report, as a download for the job's two sides."""
    stored, content = sample_reports.report_file(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)


# --- Acting -----------------------------------------------------------------------------------------------------------
Act = Callable[[Actor, datetime], str]


def acted(request: HttpRequest, pk: int, form: str, act: Act) -> HttpResponse:
    """Do it and come back to the job; a refusal is shown there and keeps what was typed in ``form``."""
    try:
        said = act(actor_of(request), timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return job_page(request, pk, refusal, form)
    messages.success(request, said)
    return redirect("sample_job", pk)


def text_of(request: HttpRequest, name: str) -> str:
    """What was typed, without what no database keeps."""
    return request.POST.get(name, "").replace("\x00", "")


@login_required
@require_POST
def sample_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Call the job off."""

    def act(actor: Actor, now: datetime) -> str:
        sample_jobs.cancel(actor, pk, text_of(request, "reason"), now)
        return _("Cancelled. Nothing is charged.")

    return acted(request, pk, "cancel", act)


@login_required
@require_POST
def sample_accept_quote(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept the new figures."""

    def act(actor: Actor, now: datetime) -> str:
        sample_money.accept_quote(actor, pk, now, read_expected(request.POST))
        return _("Accepted. The lab can take the job now.")

    return acted(request, pk, "quote", act)


@login_required
@require_POST
def sample_commission(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the job under a commission."""

    def act(actor: Actor, now: datetime) -> str:
        sample_links.link(actor, _number(request.POST.get("sheet", "")), pk, now, read_expected(request.POST))
        return _("The job belongs to the commission now, at the price agreed there.")

    return acted(request, pk, "commission", act)


@login_required
@require_POST
def sample_parcel(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down a courier's number."""

    def act(actor: Actor, now: datetime) -> str:
        direction = Direction.BACK if request.POST.get("direction") == Direction.BACK else Direction.TO_LAB
        sample_steps.note_parcel(actor, pk, direction, text_of(request, "carrier"), text_of(request, "number"), now)
        return _("Noted. The other side has been told.")

    return acted(request, pk, "parcel", act)


@login_required
@require_POST
def sample_extra_answer(request: HttpRequest, pk: int, answer: str) -> HttpResponse:
    """Agree to a charge or decline it; the lab withdraws it."""
    job_id = queries.extra_for(actor_of(request), pk).job_id
    words = {
        ExtraEvent.AGREE: _("Agreed. The lab has been told."),
        ExtraEvent.DECLINE: _("Declined. It is not charged."),
        ExtraEvent.WITHDRAW: _("Withdrawn. It is not charged."),
    }
    if answer not in list(ExtraEvent):
        raise NotFound.of("access.not_found", model="sampleextra")

    def act(actor: Actor, now: datetime) -> str:
        event = ExtraEvent(answer)
        shown = request.POST.get("amount_fen", "")
        seen = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 16 else None
        sample_extras.answer(actor, pk, event, now, amount_fen=seen)
        return words[event]

    return acted(request, job_id, "extra", act)


@login_required
@require_POST
def sample_object(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what is wrong with the report."""

    def act(actor: Actor, now: datetime) -> str:
        sample_reports.object_to(actor, pk, text_of(request, "reason"), now)
        return _("The lab has been told. It reports again; nothing closes meanwhile.")

    return acted(request, pk, "object", act)


@login_required
@require_POST
def sample_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the report: the job is charged and closed."""

    def act(actor: Actor, now: datetime) -> str:
        sample_reports.close(actor, pk, now)
        return _("Closed. The charge is made.")

    return acted(request, pk, "close", act)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
