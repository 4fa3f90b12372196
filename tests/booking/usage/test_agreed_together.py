"""Sessions that time agrees to are charged many at a time: the rows are those of one by one, and one that fails holds up no other."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from billing.ledger import seals
from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer
from billing.ledger.services import Source
from billing.settlement.models import Charge
from billing.settlement.services import assessing, charging_many, session_extras
from billing.settlement.services.replaying import replay_charges
from billing.settlement.services.session_extras import Used
from booking.models import UsageSession
from booking.rules.samples import ExtraEvent
from booking.services import agreeing_many, usage_review
from config.kernel.errors import Conflict
from tests.booking.usage.conftest import state, wrong
from tests.spending import build_spenders

DAY = timedelta(days=1)
OF_CHARGE = "(SELECT coalesce(reservation_id, sample_job_id) FROM billing_charge WHERE id = {})"
WRITTEN = {
    "billing_charge": "to_jsonb(t) - 'id'",
    "billing_award": f"to_jsonb(t) - 'id' || jsonb_build_object('charge_id', {OF_CHARGE.format('t.charge_id')})",
    "billing_transfer": "to_jsonb(t) - 'id'",
    "billing_account": "to_jsonb(t)",
    "billing_takenonce": "to_jsonb(t)",
    "billing_counted": "to_jsonb(t) - 'id'",
    "billing_internalslip": f"to_jsonb(t) - 'id' || jsonb_build_object('charge_id', {OF_CHARGE.format('t.charge_id')})",
    "billing_sessionextra": "to_jsonb(t)",
    "booking_usagesession": "to_jsonb(t)",
    "booking_reservation": "to_jsonb(t)",
    "booking_reservationtransition": "to_jsonb(t) - 'id'",
    "booking_occupancy": "to_jsonb(t)",
    "kernel_auditentry": "to_jsonb(t) - 'id'",
    "instruments_notice": "to_jsonb(t) - 'id'",
}
"""What the charge of a session writes, table by table, without the ids that a row gets when it is written."""


def _rows() -> dict[str, list[str]]:
    found = {}
    with connection.cursor() as cursor:
        for table, columns in WRITTEN.items():
            cursor.execute(f"SELECT {columns} FROM {table} t")
            found[table] = sorted(json.dumps(json.loads(row), sort_keys=True) for (row,) in cursor.fetchall())
    return found


@pytest.fixture
def due(cast: Any, programmes: Any, over: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Eight sessions that time agrees to at ``at``: three of a firm whose cap of the year is used up within the second, one of them ended
    before its time and one after; one for a project; one with something used besides; one of the lab's own people on a card; one of a
    firm that gets nothing; one whose quote cannot be read (``bad``)."""
    spenders = build_spenders(cast)
    made = {"first": over(8, 11)}
    for account in Account.objects.filter(kind="firm_year", held_fen__gt=0):
        ledger.set_limit(account, account.held_fen + 100_00, Source("test", 1, "limit"), cast.now)
    made["capped"] = over(11, 13, late=timedelta(minutes=-20))
    made["after_the_cap"] = over(13, 14, late=timedelta(minutes=12))
    made["project"] = over(14, 15, research_project="Brine 7")
    made["extra"] = over(15, 16)
    made["in_house"] = over(16, 18, who="ma", firm=cast.lab, fund_card_id=spenders.card.pk)
    made["foreign"] = over(18, 19, who="he")
    made["bad"] = over(19, 20)
    extra = session_extras.propose(cast.actor("wang"), made["extra"].pk, Used(1, words="Argon", rate_fen=20_00), cast.now)
    session_extras.answer(cast.actor("lin"), extra.pk, ExtraEvent.AGREE, cast.now)
    usage_review.remind_due(made["bad"].ends_at + 10 * DAY)
    bad, thaw = made["bad"].pk, assessing.thaw

    def thawed(frozen: Any, before: Any = None) -> Any:
        if frozen["starts_at"] == made["bad"].quotes.latest("revision").inputs["starts_at"]:
            raise ValueError("this quote cannot be read")
        return thaw(frozen, before)

    monkeypatch.setattr(assessing, "thaw", thawed)
    return {**made, "at": made["bad"].ends_at + 12 * DAY, "bad_id": bad}


def _undone(work: Any) -> Any:
    with transaction.atomic():
        found = work()
        transaction.set_rollback(True)
    return found


def test_charged_together_every_row_is_as_one_by_one_and_one_that_fails_is_parked(
    cast: Any, due: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[tuple[int, int]] = []
    together = charging_many.charge

    def noted(agreed: Any, actor: Any, now: Any) -> list[bool]:
        found = together(agreed, actor, now)
        asked.append((len(agreed), sum(found)))
        return found

    def one_by_one() -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(agreeing_many, "agree", lambda ids, is_due, now: (0, list(ids)))
            return usage_review.agree_due(due["at"]), _rows()

    assert asked == []
    count, rows = _undone(one_by_one)
    monkeypatch.setattr(charging_many, "charge", noted)
    caplog.clear()
    assert usage_review.agree_due(due["at"]) == count == 7
    assert asked == [(8, 6)], "what was used besides and the one that fails go by themselves"
    for table, written in _rows().items():
        assert written == rows[table], table
    assert f"use of reservation {due['bad_id']} is parked" in caplog.text and "this quote cannot be read" in caplog.text
    assert (state(due["bad"]), state(due["first"])) == ("completed", "agreed")
    assert UsageSession.objects.filter(agreed_how="time").count() == 7
    # The cap of the year was used up half way: 480.00 of 1,200.00, then 100.00 at most, then nothing.
    given = {one.reservation_id: one.deducted_fen for one in Charge.objects.all()}
    assert [given[due[name].pk] for name in ("first", "capped", "after_the_cap", "project")] == [480_00, 100_00, 0, 0]
    open_ones = Transfer.objects.filter(kind="hold", ends__isnull=True)
    assert set(open_ones.values_list("source_id", flat=True)) <= {due["bad_id"]}
    monkeypatch.undo()
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")] * 7
    seals.seal_due(due["at"])
    assert seals.verify().faults == ()
    assert wrong() == {}


def test_where_the_writing_stops_all_are_tried_by_themselves(
    due: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(charging_many.card_money, "spend", _unless_alone(due["in_house"].pk, charging_many.card_money.spend))
    assert usage_review.agree_due(due["at"]) == 6
    assert "8 of use of reservation are handled one by one" in caplog.text
    assert state(due["in_house"]) == "completed" and Charge.objects.count() == 6
    monkeypatch.undo()
    assert wrong() == {}


def _unless_alone(pk: int, spend: Any) -> Any:
    def refused(paying: Any, *args: Any, **options: Any) -> int:
        if paying.pk == pk:
            raise Conflict.of("card.not_enough_left")
        return spend(paying, *args, **options)

    return refused
