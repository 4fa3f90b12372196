"""Names of people, organisations and instruments: kept as written in any script, without what hides in text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from config.kernel.errors import Reason, Refusal

_JOINERS = frozenset("\u200c\u200d")
_MONGOLIAN_VOWEL_SEPARATOR = "\u180e"
_DIRECTION_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIABLE_CATEGORIES = frozenset({"Lo", "Nd", "No", "Po", "So", "Sm", "Sk", "Cn"})
_JOINING_SCRIPTS = frozenset(
    {
        "ARABIC",
        "BENGALI",
        "DEVANAGARI",
        "GUJARATI",
        "GURMUKHI",
        "KANNADA",
        "KHMER",
        "MALAYALAM",
        "MONGOLIAN",
        "MYANMAR",
        "NKO",
        "ORIYA",
        "PHAGS-PA",
        "SINHALA",
        "SYRIAC",
        "TAMIL",
        "TELUGU",
        "TIBETAN",
    }
)
_KEY_LETTERS = str.maketrans({"o": "0", "l": "1", "i": "1", "|": "1"})


_WITHOUT_DIRECTION = dict.fromkeys(map(ord, _DIRECTION_CONTROLS))


def without_direction(text: str) -> str:
    """``text`` without the characters that turn the direction of what follows: on a paper they would show one amount as another."""
    return text.translate(_WITHOUT_DIRECTION)


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
    folded = unicodedata.normalize("NFKC", text).casefold()
    visible = "".join(character for character in folded if not _hides_in_a_key(character))
    plain = "".join(_plain_digit(character) for character in unicodedata.normalize("NFKC", visible))
    return plain.translate(_KEY_LETTERS)


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
    """Without any trace on the page: joiners and selectors where their script or an emoji has no use for them, too."""
    character, before, after = name[position], name[position - 1 : position], name[position + 1 : position + 2]
    if character in _JOINERS:
        in_script = _script(before) in _JOINING_SCRIPTS and _script(after) in _JOINING_SCRIPTS
        return not (in_script or (_is_emoji(before) and _is_emoji(after)))
    if character == _MONGOLIAN_VOWEL_SEPARATOR:
        return _script(before) != "MONGOLIAN"
    if _is_variation_selector(character):
        return not before or unicodedata.category(before) not in _VARIABLE_CATEGORIES
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


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0] if character else ""


def _is_emoji(character: str) -> bool:
    is_symbol = character != "" and unicodedata.category(character) in {"So", "Sk", "Sm", "Cn"}
    return is_symbol or _is_variation_selector(character)


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _hides_in_a_key(character: str) -> bool:
    return (
        character.isspace()
        or unicodedata.category(character) in {"Cc", "Cf"}
        or character in _BLANK_LETTERS
        or _is_variation_selector(character)
    )


def _plain_digit(character: str) -> str:
    return str(unicodedata.decimal(character, character))
