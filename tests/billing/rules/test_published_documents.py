"""What was published is read as it was published, also where a new document would be asked for more."""

from __future__ import annotations

from typing import Any

import pytest

from billing.ledger.rules.documents import DocumentError
from billing.subsidy.rules import Award, evaluate, parse_facts, parse_programme, read_programme
from billing.subsidy.rules.engines import current, engine
from tests.billing.rules.builders import facts_of, programme_document

BY_LINE = {"step": "yuan", "mode": "down", "per": "line", "clause": "1"}
GIVEN_ONCE = programme_document(rate={"type": "fixed", "amount": 100, "clause": "1"}, rounding=BY_LINE)
EXAMPLE = {"title": "x", "facts": facts_of("100"), "expect": {"payers": {"nobody": 0}}}
NAMES_NOBODY = programme_document(rate={"type": "flat", "rate": "0.5", "clause": "1"}, examples=[EXAMPLE])


@pytest.mark.parametrize(("document", "fen"), [(GIVEN_ONCE, 100_00), (NAMES_NOBODY, 100_00)], ids=["by line", "an example"])
def test_what_is_asked_of_new_documents_alone_changes_nothing_for_published_ones(document: dict[str, Any], fen: int) -> None:
    with pytest.raises(DocumentError):
        parse_programme(document)
    for read in (read_programme, engine(current()).programme):
        found = evaluate(read(document), parse_facts(facts_of("200")), {})
        assert isinstance(found, Award) and found.total_fen == fen


def test_a_document_that_cannot_be_compiled_says_what_is_wrong() -> None:
    broken = {name: value for name, value in programme_document().items() if name != "rate"}
    with pytest.raises(DocumentError, match="rate"):
        read_programme(broken)
