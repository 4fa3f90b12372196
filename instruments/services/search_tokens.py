"""Words to find things by, in Chinese, Latin and every other script, without any database extension.

Runs of Chinese, Japanese or Korean characters become single characters and overlapping pairs; other scripts become words;
Chinese names become pinyin as well (whole and initials, from every syllable on), so that "dianzi" and "dzxwj" find an electron
microscope. Everything is NFKC and case folded. The same function cuts what is stored and what is asked.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from pypinyin import Style, lazy_pinyin, pinyin_dict

_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_MAX_WORD = 60
_MAX_PINYIN_SYLLABLES = 24
_MAX_PINYIN_LETTERS = 40
_MAX_QUERY_WORDS = 12
_JOINERS = "-_/.+"


@cache
def _marks() -> str:
    """Every combining mark, for a character class: vowel signs belong to the words of many scripts."""
    return "".join(chr(c) for c in range(0x300, min(0x1E950, sys.maxunicode)) if unicodedata.category(chr(c))[0] == "M")


@cache
def _pieces() -> re.Pattern[str]:
    """A run of CJK, or a word of another script with what is joined to it (``jsm-7800f``)."""
    letter = f"(?:[^\\W_{_CJK}]|[{_marks()}])"
    return re.compile(f"(?P<cjk>[{_CJK}]+)|(?P<word>{letter}+(?:[{re.escape(_JOINERS)}]{letter}+)*)")


_SPLIT = re.compile(f"[{re.escape(_JOINERS)}]")


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def words(text: str) -> set[str]:
    """The tokens of ``text`` as it is stored, without pinyin."""
    found: set[str] = set()
    for piece in _pieces().finditer(_fold(text)):
        run = piece["cjk"]
        if run:
            found.update(run)
            found.update(run[i : i + 2] for i in range(len(run) - 1))
            continue
        parts = _SPLIT.split(piece["word"])
        found.update(part[:_MAX_WORD] for part in parts)
        if len(parts) > 1:
            found.add("".join(parts)[:_MAX_WORD])
    return found


def pinyin_words(text: str) -> set[str]:
    """Pinyin of each run of Chinese characters from every syllable on: initials and whole, for search by prefix."""
    found: set[str] = set()
    for run in re.findall(f"(?:{_HAN.pattern})+", _fold(text)):
        syllables = [syllable for character in run if (syllable := _syllable(character))][:_MAX_PINYIN_SYLLABLES]
        initials = "".join(syllable[0] for syllable in syllables)
        for i in range(len(syllables)):
            found.add(initials[i:])
            found.add("".join(syllables[i:])[:_MAX_PINYIN_LETTERS])
    return found


@lru_cache(maxsize=20_000)
def _syllable(character: str) -> str:
    """The commonest reading of one character in plain letters, or nothing when it has none."""
    if ord(character) not in pinyin_dict.pinyin_dict:
        return ""
    return lazy_pinyin(character, style=Style.NORMAL, v_to_u=False)[0]


def sort_key(text: str) -> str:
    """``text`` with its Chinese characters in pinyin, folded, for sorting by code point; 600 characters at most.

    Signs before the first letter or digit do not count.
    """
    folded = _fold(text)
    folded = re.sub(r"^[\W_]+(?=\w)", "", folded)
    spelled = _HAN.sub(lambda found: f"{_syllable(found[0]) or found[0]} ", folded)
    return " ".join(spelled.split())[:600]


def vector(names: Iterable[str], others: Iterable[str]) -> str:
    """The tsvector literal of an instrument: its names (with pinyin, weight A) and the rest (weight B)."""
    named = set().union(*(words(name) | pinyin_words(name) for name in names))
    rest = set().union(*(words(other) for other in others)) - named
    return " ".join([f"'{word}':1A" for word in sorted(named)] + [f"'{word}':2B" for word in sorted(rest)])


def query(text: str) -> str:
    """The tsquery literal for what somebody typed; empty when there is no word in it.

    Every word must be found. The pieces of a Chinese word are its pairs (its one character); another word is a prefix.
    """
    terms: list[str] = []
    for piece in _pieces().finditer(_fold(text)):
        run = piece["cjk"]
        if run:
            terms += [f"'{run[i : i + 2]}'" for i in range(max(1, len(run) - 1))]
        else:
            terms += [f"'{part[:_MAX_PINYIN_LETTERS]}':*" for part in _SPLIT.split(piece["word"])]
    return " & ".join(dict.fromkeys(terms[: _MAX_QUERY_WORDS * 2]))
