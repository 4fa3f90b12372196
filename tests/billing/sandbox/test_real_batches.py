"""Rules over a batch in a trial of real services: what a real batch of them pays, and work that is stopped while awards wait."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from billing.claims.models import Claim
from billing.claims.services import batches, handing_in
from billing.claims.services.batches import BatchInput
from billing.sandbox.services import reading, running
from billing.sandbox.services.running import Asked
from billing.subsidy import drafts
from tests.billing.claims.conftest import AFTER, DECEMBER, days
from tests.billing.claims.test_batch_rules import afterwards
from tests.billing.settlement.conftest import run_session
from tests.conftest import Cast, slot_of
from tests.programmes import put_in_force

pytestmark = pytest.mark.django_db
DAYS = {"first_on": date(2026, 11, 1), "last_on": date(2026, 12, 31)}


def divided(code: str) -> dict[str, Any]:
    """A half, and a pool of 700 yuan that is shared in proportion."""
    document = afterwards(code)
    document["rate"] = {"type": "flat", "rate": "0.5", "clause": document["rate"]["clause"]}
    document["caps"][0] |= {"limit": "700", "divided": "pro_rata"}
    return document


def both_served(cast: Cast, document: dict[str, Any]) -> Any:
    """A version in force with a session of the small firm, and after it a longer one of the other firm."""
    for firm in (cast.firm, cast.other_firm):
        firm.bank_account_number = "6222"
        firm.save()
    version = put_in_force(cast.actor("chen"), cast.actor("sun"), document, cast.now)
    run_session(cast, slot_of(9, 12))
    run_session(cast, slot_of(9, 15, 1), "he", cast.other_firm)
    return version


def paid(cast: Cast, version: Any) -> dict[int, int]:
    """What a real batch of everything pays, by payee."""
    given = BatchInput(version.programme_id, "refunded_later", fund_year=2026, **days())
    batch = batches.open_batch(cast.actor("chen"), given, DECEMBER)
    batches.gather(cast.actor("chen"), batch.pk, DECEMBER)
    for claim in Claim.objects.all():
        handing_in.submit(cast.actor("zhao" if claim.payee_id == cast.firm.pk else "he"), claim.pk, DECEMBER)
    batches.close(cast.actor("chen"), batch.pk, AFTER)
    return dict(Claim.objects.filter(batch=batch).values_list("payee_id", "total_fen"))


def trial(cast: Cast, version: Any, **changes: Any) -> Any:
    run = running.start(
        cast.actor("chen"), Asked(**(DAYS | {"version_id": version.pk, "against_id": version.pk} | changes)), cast.now
    )
    running.work(run.pk, cast.now)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize(
    ("made", "cut"),
    [
        (afterwards, 600_00 - 333_33),  # 1,000 over 1,200 and 2,400; the other one was promised 400
        (divided, 600_00 - 233_33),  # 600 and 1,200 ask for 700; the other one was promised 100
    ],
)
def test_a_trial_pays_what_a_real_batch_pays(cast, made, cut):
    version = both_served(cast, made("DEMO-AFTER"))
    result = trial(cast, version).result
    real = paid(cast, version)
    total = result["totals"]["tried"]
    assert total["cost_fen"] == sum(real.values()) and total["cut_fen"] == cut
    assert result["totals"]["against"] == total and result["change"]["winners"] == result["change"]["losers"] == []
    asked = total["cost_fen"] + cut
    row = {"until": "", "claims": 2, "asked_fen": asked, "cut_claims": 1, "cut_fen": cut}
    assert result["batches"] == {name: {"by_windows": False, "rows": [row]} for name in ("tried", "against")}
    assert result["steps"]["rate_up"]["cut_fen"] > 0
    again = trial(cast, version, against_id=None).result
    assert again["totals"]["tried"] == total, "a real batch that was closed changes no trial"


def test_who_wins_and_loses_is_told_after_the_cut(cast):
    version = both_served(cast, afterwards("DEMO-AFTER"))
    plain = put_in_force(
        cast.actor("chen"), cast.actor("sun"),
        afterwards("DEMO-PLAIN") | {"rate": {"type": "flat", "rate": "0.5", "clause": "2"}}, cast.now,
    )  # fmt: skip
    change = trial(cast, version, against_id=plain.pk).result["change"]
    assert [(each["firm"], each["difference_fen"]) for each in change["losers"]] == [(cast.firm.pk, 333_33 - 600_00)]


def test_windows_for_claims_form_the_batches(cast):
    document = afterwards("DEMO-AFTER")
    tomorrow = cast.now.date() + timedelta(days=2)
    any_of = [{"from": day, "to": day} for day in (f"{tomorrow:%m-%d}", "12-31")]
    version = both_served(cast, document)
    document["validity"] |= {"windows": [{"date": "service.claim_on", "any_of": any_of}]}
    draft = drafts.start(cast.actor("chen"), document, cast.now)
    found = trial(cast, version, version_id=None, draft_id=draft.pk).result["batches"]
    assert [found[name]["by_windows"] for name in ("tried", "against")] == [True, False]
    assert [(each["until"], each["claims"]) for each in found["tried"]["rows"]] == [(tomorrow.isoformat(), 1), ("2026-12-31", 1)]


def test_work_that_is_stopped_while_awards_wait_goes_on_and_gives_the_same(cast, monkeypatch):
    version = both_served(cast, afterwards("DEMO-AFTER"))
    run_session(cast, slot_of(16, 18))
    run_session(cast, slot_of(16, 18, 1), "he", cast.other_firm)
    whole = trial(cast, version).result
    monkeypatch.setattr(reading, "PIECE", 1)
    monkeypatch.setattr(running, "KEEP_SECONDS", -1000.0)
    real, read = reading.Reader.pieces, []

    def stopped(self, after, until=None):
        for place, piece in enumerate(real(self, after, until)):
            if place == 2:
                running.cancel(cast.actor("sun"), run.pk, cast.now)
            yield piece

    def watched(self, after, until=None):
        for piece in real(self, after, until):
            read.append((until is not None, piece.last))
            yield piece

    asked = Asked(**(DAYS | {"version_id": version.pk, "against_id": version.pk}))
    run = running.start(cast.actor("chen"), asked, cast.now)
    with monkeypatch.context() as patch:
        patch.setattr(reading.Reader, "pieces", stopped)
        running.work(run.pk, cast.now)
    running.resume(cast.actor("chen"), run.pk, cast.now)
    run.refresh_from_db()
    assert run.done_sessions == 2
    monkeypatch.setattr(reading.Reader, "pieces", watched)
    running.work(run.pk, cast.now)
    run.refresh_from_db()
    assert run.result == whole
    assert [again for again, _last in read] == [True, True, False, False], (
        "what waits is read once more, what is done is not done again"
    )
