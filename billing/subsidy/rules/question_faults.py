"""What is wrong with the questions of a document, and which of them no rule looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from billing.ledger.rules.documents import Document, Fault
from billing.subsidy.rules.parts.base import QUANTITIES
from billing.subsidy.rules.questions import KINDS, OTHER, OTHER_AMOUNTS, Kind, kinds_for

_ALIKE = ("is", "is_not", "any_of", "none_of")
_ORDER = ("at_least", "at_most", "above", "below")
#: Parts of a document that are no rules.
_NO_RULES = frozenset({"asks", "examples", "open_points", "clauses", "says"})
_FITS: Mapping[Kind, tuple[type, str]] = {
    Kind.YES_NO: (bool, "true or false"),
    Kind.CHOICE: (str, "one of its choices"),
    Kind.NUMBER: (int, "a whole number"),
}


def question_faults(document: Document) -> Iterator[Fault]:
    """Facts that cannot be asked or are asked twice, choices that are missing or of no use, and rules that no answer fits."""
    taken: set[str] = set()
    for place, each in enumerate(document.get("asks", ())):
        path, fact = f"$.asks[{place}]", each["fact"]
        able = kinds_for(fact)
        if not able:
            yield Fault(f"{path}.fact", f"{fact} cannot be asked of whoever books; name one of {_able()}")
        elif Kind(each["kind"]) not in able:
            yield Fault(f"{path}.kind", f"{fact} is answered by {' or '.join(able)}; write that")
        else:
            yield from _choice_faults(each, path)
            yield from _use_faults(each, document)
            yield from _example_faults(each, document)
        if fact in taken:
            yield Fault(f"{path}.fact", f"{fact} is asked already; ask it once")
        taken.add(fact)


def unused(document: Document) -> Iterator[tuple[str, str]]:
    """Each question that no rule looks at: its path and its fact."""
    if not document.get("asks"):
        return
    named = set(_named(document))
    for place, each in enumerate(document["asks"]):
        if each["fact"] not in named:
            yield f"$.asks[{place}].fact", each["fact"]


def _able() -> str:
    return ", ".join(f"{each}.…" if each in (OTHER, OTHER_AMOUNTS) else each for each in KINDS)


def _choice_faults(question: Document, path: str) -> Iterator[Fault]:
    if question["kind"] != Kind.CHOICE:
        if "choices" in question:
            yield Fault(f"{path}.choices", "only a choice has them; leave them out, or write kind 'choice'")
        return
    if "choices" not in question:
        yield Fault(f"{path}.choices", "say what can be chosen: a value and its words each, two at least")
        return
    values = [each["value"] for each in question["choices"]]
    for place, value in enumerate(values):
        if value in values[:place]:
            yield Fault(f"{path}.choices[{place}].value", f"the value {value!r} is taken")


def _use_faults(question: Document, document: Document) -> Iterator[Fault]:
    """Conditions that no answer to a question of one's own fits; those of other facts are found with the condition."""
    if question["fact"].partition(".")[0] != OTHER:
        return
    kind = Kind(question["kind"])
    values = [each["value"] for each in question.get("choices", ())]
    for path, test in _tests(document, question["fact"], "$"):
        if kind is not Kind.NUMBER:
            yield from (_unfit(f"{path}.{name}", question, f"'{name}' needs a number") for name in _ORDER if name in test)
        if kind is not Kind.CHOICE and "starts_with" in test:
            yield _unfit(f"{path}.starts_with", question, "'starts_with' needs a choice")
        if kind is not Kind.NUMBER and test.get("quantity") == question["fact"]:
            yield _unfit(f"{path}.quantity", question, "a quantity is a number")
        for name in _ALIKE:
            for value in _several(test.get(name)):
                if not _fits(value, kind, values):
                    yield _unfit(f"{path}.{name}", question, f"{value!r} is never answered; write {_FITS[kind][1]}")


def _example_faults(question: Document, document: Document) -> Iterator[Fault]:
    """Worked examples that answer a question of one's own in a way that nobody can."""
    group, _dot, name = question["fact"].partition(".")
    if group != OTHER:
        return
    kind, values = Kind(question["kind"]), [each["value"] for each in question.get("choices", ())]
    for place, example in enumerate(document.get("examples", ())):
        value = example.get("facts", {}).get(group, {}).get(name)
        if value is not None and not _fits(value, kind, values):
            yield _unfit(
                f"$.examples[{place}].facts.{group}.{name}", question, f"{value!r} is never answered; write {_FITS[kind][1]}"
            )


def _fits(value: Any, kind: Kind, values: list[str]) -> bool:
    return type(value) is _FITS[kind][0] and (kind is not Kind.CHOICE or value in values)


def _unfit(path: str, question: Document, why: str) -> Fault:
    return Fault(path, f"{question['fact']} is asked as {question['kind']}: {why}, or ask it in another way")


def _several(value: Any) -> list[Any]:
    if value is None or isinstance(value, Mapping):
        return []
    return value if isinstance(value, list) else [value]


def _tests(piece: Any, fact: str, path: str) -> Iterator[tuple[str, Document]]:
    """Every condition that tests a fact, and every base that counts it, with its place."""
    if isinstance(piece, Mapping):
        if fact in (piece.get("fact"), piece.get("quantity")):
            yield path, piece
        for name, value in piece.items():
            if name not in _NO_RULES:
                yield from _tests(value, fact, f"{path}.{name}")
    elif isinstance(piece, list):
        for place, value in enumerate(piece):
            yield from _tests(value, fact, f"{path}[{place}]")


def _named(piece: Any) -> Iterator[str]:
    """Every text of the rules, and the facts behind bases that are quantities."""
    if isinstance(piece, str):
        yield piece
    elif isinstance(piece, Mapping):
        if isinstance(piece.get("quantity"), str):
            yield str(QUANTITIES.get(piece["quantity"], piece["quantity"]))
        for name, value in piece.items():
            if name not in _NO_RULES:
                yield from _named(value)
    elif isinstance(piece, list):
        for each in piece:
            yield from _named(each)
