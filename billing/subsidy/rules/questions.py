"""What a programme asks of whoever books, where only they can tell it: ``asks`` of its document.

An answer is kept as the text that was said (``yes``, ``no``, a whole number, an amount in yuan, the value of a choice), by the path of the
fact. A programme is told an answer only where it asks for that fact itself and the answer fits its question; what is not answered is not
known, and a rule that needs it says so in the words of the question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from billing.ledger.rules.money import parse_yuan
from billing.subsidy.rules.facts import Facts, facts_document
from billing.subsidy.rules.outcome import FACT_MISSING, Unmet

Document = Mapping[str, Any]
Words = Mapping[str, str]
Value = bool | int | str
Answers = Mapping[str, str]
"""What was said, by the path of the fact."""
NOTHING_SAID: Answers = {}
YES, NO = "yes", "no"
MOST_NUMBER, MOST_FEN = 999_999_999, 99_999_999_999_999
OTHER, OTHER_AMOUNTS, PERSONS = "other", "other_amounts", "quantities.persons"


class Kind(StrEnum):
    """How a question is answered."""

    YES_NO = "yes_no"
    CHOICE = "choice"
    NUMBER = "number"
    AMOUNT = "amount"


#: How each fact can be answered that whoever books can tell; the open ones by their group.
KINDS: Mapping[str, tuple[Kind, ...]] = {
    OTHER: (Kind.YES_NO, Kind.CHOICE, Kind.NUMBER),
    OTHER_AMOUNTS: (Kind.AMOUNT,),
    "service.listed": (Kind.YES_NO,),
    "service.project_evidence": (Kind.YES_NO,),
    PERSONS: (Kind.NUMBER,),
}


@dataclass(frozen=True, slots=True)
class Question:
    """``says`` and ``hint`` (empty: none) are the document's words; ``choices``: each value with its words."""

    fact: str
    kind: Kind
    says: Words
    clause: str
    hint: Words
    choices: tuple[tuple[str, Words], ...] = ()

    def value(self, text: str) -> Value | None:
        """What an answer says of the fact (an amount in fen); None where it is no answer to this question."""
        if self.kind is Kind.YES_NO:
            return {YES: True, NO: False}.get(text)
        if self.kind is Kind.CHOICE:
            return text if any(text == value for value, _words in self.choices) else None
        if self.kind is Kind.AMOUNT:
            return _fen(text)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 and int(text) <= MOST_NUMBER else None

    def text(self, value: Value) -> str:
        """The other way round: what was said, of a fact as frozen facts have it (an amount in yuan)."""
        return {True: YES, False: NO}[value] if isinstance(value, bool) else str(value)


def questions_of(document: Document) -> tuple[Question, ...]:
    """What a valid document asks, in its order."""
    return tuple(_question(each) for each in document.get("asks", ()))


def asked_by(document: Document) -> frozenset[str]:
    """The facts that a document asks of whoever books."""
    return frozenset(each["fact"] for each in document.get("asks", ()))


def kinds_for(path: str) -> tuple[Kind, ...]:
    """How a fact can be answered; empty for one that cannot be asked."""
    return KINDS.get(path) or KINDS.get(path.partition(".")[0], ())


def unfit(questions: Sequence[Question], answers: Answers) -> list[Question]:
    """The questions, one of each fact, whose answers fit none that asks for the fact."""
    found: dict[str, Question] = {}
    for each in questions:
        if each.fact in answers and all(one.value(answers[each.fact]) is None for one in questions if one.fact == each.fact):
            found.setdefault(each.fact, each)
    return list(found.values())


def told(facts: Facts, questions: Sequence[Question], answers: Answers) -> Facts:
    """The facts with what was answered to these questions."""
    values = {each.fact: each.value(answers[each.fact]) for each in questions if each.fact in answers}
    return with_values(facts, {fact: value for fact, value in values.items() if value is not None})


def told_instead(facts: Facts, before: Sequence[Question], questions: Sequence[Question], since: Answers = NOTHING_SAID) -> Facts:
    """Facts that were told what was answered to the questions ``before``, told the same answers to these instead, and what was answered
    ``since`` where that was none of them."""
    answers = {each.fact: text for each, text in answered(before, facts_document(facts))} if before else {}
    return told(with_values(facts, dict.fromkeys(answers)), questions, {**since, **answers})


def only_asked(facts: Facts, questions: Sequence[Question]) -> Facts:
    """Facts whose own ones are all answers, with those alone that one of these questions asks for and that fit it."""
    more = facts.more
    if not more.other and not more.other_amounts:
        return facts
    asked = {each.fact: each for each in questions}
    other = {name: value for name, value in more.other.items() if _fits(asked.get(f"{OTHER}.{name}"), value)}
    amounts = {name: fen for name, fen in more.other_amounts.items() if f"{OTHER_AMOUNTS}.{name}" in asked}
    return replace(facts, more=replace(more, other=other, other_amounts=amounts))


def _fits(question: Question | None, value: Value) -> bool:
    return question is not None and question.value(question.text(value)) == value


def with_values(facts: Facts, values: Mapping[str, Value | None]) -> Facts:
    """The facts with these of ``KINDS``, amounts in fen; None: not known."""
    own: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        group, _dot, name = path.partition(".")
        own.setdefault(group, {})[name] = value
    if "service" in own:
        paper = replace(facts.service.paper, **own["service"])
        facts = replace(facts, service=replace(facts.service, paper=paper))
    if "quantities" in own:
        counts = replace(facts.quantities.counts, **own["quantities"])
        facts = replace(facts, quantities=replace(facts.quantities, counts=counts))
    if OTHER in own or OTHER_AMOUNTS in own:
        other = _known({**facts.more.other, **own.get(OTHER, {})})
        amounts = _known({**facts.more.other_amounts, **own.get(OTHER_AMOUNTS, {})})
        facts = replace(facts, more=replace(facts.more, other=other, other_amounts=amounts))
    return facts


def answered(questions: Iterable[Question], facts: Document) -> list[tuple[Question, str]]:
    """What was answered to questions, as frozen facts (JSON) say it."""
    found = []
    for each in questions:
        group, _dot, name = each.fact.partition(".")
        value = facts.get(group, {}).get(name)
        if value is not None:
            found.append((each, each.text(value)))
    return found


def in_words(unmet: Unmet, questions: Iterable[Question]) -> Unmet:
    """A condition that lacks an answer says which, in the words of the question; any other as it is."""
    if unmet.code != FACT_MISSING:
        return unmet
    says = next((each.says for each in questions if each.fact == unmet.params["fact"]), None)
    return unmet if says is None else unmet._replace(params={**unmet.params, "asks": dict(says)})


def _question(written: Document) -> Question:
    choices = tuple((each["value"], each["says"]) for each in written.get("choices", ()))
    return Question(written["fact"], Kind(written["kind"]), written["says"], written["clause"], written.get("hint", {}), choices)


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _fen(text: str) -> int | None:
    try:
        amount = parse_yuan(text)
    except ValueError:
        return None
    return amount if 0 <= amount <= MOST_FEN else None
