"""Engines side by side: which one reads a document, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from billing.pricing.rules.samples import SamplePrice
from billing.pricing.rules.schedule import parse_schedule
from billing.subsidy.rules import engines, sample_codec
from billing.subsidy.rules.engines import OtherEngine, as_read_by
from billing.subsidy.rules.programme import parse_programme
from billing.subsidy.rules.sample_codec import SampleInputs
from tests.billing.rules.builders import programme_document
from tests.billing.rules.test_assessment import SCHEDULE


def counted(read: Callable[[Any], Any], calls: list[str]) -> Callable[[Any], Any]:
    def do(document: Any) -> Any:
        calls.append(read.__name__)
        return read(document)

    return do


def test_a_document_is_read_by_the_engine_that_asks_for_it_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    older = replace(engines.engine("1"), schedule=counted(parse_schedule, calls), programme=counted(parse_programme, calls))
    monkeypatch.setitem(engines.ENGINES, "0", older)
    programme, other = parse_programme(programme_document()), parse_programme(programme_document(code="TEST-2"))
    assert as_read_by(engines.current(), programme) is programme and as_read_by(engines.current(), SCHEDULE) is SCHEDULE
    read = as_read_by("0", programme)
    assert read == programme and read is not programme
    assert as_read_by("0", programme) is read and as_read_by("0", other).code == "TEST-2"
    assert as_read_by("0", SCHEDULE) is as_read_by("0", SCHEDULE) == SCHEDULE
    assert calls == ["parse_programme", "parse_programme", "parse_schedule"]
    with pytest.raises(OtherEngine, match=r"written by engine 7, which is not here \(0, 1\)"):
        as_read_by("7", programme)


def test_a_commissioned_test_of_an_engine_that_is_not_here_is_not_read_even_without_a_programme() -> None:
    frozen = sample_codec.inputs_to_json(SampleInputs(SamplePrice("sample", 100, {}), 1, 1, date(2026, 11, 3), "team", ()))
    assert sample_codec.inputs_under([], frozen).engine == engines.current()
    with pytest.raises(OtherEngine, match="written by engine 7"):
        sample_codec.inputs_under([], frozen | {"engine": "7"})
