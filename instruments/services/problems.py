"""What people report about instruments, and what the lab does about it."""

from __future__ import annotations

from datetime import datetime

from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments import ports
from instruments.models import Instrument, InstrumentProblem, ProblemState
from instruments.rules.registry_values import clean_text
from instruments.services import mails, registry, uploads
from instruments.services.instrument_changes import require_manager
from instruments.services.people import one_at_a_time

TEXT_LENGTH = 2000
ANSWER_LENGTH = 1000
#: A person who reports without end helps nobody: this many may be open at a time.
MOST_OPEN_PER_PERSON = 10


@whole
def report(actor: Actor, instrument_id: int, text: str, now: datetime, photo: bytes | None = None) -> InstrumentProblem:
    """Tell the lab what is wrong; its managers get a mail.

    Raises Forbidden ``access.login_needed``, NotFound, Refusal ``problem.text_missing``, ``problem.too_many_open``, ``name.*``
    (``text``), ``upload.*`` (``file``).
    """
    person_id = one_at_a_time(actor)
    instrument = get_visible(Instrument.objects.select_related("organisation"), actor, pk=instrument_id)
    words = clean_text(text, TEXT_LENGTH, "text", lines=True)
    if not words:
        raise Refusal.of("problem.text_missing", "text")
    if InstrumentProblem.objects.filter(reported_by_id=person_id, state=ProblemState.OPEN).count() >= MOST_OPEN_PER_PERSON:
        raise Refusal.of("problem.too_many_open", maximum=MOST_OPEN_PER_PERSON)
    problem = InstrumentProblem.objects.create(
        instrument=instrument,
        text=words,
        photo=_stored(actor, photo, now) if photo is not None else None,
        reported_by_id=person_id,
        reported_at=now,
    )
    audit.record(actor, "problem.report", problem, now, after={"instrument": instrument.pk, "text": words})
    mails.problem_reported(problem, now)
    return problem


@whole
def handle(
    actor: Actor, problem_id: int, state: str, answer: str, now: datetime, *, instrument_status: str = ""
) -> InstrumentProblem:
    """The lab acknowledges or solves a problem, with an answer to the person who reported it, and may change the running state.

    Raises NotFound, Forbidden, Refusal ``problem.state_unknown``, ``instrument.status_unknown``, ``name.*`` (``answer``).
    """
    found = get_visible(InstrumentProblem.objects.all(), actor, pk=problem_id)
    problem = InstrumentProblem.objects.select_for_update(of=("self",)).select_related("instrument").get(pk=found.pk)
    require_manager(actor, problem.instrument.organisation_id)
    if state not in (ProblemState.ACKNOWLEDGED, ProblemState.SOLVED):
        raise Refusal.of("problem.state_unknown", "state")
    words = clean_text(answer, ANSWER_LENGTH, "answer", lines=True)
    before = {"state": problem.state, "answer": problem.answer}
    problem.state, problem.answer = state, words or problem.answer
    problem.handled_by_id, problem.handled_at = actor.person_id, now
    problem.save(update_fields=["state", "answer", "handled_by", "handled_at"])
    after = {"state": state, "answer": problem.answer}
    audit.record(actor, "problem.handle", problem, now, before=before, after=after)
    if instrument_status:
        registry.set_status(actor, problem.instrument_id, instrument_status, now, f"problem {problem.pk}")
    if after != before:
        mails.problem_handled(problem, now)
        ports.problem_answered(problem, now)
    return problem


def photo_of(actor: Actor, problem_id: int) -> tuple[StoredFile | None, InstrumentProblem]:
    """The photo of a problem that the actor may see. Raises NotFound."""
    problem = get_visible(InstrumentProblem.objects.select_related("photo"), actor, pk=problem_id)
    return problem.photo, problem


def _stored(actor: Actor, photo: bytes, now: datetime) -> StoredFile:
    content = uploads.drawn_picture(photo)
    return files.store(content, file_name="problem.webp", media_type="image/webp", user_id=actor.user_id, now=now)
