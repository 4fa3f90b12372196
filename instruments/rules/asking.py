"""From what somebody types to what they mean: words, and how many samples, how long, when and where.

``brine, Li and Mg, 12 samples`` are the words brine, Li and Mg, and twelve samples; ``XRD, 3 hours, next week, near Golmud`` is the
word XRD, three hours, a week and a region. What is not understood stays a word. No clock: ``when`` is a name, not a date.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from instruments.rules.regions import regions
from instruments.rules.synonyms import elements, elements_in

_FILE = Path(__file__).with_name("data") / "asking.json"
_MAX_SAMPLES = 100_000
_MAX_MINUTES = 366 * 24 * 60
_HAN = "\u3400-\u9fff"
_PUNCTUATION = re.compile('[,;\uff0c\uff1b\u3001\u3002!?\uff01\uff1f\u201c\u201d"()\uff08\uff09\\[\\]\u3010\u3011]+')

_WORD_BEGINS = re.compile(rf"(?<![^\W_])(?=[^\W\d_])|(?<=[A-Za-z0-9])(?=[{_HAN}])")
_ALONE = re.compile(rf"\u7684|(?=\W|\Z)|(?<=[{_HAN}])(?=[A-Za-z0-9])")
_SPEAKER = re.compile(
    r"(?<=\b(?i:can) )I\b|(?<=\b(?i:could) )I\b|(?<=\b(?i:do) )I\b|\bI(?= (?:am|can|could|have|like|look|measure|need|want|wish|would)\b)"
)
"""Who asks, and not iodine."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A part of the text that was understood: ``name`` is samples, duration, when or region; ``rest`` is the text without it."""

    name: str
    phrase: str
    rest: str


@dataclass(frozen=True, slots=True)
class Asking:
    """What was understood. ``words`` is what is left to search for; ``duration_minutes`` and ``samples`` None when not said.

    ``unknown_place`` is a name that was said like a place and is none that we know.
    ``when`` is one of today, tomorrow, this_week, next_week, this_month, next_month, or empty. ``region_code`` is a division;
    with ``near`` it is the prefecture around the place that was named.
    """

    words: str
    samples: int | None = None
    duration_minutes: int | None = None
    when: str = ""
    region_code: str = ""
    near: bool = False
    unknown_place: str = ""
    hints: tuple[Hint, ...] = ()

    @property
    def elements(self) -> int:
        """In how many elements each sample is measured: those that the words name, or one."""
        return max(1, len(elements_in(self.words)))


@dataclass(frozen=True, slots=True)
class Place:
    """A division and what it is called; ``in_full``: it is only meant where its whole name is said. Without a code the names are those of
    several, or ordinary words, and mean no place."""

    code: str
    names: tuple[str, ...]
    in_full: bool = False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Names of places, folded, with the code of the division, empty where a name means none; ``lengths`` are those of the names, the
    longest first."""

    places: Mapping[str, str]
    lengths: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lengths", tuple(sorted({len(name) for name in self.places}, reverse=True)))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the text that was understood, from one character to before another, and what it means."""

    start: int
    end: int
    value: Any


@cache
def known_places() -> Lexicon:
    """The divisions that we know by name, with and without their ending; where a short name means two, the wider one has it."""
    levels = {"province": 1, "prefecture": 2}
    ordered = sorted(regions().values(), key=lambda each: (levels.get(each.level, 3), each.code))
    return lexicon_of(Place(each.code, (each.zh, each.en)) for each in ordered)


def lexicon_of(divisions: Iterable[Place]) -> Lexicon:
    """The names of these divisions, each with and (unless it counts in full) without its ending; where a name means two, the first one has
    it. A short name that is an ordinary word as well is none."""
    endings = [*_words()["place_endings"], *_words()["place_endings_en"]]
    found: dict[str, str] = {}
    for place in divisions:
        for name in filter(None, place.names):
            whole = _fold(name)
            found.setdefault(whole, place.code)
            short = next((whole.removesuffix(end).strip() for end in endings if whole.endswith(end)), whole)
            if len(short) > 1 and not place.in_full and short not in _words()["ordinary_words"]:
                found.setdefault(short, place.code)
    return Lexicon(found)


def parse_asking(text: str, lexicon: Lexicon | None = None, *, places_alone: bool = False) -> Asking:
    """Take apart what was typed. Pure and in time that grows with the length of the text.

    With ``places_alone`` the name of a place means it without a word like "near" or "in" before it too.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    found: dict[str, _Piece] = {}
    for name, pieces in _understood(plain, lexicon or known_places(), places_alone):
        for piece in pieces:
            if name == "unknown_place" and "region" in found:
                break
            if not any(_overlap(piece, other) for other in found.values()):
                found[name] = piece
                break
    rest = plain
    for piece in sorted(found.values(), key=lambda one: -one.start):
        rest = f"{rest[: piece.start]} , {rest[piece.end :]}"
    hints = tuple(
        Hint(name, plain[one.start : one.end].strip(), _tidy(plain[: one.start] + plain[one.end :]))
        for name, one in found.items()
    )
    values = {name: piece.value for name, piece in found.items()}
    code, near = values.get("region", ("", False))
    return Asking(
        words=_without_filler(rest),
        samples=values.get("samples"),
        duration_minutes=values.get("duration"),
        when=values.get("when", ""),
        region_code=code,
        near=near,
        unknown_place=values.get("unknown_place", ""),
        hints=hints,
    )


def without_light_words(run: str, *, before_concept: bool = False) -> list[str]:
    """What a run of Chinese says besides "I want to measure", "of" and the like; nothing where it says no more.

    ``before_concept``: something that is known by name follows it directly, so that an "in" at its end is none of its words.
    """
    light, starts = _light()
    if light.fullmatch(run):
        return []
    rest = starts.sub("", run) or run
    rest = re.sub("(?<=..)[\u4e2d\u91cc\u5185]?\u7684$", "", rest)
    if before_concept:
        rest = re.sub("(?<=..)[\u4e2d\u91cc\u5185]$", "", rest)
    return re.split("(?<=..)[\u4e2d\u91cc\u5185]?\u7684(?=..)", rest)


def is_light(word: str) -> bool:
    """Whether a Chinese word says nothing that could be searched for."""
    return word in _words()["light"]


@cache
def _light() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Runs of nothing else, and how a wish begins: with words that say one, what is to be done, and how often. What was taken for a word
    is not tried as two: a run that can be cut in many ways would be tried in all of them."""
    words = _words()
    light, starts, verbs, counts = (
        f"(?>{_alternatives(words[name])})" for name in ("light", "light_starts", "light_verbs", "light_counts")
    )
    return re.compile(f"{light}++"), re.compile(f"^{starts}++{verbs}?{counts}?(?=..)")


def days_meant(when: str, today: date) -> tuple[int, int] | None:
    """The days that a ``when`` of ``Asking`` means, as numbers of days from today: the first, and the one after the last."""
    monday = 7 - today.weekday()
    first_of_next = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    after_next = (first_of_next + timedelta(days=32)).replace(day=1)
    return {
        "today": (0, 1),
        "tomorrow": (1, 2),
        "this_week": (0, monday),
        "next_week": (monday, monday + 7),
        "this_month": (0, (first_of_next - today).days),
        "next_month": ((first_of_next - today).days, (after_next - today).days),
    }.get(when)


def _understood(plain: str, lexicon: Lexicon, places_alone: bool) -> Iterator[tuple[str, Iterator[_Piece]]]:
    samples, minutes, hours, days, when = _quantity_patterns()
    yield "samples", _pieces(plain, samples, lambda match: _number(match, 1, _MAX_SAMPLES))
    yield "duration", _pieces(plain, minutes, lambda match: _number(match, 1, _MAX_MINUTES))
    yield "duration", _pieces(plain, hours, lambda match: _number(match, 60, _MAX_MINUTES))
    yield "duration", _pieces(plain, days, lambda match: _number(match, 24 * 60, _MAX_MINUTES))
    yield "when", _pieces(plain, when, lambda match: _when()[_fold(match[0])])
    near, near_after, within = _place_words()
    yield "region", _places_behind(plain, near, lexicon, near=True)
    yield "region", _places_before(plain, near_after, lexicon)
    yield "region", _places_behind(plain, within, lexicon, near=False)
    if places_alone:
        yield "region", _places_alone(plain, lexicon)
    for pattern in _unknown_places():
        yield "unknown_place", _pieces(plain, pattern, lambda match: match["place"])


def _pieces(plain: str, pattern: re.Pattern[str], read: Callable[[re.Match[str]], Any]) -> Iterator[_Piece]:
    for match in pattern.finditer(plain):
        if (value := read(match)) is not None:
            yield _Piece(match.start(), match.end(), value)


def _places_behind(plain: str, words: re.Pattern[str], lexicon: Lexicon, *, near: bool) -> Iterator[_Piece]:
    """Each place that is named behind one of the words, by the longest name that fits, with an ending said too."""
    for match in words.finditer(plain):
        for length in lexicon.lengths:
            end = match.end() + length
            code = lexicon.places.get(_fold(plain[match.end() : end])) if end <= len(plain) else None
            if code is not None and not _letter(plain[end : end + 1]):
                ending = next((one for one in _place_endings() if plain.startswith(one, end)), "")
                if code:
                    yield _Piece(match.start(), end + len(ending), (_around(code, near), near))
                break


def _places_before(plain: str, words: re.Pattern[str], lexicon: Lexicon) -> Iterator[_Piece]:
    """Each place that is named before one of the words, with or without an ending, by the longest name that fits."""
    for match in words.finditer(plain):
        named = plain[: match.start()]
        stops = [len(named), *(len(named) - len(one) for one in _place_endings() if named.endswith(one))]
        starts = {  # of two that begin together the longer one is the last
            stop - length: lexicon.places[name]
            for stop in sorted(stops)
            for length in lexicon.lengths
            if stop >= length and (name := _fold(named[stop - length : stop])) in lexicon.places and _begins(named, stop - length)
        }
        if starts and (code := starts[min(starts)]):
            yield _Piece(min(starts), match.end(), (_around(code, near=True), True))


def _places_alone(plain: str, lexicon: Lexicon) -> Iterator[_Piece]:
    """Each place that is named by itself, by the longest name that fits: a word, or a Chinese one beside Latin letters or "of"."""
    for match in _WORD_BEGINS.finditer(plain):
        for length in lexicon.lengths:
            end = match.start() + length
            code = lexicon.places.get(_fold(plain[match.start() : end])) if end <= len(plain) else None
            if code is not None and (ending := _ALONE.match(plain, end)):
                if code:
                    yield _Piece(match.start(), ending.end(), (code, False))
                break


def _begins(text: str, start: int) -> bool:
    """Whether a name can begin there: not within a word, or behind a point."""
    before = text[start - 1 : start] if start else ""
    return not (_letter(before) or before == "." or (before.isascii() and before.isdigit()))


def _letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


@cache
def _quantity_patterns() -> tuple[re.Pattern[str], ...]:
    words = _words()
    said = _alternatives(words["number_words"])
    number = rf"(?P<number>[0-9]{{1,6}}(?:\.[0-9])?|(?:{said})(?=[\s-])|[{''.join(words['numerals'])}]{{1,3}})\s*-?\s*"
    units = [re.compile(f"{_start()}{number}{_any(words[name])}", re.I) for name in ("samples", "minutes", "hours", "days")]
    return (*units, re.compile(_any(list(_when())), re.I))


@cache
def _place_words() -> tuple[re.Pattern[str], ...]:
    """What is said before a place near which, behind such a place, and before a place within which something is looked for."""
    words = _words()
    near, near_after, within = (_any(words[name]) for name in ("near", "near_after", "within"))
    return re.compile(rf"{near}\s*", re.I), re.compile(rf"\s*{near_after}", re.I), re.compile(rf"{within}\s*", re.I)


@cache
def _place_endings() -> tuple[str, ...]:
    return tuple(sorted(_words()["place_endings"], key=len, reverse=True))


@cache
def _unknown_places() -> tuple[re.Pattern[str], ...]:
    """What is said like a place."""
    words = _words()
    return (
        re.compile(rf"{_any(words['near'])}\s*(?P<place>[^\W\d][\w-]{{1,40}})", re.I),
        re.compile(rf"(?P<place>[{_HAN}]{{2,8}})\s*{_any(words['near_after'])}"),
    )


def _any(words: Iterable[str]) -> str:
    """One of these words; a Latin one stands by itself."""
    return f"(?:{'|'.join(_bounded(word) for word in sorted(words, key=len, reverse=True))})"


def _bounded(word: str) -> str:
    return rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])" if word.isascii() else re.escape(word)


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _start() -> str:
    return r"(?<![A-Za-z0-9.])"


def _number(match: re.Match[str], unit: int, maximum: int) -> int | None:
    text = match["number"].casefold()
    said = _words()["number_words"].get(text)
    amount = said * 10 if said else _tenths(text) if text[0].isascii() else _numeral(text)
    whole = amount * unit // 10
    return whole if 0 < whole <= maximum and (unit > 1 or amount % 10 == 0) else None


def _tenths(text: str) -> int:
    """A decimal number with at most one digit behind the point, in tenths."""
    whole, _, tenth = text.partition(".")
    return int(whole) * 10 + int(tenth or 0)


def _numeral(text: str) -> int:
    """A Chinese number up to 99, in tenths; a half is five of them."""
    values = {key: round(value * 10) for key, value in _words()["numerals"].items()}
    ten = next(key for key, value in values.items() if value == 100)
    if len(text) == 1:
        return values[text]
    head, found, tail = text.partition(ten)
    if not found or len(head) > 1 or len(tail) > 1:
        return 0
    return (values[head] if head else 10) * 10 + (values[tail] if tail else 0)


def _around(code: str, near: bool) -> str:
    """Near a county means within its prefecture."""
    return f"{code[:4]}00" if near else code


def _overlap(one: _Piece, other: _Piece) -> bool:
    return one.start < other.end and other.start < one.end


def _without_filler(text: str) -> str:
    """The words that say what is sought: no punctuation, no "and", no "I need to measure"."""
    words = _joiners().sub(" ", _SPEAKER.sub(" ", _PUNCTUATION.sub(" ", text))).split()
    kept = [
        word
        for place, word in enumerate(words)
        if not (word in _filler() or (place == 0 and word != "I" and word.casefold() in _filler()))
    ]
    return " ".join(kept or words)


@cache
def _joiners() -> re.Pattern[str]:
    """ "and" between words; the Chinese one only beside a blank, a Latin letter or an element, since it is a part of other words."""
    latin = [word for word in _words()["joiners"] if word.isascii()]
    between = f"(?:{_alternatives(word for word in _words()['joiners'] if not word.isascii())})"
    beside = f"[A-Za-z0-9 {''.join(one.zh for one in elements().values())}]"
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(latin)})(?![A-Za-z])|(?<={beside}){between}(?={beside})", re.I)


@cache
def _filler() -> frozenset[str]:
    return frozenset(_words()["filler"])


def _tidy(text: str) -> str:
    """A text from which a part was taken: no punctuation left over at its ends or twice."""
    return " ".join(re.sub(r"(?:\s*[,\uff0c]\s*){2,}", ", ", text).split()).strip(" ,;\uff0c\u3001\uff1b")


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@cache
def _when() -> Mapping[str, str]:
    return {_fold(word): name for name, words in _words()["when"].items() for word in words}


@cache
def _words() -> dict[str, Any]:
    return json.loads(_FILE.read_text(encoding="utf-8"))
