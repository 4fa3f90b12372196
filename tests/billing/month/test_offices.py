"""Each office has its own month of statements: another office's finance finds nothing of it, and closing it closes nobody else's."""

from __future__ import annotations

import pytest

from billing.models import Draft, DraftLine, HeldBack, Statement
from billing.month import board, queries
from billing.month.services import closing, exporting, holding, releasing, running
from billing.month.services.running import RunRequest
from billing.settlement.closed import is_closed
from billing.settlement.rules.series import Series, series_named
from billing.settlement.services import statements
from billing.subsidy.models import Programme
from config.kernel.access import Role, visible_to
from config.kernel.errors import Forbidden, NotFound
from instruments.models import Membership, Organisation, User
from tests.billing.month.conftest import DECEMBER, NOVEMBER
from tests.billing.month.test_month import refused_by_database, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def other_office(cast):
    """Another office, with Rui for its finance; the voucher programme is its own, the refund the first one's."""
    facts = {"status": "verified", "verified_at": cast.now, "region_code": "630104", "created_at": cast.now}
    office = Organisation.objects.create(kind="government", name="Other Office", name_key="Other Office", **facts)
    cast.users["rui"] = User.objects.create(email="rui@example.org", full_name="Rui", password="!", language="en")
    Membership.objects.create(user=cast.users["rui"], organisation=office, role=Role.FINANCE, created_at=cast.now)
    Programme.objects.filter(code="DEMO-QH-A").update(issuer=cast.office)
    Programme.objects.filter(code="DEMO-QH-V").update(issuer=office)
    return office


def test_another_offices_month_is_not_found_and_closing_closes_one_offices(cast, two, other_office):
    qian, rui = cast.actor("qian"), cast.actor("rui")
    ours, theirs = Series(office_id=cast.office.pk), Series(office_id=other_office.pk)
    assert series_named(theirs.key) == theirs and series_named("statements:x") is None
    known = [series for series, _office in board.series_of(qian)]
    assert known == [ours] and [each for each, _office in board.series_of(rui)] == [theirs]
    assert {ours, theirs} <= {series for series, _office in board.series_of(cast.actor("wu"))}
    run, _new = running.make(qian, RunRequest(ours, NOVEMBER), DECEMBER)
    assert set(Draft.objects.filter(run=run).values_list("party", flat=True)) == {cast.other_firm.pk}
    line = DraftLine.objects.filter(draft__run=run).first()
    version = two["DEMO-QH-A"].pk
    for attempt in (
        lambda: queries.run_for(rui, run.pk),
        lambda: board.board(rui, ours, NOVEMBER, DECEMBER),
        lambda: running.dry_run(rui, RunRequest(ours, NOVEMBER), DECEMBER),
        lambda: holding.exclude(rui, line.pk, "x", DECEMBER),
        lambda: releasing.hand_over(rui, run.pk, DECEMBER),
        lambda: exporting.start(rui, ours, NOVEMBER, DECEMBER),
        lambda: closing.close(rui, ours, NOVEMBER, DECEMBER),
        lambda: statements.issue(rui, version, cast.other_firm.pk, NOVEMBER, DECEMBER),
    ):
        with pytest.raises(NotFound):
            attempt()
    with pytest.raises(Forbidden):
        closing.close(cast.actor("li"), ours, NOVEMBER, DECEMBER)
    held = holding.postpone(qian, line.pk, "the evidence is missing", DECEMBER)
    seen = [visible_to(HeldBack.objects.all(), actor).filter(pk=held.pk).exists() for actor in (qian, rui, cast.actor("wu"))]
    assert seen == [True, False, True]
    # Theirs is closed: ours takes lines still, and theirs none, whoever writes.
    closing.close(rui, theirs, NOVEMBER, DECEMBER)
    assert is_closed(theirs, NOVEMBER) and not is_closed(ours, NOVEMBER)
    assert statements.issue(qian, version, cast.other_firm.pk, NOVEMBER, DECEMBER).line_count == 1
    stated = Statement.objects.get()
    spare = stated.lines.get()
    late = {"statement": stated, "position": 2, "award_id": spare.award_id}
    Programme.objects.filter(code="DEMO-QH-A").update(issuer=other_office)
    said = refused_by_database(lambda: type(spare).objects.create(**late))
    assert "a closed period takes no new lines" in said
    Programme.objects.filter(code="DEMO-QH-A").update(issuer=cast.office)
    assert "closed period" not in refused_by_database(lambda: type(spare).objects.create(**late))
    assert wrong() == {}
