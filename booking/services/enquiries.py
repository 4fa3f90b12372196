"""Questions to a lab: asking, writing on, closing. The one writer of their state; page, API and demo alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from booking.access import CUSTOMERS
from booking.models import Enquiry, EnquiryMessage, EnquirySeen, Need, Reservation, SampleJob
from booking.rules.enquiries import MOST_LABS, SUBJECT_LENGTH, TEXT_LENGTH, EnquiryEvent, EnquiryState, Side, next_state
from booking.services import enquiry_files, enquiry_mails
from booking.services.enquiry_files import Attachment, Clean
from booking.services.enquiry_sides import require_side_within, require_thread_side
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Forbidden, NotFound, Reason, Refusal
from config.kernel.services import audit, idempotency, transactions
from instruments.models import Instrument, Organisation, OrganisationKind, OrganisationStatus, Resource, ResourceRequest
from instruments.queries.divisions import ended_reason, is_division
from instruments.rules.answer_time import due_at
from instruments.rules.registry_values import clean_text
from instruments.services import notices
from instruments.services.answer_time import zone_of_owner

MOST_OPEN = 30
"""So many questions of one organisation may wait for one lab."""
TECHNIQUE_LENGTH = 100
Files = Sequence[Clean]
_OF_CUSTOMERS: dict[str, Callable[[], QuerySet[Any]]] = {
    "resource_request_id": lambda: ResourceRequest.objects.select_related("resource__organisation"),
    "reservation_id": lambda: Reservation.objects.select_related("instrument__organisation"),
    "sample_job_id": lambda: SampleJob.objects.select_related("lab"),
}
"""What belongs to one customer: asked about on behalf of that one alone."""
_OF_BOTH = ("reservation_id", "sample_job_id")
_STATE_AFTER = {Side.CUSTOMER: EnquiryEvent.ASK, Side.LAB: EnquiryEvent.ANSWER}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, on behalf of which organisation (0: none was chosen), about exactly one thing."""

    organisation_id: int
    subject: str
    text: str
    instrument_id: int | None = None
    resource_id: int | None = None
    resource_request_id: int | None = None
    reservation_id: int | None = None
    sample_job_id: int | None = None


@dataclass(frozen=True, slots=True)
class UnmetNeed:
    """What could not be found, put to the labs ``lab_ids``. ``technique`` and ``region_code`` may be empty."""

    organisation_id: int
    subject: str
    text: str
    lab_ids: tuple[int, ...]
    technique: str = ""
    region_code: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """The id of what was made, now or (``replayed``) by an earlier call with the same key."""

    pk: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class _About:
    """The ``lab`` behind what is asked about, and what that is. ``of_both``: it is the customer's and the lab's already, so that either
    side may begin; ``contact_id``: who speaks for the customer then."""

    lab: Organisation
    fields: dict[str, int]
    of_both: bool = False
    contact_id: int | None = None


def ask(actor: Actor, question: Question, attachments: Sequence[Attachment], now: datetime, *, idempotency_key: str) -> Written:
    """Open a thread with the lab behind an instrument, a resource, a request for one, a reservation or a sample job; its managers are
    written to. About a reservation or a sample job the lab's managers may begin: who asked for that is written to then.

    Raises NotFound, Forbidden ``enquiry.organisation_needed``, Refusal ``enquiry.*`` / ``name.*`` / ``upload.*`` with every reason,
    ``idempotency.*``.
    """

    def effect(files: Files) -> dict[str, Any]:
        about = _about(actor, question)
        side = _begun_by(actor, question, about)
        subject, text = _checked_words(question.subject, question.text, _reasons_against(actor, side, question, about))
        return {"id": _open(actor, side, about, question.organisation_id, subject, text, files, now).pk}

    files = _cleaned(attachments, lambda: _about(actor, question))
    payload = {name: value for name, value in asdict(question).items() if value is not None or name not in _OF_BOTH}
    return _once(actor, "enquiry.ask", idempotency_key, payload, attachments, now, lambda: effect(files))


def post_need(
    actor: Actor, need: UnmetNeed, attachments: Sequence[Attachment], now: datetime, *, idempotency_key: str
) -> Written:
    """Put an unmet need to several labs: one thread for each, which no other lab sees. The id is the need's.

    Raises as ``ask`` does, and Refusal ``enquiry.labs_missing``, ``enquiry.too_many_labs``, ``enquiry.region_unknown``.
    """

    files = _cleaned(attachments, lambda: _wanted_labs(need))
    return _once(
        actor, "enquiry.need", idempotency_key, asdict(need), attachments, now, lambda: {"id": _post(actor, need, files, now).pk}
    )


def write(
    actor: Actor, enquiry_id: int, text: str, attachments: Sequence[Attachment], now: datetime, *, idempotency_key: str
) -> Written:
    """Write on in a thread: the customer's people ask, the lab's managers answer. A closed one is opened again by asking.

    Raises NotFound, Forbidden, Refusal ``enquiry.illegal_transition``, ``enquiry.text_missing``, ``enquiry.*``, ``name.*``,
    ``upload.*``.
    """

    def effect(files: Files) -> dict[str, Any]:
        enquiry = _locked(actor, enquiry_id)
        side = require_side_within(actor, enquiry)
        next_state(EnquiryState(enquiry.state), _STATE_AFTER[side])
        words = _text(text)
        return {"id": _write(actor, enquiry, side, words, files, now).pk}

    files = _cleaned(attachments, lambda: get_visible(Enquiry.objects.all(), actor, pk=enquiry_id))
    payload = {"enquiry": enquiry_id, "text": text}
    return _once(actor, "enquiry.write", idempotency_key, payload, attachments, now, lambda: effect(files))


@transactions.whole
def close(actor: Actor, enquiry_id: int, now: datetime) -> Enquiry:
    """Nothing is left to answer; either side may say so. Raises NotFound, Forbidden, Refusal ``enquiry.illegal_transition``."""
    enquiry = _locked(actor, enquiry_id)
    require_side_within(actor, enquiry)
    _move(actor, enquiry, EnquiryEvent.CLOSE, now)
    notices.settle(enquiry, ["enquiry.asked"], now)
    return enquiry


@transactions.whole
def mark_seen(actor: Actor, enquiry_id: int) -> None:
    """The person has read the thread as far as it goes now. Raises NotFound."""
    enquiry = get_visible(Enquiry.objects.all(), actor, pk=enquiry_id)
    last = EnquiryMessage.objects.filter(enquiry=enquiry).order_by("-pk").values_list("pk", flat=True).first()
    if last is not None:
        seen = EnquirySeen(enquiry=enquiry, user_id=actor.person_id, message_id=last)
        EnquirySeen.objects.bulk_create(
            [seen], update_conflicts=True, unique_fields=["enquiry", "user"], update_fields=["message"]
        )


def _cleaned(attachments: Sequence[Attachment], visible: Callable[[], object]) -> Files:
    """The files as they are kept, drawn anew once and while nothing is locked; not for who does not see what they go with."""
    if attachments:
        visible()
    return enquiry_files.checked(attachments)


def _once(
    actor: Actor,
    route: str,
    key: str,
    payload: dict[str, Any],
    attachments: Sequence[Attachment],
    now: datetime,
    effect: Callable[[], dict[str, Any]],
) -> Written:
    actor.person_id  # noqa: B018  (nobody asks nothing)
    whole = {**payload, "files": [[each.name, each.sha256] for each in attachments]}
    result, replayed = transactions.run(lambda: idempotency.once(actor, route, key, whole, now, effect))
    return Written(result["id"], replayed)


def _about(actor: Actor, question: Question) -> _About:
    """The lab behind what is asked about, as the actor may see it."""
    given = {name: pk for name, pk in asdict(question).items() if name.endswith("_id") and name != "organisation_id" and pk}
    if len(given) != 1:
        raise Refusal.of("enquiry.about_one_thing")
    [(name, pk)] = given.items()
    if name == "instrument_id":
        instrument = get_visible(Instrument.objects.select_related("organisation"), actor, pk=pk)
        return _About(instrument.organisation, given)
    if name == "resource_id":
        resource = get_visible(Resource.objects.select_related("organisation"), actor, pk=pk)
        return _About(resource.organisation, given)
    of_both = name in _OF_BOTH
    found: Any = get_visible(_OF_CUSTOMERS[name](), actor, pk=pk)
    if found.organisation_id != question.organisation_id:
        raise NotFound.of("access.not_found", model=found._meta.model_name)
    lab = found.lab if name == "sample_job_id" else (found.instrument if of_both else found.resource).organisation
    return _About(lab, given, of_both, found.requested_by_id if of_both else None)


def _begun_by(actor: Actor, question: Question, about: _About) -> Side:
    """The side on which the actor begins: the lab's only about what is of both. Raises Forbidden for who reads alone."""
    if not about.of_both:
        return Side.CUSTOMER
    return require_thread_side(actor, question.organisation_id, about.lab.pk)


def _reasons_against(actor: Actor, side: Side, question: Question | UnmetNeed, about: _About) -> list[Reason]:
    lab = about.lab
    organisation_id = question.organisation_id
    if not organisation_id:
        return [Reason("enquiry.organisation_missing", {}, "organisation")]
    if side is Side.CUSTOMER and organisation_id not in actor.organisations(*CUSTOMERS):
        raise Forbidden.of("enquiry.organisation_needed", field="organisation")
    if organisation_id == lab.pk and _answers_herself(actor, side, about):
        return [Reason("enquiry.own_lab", {}, "organisation")]
    if side is Side.LAB:
        return []
    if lab.status == OrganisationStatus.SUSPENDED:
        return [Reason("enquiry.lab_unavailable", {}, "")]
    waiting = Enquiry.objects.filter(lab=lab, organisation_id=organisation_id, state=EnquiryState.OPEN)
    if waiting.count() >= MOST_OPEN:
        return [Reason("enquiry.too_many_open", {"most": MOST_OPEN}, "")]
    return []


def _answers_herself(actor: Actor, side: Side, about: _About) -> bool:
    """Whether one of the house would answer what she asks: a manager of the lab, or one whom the lab would ask."""
    if side is Side.LAB:
        return about.contact_id == actor.user_id
    return about.lab.pk in actor.organisations(Role.LAB_MANAGER)


def _checked_words(subject: str, text: str, reasons: list[Reason]) -> tuple[str, str]:
    """Subject and text as they are kept. Raises Refusal with ``reasons`` and what speaks against the words."""
    found: dict[str, str] = {}
    for field, value, length, lines in (("subject", subject, SUBJECT_LENGTH, False), ("text", text, TEXT_LENGTH, True)):
        try:
            found[field] = clean_text(value, length, field, lines=lines)
        except Refusal as refusal:
            reasons += refusal.reasons
            continue
        if not found[field]:
            reasons.append(Reason(f"enquiry.{field}_missing", {}, field))
    Refusal.raise_any(reasons)
    return found["subject"], found["text"]


def _text(text: str) -> str:
    words = clean_text(text, TEXT_LENGTH, "text", lines=True)
    if not words:
        raise Refusal.of("enquiry.text_missing", "text")
    return words


def _open(
    actor: Actor, side: Side, about: _About, organisation_id: int, subject: str, text: str, files: Files, now: datetime
) -> Enquiry:
    waits = side is Side.CUSTOMER
    enquiry = Enquiry.objects.create(
        lab=about.lab,
        organisation_id=organisation_id,
        asked_by_id=actor.person_id,
        subject=subject,
        state=EnquiryState.OPEN if waits else EnquiryState.ANSWERED,
        asked_at=now,
        waiting_since=now if waits else None,
        answer_due_at=_promised(about.lab, now) if waits else None,
        last_message_at=now,
        **about.fields,
    )
    after = {"lab": about.lab.pk, "organisation": organisation_id, "subject": subject, **about.fields}
    audit.record(actor, "enquiry.ask", enquiry, now, after=after)
    message = EnquiryMessage.objects.create(enquiry=enquiry, side=side, author_id=actor.person_id, text=text, sent_at=now)
    enquiry_files.attach(actor, message, files, now)
    enquiry_mails.tell(message)
    return enquiry


def _post(actor: Actor, need: UnmetNeed, files: Files, now: datetime) -> Need:
    wanted = sorted(set(need.lab_ids))
    reasons: list[Reason] = []
    if not wanted:
        reasons.append(Reason("enquiry.labs_missing", {}, "labs"))
    if len(wanted) > MOST_LABS:
        reasons.append(Reason("enquiry.too_many_labs", {"most": MOST_LABS}, "labs"))
    if need.region_code and not is_division(need.region_code):
        reasons.append(Reason("enquiry.region_unknown", {}, "region_code"))
    if (ended := ended_reason(need.region_code)) is not None:
        reasons.append(ended)
    technique = clean_text(need.technique, TECHNIQUE_LENGTH, "technique")
    labs = _wanted_labs(need)
    for pk in labs:
        reasons += [each for each in _reasons_against(actor, Side.CUSTOMER, need, _About(labs[pk], {})) if each not in reasons]
    subject, text = _checked_words(need.subject, need.text, reasons)
    made = Need.objects.create(
        organisation_id=need.organisation_id,
        asked_by_id=actor.person_id,
        subject=subject,
        text=text,
        technique=technique,
        region_code=need.region_code,
        asked_at=now,
    )
    audit.record(actor, "enquiry.need", made, now, after={"subject": subject, "labs": wanted})
    for pk in wanted:
        about = _About(labs[pk], {"need_id": made.pk})
        _open(actor, Side.CUSTOMER, about, need.organisation_id, subject, text, files, now)
    return made


def _wanted_labs(need: UnmetNeed) -> dict[int, Organisation]:
    """The labs by id, no more than may be asked. Raises NotFound."""
    wanted = sorted(set(need.lab_ids))[:MOST_LABS]
    found = Organisation.objects.filter(kind=OrganisationKind.OWNER).in_bulk(wanted)
    if len(found) != len(wanted):
        raise NotFound.of("access.not_found", model="organisation")
    return {pk: found[pk] for pk in wanted}


def _write(actor: Actor, enquiry: Enquiry, side: Side, text: str, files: Files, now: datetime) -> EnquiryMessage:
    _move(actor, enquiry, _STATE_AFTER[side], now)
    message = EnquiryMessage.objects.create(enquiry=enquiry, side=side, author_id=actor.person_id, text=text, sent_at=now)
    enquiry_files.attach(actor, message, files, now)
    enquiry_mails.tell(message)
    return message


def _move(actor: Actor, enquiry: Enquiry, event: EnquiryEvent, now: datetime) -> None:
    """Take a locked thread one step further. What waits already goes on waiting since its oldest message."""
    before = EnquiryState(enquiry.state)
    after = next_state(before, event)
    if after is EnquiryState.OPEN:
        if before is not EnquiryState.OPEN:
            enquiry.waiting_since, enquiry.answer_due_at = now, _promised(enquiry.lab, now)
    else:
        enquiry.waiting_since = enquiry.answer_due_at = None
    enquiry.closed_at = now if after is EnquiryState.CLOSED else None
    if event is not EnquiryEvent.CLOSE:
        enquiry.last_message_at = now
    enquiry.state = after
    enquiry.save()
    audit.record(actor, f"enquiry.{event.value}", enquiry, now, before={"state": before}, after={"state": after})


def _promised(lab: Organisation, now: datetime) -> datetime:
    return due_at(now, lab.answer_workdays, zone_of_owner(lab.pk))


def _locked(actor: Actor, enquiry_id: int) -> Enquiry:
    rows = Enquiry.objects.select_for_update(of=("self",), no_key=True).select_related("lab", "organisation")
    return get_visible(rows, actor, pk=enquiry_id)


@transactions.whole
def answer_with(actor: Actor, enquiry_id: int, text: str, now: datetime) -> None:
    """The lab's answer that goes with something else (a quotation); joins the caller's transaction.

    Raises NotFound, Forbidden, Refusal ``enquiry.illegal_transition``, ``enquiry.text_missing``, ``name.*``.
    """
    enquiry = _locked(actor, enquiry_id)
    actor.require_in(enquiry.lab_id, Role.LAB_MANAGER)
    _write(actor, enquiry, Side.LAB, _text(text), (), now)
