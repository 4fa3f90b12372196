"""Techniques, elements and samples are one thing whatever they are called."""

from __future__ import annotations

import pytest

from instruments.rules import synonyms
from instruments.rules.misspelling import han_pieces, latin_pieces, nearest_beginning, nearest_run, nearest_word
from instruments.rules.techniques import techniques, with_wider

XRD_ZH = "X\u5c04\u7ebf\u884d\u5c04"
LITHIUM_ZH = "\u9502"
BRINE_ZH = "\u5364\u6c34"
GOLD_ZH = "\u91d1"
METALLOGRAPHIC_ZH = "\u91d1\u76f8\u663e\u5fae\u955c"
MICROSCOPE_ZH = "\u663e\u5fae\u955c"
MICROSCOPE_MISTYPED_ZH = "\u663e\u5fbd\u955c"


@pytest.mark.parametrize(
    "text",
    [
        "XRD",
        "xrd-6000",
        "X-ray diffraction",
        "X ray diffractions",
        XRD_ZH,
        f"X {XRD_ZH[1:]}\u4eea",
        "an XRD, please",
        "X-ray diffractometer",
    ],
)
def test_every_name_of_a_technique_is_one_concept(text: str) -> None:
    assert synonyms.technique_concept("PaNET01216") in synonyms.concepts(text)


@pytest.mark.parametrize("text", ["XRDX", "axrd", "X-ray", "diffractometry", "Diffractometer"])
def test_a_part_of_a_name_is_not_the_technique(text: str) -> None:
    assert synonyms.technique_concept("PaNET01216") not in synonyms.concepts(text)


def test_the_wider_technique_is_named_too() -> None:
    assert synonyms.technique_concept("PaNET01022") in synonyms.concepts("XRD")
    assert with_wider(["PaNET01101"], techniques())[:2] == ["PaNET01101", "PaNET01216"]


@pytest.mark.parametrize("text", ["lithium", "Li-ion", f"{LITHIUM_ZH}\u79bb\u5b50\u7535\u6c60", "Lithium brine"])
def test_every_name_of_an_element_is_one_concept(text: str) -> None:
    assert "@li" in synonyms.concepts(text)


@pytest.mark.parametrize("text", [METALLOGRAPHIC_ZH, "In situ", "No limit", "lead time", "golden"])
def test_everyday_words_are_no_elements(text: str) -> None:
    assert {concept for concept in synonyms.concepts(text) if concept.startswith("@")} == set()


@pytest.mark.parametrize(
    ("word", "symbol"),
    [("Li", "Li"), ("Li+", "Li"), ("Mg2+", "Mg"), ("lithium", "Li"), (GOLD_ZH, "Au"), ("In", "In"), ("K", "K")],
)
def test_a_word_by_itself_names_an_element(word: str, symbol: str) -> None:
    found = synonyms.element_named(word)
    assert found is not None
    assert found.symbol == symbol


def test_the_table_of_elements_is_whole() -> None:
    assert len(synonyms.elements()) == 118
    assert len({element.zh for element in synonyms.elements().values()}) == 118


def test_spans_do_not_overlap_and_the_longest_counts() -> None:
    found = synonyms.spans(synonyms.normal(f"{BRINE_ZH} X-ray powder diffraction"))
    assert [span.concept for span in found] == ["=brine", "~panet01101"]


@pytest.mark.parametrize("typed", ["GCs", "electron microscopes", "XRDs"])
def test_the_s_of_a_plural_belongs_to_the_word(typed: str) -> None:
    (span,) = synonyms.spans(synonyms.normal(typed))
    assert (span.start, span.end) == (0, len(typed))


@pytest.mark.parametrize(
    ("typed", "known", "meant"),
    [
        ("spectromter", ["spectrometer", "spectroscopy"], "spectrometer"),
        ("micorscope", ["microscope"], "microscope"),
        ("lazer", ["laser", "layer"], "laser"),
        ("furnace", ["lathe"], ""),
    ],
)
def test_a_slip_of_the_finger_is_mended(typed: str, known: list[str], meant: str) -> None:
    assert nearest_word(typed, [(word, 2 if word == "laser" else 1) for word in known]) == meant


@pytest.mark.parametrize("typed", ["spectromter", "spctrometer", "spectrometter", "spectroemter", "spectrometar"])
def test_words_one_slip_apart_share_a_piece(typed: str) -> None:
    assert set(latin_pieces(typed)) & set(latin_pieces("spectrometer"))


def test_an_unfinished_word_with_a_slip_is_mended() -> None:
    assert nearest_beginning("difracto", [("diffractometer", 1), ("difference", 9)]) == "diffractometer"
    assert nearest_beginning("zzzzzz", [("diffractometer", 1)]) == ""


def test_a_wrong_character_is_found_by_its_neighbours() -> None:
    assert set(han_pieces(MICROSCOPE_MISTYPED_ZH)) & set(han_pieces(f"\u7535\u5b50{MICROSCOPE_ZH}"))
    assert nearest_run(MICROSCOPE_MISTYPED_ZH, [(f"\u7535\u5b50{MICROSCOPE_ZH}", 1)]) == MICROSCOPE_ZH
