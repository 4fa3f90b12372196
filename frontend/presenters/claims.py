"""Claims, batches, publicity and payment lists as rows for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.claims import wording
from billing.claims.answered import answers_of
from billing.claims.declared import AskedLine
from billing.claims.models import Claim, ClaimBatch, ClaimLine, ClaimStep, PaymentList
from billing.claims.queries import ClaimedIn
from billing.claims.rules.checks import Check, CheckInput, FileTwice, is_clean, look, to_complete
from billing.claims.rules.review import review_of
from billing.claims.rules.states import ClaimState
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.services.documents import Paper, kind_of
from billing.claims.services.reviewing import Result
from billing.ledger.rules.money import plain_yuan
from billing.settlement.lines import outcome
from billing.settlement.models import RenderState
from billing.subsidy.rules.given_here import OTHERS
from billing.wording import document_text, fact_word, in_english, mode_word, step_sentence
from config.kernel.messages import reason_sentence, sentence
from frontend.display import yuan
from frontend.presenters.choices import answer_word
from frontend.states import look_of


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check beside a claim: the words, whether it holds, and where it does not."""

    word: wording.Word
    ok: bool
    positions: str
    missing: tuple[wording.Word, ...]
    files: tuple[TwiceRow, ...] = ()


@dataclass(frozen=True, slots=True)
class TwiceRow:
    """A file that is used twice: on which lines here, the other claims that the reader may open, and how many more there are."""

    name: str
    sha256: str
    positions: str
    claims: tuple[tuple[int, str], ...]
    unnamed: int


def check_rows(found: Sequence[Check], named: Mapping[int, str]) -> list[CheckRow]:
    """Checks in words. ``named``: the numbers of other claims that the reader may open, by id."""
    return [
        CheckRow(
            wording.CHECKS[each.code],
            each.ok,
            ", ".join(str(place) for place in each.positions),
            tuple(wording.ASKED[code] for code in each.missing),
            tuple(_twice_row(file, named) for file in each.files),
        )
        for each in found
    ]


def _twice_row(file: FileTwice, named: Mapping[int, str]) -> TwiceRow:
    known = tuple((pk, named[pk]) for pk in file.claims if pk in named)
    positions = ", ".join(str(place) for place in file.positions)
    return TwiceRow(file.name, file.sha256, positions, known, len(file.claims) - len(known))


def missing_rows(claim: CheckInput) -> list[tuple[wording.Word, str]]:
    """What a payee has to add: the words, and on which lines."""
    found = to_complete(claim)
    return [(wording.ASKED[what], ", ".join(str(place) for place in where)) for what, where in found.items()]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A paper of the platform that counts as evidence: what it is, its name and fingerprint, and the lines that it shows."""

    word: wording.Word
    name: str
    sha256: str
    positions: str


def paper_rows(claim: CheckInput) -> list[ShownRow]:
    """The papers of the platform that count, in words."""
    return [
        ShownRow(wording.ASKED[each.kind], each.name, each.sha256, ", ".join(str(place) for place in each.positions))
        for each in claim.papers
    ]


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim of a list. ``step`` says who looks at it; ``clean`` whether the checks found nothing (None: not looked)."""

    claim: Claim
    step: str
    clean: bool | None


def claim_rows(claims: Sequence[Claim], inputs: Mapping[int, CheckInput] | None = None) -> list[ClaimRow]:
    """Rows of claims; with ``inputs`` whether each is clean."""
    return [
        ClaimRow(claim, step_word(claim), is_clean(look(inputs[claim.pk])) if inputs is not None else None) for claim in claims
    ]


def step_word(claim: Claim) -> str:
    """Who looks at a claim now, or nothing."""
    if claim.state not in (ClaimState.IN_REVIEW, ClaimState.SENT_BACK):
        return ""
    steps = review_of(claim.batch.programme_version.document).steps
    return f"{wording.LEVELS[steps[min(claim.step, len(steps) - 1)].level]} ({min(claim.step + 1, len(steps))}/{len(steps)})"


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a claim; ``url`` leads to its booking or job. ``invoice``: its number, or the one that was recorded for its bill;
    ``answers``: what whoever booked answered to the programme's questions, each with the question."""

    line: ClaimLine
    url: str
    reference: str
    subject: str
    what: wording.Word
    standing: wording.Word
    counts: bool
    is_award: bool
    invoice: str
    answers: Sequence[tuple[str, str]]


def line_rows(lines: Sequence[ClaimLine], proposed: Mapping[int, str]) -> list[LineRow]:
    """Rows of lines, in order. ``proposed``: line id -> the number of the invoice that may be meant, where none is written."""
    return [_line_row(line, line.invoice_number or proposed.get(line.pk, "")) for line in lines]


def _line_row(line: ClaimLine, invoice: str) -> LineRow:
    charge, job = line.award.charge, line.award.charge.sample_job
    thing: Any = charge.reservation or job
    subject: Any = charge.reservation.instrument if charge.reservation is not None else thing.resource
    route = "reservation_detail" if charge.reservation is not None else "sample_job"
    return LineRow(
        line,
        reverse(route, args=[thing.pk]),
        thing.reference,
        (in_english() and subject.name_en) or subject.name,
        wording.LINES[line.kind],
        wording.STANDINGS[line.standing],
        line.standing == Standing.INCLUDED,
        line.kind == LineKind.AWARD,
        invoice,
        [(document_text(each.says), answer_word(each, {each.fact: text})) for each, text in answers_of(line.award)],
    )


@dataclass(frozen=True, slots=True)
class DeclaredField:
    """A fact that is asked of a line: its name in the form, the words, what was typed or declared of it, in yuan, and a help to answer."""

    name: str
    word: str
    yuan: str
    help: str


@dataclass(frozen=True, slots=True)
class DeclaredRow:
    """What is asked of a line and what was declared. ``less_fen``: what goes back of its award with it (``applied``: went back), by these
    ``steps``; ``unmet``: the conditions that do not hold with it."""

    position: int
    reference: str
    fields: tuple[DeclaredField, ...]
    told: bool
    applied: bool
    less_fen: int
    steps: tuple[str, ...]
    unmet: tuple[str, ...]


def declared_rows(asked: Sequence[AskedLine], typed: Mapping[str, Any]) -> list[DeclaredRow]:
    """Rows of the lines of which something is asked. ``typed``: what was just sent and refused."""
    return [_declared_row(each, typed if typed.get("position") == str(each.line.position) else {}) for each in asked]


def _declared_row(each: AskedLine, typed: Mapping[str, Any]) -> DeclaredRow:
    row, thing = each.declared, each.line.award.charge.reservation or each.line.award.charge.sample_job
    amounts: Mapping[str, int] = row.amounts if row is not None else {}
    names = {path: path.partition(".")[2] for path in each.paths}
    steps: Sequence[Mapping[str, Any]] = each.worked.steps if each.worked is not None else row.steps if row is not None else ()
    unmet = [(one.code, one.params) for one in each.worked.unmet] if each.worked is not None else []
    if each.worked is None and row is not None:
        unmet = [(one["code"], one["params"]) for one in row.unmet]
    return DeclaredRow(
        each.line.position,
        str(thing.reference) if thing is not None else "",
        tuple(
            DeclaredField(
                name,
                fact_word(path),
                str(typed.get(name, plain_yuan(amounts[path]) if path in amounts else "")),
                _not_again(each.given_here_fen) if path == OTHERS else "",
            )
            for path, name in names.items()
        ),
        row is not None,
        row is not None and row.applied_at is not None,
        each.less_fen,
        tuple(step_sentence(one["key"], one["params"]) for one in steps),
        tuple(step_sentence(code, params) for code, params in unmet),
    )


def _not_again(given_here_fen: int | None) -> str:
    """What of other public money is not to be declared, because it is counted already; nothing where it is not."""
    if given_here_fen is None:
        return ""
    if not given_here_fen:
        return _("No other programme of the platform gave anything for this service.")
    return _("Without the %(amount)s that other programmes of the platform gave for this service: that is counted already.") % {
        "amount": yuan(given_here_fen)
    }


def history(steps: Sequence[ClaimStep]) -> list[dict[str, Any]]:
    """The steps of a claim for the timeline component, the latest first."""
    return [
        {
            "icon": look_of("claim", each.to_state).icon,
            "title": wording.EVENTS[each.event],
            "at": each.at,
            "who": _who(each),
            "text": each.reason,
        }
        for each in steps
    ]


def _who(step: ClaimStep) -> str:
    if step.actor is None:
        return ""
    if step.behalf is None:
        return str(step.actor)
    return _("%(name)s, standing in for %(other)s") % {"name": step.actor, "other": step.behalf}


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A document with where its files are; ``state`` of the kind "document"."""

    paper: Paper
    state: str
    problem: str
    pdf_url: str
    xlsx_url: str
    csv_url: str
    html_url: str
    json_url: str
    again_url: str
    ready: bool
    failed: bool


_STATES = {
    RenderState.QUEUED: "pending",
    RenderState.RENDERING: "running",
    RenderState.DONE: "ready",
    RenderState.FAILED: "failed",
}


def paper_row(paper: Paper) -> PaperRow:
    """A redemption form, payment list or claw-back notice."""
    kind, state = kind_of(paper), RenderState(paper.render_state)
    return PaperRow(
        paper,
        _STATES[state],
        sentence(paper.render_error, {"number": paper.number}) if paper.render_error else "",
        reverse("claim_paper", args=[kind, paper.pk, "pdf"]),
        reverse("claim_paper", args=[kind, paper.pk, "xlsx"]),
        reverse("claim_paper", args=[kind, paper.pk, "csv"]),
        reverse("claim_paper", args=[kind, paper.pk, "html"]),
        reverse("claim_paper", args=[kind, paper.pk, "json"]),
        reverse("claim_paper_again", args=[kind, paper.pk]),
        state == RenderState.DONE,
        state == RenderState.FAILED,
    )


@dataclass(frozen=True, slots=True)
class ClaimedRow:
    """A claim on which lines of a statement stand; the days of its publicity (None: not public yet) and what came of them."""

    claim: Claim
    lines: int
    amount_fen: int
    public_from: date | None
    public_until: date | None
    outcome: str


def claimed_rows(found: Sequence[ClaimedIn]) -> list[ClaimedRow]:
    """Where the lines of a statement are claimed, for its page."""
    return [_claimed_row(each) for each in found]


def _claimed_row(each: ClaimedIn) -> ClaimedRow:
    public = each.publicity
    if public is None:
        return ClaimedRow(each.claim, each.lines, each.amount_fen, None, None, "")
    first, last = (date.fromisoformat(public[name]) for name in ("from_on", "until_on"))
    return ClaimedRow(each.claim, each.lines, each.amount_fen, first, last, outcome(public))


def batch_name(batch: ClaimBatch) -> str:
    """The programme of a batch in the reader's language."""
    name = batch.programme_version.document["name"]
    return str(name["en" if in_english() else "zh"])


def batch_state(batch: ClaimBatch) -> str:
    """Where a batch stands, for the badge."""
    return "open" if batch.closed_at is None else "closed"


def settled_word(batch: ClaimBatch) -> str:
    """How a batch's subsidy is settled."""
    return str(mode_word(batch.mode))


def list_state(row: PaymentList) -> str:
    """Where a payment list stands, for the badge."""
    if row.cancelled_at is not None:
        return "cancelled"
    if row.approved_by_id is not None:
        return "approved"
    return "reviewed" if row.reviewed_by_id is not None else "made"


_OVER = frozenset({ClaimState.PAID, ClaimState.RECHECKED, ClaimState.REJECTED, ClaimState.WITHDRAWN})


def waits_for(states: Mapping[ClaimState, int], lists: Sequence[PaymentList]) -> list[str]:
    """What of a batch waits for others than who looks at it; ``states``: how many claims stand where."""
    said = []
    if states.get(ClaimState.SENT_BACK):
        count = states[ClaimState.SENT_BACK]
        said.append(
            ngettext("%(count)s claim is completed by its payee.", "%(count)s claims are completed by their payees.", count)
            % {"count": count}
        )
    if any(list_state(each) in ("made", "reviewed") for each in lists):
        said.append(_("Payment lists wait for others to check and approve them."))
    elif states.get(ClaimState.LISTED):
        said.append(_("The treasury pays. Finance records on each list what was paid."))
    if states and _OVER.issuperset(states):
        said.append(_("Nothing is left to do: every claim is paid, rejected or withdrawn."))
    return said


def report_rows(report: Sequence[Result]) -> list[tuple[Result, list[str]]]:
    """What an action about many claims did not do, with the reasons in words."""
    return [(each, [reason_sentence(reason) for reason in each.reasons]) for each in report if not each.done]
