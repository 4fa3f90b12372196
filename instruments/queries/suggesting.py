"""What somebody may mean who has typed a few letters: names, test items, techniques, elements, models, owners; and mended words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from instruments.rules import misspelling, synonyms
from instruments.services import search_tokens

MAX_TYPED = 80
GROUPS = ("technique", "element", "instrument", "test_item", "model", "owner", "other")
_PER_GROUP = 4
_ENOUGH = 3
_LOOKED_AT = 400
_WORD = re.compile("(?P<latin>[a-z]{4,40})|(?P<han>[\u3400-\u9fff]{2,20})")

_FIND = """
WITH found AS MATERIALIZED (
    SELECT kind, term, term_en, folded, target, weight FROM instruments_searchterm
     WHERE tokens @@ %s::tsquery AND kind <> 'word' ORDER BY weight DESC LIMIT %s),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY starts_with(folded, %s) DESC, weight DESC, length(term), term) AS place
      FROM found)
SELECT kind, term, term_en, target, weight FROM ranked WHERE place <= %s ORDER BY kind, place"""
_MEND = "SELECT folded, weight FROM instruments_searchterm WHERE grams && %s::varchar[] AND (kind = 'word') = %s LIMIT %s"
_BEGINNING = """
SELECT folded, weight FROM instruments_searchterm WHERE kind = 'word' AND folded >= %s AND folded < %s ORDER BY weight DESC LIMIT %s"""
_SOUNDS = """
SELECT folded, weight FROM instruments_searchterm WHERE tokens @@ %s::tsquery AND kind <> 'word' ORDER BY weight DESC LIMIT %s"""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A term with how many entries have it; ``target`` as in ``SearchTerm``."""

    kind: str
    term: str
    term_en: str
    target: str
    weight: int


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Terms by kind in the order of ``GROUPS``, and what was probably meant when what was typed is not known."""

    groups: dict[str, list[Suggestion]]
    did_you_mean: str = ""

    @property
    def total(self) -> int:
        return sum(len(group) for group in self.groups.values())


def suggest(typed: str) -> Suggestions:
    """Suggestions of the public vocabulary for what was typed so far: one statement, a few more when it is not known."""
    text = " ".join(typed.replace("\0", " ")[:MAX_TYPED].split())
    found = _find(text)
    if found.total >= _ENOUGH:
        return found
    mended = mend(text)
    if not mended:
        return found
    more = _find(mended)
    return Suggestions(found.groups if found.total else more.groups, mended)


def mend(text: str) -> str:
    """The text with mistyped words replaced by known ones; empty when there is nothing to mend."""
    plain = synonyms.normal(text[:MAX_TYPED])
    known = {span.start: span.end for span in synonyms.spans(plain)}
    mended = _WORD.sub(lambda match: match[0] if match.start() in known else _mended(match[0]), plain)
    return mended if mended != plain else ""


def _mended(word: str) -> str:
    if word.isascii():
        pieces = misspelling.latin_pieces(word)
        if not pieces:
            return word
        return misspelling.nearest_word(word, _rows(_MEND, pieces, True)) or _unfinished(word) or word
    return _same_sound(word) or _near_run(word) or word


def _unfinished(word: str) -> str:
    """The known word that was begun with a slip after its first letters; empty when the beginning is known as it is."""
    head = word[: misspelling.BEGINNING]
    if len(word) <= misspelling.BEGINNING + 2:
        return ""
    known = _query(_BEGINNING, [head, f"{head}{{", _LOOKED_AT])
    return "" if any(term.startswith(word) for term, _ in known) else misspelling.nearest_beginning(word, known)


def _near_run(run: str) -> str:
    if len(run) < misspelling.SHORTEST_HAN or _known(run):
        return ""
    return misspelling.nearest_run(run, _rows(_MEND, misspelling.han_pieces(run), False))


def _same_sound(run: str) -> str:
    """The part of a known term that sounds like the run and is written otherwise: the slip of a Chinese keyboard."""
    sound = search_tokens.spelled(run)
    if not sound or _known(run):
        return ""
    terms = _query(_SOUNDS, [f"'{sound}':*", _LOOKED_AT])
    for term, _ in terms:
        for start in range(len(term) - len(run) + 1):
            window = term[start : start + len(run)]
            if window != run and search_tokens.spelled(window) == sound:
                return window
    return ""


def _known(run: str) -> bool:
    asked = search_tokens.literal_query(run)
    return bool(_query(_SOUNDS, [asked, 1]))


def _find(text: str) -> Suggestions:
    asked = search_tokens.literal_query(text)
    if not asked:
        return Suggestions({})
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [asked, _LOOKED_AT, synonyms.fold(text), _PER_GROUP])
        rows = [Suggestion(*row) for row in cursor.fetchall()]
    groups = {kind: [one for one in rows if one.kind == kind] for kind in GROUPS}
    return Suggestions({kind: group for kind, group in groups.items() if group})


def _rows(sql: str, pieces: Sequence[str], words: bool) -> list[tuple[str, int]]:
    return _query(sql, [list(pieces), words, _LOOKED_AT])


def _query(sql: str, params: list[Any]) -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [(str(term), int(weight)) for term, weight in cursor.fetchall()]
