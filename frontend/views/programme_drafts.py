"""Writing a programme version: the drafts of the office, the form, the text, and what becomes of a draft."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing import wording
from billing.subsidy import draft_queries as queries
from billing.subsidy import drafts
from billing.subsidy.budgets import READERS
from billing.subsidy.draft_models import DraftState, ProgrammeDraft
from billing.subsidy.ending import Beside
from billing.subsidy.rules.checking import Checked, check
from billing.subsidy.rules.form_moves import VERBS, moved, put, value_at
from billing.subsidy.rules.form_tree import ABSENT, read
from billing.subsidy.rules.shape import programme_shape
from config.kernel.access import Actor, Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.messages import reason_sentence
from frontend import display
from frontend.booking_form import read_id
from frontend.http import actor_of, is_fragment, stands_at
from frontend.presenters import programme_form as forms
from frontend.presenters import programme_text as texts
from frontend.presenters.programme import version_address
from frontend.presenters.programme_form import Editing
from frontend.refusals import sentences

PER_PAGE = 50
_YEARS = re.compile(r"-?[0-9]{1,2}")


@login_required
@require_http_methods(["GET", "POST"])
def draft_list(request: HttpRequest) -> HttpResponse:
    """The drafts of the office, and beginning one with a template or with a version in force."""
    actor, refusal = actor_of(request), None
    actor.require(*READERS)
    if request.method == "POST":
        try:
            return redirect("programme_draft_edit", _begun(request, actor).pk)
        except (NotFound, Forbidden):
            raise
        except Refusal as refused:
            refusal = refused
    page = Paginator(queries.drafts_visible(actor), PER_PAGE).get_page(request.GET.get("page"))
    officer = actor.has(Role.PROGRAMME_OFFICER)
    context = {
        "page": page,
        "rows": [(draft, _name(draft)) for draft in page],
        "officer": officer,
        "templates": [(name, _name_of(drafts.template_document(name))) for name in drafts.template_names()] if officer else [],
        "versions": queries.startable_versions(actor) if officer else [],
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "programmes/drafts/list.html", context, status=status_of(refusal) if refusal else 200)


def _begun(request: HttpRequest, actor: Actor) -> ProgrammeDraft:
    template, version, now = request.POST.get("template", ""), request.POST.get("version", ""), timezone.now()
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 19 else 0
    return drafts.start_from_version(actor, number, now) if version else drafts.start_from_template(actor, template, now)


def _name(draft: ProgrammeDraft) -> str:
    return _name_of(draft.document) or drafts.code_of(draft.document) or _("Draft %(number)s") % {"number": draft.pk}


def _name_of(document: Mapping[str, Any]) -> str:
    name = document.get("name")
    return wording.document_text({key: str(value) for key, value in name.items()}) if isinstance(name, Mapping) else ""


@login_required
@require_GET
def draft_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft read back, its examples, what differs from the version in force, its history, and what to do next."""
    return _detail(request, pk)


def _detail(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    today = now.astimezone(display.platform_zone()).date()
    draft = queries.draft_for(actor, pk)
    checked = check(draft.document)
    other = queries.beside(actor, draft, today)
    published = Beside(None, ()) if checked.flaws else queries.beside_published(draft, now)
    context = {
        "draft": draft,
        "title": _name(draft),
        "standing": queries.standing(actor, draft),
        "steps": queries.steps_of(actor, draft),
        "sentences": texts.sentences(draft.document),
        "flaws": forms.flaw_rows(draft.pk, forms.problems_by_path(checked)),
        "warnings": forms.warning_rows(draft.pk, checked),
        "results": _results(checked),
        "pools": texts.pool_sentences(queries.pools_beside(draft)),
        "beside": published,
        "taken": [reason_sentence(each) for each in published.reasons],
        "other": other,
        "changes": texts.changes(other.document, draft.document) if other is not None else [],
        "refused": sentences(refusal) if refusal else [],
        "reason": request.POST.get("reason", ""),
    }
    stands_at(request, "programme_draft", pk)
    return render(request, "programmes/drafts/detail.html", context, status=status_of(refusal) if refusal else 200)


def _results(checked: Checked) -> dict[str, Any]:
    passed = sum(each.passed for each in checked.examples)
    return {
        "rows": [(each, texts.differing(each)) for each in checked.examples],
        "words": texts.example_count_words(passed, len(checked.examples)) if checked.examples else "",
        "passed": passed == len(checked.examples),
    }


@login_required
@require_http_methods(["GET", "POST"])
def draft_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One part of the draft as a form. Every change is kept as typed; ``act`` adds, takes out or moves a part."""
    draft = queries.draft_for(actor_of(request), pk)
    actor_of(request).require_in(draft.office_id, Role.PROGRAMME_OFFICER)
    if request.method == "GET" and draft.state != DraftState.DRAFT:
        return redirect("programme_draft", pk)
    editing = _editing(request, draft)
    if request.method == "GET":
        return render(request, "programmes/drafts/edit.html", _edit_context(request, draft, editing))
    return _save(request, draft, editing)


def _editing(request: HttpRequest, draft: ProgrammeDraft) -> Editing:
    """Raises NotFound for a part or an item that is not there."""
    part = request.GET.get("part", "document")
    known = forms.parts()
    at = request.GET.get("at", "")
    if part not in known or (at and not (forms.is_large(part) and at.startswith(f"{part}/"))):
        raise NotFound.of("access.not_found", model="part")
    if at and value_at(programme_shape(), draft.document, at)[1] is ABSENT:
        raise NotFound.of("access.not_found", model="part")
    return Editing(part, known[part][1], at)


def _typed(request: HttpRequest, draft: ProgrammeDraft, editing: Editing) -> dict[str, Any]:
    """The document with what the form says."""
    shape, document = programme_shape(), dict(draft.document)
    if editing.at:
        held, before = value_at(shape, document, editing.at)
        return document if held is None else put(shape, document, editing.at, read(held, request.POST, editing.at, before))
    if forms.is_large(editing.part):
        return document
    for key in editing.keys:
        if key in shape.fields:
            value = read(shape.fields[key], request.POST, key, document.get(key, ABSENT), required=key in shape.required)
            document = (
                {name: each for name, each in document.items() if name != key} if value is ABSENT else document | {key: value}
            )
    return document


def _save(request: HttpRequest, draft: ProgrammeDraft, editing: Editing) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    act = request.POST.get("act", "save")
    verb, _colon, place = act.partition(":")
    document = _typed(request, draft, editing)
    if verb in VERBS:
        document = moved(programme_shape(), document, verb, place)
    refusal: Refusal | None = None
    try:
        draft = drafts.save(actor, draft.pk, _revision(request), document, now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refused:
        refusal = refused
        # What was typed starts from the revision that it was typed in: sent again it would else replace what another wrote meanwhile.
        draft.document, draft.revision = document, _revision(request)
    if is_fragment(request):
        return _fragment(request, draft, editing, act, refusal)
    if refusal is None:
        after = request.POST.get("then", "")
        query = f"?part={after}" if after in forms.parts() else f"?{request.GET.urlencode()}"
        anchor = f"#{forms.field_id('$/' + place)}" if verb in VERBS else ""
        if not anchor:
            messages.success(request, _("Kept."))
        return redirect(reverse("programme_draft_edit", args=[draft.pk]) + query + anchor)
    context = _edit_context(request, draft, editing) | {"refused": [reason_sentence(each) for each in refusal.reasons]}
    return render(request, "programmes/drafts/edit.html", context, status=status_of(refusal))


def _fragment(request: HttpRequest, draft: ProgrammeDraft, editing: Editing, act: str, refusal: Refusal | None) -> HttpResponse:
    """The whole form after a button or a choice that changes its fields; after typing only what is said about it."""
    context = _edit_context(request, draft, editing)
    if refusal is not None:
        context["refused"] = [reason_sentence(each) for each in refusal.reasons]
    context |= {"acted": act, "focus_id": _focus(act)}
    before = [path for path in request.POST.get("faulty", "").split("\n") if path][:200]
    context["slots"] = [
        (forms.field_id(path), context["problems"].get(path, [])) for path in dict.fromkeys([*before, *context["problems"]])
    ]
    template = "programmes/drafts/_panel.html" if act == "typed" else "programmes/drafts/_form.html"
    status = status_of(refusal) if refusal is not None else 200
    return render(request, template, context | {"fragment": True}, status=status)


def _focus(act: str) -> str:
    """The id of what was added, moved or chosen, so that the keyboard goes on there."""
    verb, _colon, place = act.partition(":")
    *above, last = place.split("/")
    if verb == "switch":
        return place
    if verb in ("up", "down", "copy") and last.isdigit():
        last = str(int(last) + (-1 if verb == "up" else 1))
    if verb == "remove" and last.isdigit():
        return forms.field_id("$/" + "/".join(above))
    return forms.field_id("$/" + "/".join([*above, last]))


def _revision(request: HttpRequest) -> int:
    text = request.POST.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _ends(request: HttpRequest) -> int | None:
    """The version that whoever publishes has seen to end; none for what is no number."""
    return read_id(request.POST.get("ends", "")) or None


def _years(request: HttpRequest) -> int:
    """0, which the service refuses, for what is no number."""
    found = _YEARS.fullmatch(request.POST.get("years", "").strip())
    return int(found[0]) if found else 0


def _edit_context(request: HttpRequest, draft: ProgrammeDraft, editing: Editing) -> dict[str, Any]:
    checked = check(draft.document)
    problems = forms.problems_by_path(checked)
    editing = Editing(editing.part, editing.keys, editing.at, problems)
    large = forms.is_large(editing.part) and not editing.at
    return {
        "draft": draft,
        "title": _name(draft),
        "standing": queries.standing(actor_of(request), draft),
        "part": editing.part,
        "part_title": forms.parts()[editing.part][0],
        "at": editing.at,
        "tabs": forms.tabs(editing, problems),
        "fields": [] if large else forms.fields_of(draft.document, editing),
        "items": forms.item_rows(draft.document, checked) if large else [],
        "large": large,
        "problems": problems,
        "flaws": forms.flaw_rows(draft.pk, problems),
        "warnings": forms.warning_rows(draft.pk, checked),
        "faulty": "\n".join(problems),
        "results": _results(checked),
        "sentences": [each for each in texts.sentences(draft.document) if each.part in editing.keys],
        "query": request.GET.urlencode(),
        "clauses": [
            each["id"]
            for each in (draft.document.get("clauses") if isinstance(draft.document.get("clauses"), list) else [])
            if isinstance(each, dict) and isinstance(each.get("id"), str)
        ],
    }


@login_required
@require_http_methods(["GET", "POST"])
def draft_text(request: HttpRequest, pk: int) -> HttpResponse:
    """The document as text, for who knows it: read where it can be read, kept as typed where not."""
    actor = actor_of(request)
    draft = queries.draft_for(actor, pk)
    refused: Refusal | None = None
    typed = request.POST.get("text", "") if request.method == "POST" else None
    if typed is not None:
        try:
            draft = drafts.save_text(actor, draft.pk, _revision(request), typed, timezone.now())
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            refused, draft.revision = refusal, _revision(request)
        else:
            typed = None
    shown = typed if typed is not None else draft.text or json.dumps(draft.document, ensure_ascii=False, indent=2)
    if refused is None and draft.text:
        try:
            drafts.storable(drafts.read_text(draft.text))
        except Refusal as refusal:
            refused = refusal
    problems = forms.problems_by_path(check(draft.document))
    context = {
        "draft": draft,
        "title": _name(draft),
        "standing": queries.standing(actor, draft),
        "text": shown,
        "refused": sentences(refused) if refused else [],
        "flaws": [] if draft.text else forms.flaw_rows(draft.pk, problems),
        "kept": request.method == "POST" and typed is None,
    }
    status = status_of(refused) if refused is not None and request.method == "POST" else 200
    return render(request, "programmes/drafts/text.html", context, status=status)


@login_required
@require_POST
def draft_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Hand in, take back, send back, approve, move to other years or give up."""
    actor, now, reason = actor_of(request), timezone.now(), request.POST.get("reason", "")
    try:
        if step == "submit":
            drafts.submit(actor, pk, _revision(request), now)
            said = _("Handed in. A second officer has to look at it now.")
        elif step == "take-back":
            drafts.take_back(actor, pk, now)
            said = _("Taken back. You can go on writing.")
        elif step == "send-back":
            drafts.send_back(actor, pk, reason, now)
            said = _("Sent back with your reason.")
        elif step == "approve":
            version = drafts.approve(actor, pk, _revision(request), now, _ends(request))
            since = {"label": version.label, "day": display.date_words(version.valid.lower)}
            messages.success(request, _("Published: version %(label)s holds from %(day)s on.") % since)
            return redirect(version_address(version))
        elif step == "years":
            drafts.move_years(actor, pk, _revision(request), _years(request), now)
            said = _("The days are moved. Look at the label and the clauses: they are as they were.")
        else:
            drafts.drop(actor, pk, reason, now)
            said = _("Given up. It stays readable here.")
    except NotFound:
        raise
    except Conflict as conflict:
        return _detail(request, pk, conflict)
    except Forbidden as refusal:
        if refusal.reasons[0].code not in ("programme.own_draft", "draft.not_yours"):
            raise
        return _detail(request, pk, refusal)
    except Refusal as refusal:
        return _detail(request, pk, refusal)
    messages.success(request, said)
    return redirect("programme_draft", pk)
