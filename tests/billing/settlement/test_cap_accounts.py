"""The account on which a cap is counted: of the programme's own year, which need not begin in January."""

from __future__ import annotations

from datetime import date

import pytest

from billing.settlement.services.assessing import cap_account
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.parts.caps import YEARLY
from billing.subsidy.rules.programme import parse_programme
from billing.subsidy.services import InForce
from tests.conftest import programme_document


@pytest.mark.parametrize(("code", "starts"), [("JS-2020-USER", "10-01"), ("DEMO-QH-V", "01-01")])
def test_a_yearly_cap_is_counted_in_the_year_that_its_programme_knows(code: str, starts: str) -> None:
    programme = parse_programme(programme_document(code))
    assert programme.year_starts == starts
    cap = next(cap for cap in programme.caps if cap.per in YEARLY)
    facts = parse_facts({"applicant": {"kind": "firm"}})

    def year(on: date) -> str:
        return cap_account(InForce(1, 1, programme), cap, 7, on, facts).key.rsplit(":", 1)[1]

    first = date.fromisoformat(f"2026-{starts}")
    assert (year(date(2026, 9, 30)), year(date(2026, 10, 1))) == (("2025", "2026") if starts == "10-01" else ("2026", "2026"))
    assert year(first) == "2026"
