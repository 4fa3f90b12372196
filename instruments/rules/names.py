"""Names of people, organisations and instruments: kept as written in any script, without what hides in text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from config.kernel.errors import Reason, Refusal

_JOINERS = frozenset("\u200c\u200d")
_MONGOLIAN_VOWEL_SEPARATOR = "\u180e"
_DIRECTION_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_EMOJI_VARIATION = "\ufe0f"
_JOINING_SCRIPTS = frozenset(
    "ARABIC BENGALI DEVANAGARI GUJARATI GURMUKHI KANNADA KHMER MALAYALAM MONGOLIAN MYANMAR NKO ORIYA PHAGS-PA SINHALA "
    "SYRIAC TAMIL TELUGU TIBETAN".split()
)
_KEY_LETTERS = str.maketrans({"o": "0", "l": "1", "i": "1", "|": "1"})


def clean_name(text: str, max_length: int, field: str = "name") -> str:
    """``text`` in NFC with blanks around it removed.

    NFC, not NFKC: full-width brackets and the like in registered names stay as written. Tibetan, Mongolian, rare
    ideographs and emoji are kept, with the joiners they need between their own characters.

    Raises Refusal on ``field`` with every reason: ``name.empty``, ``name.too_long`` (max_length, length: code points),
    ``name.control_character``, ``name.direction_control``, ``name.invisible_character`` and
    ``name.unassigned_character`` (each with ``code_points`` like "U+202E").
    """
    name = unicodedata.normalize("NFC", text).strip()
    reasons = []
    if not any(unicodedata.category(character)[0] in "LNPSC" for character in name):
        reasons.append(Reason("name.empty", {}, field))
    if len(name) > max_length:
        reasons.append(Reason("name.too_long", {"max_length": max_length, "length": len(name)}, field))
    reasons += _reasons_against_characters(name, field)
    Refusal.raise_any(reasons)
    return name


def name_key(text: str) -> str:
    """A key under which look-alike names are equal; for comparing, never for showing.

    NFKC and case folded, without blanks and invisible characters, digits of all scripts as ASCII, and the letters
    o, l, i as the digits they look like.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    visible = "".join(character for character in folded if not _hides_in_a_key(character))
    return "".join(_plain_digit(character) for character in visible).translate(_KEY_LETTERS)


def _reasons_against_characters(name: str, field: str) -> list[Reason]:
    against: dict[str, list[str]] = {}
    for position, character in enumerate(name):
        for code, offends in _OFFENCES.items():
            if offends(name, position):
                against.setdefault(code, []).append(f"U+{ord(character):04X}")
                break
    return [Reason(code, {"code_points": sorted(set(points))}, field) for code, points in against.items()]


def _is_direction_control(name: str, position: int) -> bool:
    return name[position] in _DIRECTION_CONTROLS


def _is_control(name: str, position: int) -> bool:
    return unicodedata.category(name[position]) in {"Cc", "Zl", "Zp"}


def _is_invisible(name: str, position: int) -> bool:
    character = name[position]
    if character in _JOINERS:
        return not _joins(name, position)
    if character == _MONGOLIAN_VOWEL_SEPARATOR:
        return not (position and _script(name[position - 1]) == "MONGOLIAN")
    return unicodedata.category(character) == "Cf" or character in _BLANK_LETTERS


def _is_unassigned(name: str, position: int) -> bool:
    """Private use, surrogates and non-characters; the letter planes stay open, Unicode grows faster than Python."""
    category, point = unicodedata.category(name[position]), ord(name[position])
    in_letter_planes = 0x10000 <= point < 0x40000 and point & 0xFFFE != 0xFFFE
    return category in {"Co", "Cs"} or (category == "Cn" and not in_letter_planes)


_OFFENCES: dict[str, Callable[[str, int], bool]] = {
    "name.direction_control": _is_direction_control,
    "name.control_character": _is_control,
    "name.invisible_character": _is_invisible,
    "name.unassigned_character": _is_unassigned,
}


def _joins(name: str, position: int) -> bool:
    """Whether the joiner stands after a letter of a joining script, or between two emoji."""
    if position == 0:
        return False
    before = name[position - 1]
    if _script(before) in _JOINING_SCRIPTS:
        return True
    after = name[position + 1 : position + 2]
    return name[position] == "\u200d" and _is_emoji(before) and _is_emoji(after)


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _is_emoji(character: str) -> bool:
    return character == _EMOJI_VARIATION or (character != "" and unicodedata.category(character) in {"So", "Sk", "Cn"})


def _hides_in_a_key(character: str) -> bool:
    is_variation_selector = unicodedata.name(character, "").startswith("VARIATION SELECTOR")
    return (
        character.isspace()
        or unicodedata.category(character) in {"Cc", "Cf"}
        or character in _BLANK_LETTERS
        or is_variation_selector
    )


def _plain_digit(character: str) -> str:
    return str(unicodedata.decimal(character, character))
