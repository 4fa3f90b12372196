"""What stands in place of a text that names an erased person. Pure; every other sign of the text stays as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

#: A string of a JSON text, and the colon that makes it a key. Numbers are outside of strings, so they keep every digit.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?')
_WORD_SIGN = "[A-Za-z0-9_]"


@dataclass(frozen=True, slots=True)
class Pair:
    """``old`` is replaced by ``new``; ``inside``: also as a part of a longer text; ``any_case``: however its letters are written (e-mail
    addresses); ``names_only``: only in columns that hold nothing but a person's name (``places.NAME_COLUMNS``), never in JSON."""

    old: str
    new: str
    inside: bool = False
    any_case: bool = False
    names_only: bool = False


def replaced(text: str, pair: Pair) -> str:
    """The text without ``pair.old``. A longer word or address of which it is a part is left."""
    if not pair.inside:
        return pair.new if text == pair.old else text
    flags = re.IGNORECASE if pair.any_case else 0
    return re.sub(_bounded(pair), lambda _: pair.new, text, flags=flags)


def replaced_json(text: str, pair: Pair) -> str:
    """The JSON text with ``pair.old`` replaced in its string values; keys and numbers stay as they are."""

    def value(match: re.Match[str]) -> str:
        whole = match.group(0)
        if match.group(1) is not None:
            return whole
        before = json.loads(whole)
        after = replaced(before, pair)
        return whole if after == before else json.dumps(after, ensure_ascii=False)

    return _STRING.sub(value, text)


def replaced_by_all(text: str, pairs: Sequence[Pair], *, is_json: bool, is_name: bool, most: int | None) -> str:
    """A column's text after every pair that concerns it, cut to the ``most`` signs that the column holds (None: any number)."""
    for pair in pairs:
        if is_json:
            text = text if pair.names_only else replaced_json(text, pair)
        elif is_name or not pair.names_only:
            text = replaced(text, pair)
    return text[:most]


def needle(pair: Pair, *, is_json: bool) -> str:
    """What is looked for in the stored text of a column: JSON writes some signs of a string in another way."""
    text = pair.old.lower() if pair.any_case else pair.old
    if not is_json:
        return text
    written = json.dumps(text, ensure_ascii=False)
    return written[1:-1] if pair.inside else written


def _bounded(pair: Pair) -> str:
    """The pattern of the text where it is no part of a longer word of Latin letters (an address: of a longer address)."""
    if pair.any_case:
        return rf"(?<![A-Za-z0-9_.+%-]){re.escape(pair.old)}(?!{_WORD_SIGN}|[.-]{_WORD_SIGN})"
    before = f"(?<!{_WORD_SIGN})" if re.match(_WORD_SIGN, pair.old) else ""
    after = f"(?!{_WORD_SIGN})" if re.match(_WORD_SIGN, pair.old[-1]) else ""
    return before + re.escape(pair.old) + after
