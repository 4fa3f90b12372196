"""Words to find things by, in Chinese, Latin and every other script, without any database extension.

Runs of Chinese, Japanese or Korean characters become single characters and overlapping pairs; other scripts become words;
Chinese names become pinyin as well (whole and initials, from every syllable on), so that "dianzi" and "dzxwj" find an electron
microscope. Techniques, elements and samples that a text names by any of their names become one token each
(``instruments.rules.synonyms``). Everything is NFKC and case folded. The same function cuts what is stored and what is asked.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from instruments.rules import asking, synonyms
from instruments.rules.synonyms import CJK, fold
from instruments.services.pinyin import syllable

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_MAX_WORD = 60
_MAX_PINYIN_SYLLABLES = 24
_MAX_PINYIN_LETTERS = 40
_MAX_QUERY_WORDS = 12
_SURE_LENGTH = 5
_JOINERS = "-_/.+"


@cache
def _marks() -> str:
    """Every combining mark, for a character class: vowel signs belong to the words of many scripts."""
    return "".join(chr(c) for c in range(0x300, min(0x1E950, sys.maxunicode)) if unicodedata.category(chr(c))[0] == "M")


@cache
def _pieces() -> re.Pattern[str]:
    """A run of CJK, or a word of another script with what is joined to it (``jsm-7800f``)."""
    letter = f"(?:[^\\W_{CJK}]|[{_marks()}])"
    return re.compile(f"(?P<cjk>[{CJK}]+)|(?P<word>{letter}+(?:[{re.escape(_JOINERS)}]{letter}+)*)")


_SPLIT = re.compile(f"[{re.escape(_JOINERS)}]")


@lru_cache(maxsize=10_000)
def words(text: str) -> frozenset[str]:
    """The tokens of ``text`` as it is stored, without pinyin. Owners, places and many names come again and again."""
    found: set[str] = set()
    for piece in _pieces().finditer(fold(text)):
        run = piece["cjk"]
        if run:
            found.update(run)
            found.update(run[i : i + 2] for i in range(len(run) - 1))
            continue
        parts = _SPLIT.split(piece["word"])
        found.update(part[:_MAX_WORD] for part in parts)
        if len(parts) > 1:
            found.add("".join(parts)[:_MAX_WORD])
    return frozenset(found)


@lru_cache(maxsize=10_000)
def pinyin_words(text: str) -> frozenset[str]:
    """Pinyin of each run of Chinese characters from every syllable on: initials and whole, for search by prefix."""
    found: set[str] = set()
    for run in re.findall(f"(?:{_HAN.pattern})+", fold(text)):
        syllables = [read for character in run if (read := syllable(character))][:_MAX_PINYIN_SYLLABLES]
        initials = "".join(read[0] for read in syllables)
        for i in range(len(syllables)):
            found.add(initials[i:])
            found.add("".join(syllables[i:])[:_MAX_PINYIN_LETTERS])
    return frozenset(found)


def sort_key(text: str) -> str:
    """``text`` with its Chinese characters in pinyin, folded, for sorting by code point; 600 characters at most.

    Signs before the first letter or digit do not count.
    """
    folded = fold(text)
    folded = re.sub(r"^[\W_]+(?=\w)", "", folded)
    spelled = _HAN.sub(lambda found: f"{syllable(found[0]) or found[0]} ", folded)
    return " ".join(spelled.split())[:600]


def vector(
    names: Iterable[str],
    marks: Iterable[str] = (),
    others: Iterable[str] = (),
    long_texts: Iterable[str] = (),
    tokens: Iterable[str] = (),
) -> str:
    """The tsvector literal of something: its names (with pinyin, weight A), ``marks`` such as model and technique (B), who and where
    (``others``, C), and long texts of which only the concepts count (D). A word counts where it weighs most.

    ``tokens`` are concepts that are known beside the texts (B).
    """
    weighed = [
        frozenset[str]().union(*(words(name) | pinyin_words(name) | synonyms.concepts(name) for name in names)),
        frozenset[str]().union(tokens, *(words(mark) | synonyms.concepts(mark) for mark in marks)),
        frozenset[str]().union(*(words(other) for other in others)),
        frozenset[str]().union(*(synonyms.concepts(text) for text in long_texts)),
    ]
    seen: set[str] = set()
    lexemes: list[str] = []
    for place, (weight, found) in enumerate(zip("ABCD", weighed, strict=True), start=1):
        lexemes += [f"'{word}':{place}{weight}" for word in sorted(found - seen)]
        seen |= found
    return " ".join(lexemes)


def query(text: str, *, any_word: bool = False) -> str:
    """The tsquery literal for what somebody typed; empty when there is no word in it.

    Every word must be found, or with ``any_word`` at least one (of Chinese, which is written without blanks, one of its pairs). The pieces
    of a Chinese word are its pairs (its one character); another word is a prefix. A concept is found by any of its names.
    """
    if not any_word:
        return " & ".join(units(text))
    pieces = [piece.strip("()") if " & " in unit else unit for unit in units(text) for piece in unit.split(" & ")]
    telling = [piece for piece in pieces if not asking.is_light(piece.strip("'"))]
    return " | ".join(dict.fromkeys(telling or pieces))


def has_parts(text: str) -> bool:
    """Whether ``query`` with ``any_word`` asks for less than all of the text."""
    found = units(text)
    return len(found) > 1 or " & " in "".join(found)


def literal_query(text: str) -> str:
    """As ``query``, of the letters alone: what is typed is not finished, so nothing in it is taken for a concept."""
    terms: list[str] = []
    for piece in _pieces().finditer(synonyms.normal(text)):
        run = piece["cjk"]
        if run:
            terms += [f"'{run[i : i + 2]}'" for i in range(max(1, len(run) - 1))]
        else:
            terms += [f"'{part[:_MAX_PINYIN_LETTERS]}':*" for part in _SPLIT.split(piece["word"])]
    return " & ".join(dict.fromkeys(terms[: _MAX_QUERY_WORDS * 2]))


def spelled(run: str) -> str:
    """A run of Chinese characters in pinyin without blanks; empty when one of them has no reading."""
    syllables = [syllable(character) for character in run]
    return "".join(syllables)[:_MAX_PINYIN_LETTERS] if all(syllables) else ""


def units(text: str) -> list[str]:
    """What must be found, word by word, each as a tsquery of its own. What only says that one wants something does not count."""
    found = _units(text, telling=True) or _units(text, telling=False)
    return list(dict.fromkeys(found))[:_MAX_QUERY_WORDS]


def _units(text: str, *, telling: bool) -> list[str]:
    found: list[str] = []
    plain = synonyms.normal(text)
    cursor = 0
    for span in [*synonyms.spans(plain), None]:
        end = len(plain) if span is None else span.start
        for piece in _pieces().finditer(plain, cursor, end):
            run = piece["cjk"]
            followed = span is not None and piece.end() == span.start
            said = asking.without_light_words(run, before_concept=followed) if run and telling else [run]
            for part in said:
                found += _piece_units(part, piece["word"], text)
        if span is not None:
            found.append(_concept_unit(plain[span.start : span.end], span.concept))
            cursor = span.end
    return found


def _piece_units(run: str | None, word: str | None, typed: str) -> list[str]:
    if run:
        known = [synonyms.element_named(character) for character in run]
        if all(known):
            return [f"('{character}' | '{one.concept}')" for character, one in zip(run, known, strict=True) if one]
        pairs = [f"'{run[i : i + 2]}'" for i in range(max(1, len(run) - 1))]
        return [f"({' & '.join(pairs[:_MAX_QUERY_WORDS])})"]
    units = []
    ions = synonyms.ions_in(typed)
    for part in _SPLIT.split(word or ""):
        element = synonyms.element_named(part) or synonyms.element_named(part.capitalize())
        if part in ions:
            units.append(f"('{part}':* | '{ions[part].concept}')")
        elif element is not None and element.symbol in typed:  # typed as a symbol: the letters are no beginning of a word
            units.append(f"('{part}' | '{element.concept}')")
        elif element is not None:
            units.append(f"('{part}':* | '{element.concept}')")
        else:
            units.append(f"'{part[:_MAX_PINYIN_LETTERS]}':*")
    return units


def _concept_unit(form: str, concept: str) -> str:
    """A concept; a single Latin word may also be the beginning of another."""
    return f"('{concept}' | '{form}':*)" if form.isascii() and form.isalnum() and len(form) > _SURE_LENGTH else f"'{concept}'"
