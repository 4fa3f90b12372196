"""Questions to labs: asking, the two lists, and the thread in which both sides write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.ordering import queries as orders
from booking.models import Enquiry
from booking.queries import enquiries as queries
from booking.queries import reservations_visible, samples
from booking.rules.enquiries import EnquiryState, Side
from booking.services import enquiries, enquiry_files
from booking.services.enquiries import Question
from booking.services.enquiry_files import attachments_of
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.http import attachment
from frontend.booking_form import read_key
from frontend.enquiry_forms import MessageForm, QuestionForm
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at
from frontend.inbox_way import InboxWay
from frontend.presenters import enquiries as present
from frontend.refusals import sentences, status_of
from instruments import queries as registry
from instruments.models import Organisation
from instruments.queries import resources
from instruments.services import answer_time

PER_PAGE = 20
NEEDS_SHOWN = 5
_STATES = [state.value for state in EnquiryState]
_ABOUT = {
    "instrument": "instrument_id",
    "resource": "resource_id",
    "request": "resource_request_id",
    "reservation": "reservation_id",
    "sample_job": "sample_job_id",
}


# --- Asking -----------------------------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
def enquiry_create(request: HttpRequest) -> HttpResponse:
    """Ask the lab about what stands in the address: ``?instrument=``, ``?resource=``, ``?request=``, ``?reservation=`` or
    ``?sample_job=``. About the last two the lab asks its customer."""
    actor = actor_of(request)
    asked = _asked_about(request, actor)
    field, pk, lab, about = asked.field, asked.pk, asked.lab, asked.about
    organisations = asked.parties(actor)
    initial = {"subject": _("What does it cost?")} if request.GET.get("about") == "price" else {"subject": asked.subject}
    asks_customer = asked.side is Side.LAB
    given = (request.POST or None, request.FILES or None)
    form = QuestionForm(organisations, *given, initial=initial, asks_customer=asks_customer)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            typed = form.cleaned_data
            question = Question(int(typed["organisation"] or 0), typed["subject"], typed["text"], **{field: pk})
            try:
                made = enquiries.ask(
                    actor,
                    question,
                    attachments_of(request.FILES.getlist("attachments")),
                    timezone.now(),
                    idempotency_key=read_key(request.POST),
                )
            except NotFound:
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Your question is on its way. The answer comes by mail too."))
                way = InboxWay.read(request.GET)
                return redirect(way.address) if way is not None and asks_customer else redirect("enquiry_detail", made.pk)
    context = {
        "form": form,
        "lab": lab,
        "about": about,
        "organisations": organisations,
        "promise": present.promise_words(lab.answer_workdays),
        "customer": asked.customer if asks_customer else None,
        "earlier": queries.threads_about(actor, **{field: pk})
        if asked.customer
        else queries.enquiries_about(actor, **{field: pk}),
    }
    return render(request, "enquiries/create.html", context, status=status)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What stands in the address. ``customer``: of a booking or a sample job, which either ``side`` asks about; ``subject``: what a
    question about it is called at first."""

    field: str
    pk: int
    lab: Organisation
    about: present.About
    customer: Organisation | None = None
    side: Side = Side.CUSTOMER
    subject: str = ""

    def parties(self, actor: Actor) -> list[Organisation]:
        """On whose behalf the actor asks, or whom the lab asks."""
        return queries.asking_organisations(actor, self.lab.pk) if self.customer is None else [self.customer]


def _asked_about(request: HttpRequest, actor: Actor) -> _Asked:
    """Raises NotFound."""
    for name, field in _ABOUT.items():
        text = request.GET.get(name, "")
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            continue
        pk = int(text)
        if name == "instrument":
            instrument = registry.instrument_for(actor, pk)
            return _Asked(field, pk, instrument.organisation, present.thing(instrument, "microscope", "instrument_detail", pk))
        if name == "resource":
            resource = resources.resource_for(actor, pk)
            return _Asked(field, pk, resource.organisation, present.thing(resource, "flask", "resource_detail", pk))
        if name == "request":
            asked = resources.request_for(actor, pk)
            about = present.thing(asked.resource, "send", "resource_request_detail", pk)
            return _Asked(field, pk, asked.resource.organisation, about)
        return _of_both(actor, name, field, pk)
    raise NotFound.of("access.not_found", model="enquiry")


def _of_both(actor: Actor, name: str, field: str, pk: int) -> _Asked:
    """A booking or a sample job that the actor's side has a part in. Raises NotFound."""
    if name == "reservation":
        reservation = get_visible(reservations_visible(actor), actor, pk=pk)
        customer, lab, reference = reservation.organisation, reservation.instrument.organisation, reservation.reference
        contact_id = reservation.requested_by_id
        about = present.of_both(reservation.instrument, reference, "calendar-event", "reservation_detail", pk)
    else:
        job = get_visible(samples.jobs_visible(actor), actor, pk=pk)
        customer, lab, reference = job.organisation, job.lab, job.reference
        contact_id = job.requested_by_id
        about = present.of_both(job.resource, reference, "flask", "sample_job", pk)
    side = queries.begins_on(actor, customer.pk, lab.pk, contact_id)
    if side is None:
        raise NotFound.of("access.not_found", model="enquiry")
    return _Asked(field, pk, lab, about, customer, side, about.name)


# --- Lists ------------------------------------------------------------------------------------------------------------
@login_required
@require_GET
def enquiry_list(request: HttpRequest) -> HttpResponse:
    """What the person's organisations asked, threads with news first to be seen."""
    actor = actor_of(request)
    context = _listed(request, queries.my_enquiries(actor)) | {"needs": list(queries.needs_of(actor)[:NEEDS_SHOWN])}
    return render(request, "enquiries/list.html", context)


@login_required
@require_GET
def enquiry_inbox(request: HttpRequest) -> HttpResponse:
    """What the person's lab is asked: what is due first comes first."""
    return _inbox_page(request)


def _inbox_page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    actor.require(*queries.LAB_READERS)
    labs = queries.labs_by_id(actor, actor.organisations(Role.LAB_MANAGER))
    promises = [(lab, present.promise_words(lab.answer_workdays)) for lab in labs]
    context = _listed(request, queries.lab_enquiries(actor))
    context |= {"promises": promises, "problems": sentences(refusal) if refusal else []}
    stands_at(request, "enquiry_inbox")
    return render(request, "enquiries/inbox.html", context, status=status_of(refusal) if refusal else 200)


def _listed(request: HttpRequest, rows: Any) -> dict[str, Any]:
    state = request.GET.get("state", "")
    if state in _STATES:
        rows = rows.filter(state=state)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    chosen = state if state in _STATES else ""
    return {"page": page, "rows": present.rows(page, timezone.now()), "states": _STATES, "chosen_state": chosen}


@login_required
@require_POST
def answer_time_set(request: HttpRequest, pk: int) -> HttpResponse:
    """The lab says within how many working days it answers."""
    text = request.POST.get("workdays", "")
    workdays = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    try:
        answer_time.set_answer_workdays(actor_of(request), pk, workdays, timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        if status_of(refusal) != 422:
            raise
        return _inbox_page(request, refusal)
    messages.success(request, _("Saved. Who asks from now on reads the new promise."))
    return redirect("enquiry_inbox")


# --- One thread -------------------------------------------------------------------------------------------------------
@login_required
@require_GET
def enquiry_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One thread; looking at it marks it as read."""
    enquiries.mark_seen(actor_of(request), pk)
    return _thread_page(request, pk)


@login_required
@require_POST
def enquiry_write(request: HttpRequest, pk: int) -> HttpResponse:
    """Write on."""
    form = MessageForm(request.POST, request.FILES)
    try:
        enquiries.write(
            actor_of(request),
            pk,
            request.POST.get("text", ""),
            attachments_of(request.FILES.getlist("attachments")),
            timezone.now(),
            idempotency_key=read_key(request.POST),
        )
    except NotFound:
        raise
    except Refusal as refusal:
        return _thread_page(request, pk, refusal, form)
    messages.success(request, _("Sent. The other side gets a mail."))
    return redirect("enquiry_detail", pk)


@login_required
@require_POST
def enquiry_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing is left to answer."""
    try:
        enquiries.close(actor_of(request), pk, timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _thread_page(request, pk, refusal)
    messages.success(request, _("Closed. Asking again opens it."))
    return redirect("enquiry_detail", pk)


@login_required
@require_GET
def enquiry_file(request: HttpRequest, pk: int) -> HttpResponse:
    """A file of a thread, as a download for its two sides."""
    stored, content = enquiry_files.attached_file(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)


def _may_go_on(actor: Actor, enquiry: Enquiry, side: Side) -> bool:
    """Whether the form is offered: the lab writes nothing in a closed thread."""
    return queries.may_write(actor, enquiry) and not (side is Side.LAB and enquiry.state == EnquiryState.CLOSED)


def _thread_page(request: HttpRequest, pk: int, refusal: Refusal | None = None, form: MessageForm | None = None) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    found = queries.enquiry_for(actor, pk)
    side = queries.side_of(actor, found)
    shown = form or MessageForm()
    if refusal is not None and form is not None:
        form.errors.clear()  # the service's reasons are complete; the form only carries what was typed
        refusal_to_form(form, refusal)
    context = {
        "enquiry": found,
        "row": present.rows([found], now)[0],
        "side": side.value,
        "is_customer": side is Side.CUSTOMER,
        "reads_inbox": actor.has(*queries.LAB_READERS),
        "may_write": form is not None or _may_go_on(actor, found, side),  # what was typed stays, whatever happened meanwhile
        "may_close": queries.may_write(actor, found) and found.state != EnquiryState.CLOSED,
        "may_quote": orders.may_quote(actor, found) and found.state != EnquiryState.CLOSED,
        "quotations": orders.quotations_of(actor, pk),
        "promise": present.promise_words(found.lab.answer_workdays),
        "form": shown,
        "problems": sentences(refusal) if refusal is not None and form is None else [],
    }
    stands_at(request, "enquiry_detail", pk)
    return render(request, "enquiries/detail.html", context, status=status_of(refusal) if refusal else 200)
