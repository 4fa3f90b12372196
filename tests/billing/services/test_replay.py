"""Every charge can be computed again from what was frozen with it, by anybody, in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

import pytest
from django.conf import settings

from billing.pricing import services as pricing
from billing.settlement.models import Charge, Quote
from billing.settlement.services import assessing
from billing.subsidy import services as subsidy
from billing.subsidy.rules.codec import assessment_to_json, differences, inputs_sha256, inputs_to_json
from config.kernel.errors import Refusal
from tests.conftest import PRICE

FRESH = """
import json, sys
from billing.subsidy.rules.codec import replay
assert "django" not in sys.modules
print(json.dumps([replay(each) for each in json.load(sys.stdin)]))
"""


@pytest.fixture
def charges(life, programmes, slot) -> list[Charge]:
    """Deducted, refunded with the bonus, refunded without, without any subsidy, and one under an older price."""
    he = {"who": "he", "firm": life.cast.other_firm}
    early = life.ask(slot(9, 12, 2))
    dearer = PRICE | {"rates": dict.fromkeys(PRICE["rates"], "512.34")}
    pricing.publish_price(life.cast.actor("li"), life.cast.xrd, dearer, date(2026, 11, 24), life.cast.now, date(2026, 11, 23))
    made = [
        life.whole(slot(9, 12)),
        life.whole(slot(12, 15), **he),
        life.whole(slot(15, 17.5), **he),
        life.use(life.approve(early)),
    ]
    life.cast.firm.region_code = "110108"
    life.cast.firm.save()
    return [*made, life.whole(slot(9, 10, 1))]


def test_each_charge_is_what_its_frozen_inputs_give(charges):
    subsidy.in_force.cache_clear()
    pricing.schedule.cache_clear()
    for charge in Charge.objects.all():
        again = assessment_to_json(assessing.thaw(charge.inputs).assess())
        assert list(differences(charge.result, again)) == []
        assert inputs_sha256(charge.inputs) == charge.inputs_sha256
    assert len({charge.final_cost_fen for charge in charges}) == 5


def test_each_quote_too(charges):
    for quote in Quote.objects.all():
        assert list(differences(quote.result, assessment_to_json(assessing.thaw(quote.inputs).assess()))) == []


def test_a_fresh_process_without_django_or_database_gives_the_same(charges):
    whole = [inputs_to_json(assessing.thaw(charge.inputs)) for charge in charges]
    done = subprocess.run(
        [sys.executable, "-c", FRESH], input=json.dumps(whole), capture_output=True, text=True, cwd=settings.BASE_DIR, check=True
    )
    for charge, again in zip(charges, json.loads(done.stdout), strict=True):
        assert list(differences(charge.result, again)) == []


def test_a_result_that_was_tampered_with_is_seen(charges):
    charge = charges[0]
    charge.result["deducted_fen"] += 1
    found = list(differences(charge.result, assessment_to_json(assessing.thaw(charge.inputs).assess())))
    assert [difference.path for difference in found] == ["$.deducted_fen"]


@pytest.mark.parametrize("what", ["price", "programme"])
def test_a_version_that_is_not_the_frozen_one_is_not_used(charges, what):
    frozen = charges[0].inputs
    (frozen["schedule"] if what == "price" else frozen["candidates"][0]["programme"])["sha256"] = "0" * 64
    with pytest.raises(Refusal) as refused:
        assessing.thaw(frozen)
    assert refused.value.reasons[0].code == "replay.version_changed"
