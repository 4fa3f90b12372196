"""A programme document read back as numbered sentences, whatever state it is in, and what two documents say differently.

Pure over the document: nothing is compiled, so that a draft with faults reads back as far as it goes. A part that has no sentence of its
own yet is told field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import InvalidOperation
from difflib import SequenceMatcher
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import wording
from billing.ledger.rules.money import yuan
from billing.subsidy.draft_queries import PoolBeside
from billing.subsidy.rules.examples import ExampleResult
from billing.subsidy.rules.sale import Invoiced, settlement_invoice
from config.kernel.messages import local_date
from frontend.presenters.condition_words import condition_words, said, value_words
from frontend.presenters.programme import adjustment_words, gate_words, question_words
from frontend.presenters.programme_fields import FieldChange, field_changes
from frontend.presenters.programme_parts import window_sentences
from frontend.presenters.programme_pieces import base_words, cap_words, field_by_field, payers_words, rate_words, step_words
from frontend.programme_labels import choice_word, label_of

Json = Mapping[str, Any]
#: What a half-written part breaks with when it is put into words.
_UNFINISHED = (KeyError, TypeError, ValueError, AttributeError, InvalidOperation, IndexError)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence about the top-level field ``part``, with the id and the text of the clause it rests on (or empty). ``tests``: what its
    conditions test behind words of their own."""

    part: str
    number: int
    text: str
    clause: str = ""
    clause_text: str = ""
    tests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What one part said before and says now; either may be empty. ``fields``: every field of it that differs, also those of which no
    sentence speaks."""

    part: str
    before: tuple[str, ...]
    now: tuple[str, ...]
    fields: tuple[FieldChange, ...] = ()


def sentences(document: Json) -> list[Sentence]:
    """The whole document in the reader's language, in the order in which an award is worked out."""
    clauses = _clauses(document)
    found: list[Sentence] = []
    for part, text, clause, piece in _told(document):
        tests = tuple(dict.fromkeys(_tested(piece)))
        found.append(Sentence(part, len(found) + 1, text, clause, clauses.get(clause, ""), tests))
    return found


def _tested(piece: Any) -> Iterator[str]:
    """Each condition of a piece that has words of its own, in ours: the two may differ, and the words alone decide nothing."""
    if isinstance(piece, Mapping):
        if "says" in piece and "when" in piece:
            try:
                yield condition_words(piece["when"])
            except _UNFINISHED:
                yield field_by_field("when", piece["when"])
        for value in piece.values():
            yield from _tested(value)
    elif isinstance(piece, list):
        for value in piece:
            yield from _tested(value)


def changes(before: Json, now: Json) -> list[Change]:
    """Part by part the sentences that are no longer said, those that are new, and the fields that differ; parts that are the same are left
    out."""
    old, new, fields = _by_part(before), _by_part(now), field_changes(before, now)
    found = []
    for part in dict.fromkeys([*new, *old, *(part for part in fields if part != "examples")]):
        gone, come = _differing(old.get(part, []), new.get(part, []))
        if gone or come or part in fields:
            found.append(Change(label_of(part), tuple(gone), tuple(come), fields.get(part, ())))
    examples = _changed_examples(before, now)
    return [*found, replace(examples, fields=fields["examples"])] if "examples" in fields else found


def _changed_examples(before: Json, now: Json) -> Change:
    """Worked examples by their titles: which are gone, which are new, and which say something else."""
    old, new = ({str(each.get("title", "–")): each for each in _items(document, "examples")} for document in (before, now))
    gone, come = [title for title in old if title not in new], [title for title in new if title not in old]
    other = [title for title, each in new.items() if title in old and old[title] != each]
    changed = [_("Changed: %(titles)s") % {"titles": wording.several(other)}] if other else []
    return Change(label_of("examples"), tuple(gone), (*come, *changed))


def _differing(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    gone, come = [], []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            gone += old[a:b]
            come += new[c:d]
    return gone, come


def _by_part(document: Json) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part, text, _clause, _piece in (*_told(document), *_papers(document)):
        found.setdefault(part, []).append(text)
    return found


def _clauses(document: Json) -> dict[str, str]:
    return {
        str(each.get("id")): wording.document_text({name: str(each.get(name, "")) for name in ("zh", "en")})
        for each in _items(document, "clauses")
    }


Told = tuple[str, str, str, Any]


def _told(document: Json) -> Iterator[Told]:
    """Part, sentence, clause, and the piece that says it."""
    for part, words in _WHOLE.items():
        if part in document:
            yield from _one(part, document[part], words, document)
    yield from _pieces(document)
    known = {*_WHOLE, *_PIECES, *_SILENT, *_PAPERS}
    for part in document:
        if part not in known:
            value = document[part]
            for piece in value if isinstance(value, list) else [value]:
                yield part, field_by_field(part, piece), _clause_of(piece), piece


def _pieces(document: Json) -> Iterator[Told]:
    """The parts from which an award is worked out, in that order."""
    for part, words in _PIECES.items():
        value = document.get(part)
        for piece in value if isinstance(value, list) else [value] if value is not None else []:
            yield from _one(part, piece, words, document)


def _one(part: str, piece: Any, words: Callable[[Any, Json], str], document: Json) -> Iterator[Told]:
    try:
        text = words(piece, document)
    except _UNFINISHED:
        text = field_by_field(part, piece)
    if text:
        yield part, text[:1].upper() + text[1:], _clause_of(piece), piece


def _clause_of(piece: Any) -> str:
    clause = piece.get("clause", "") if isinstance(piece, Mapping) else ""
    return clause if isinstance(clause, str) else ""


def _papers(document: Json) -> Iterator[Told]:
    """What only a difference tells: clauses and open points."""
    for each in _items(document, "clauses"):
        text = wording.document_text({name: str(each.get(name, "")) for name in ("zh", "en")})
        yield "clauses", _("Clause %(id)s: %(text)s") % {"id": each.get("id", "–"), "text": text}, "", each
    for each in _items(document, "open_points"):
        text = wording.document_text({name: str(each.get(name, "")) for name in ("zh", "en")})
        yield "open_points", f"{each.get('field', '–')}: {text}", "", each


def _items(document: Json, part: str) -> list[Json]:
    value = document.get(part)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


# --- Sentences of the parts ---------------------------------------------------------------------------------------------
def _name(value: Any, document: Json) -> str:
    shown = {
        "name": wording.document_text(value),
        "code": document["code"],
        "version": document["version"],
        "issuer": wording.document_text(document["issuer"]),
        "kind": choice_word("kind", document["kind"]),
    }
    return _("“%(name)s” (%(code)s, version %(version)s) is issued by %(issuer)s. Kind: %(kind)s.") % shown


def _validity(value: Any, document: Json) -> str:
    first, last = (local_date(date.fromisoformat(value[name])) for name in ("first_day", "last_day"))
    basis = wording.date_basis_word(document["date_basis"])
    held = _("It holds from %(first)s to %(last)s; what counts is the %(basis)s.") % {
        "first": first,
        "last": last,
        "basis": basis,
    }
    return " ".join([held, *(f"{text}." for text in window_sentences(value))])


def _budget_item(value: Any, document: Json) -> str:
    return _("It is paid from the budget item “%(item)s”.") % {"item": wording.document_text(value)}


def _settlement(value: Any, document: Json) -> str:
    shown = {"form": choice_word("form", value["form"]), "payee": wording.payee_word(value["payee"])}
    if value["mode"] == "paid_beside":
        said = _("The subsidy is paid beside the bill to %(payee)s. On paper: %(form)s.") % shown
        return " ".join([said, *_invoiced_words(value)])
    if value["mode"] == "deducted_now":
        return _("The subsidy is taken off the bill at once and paid to %(payee)s. On paper: %(form)s.") % shown
    return _("The bill is paid in full, and the subsidy is paid back later to %(payee)s. On paper: %(form)s.") % shown


def _invoiced_words(settlement: Json) -> list[str]:
    terms = settlement_invoice(settlement)
    if terms is Invoiced.BEFORE_PAYMENT:
        return [_("It is a sale to the office: payment lists wait for the provider's VAT invoice.")]
    return [_("It is a sale to the office: the provider's VAT invoice is asked for.")] if terms is Invoiced.ASKED else []


def _exclusive(value: Any, document: Json) -> str:
    alone = _("Who takes it takes no other programme of the class “%(name)s” for the same service.") % {"name": value["class"]}
    if not value.get("not_with"):
        return alone
    others = wording.several(value["not_with"])
    return f"{alone} " + _("It is not combined with %(others)s either; the one that gives more counts.") % {"others": others}


def _imported(value: Any, document: Json) -> str:
    if value["allowed"]:
        return _("Sessions that a lab brought over from its own list are covered too.")
    return _("Sessions that a lab brought over from its own list are not covered.")


def _gate(piece: Any, document: Json) -> str:
    return _("Condition: %(condition)s.") % {"condition": gate_words(piece)}


def _question(piece: Any, document: Json) -> str:
    return _("Whoever books is asked: %(question)s.") % {"question": question_words(piece)}


def _rounding(piece: Any, document: Json) -> str:
    shown = {"step": step_words(piece["step"]), "mode": choice_word("mode", piece["mode"])}
    if piece.get("per") == "line":
        return _("Each line is rounded by itself, to %(step)s: %(mode)s.") % shown
    return (
        _("The amount of each service is rounded once, to %(step)s: %(mode)s. A claim of several services is the sum of them.")
        % shown
    )


def _year(value: Any, document: Json) -> str:
    return _("The year of the limits begins on %(day)s (month and day).") % {"day": value}


def _review(value: Any, document: Json) -> str:
    steps = [
        _("%(level)s (%(days)s days)") % {"level": choice_word("level", each["level"]), "days": each["due_days"]}
        for each in value["steps"]
    ]
    asked = wording.several(choice_word("asks", code) for code in value["asks"]) or _("nothing")
    return _(
        "Claims are looked at by: %(steps)s. They show: %(asked)s. They are public for %(public)s days and paid within %(pay)s."
    ) % {
        "steps": " → ".join(steps),
        "asked": asked,
        "public": value["publicity_days"],
        "pay": value["pay_days"],
    }


def _side(piece: Any, document: Json) -> str:
    """A side of a programme that pays in several ways, its own parts in brackets."""
    whom = said(piece) if "when" in piece or "says" in piece else piece["id"]
    inner = [text for _part, text, _clause, _piece in _pieces({**piece})]
    if "settlement" in piece:
        inner.insert(0, _settlement(piece["settlement"], document))
    return _("%(side)s: %(text)s") % {"side": whom, "text": " ".join(inner)}


_WHOLE: Mapping[str, Callable[[Any, Json], str]] = {
    "name": _name,
    "budget_item": _budget_item,
    "validity": _validity,
    "settlement": _settlement,
    "exclusive": _exclusive,
    "imported_sessions": _imported,
    "year_starts": _year,
    "review": _review,
}
_PIECES: Mapping[str, Callable[[Any, Json], str]] = {
    "gates": _gate,
    "asks": _question,
    "base": lambda piece, document: base_words(piece),
    "rate": lambda piece, document: rate_words(piece),
    "adjustments": lambda piece, document: adjustment_words(piece),
    "rounding": _rounding,
    "caps": lambda piece, document: cap_words(piece),
    "payers": lambda piece, document: payers_words(piece, document.get("rate")),
    "sides": _side,
}
#: Said together with another part, or no rule.
_SILENT = frozenset(
    {"format", "code", "version", "issuer", "kind", "date_basis", "synthetic", "template", "evidence", "legal_basis"}
)
_PAPERS = frozenset({"clauses", "open_points", "examples"})


def differing(result: ExampleResult) -> list[tuple[str, str, str]]:
    """Of a worked example what was expected and what it gives, where they are not the same: what, expected, found."""
    names = {
        "total_fen": _("total"),
        "payers_fen": label_of("payers"),
        "refused": label_of("refused"),
        "binding": label_of("binding"),
        "estimate": label_of("estimate"),
    }
    return [
        (names.get(name, name), _found(name, expected), _found(name, result.actual.get(name)))
        for name, expected in result.expected.items()
        if expected != result.actual.get(name)
    ]


def _found(name: str, value: Any) -> str:
    if name.endswith("_fen") and isinstance(value, Mapping):
        pairs = [(wording.payer_word(each), _("no figure") if fen is None else f"¥{yuan(fen)}") for each, fen in value.items()]
        return wording.several(f"{each} {figure}" for each, figure in pairs) or "–"
    if name.endswith("_fen") and isinstance(value, int):
        return f"¥{yuan(value)}"
    return value_words("", value)


def example_count_words(passed: int, total: int) -> str:
    """How many of the worked examples come out."""
    return ngettext(
        "%(passed)s of %(total)s worked example comes out", "%(passed)s of %(total)s worked examples come out", total
    ) % {
        "passed": passed,
        "total": total,
    }


def pool_sentences(pools: Sequence[PoolBeside]) -> list[str]:
    """What money the pools of a draft are, where an earlier version of the year has them too."""
    return [_pool_sentence(each) for each in pools]


def _pool_sentence(pool: PoolBeside) -> str:
    shown = {"pool": pool.earlier.cap_id, "label": pool.earlier.label}
    if pool.earlier.left_fen is None:
        words = (
            _("The pool “%(pool)s” goes on with that of version %(label)s, for which no figure is set.")
            if pool.goes_on
            else _("The pool “%(pool)s” is new money beside that of version %(label)s, for which no figure is set.")
        )
        return words % shown
    words = (
        _("The pool “%(pool)s” goes on with what version %(label)s has left: ¥%(left)s. No money is added.")
        if pool.goes_on
        else _("The pool “%(pool)s” is new money. What version %(label)s has left, ¥%(left)s, stays there.")
    )
    return words % {**shown, "left": yuan(pool.earlier.left_fen)}
