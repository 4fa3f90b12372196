"""The Chinese catalogue is complete, and no Chinese stands in the sources instead."""

from __future__ import annotations

from babel.messages.catalog import Catalog

from config.management.commands.update_catalogues import catalogue_path, extracted, in_two_numbers, read_catalogue, shortcomings


def test_every_sentence_of_the_sources_is_translated_and_no_other() -> None:
    assert list(shortcomings(read_catalogue(catalogue_path()), extracted())) == []


def test_no_sentence_is_said_with_a_plural_in_one_place_and_without_in_another() -> None:
    assert list(in_two_numbers()) == []
    said = [
        ("a day", None),
        (("a day", "%(n)s days"), "length"),
        ("day", None),
        ("day", "of a list"),
        (("day", "days"), "of a list"),
    ]
    assert list(in_two_numbers(said)) == ["with a plural and without: 'day'"]


def test_a_missing_an_empty_a_fuzzy_and_a_superfluous_sentence_are_found() -> None:
    template, catalogue = Catalog(), Catalog()
    for sentence in ("missing", "empty", "guessed", "known"):
        template.add(sentence)
    catalogue.add("empty", "")
    catalogue.add("guessed", "x", flags=["fuzzy"])
    catalogue.add("known", "x")
    catalogue.add("old", "x")
    assert [problem.split(":")[0] for problem in shortcomings(catalogue, template)] == [
        "not in the catalogue",
        "not translated",
        "not translated",
        "no longer in the sources",
    ]


def test_extraction_reads_python_templates_contexts_and_plurals() -> None:
    template = extracted()
    assert template.get("Instruments") is not None
    assert template.get("Approved", context="reservation state") is not None
    assert any(isinstance(message.id, tuple) for message in template)


def test_more_places_and_more_filters_are_two_words() -> None:
    catalogue = read_catalogue(catalogue_path())
    places, filters = (catalogue.get("More", context=context) for context in ("places", "filters"))
    assert places is not None and filters is not None and places.string != filters.string
    assert catalogue.get("More") is None
