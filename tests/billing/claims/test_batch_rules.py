"""Rules over a whole batch: a rate fixed afterwards gives less than was awarded as an estimate, with its steps, and the rest goes back."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pgtrigger
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.claims.models import Claim, ClaimBatch, Clawback
from billing.claims.services import batches, clawbacks, handing_in
from billing.claims.services.batches import BatchInput
from billing.claims.services.replaying import replay_batches
from billing.ledger.models import Account
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest
from billing.settlement.models import Award
from billing.subsidy.rules import engines
from billing.subsidy.rules.batch import evaluate_batch
from billing.subsidy.rules.outcome import Balance
from tests.billing.claims.conftest import AFTER, DECEMBER, days, wrong
from tests.billing.settlement.conftest import run_session
from tests.conftest import programme_document, slot_of
from tests.programmes import put_in_force

pytestmark = pytest.mark.django_db


def afterwards(code: str) -> dict:
    """A refund for everybody whose rate is the pool of 1,000 yuan over all claims, between a tenth and a half; a half until then."""
    document = programme_document("DEMO-QH-A") | {"code": code, "examples": [], "open_points": [], "adjustments": []}
    document.pop("exclusive", None)
    clause = document["caps"][0]["clause"]
    document["gates"] = [gate for gate in document["gates"] if gate["type"] in ("applicant_kind", "verified_organisation")]
    document["rate"] = {"type": "ex_post", "clause": clause, "at_least": "0.1", "at_most": "0.5", "assume": "0.5"}
    document["caps"] = [{"id": "fund", "per": "pool", "limit": "1000", "when_short": "partial", "clause": clause}]
    return document


def replays(number):
    """The rules come out as they did by the engine that stands frozen with them; by another they differ, and without it nobody guesses."""
    told = lambda: [(each.number, each.identical, each.problem) for each in replay_batches()]  # noqa: E731
    assert [each["engine"] for each in ClaimBatch.objects.get(number=number).rules_applied] == [engines.current()]
    assert told() == [(number, True, "")]
    with pytest.MonkeyPatch.context() as upgraded:
        first = engines.ENGINES["1"]
        upgraded.setattr(engines, "ENGINE_VERSION", "2")
        upgraded.setitem(engines.ENGINES, "2", replace(first, batch=lambda *_: pytest.fail("engine 2 was not asked for")))
        assert told() == [(number, True, "")]
        upgraded.setitem(engines.ENGINES, "1", replace(first, batch=_half_of_the_pool))
        (found,) = replay_batches()
        assert {each.path.split(".")[0] for each in found.differences} >= {"rules[0]"} and not found.identical
        out = StringIO()
        with pytest.raises(SystemExit):
            call_command("replay_charges", stdout=out)
        assert f"batch {number}: rules[0].given[0]: frozen 33333, computed again 16667" in out.getvalue()
        upgraded.delitem(engines.ENGINES, "1")
        assert told() == [(number, False, "these inputs were written by engine 1, which is not here (2)")]
    with pgtrigger.ignore("billing.ClaimBatch:claim_batch_closes_once"), transaction.atomic():
        ClaimBatch.objects.update(rules_applied=[])
        assert told() == [(number, False, "it was closed before the engine of such rules was frozen with them")]
        transaction.set_rollback(True)


def _half_of_the_pool(programme, claims, opening):
    """What another engine would make of a batch."""
    half = {name: Balance(each.limit_fen // 2, each.used_fen) for name, each in opening.caps.items()}
    return evaluate_batch(programme, claims, replace(opening, caps=half))


def test_a_rate_fixed_afterwards_cuts_the_estimates_once_and_what_is_cut_goes_back_to_the_pool(cast):
    for firm in (cast.firm, cast.other_firm):
        firm.bank_account_number = "6222"
        firm.save()
    version = put_in_force(cast.actor("chen"), cast.actor("sun"), afterwards("DEMO-AFTER"), cast.now)
    run_session(cast, slot_of(9, 12))
    run_session(cast, slot_of(9, 15, 1), "he", cast.other_firm)
    pool = Account.objects.get(key=f"pool:DEMO-AFTER:{version.label}:fund")
    assert sorted(Award.objects.values_list("total_fen", flat=True)) == [400_00, 600_00] and pool.posted_fen == 1000_00
    given = BatchInput(version.programme_id, "refunded_later", fund_year=2026, **days())
    batch = batches.open_batch(cast.actor("chen"), given, DECEMBER)
    batches.gather(cast.actor("chen"), batch.pk, DECEMBER)
    for claim in Claim.objects.all():
        handing_in.submit(cast.actor("zhao" if claim.payee_id == cast.firm.pk else "he"), claim.pk, DECEMBER)
    totals = batches.close(cast.actor("chen"), batch.pk, AFTER)
    # 1,000 over fees of 1,200 and 2,400: 333.33 of the 600; the 400 that were left for the other one stay below its 666.67
    first = Claim.objects.get(batch=batch, payee=cast.firm)
    assert first.total_fen == 333_33 and totals.batch_rule_fen == 333_33 - 600_00 and totals.total_fen == 733_33
    cut = first.lines.get(kind="batch_rule")
    assert any(step["part"] == "rate" for step in cut.steps) and first.submissions.get().total_fen == 600_00
    (step,) = ClaimBatch.objects.get(pk=batch.pk).rule_steps
    assert step["key"] == "subsidy.step.ex_post_rate" and step["params"]["pool_fen"] == 1000_00
    pool.refresh_from_db()
    assert pool.posted_fen == 733_33
    replays(batch.number)
    assert clawbacks.raise_due(None, AFTER) == 0  # decided about, not clawed back
    assert wrong() == {}


def test_what_is_credited_between_handing_in_and_closing_is_cut_in_its_share_and_clawed_back_once(cast):
    for firm in (cast.firm, cast.other_firm):
        firm.bank_account_number = "6222"
        firm.save()
    version = put_in_force(cast.actor("chen"), cast.actor("sun"), afterwards("DEMO-AFTER"), cast.now)
    run_session(cast, slot_of(9, 12))
    run_session(cast, slot_of(9, 15, 1), "he", cast.other_firm)
    given = BatchInput(version.programme_id, "refunded_later", fund_year=2026, **days())
    batch = batches.open_batch(cast.actor("chen"), given, DECEMBER)
    batches.gather(cast.actor("chen"), batch.pk, DECEMBER)
    for claim in Claim.objects.all():
        handing_in.submit(cast.actor("zhao" if claim.payee_id == cast.firm.pk else "he"), claim.pk, DECEMBER)
    for firm, part in ((cast.firm, 2), (cast.other_firm, 1)):  # a half of the one, the other one whole
        bill = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, firm.pk, given.until_on), DECEMBER)
        asked = CreditRequest(bill.pk, 1, bill.total_fen // part, "other", "less was measured")
        crediting.issue(cast.actor("li"), asked, DECEMBER)
    with CaptureQueriesContext(connection) as asked_of_it:
        batches.close(cast.actor("chen"), batch.pk, AFTER)
    taken_up = [each["sql"] for each in asked_of_it if "FOR NO KEY UPDATE" in each["sql"]]
    first_lock = next(sql for sql in taken_up if 'FROM "billing_award"' in sql or "billing_account" in sql)
    both = ", ".join(str(pk) for pk in Award.objects.order_by("pk").values_list("pk", flat=True))
    assert f"IN ({both})" in first_lock  # all awards, before any pool's account
    first, other = (Claim.objects.get(batch=batch, payee=firm) for firm in (cast.firm, cast.other_firm))
    # the rule gives 333.33 of 600: 166.67 of the 300 that are left, so 133.33 are cut; nothing is left of the 400
    assert first.lines.get(kind="batch_rule").amount_fen == -133_33 and first.total_fen == 466_67
    assert other.total_fen == 400_00 and not other.lines.filter(kind="batch_rule").exists()
    assert clawbacks.raise_due(None, AFTER) == 2
    taken = dict(Clawback.objects.values_list("payee_id", "total_fen"))
    assert taken == {cast.firm.pk: 300_00, cast.other_firm.pk: 400_00}
    assert Account.objects.get(key=f"pool:DEMO-AFTER:{version.label}:fund").posted_fen == 166_67
    assert wrong() == {}
