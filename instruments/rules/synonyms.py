"""What different words for the same thing have in common: techniques, chemical elements, samples and quantities.

``X-ray diffraction``, ``XRD`` and their Chinese name are one *concept*; so are ``Li``, ``lithium`` and the Chinese character. A concept is
found in running text of any language and becomes one token of the search, on what is stored and on what is asked alike.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from instruments.rules.techniques import Technique, techniques, with_wider

# The characters that are not written in words, for a character class.
CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_DATA = Path(__file__).with_name("data")
_SEPARATORS = re.compile(r"[-_/.+\s\u2010-\u2015]+")
_LATIN_TO_HAN = re.compile("(?<=[0-9a-z])(?=[\u3400-\u9fff])")
_CHARGE = re.compile(r"(?:\^?[0-9]?[+-]|\((?:[IV]+|[0-9][+-])\))+$")
_ION = re.compile(r"(?<![^\W_])([A-Z][a-z]?)\^?([1-9])[+-](?![^\W_])")
_SYMBOL = re.compile(r"(?<![^\W_])([A-Z][a-z])(?![^\W_])")
_CJK = re.compile(f"[{CJK}]")
_SHORT_PART = 4
_APPARATUS = {
    "calorimetry": "calorimeter",
    "chromatography": "chromatograph",
    "cytometry": "cytometer",
    "diffraction": "diffractometer",
    "microscopy": "microscope",
    "spectrometry": "spectrometer",
    "spectrophotometry": "spectrophotometer",
    "spectroscopy": "spectrometer",
    "tomography": "tomograph",
}


@dataclass(frozen=True, slots=True)
class Span:
    """Where a concept stands in a normalised text."""

    start: int
    end: int
    concept: str


@dataclass(frozen=True, slots=True)
class Element:
    """A chemical element. ``en`` are its English names, the usual one first."""

    symbol: str
    zh: str
    en: tuple[str, ...]

    @property
    def concept(self) -> str:
        return f"@{self.symbol.casefold()}"


def fold(text: str) -> str:
    """NFKC and case folded: full-width letters and capitals do not matter."""
    return unicodedata.normalize("NFKC", text).casefold()


def normal(text: str) -> str:
    """Folded, with hyphens, slashes and blanks as single blanks: how forms are compared."""
    return _SEPARATORS.sub(" ", fold(text)).strip()


@cache
def elements() -> Mapping[str, Element]:
    """The elements by symbol, in order of their number."""
    return {row["symbol"]: Element(row["symbol"], row["zh"], tuple(row["en"])) for row in _read("elements")["elements"]}


@lru_cache(maxsize=10_000)
def concepts(text: str) -> frozenset[str]:
    """Every concept that a text names, with the wider techniques of each."""
    found = {span.concept for span in _all_spans(normal(text))}
    for symbol in _SYMBOL.findall(unicodedata.normalize("NFKC", text)):
        if symbol in elements() and symbol not in _everyday()[1]:
            found.add(elements()[symbol].concept)
    return frozenset(found | {wider for concept in found for wider in _wider(concept)})


def spans(normalised: str) -> list[Span]:
    """The concepts in a normalised text from left to right, the longest at each place, none over another."""
    found: list[Span] = []
    for span in sorted(_all_spans(normalised), key=lambda one: (one.start, -one.end)):
        if not found or span.start >= found[-1].end:
            found.append(span)
    return found


def element_named(text: str) -> Element | None:
    """The element that a word by itself names: symbol (``Li``, ``Li+``), English or Chinese name."""
    word = _CHARGE.sub("", unicodedata.normalize("NFKC", text).strip())
    return elements().get(word) or _element_names().get(word.casefold())


def ions_in(text: str) -> Mapping[str, Element]:
    """The ions of elements with more than one charge that a text names (``Mg2+``), by their letters and number, folded."""
    found = _ION.finditer(unicodedata.normalize("NFKC", text))
    return {f"{one[1]}{one[2]}".casefold(): elements()[one[1]] for one in found if one[1] in elements()}


def elements_in(text: str) -> frozenset[str]:
    """The symbols of the elements that words name by themselves, as symbols, ions or names."""
    named = {one.symbol for word in text.split() if (one := element_named(word))}
    ions = {one.symbol for one in ions_in(text).values()}
    spelled = {span.concept for span in spans(normal(text))}
    return frozenset(named | ions | {one.symbol for one in elements().values() if one.concept in spelled})


def technique_concept(code: str) -> str:
    """The token of a technique's code."""
    return f"~{code.casefold()}"


def techniques_in(text: str) -> list[str]:
    """Codes of the techniques that a text names, in order of the list; wider ones only where they are named themselves."""
    found = {span.concept for span in spans(normal(text))}
    return [code for code in techniques() if technique_concept(code) in found]


def forms_of(technique: Technique) -> list[str]:
    """All names of a technique as they are written."""
    return [name for name in (technique.zh, technique.en, *technique.aliases) if name]


def _wider(concept: str) -> list[str]:
    code = _codes().get(concept)
    return [technique_concept(wider) for wider in with_wider([code], techniques())] if code else []


def _all_spans(text: str) -> Iterator[Span]:
    """Every place where a form stands as a word by itself; the ``s`` of a plural belongs to it."""
    index = _forms()
    for start in range(len(text)):
        for head in {text[start : start + 2], text[start]}:
            if head in index:
                for form, concept in index[head]:
                    end = _end_of_word(text, start, start + len(form)) if text.startswith(form, start) else None
                    if end is not None:
                        yield Span(start, end, concept)


def _end_of_word(text: str, start: int, end: int) -> int | None:
    """Where the word ends that the form at ``start`` to ``end`` is, with its plural ``s``; None: it is a part of another word."""
    if _latin(text[start]) and start > 0 and _latin(text[start - 1]):
        return None
    if not _latin(text[end - 1]):
        return end
    plural = end + 1 if text[end : end + 1] == "s" else end
    return None if _latin(text[plural : plural + 1]) else plural


def _latin(character: str) -> bool:
    """A letter, a digit or a mark over one, of a script that is written in words; the end of a text is none."""
    if not character:
        return False
    return (character.isalnum() and not _CJK.match(character)) or unicodedata.category(character).startswith("M")


@cache
def _forms() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Forms with their concept, by their first two characters, longer ones first: what is a form itself is no plural of another."""
    by_head: dict[str, list[tuple[str, str]]] = {}
    for form, concept in sorted(_form_concepts().items(), key=lambda one: (-len(one[0]), one[0])):
        by_head.setdefault(form[:2], []).append((form, concept))
    return {head: tuple(forms) for head, forms in by_head.items()}


def _form_concepts() -> dict[str, str]:
    """Normalised form to concept; where two concepts share a form the first one has it, techniques before samples."""
    found: dict[str, str] = {}
    for technique in techniques().values():
        for form in forms_of(technique):
            for variant in _variants(form):
                found.setdefault(variant, technique_concept(technique.code))
    for name, *forms in _read("synonyms")["groups"]:
        for form in forms:
            for variant in _variants(form):
                found.setdefault(variant, technique_concept(name) if name in techniques() else f"={name}")
    everyday = _everyday()[0]
    for element in elements().values():
        for name in (element.zh, *element.en):
            if name not in everyday:
                found.setdefault(normal(name), element.concept)
    return {form: concept for form, concept in found.items() if len(form) > 1 or not form.isascii()}


def _variants(form: str) -> set[str]:
    """A form as it is; between Latin and Chinese with a blank and without; an abbreviation of several parts as one word; for a
    technique in English, the apparatus: microscopy is done with a microscope."""
    plain = normal(form)
    parts = plain.split(" ")
    variants = {plain}
    if not plain.isascii():
        variants |= {_LATIN_TO_HAN.sub(" ", plain), plain.replace(" ", "")}
    elif parts[-1] in _APPARATUS:
        variants.add(" ".join([*parts[:-1], _APPARATUS[parts[-1]]]))
    elif all(len(part) <= _SHORT_PART for part in parts):
        variants.add("".join(parts))
    return variants


@cache
def _element_names() -> Mapping[str, Element]:
    return {name.casefold(): one for one in elements().values() for name in (one.zh, *one.en)}


@cache
def _codes() -> Mapping[str, str]:
    return {technique_concept(code): code for code in techniques()}


@cache
def _everyday() -> tuple[frozenset[str], frozenset[str]]:
    """Names and symbols of elements that are words of everyday language."""
    everyday = _read("elements")["everyday"]
    return frozenset(everyday["words"]), frozenset(everyday["symbols"])


@cache
def _read(name: str) -> dict[str, Any]:
    return json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
