"""What is shown before asking knows the research project, as what is promised afterwards does."""

from __future__ import annotations

from billing.settlement.services import assessing, quotes
from tests.conftest import programme_document


def test_a_quote_under_a_programme_that_asks_for_the_project_is_what_asking_pins(life, publish, slot):
    document = programme_document("DEMO-QH-V") | {"code": "DEMO-QH-PR", "examples": [], "open_points": []}
    clause = document["gates"][0]["clause"]
    when, says = {"fact": "service.project", "known": True}, {"zh": "有课题", "en": "There is a project"}
    document["gates"].append({"type": "condition", "clause": clause, "when": when, "says": says})
    publish(document)
    cast, during = life.cast, slot(9, 12)
    whose = (cast.actor("lin"), cast.xrd.pk, cast.firm.pk, during, cast.now)
    shown = quotes.preview(*whose, "assisted", "2026-QH-7").assessment
    assert (shown.deducted_fen, quotes.preview(*whose, "assisted").assessment.deducted_fen) == (480_00, 0)
    session = assessing.Session(cast.xrd, during, "assisted", "2026-QH-7")
    [prepared] = assessing.prepare_many([session], cast.firm, cast.now)
    assert prepared.inputs.assess().deducted_fen == 480_00
    assert life.quote(life.ask(during, research_project="2026-QH-7")).deducted_fen == 480_00
