"""Writing a programme version: begin, save as typed, hand in, look at it as a second person, put in force or send back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from billing.ledger.rules.documents import Document
from billing.subsidy import services as subsidy
from billing.subsidy.draft_models import DraftState, DraftStep, DraftWriter, ProgrammeDraft
from billing.subsidy.ending import Confirmed, beside, today_of
from billing.subsidy.models import Programme, ProgrammeVersion
from billing.subsidy.rules.checking import check
from billing.subsidy.rules.keepable import unkeepable
from billing.subsidy.rules.other_years import MOST_YEARS, in_other_years
from billing.subsidy.rules.programme import read_programme
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole

TEMPLATES = Path(__file__).parent / "programmes"
MAX_CHARACTERS = 500_000
REASON_LENGTH = 500
PLACE_LENGTH = 200
_SURROGATES = re.compile("[\ud800-\udfff]")


@whole
def start(
    actor: Actor, document: Document, now: datetime, *, template: str = "", based_on: ProgrammeVersion | None = None
) -> ProgrammeDraft:
    """Keep a document as a new draft of the actor's office. Raises Forbidden, Refusal ``draft.*``."""
    office = _office_of(actor)
    storable(document)
    person = actor.person_id
    draft = ProgrammeDraft.objects.create(
        office_id=office,
        document=dict(document),
        template=template[:60],
        based_on=based_on,
        author_id=person,
        changed_by_id=person,
        created_at=now,
        changed_at=now,
    )
    DraftWriter.objects.create(draft=draft, person_id=person, first_at=now)
    _step(draft, "started", actor, now)
    audit.record(actor, "programme.start_draft", draft, now, after={"code": code_of(draft.document), "template": draft.template})
    return draft


def start_from_template(actor: Actor, template: str, now: datetime) -> ProgrammeDraft:
    """A draft that begins with a shipped document. Raises NotFound for a name that is none."""
    actor.require(Role.PROGRAMME_OFFICER)
    return start(actor, template_document(template), now, template=template)


def start_from_version(actor: Actor, version_id: int, now: datetime) -> ProgrammeDraft:
    """A draft that begins with a version that may be seen. Raises NotFound, Forbidden."""
    actor.require(Role.PROGRAMME_OFFICER)
    version = get_visible(ProgrammeVersion.objects.select_related("programme"), actor, pk=version_id)
    return start(actor, version.document, now, based_on=version)


def template_names() -> tuple[str, ...]:
    """The shipped documents, by name."""
    return tuple(sorted(path.stem for path in TEMPLATES.glob("*.json")))


def template_document(name: str) -> dict[str, Any]:
    """A shipped document. Raises NotFound."""
    if name not in template_names():
        raise NotFound.of("access.not_found", model="template")
    found: dict[str, Any] = json.loads((TEMPLATES / f"{name}.json").read_text(encoding="utf-8"))
    return found


@whole
def save(actor: Actor, draft_id: int, revision: int, document: Mapping[str, Any], now: datetime) -> ProgrammeDraft:
    """Keep a document as it was typed, whatever is wrong with it.

    Raises NotFound, Forbidden, Conflict ``draft.changed_meanwhile`` / ``draft.not_open``, Refusal ``draft.too_long``,
    ``draft.not_storable``.
    """
    draft = _open(actor, draft_id, revision)
    storable(document)
    if draft.document == document and not draft.text:
        return draft
    draft.document, draft.text = dict(document), ""
    return _saved(actor, draft, now)


@whole
def save_text(actor: Actor, draft_id: int, revision: int, text: str, now: datetime) -> ProgrammeDraft:
    """Keep the document as text: read where it can be read, else kept as typed beside the last readable one. Raises as ``save``."""
    draft = _open(actor, draft_id, revision)
    text = _SURROGATES.sub("\ufffd", text.replace("\x00", ""))
    if len(text) > MAX_CHARACTERS:
        raise Refusal.of("draft.too_long", "text", most=MAX_CHARACTERS)
    try:
        document = read_text(text)
        storable(document)
    except Refusal:
        if draft.text == text:
            return draft
        draft.text = text
        return _saved(actor, draft, now)
    if draft.document == document and not draft.text:
        return draft
    draft.document, draft.text = document, ""
    return _saved(actor, draft, now)


@whole
def move_years(actor: Actor, draft_id: int, revision: int, years: int, now: datetime) -> ProgrammeDraft:
    """Move the days of the rules and of the worked examples by whole years; quoted texts, their sources and the label stay.

    Raises as ``save``, Refusal ``draft.years_range``, ``draft.text_unread``.
    """
    draft = _open(actor, draft_id, revision)
    if draft.text:
        raise Refusal.of("draft.text_unread", "years")
    try:
        draft.document = in_other_years(draft.document, years)
    except ValueError:
        raise Refusal.of("draft.years_range", "years", most=MOST_YEARS) from None
    return _saved(actor, draft, now)


def read_text(text: str) -> dict[str, Any]:
    """The JSON object in a text. Raises Refusal ``draft.no_json`` (with line and column), ``draft.no_object``, ``draft.key_twice``."""
    try:
        found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_each_key_once)
    except json.JSONDecodeError as error:
        raise Refusal.of("draft.no_json", "text", line=error.lineno, column=error.colno) from None
    except (ValueError, RecursionError):
        raise Refusal.of("draft.no_json", "text", line=1, column=1) from None
    if not isinstance(found, dict):
        raise Refusal.of("draft.no_object", "text")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Refusal.of("draft.key_twice", "text", key=key[:80])
        found[key] = value
    return found


def storable(document: Mapping[str, Any]) -> None:
    """Raises Refusal ``draft.too_long`` / ``draft.not_storable`` for what the database cannot keep."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError, TypeError):
        raise Refusal.of("draft.not_storable", "text", place="$") from None
    if len(text) > MAX_CHARACTERS:
        raise Refusal.of("draft.too_long", "text", most=MAX_CHARACTERS)
    if unkept := next(unkeepable(document), None):
        raise Refusal.of("draft.not_storable", "text", place=unkept.path[:PLACE_LENGTH])


@whole
def submit(actor: Actor, draft_id: int, revision: int, now: datetime) -> ProgrammeDraft:
    """Hand the draft in for a second officer to look at. Raises as ``save`` and Refusals with every fault (``programme.*``)."""
    draft = _open(actor, draft_id, revision)
    if draft.text:
        raise Refusal.of("draft.text_unread", "text")
    refuse_faults(draft, now)
    draft.state, draft.submitted_by_id = DraftState.SUBMITTED, actor.person_id
    draft.save(update_fields=["state", "submitted_by"])
    _wrote(draft, actor, now)
    _step(draft, "submitted", actor, now)
    audit.record(actor, "programme.submit_draft", draft, now, after={"code": code_of(draft.document), "revision": draft.revision})
    return draft


@whole
def hand_in(actor: Actor, document: Document, now: datetime) -> ProgrammeDraft:
    """A draft that was written elsewhere, kept and handed in at once, or not at all. Raises as ``start`` and ``submit``."""
    draft = start(actor, document, now)
    return submit(actor, draft.pk, draft.revision, now)


def refuse_faults(draft: ProgrammeDraft, now: datetime) -> None:
    """Raises Refusal with everything that keeps a draft from being published: faults, examples, the label, the days. Days of a version that
    began earlier and ends for this one are free."""
    document = draft.document
    checked = check(document)
    reasons = [Reason(flaw.code, dict(flaw.params), flaw.path) for flaw in checked.flaws]
    reasons += [
        Reason("programme.example_fails", {"title": each.title}, f"$.examples[{place}]")
        for place, each in enumerate(checked.examples)
        if not each.passed
    ]
    Refusal.raise_any(reasons)
    reasons = []
    if not document["examples"]:
        reasons.append(Reason("programme.no_example", {}, "$.examples"))
    if document["template"]:
        reasons.append(Reason("programme.still_template", {}, "$.template"))
    programme = Programme.objects.filter(code=document["code"]).first()
    if programme is not None:
        if programme.issuer_id not in (None, draft.office_id):
            reasons.append(Reason("programme.of_other_office", {"code": programme.code}, "$.code"))
        if programme.versions.filter(label=document["version"]).exists():
            reasons.append(Reason("programme.label_taken", {"label": document["version"]}, "$.version"))
        days = beside(programme.pk, subsidy.days_of(document), today_of(now)).reasons
        reasons += list(days) or subsidy.pool_faults(programme.pk, read_programme(document))
    Refusal.raise_any(reasons)


@whole
def take_back(actor: Actor, draft_id: int, now: datetime) -> ProgrammeDraft:
    """Whoever handed it in goes on writing. Raises NotFound, Forbidden ``draft.not_yours``, Conflict ``draft.not_submitted``."""
    draft = _submitted(actor, draft_id)
    if draft.submitted_by_id != actor.person_id:
        raise Forbidden.of("draft.not_yours")
    return _back(actor, draft, "taken_back", "", now)


@whole
def send_back(actor: Actor, draft_id: int, reason: str, now: datetime) -> ProgrammeDraft:
    """The second officer wants changes and says which. Raises NotFound, Conflict ``draft.not_submitted``, Refusal
    ``draft.reason_missing``."""
    draft = _submitted(actor, draft_id)
    return _back(actor, draft, "sent_back", _reason(reason), now)


@whole
def approve(actor: Actor, draft_id: int, revision: int, now: datetime, ends: int | None = None) -> ProgrammeVersion:
    """Put the draft in force as a second person: it becomes a published version with exactly what was handed in. ``ends``: the version
    that ends for it the day before it begins, which the actor has seen (``draft_queries.beside_published``).

    Raises NotFound, Forbidden ``programme.own_draft`` for everybody who wrote in it, Conflict ``draft.changed_meanwhile``, and what
    publishing raises.
    """
    draft = _submitted(actor, draft_id)
    if draft.revision != revision:
        raise Conflict.of("draft.changed_meanwhile", "revision")
    if DraftWriter.objects.filter(draft=draft, person_id=actor.person_id).exists():
        raise Forbidden.of("programme.own_draft")
    refuse_faults(draft, now)
    version = subsidy.draft_of(actor, draft.document, now, author_id=draft.submitted_by_id, issuer_id=draft.office_id)
    draft.version, draft.state = version, DraftState.PUBLISHED
    draft.save(update_fields=["version", "state"])
    handed_in = DraftStep.objects.filter(draft=draft, kind="submitted").latest("pk")
    subsidy.publish_version(actor, version, now, Confirmed(ends, handed_in.at))
    _step(draft, "published", actor, now)
    return version


@whole
def drop(actor: Actor, draft_id: int, reason: str, now: datetime) -> ProgrammeDraft:
    """Give a draft up; it stays readable. Raises NotFound, Forbidden, Conflict ``draft.not_open``, Refusal ``draft.reason_missing``."""
    draft = _locked(actor, draft_id)
    if draft.state != DraftState.DRAFT:
        raise Conflict.of("draft.not_open", "revision")
    why = _reason(reason)
    draft.state = DraftState.DROPPED
    draft.save(update_fields=["state"])
    _step(draft, "dropped", actor, now, why)
    audit.record(actor, "programme.drop_draft", draft, now, reason=why)
    return draft


def code_of(document: Mapping[str, Any]) -> str:
    """The programme's code as far as it is written, for lists and records."""
    code = document.get("code")
    return code[:40] if isinstance(code, str) else ""


def _office_of(actor: Actor) -> int:
    """The office for which the actor writes programmes: the only one, or the one that joined first. Raises Forbidden."""
    actor.require(Role.PROGRAMME_OFFICER)
    return min(actor.organisations(Role.PROGRAMME_OFFICER))


def _locked(actor: Actor, draft_id: int) -> ProgrammeDraft:
    draft = get_visible(ProgrammeDraft.objects.select_for_update(of=("self",)), actor, pk=draft_id)
    actor.require_in(draft.office_id, Role.PROGRAMME_OFFICER)
    return draft


def _open(actor: Actor, draft_id: int, revision: int) -> ProgrammeDraft:
    draft = _locked(actor, draft_id)
    if draft.state != DraftState.DRAFT:
        raise Conflict.of("draft.not_open", "revision")
    if draft.revision != revision:
        raise Conflict.of("draft.changed_meanwhile", "revision")
    return draft


def _submitted(actor: Actor, draft_id: int) -> ProgrammeDraft:
    draft = _locked(actor, draft_id)
    if draft.state != DraftState.SUBMITTED:
        raise Conflict.of("draft.not_submitted", "revision")
    return draft


def _saved(actor: Actor, draft: ProgrammeDraft, now: datetime) -> ProgrammeDraft:
    draft.revision += 1
    draft.changed_by_id, draft.changed_at = actor.person_id, now
    draft.save(update_fields=["document", "text", "revision", "changed_by", "changed_at"])
    _wrote(draft, actor, now)
    return draft


def _wrote(draft: ProgrammeDraft, actor: Actor, now: datetime) -> None:
    DraftWriter.objects.bulk_create([DraftWriter(draft=draft, person_id=actor.person_id, first_at=now)], ignore_conflicts=True)


def _back(actor: Actor, draft: ProgrammeDraft, kind: str, reason: str, now: datetime) -> ProgrammeDraft:
    draft.state = DraftState.DRAFT
    draft.save(update_fields=["state"])
    _step(draft, kind, actor, now, reason)
    audit.record(actor, f"programme.{kind}", draft, now, after={"code": code_of(draft.document)}, reason=reason)
    return draft


def _step(draft: ProgrammeDraft, kind: str, actor: Actor, now: datetime, reason: str = "") -> None:
    DraftStep.objects.create(draft=draft, kind=kind, revision=draft.revision, by_id=actor.person_id, at=now, reason=reason)


def _reason(text: str) -> str:
    reason = " ".join(_SURROGATES.sub("\ufffd", text.replace("\x00", "")).split())
    if not reason:
        raise Refusal.of("draft.reason_missing", "reason")
    if len(reason) > REASON_LENGTH:
        raise Refusal.of("draft.reason_too_long", "reason", most=REASON_LENGTH)
    return reason
