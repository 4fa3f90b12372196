"""``manage.py replay_charges``: every charge again, and a rule that changed is seen."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pgtrigger
import pytest
from django.core.management import CommandError, call_command

from billing.settlement.models import Award, Charge
from billing.subsidy.rules.parts.rounding import ClaimRounding

pytestmark = pytest.mark.django_db


@pytest.fixture
def charges(life, programmes, slot):
    he = {"who": "he", "firm": life.cast.other_firm}
    return [life.whole(slot(9, 12)), life.whole(slot(12, 15), **he), life.whole(slot(15, 17.5), **he)]


def replayed(*arguments):
    out = StringIO()
    code = 0
    try:
        call_command("replay_charges", *arguments, stdout=out)
    except SystemExit as end:
        code = end.code
    return code, out.getvalue()


def test_every_charge_comes_out_identical(charges):
    assert replayed() == (0, "3 charges computed again: identical.\n")


def test_a_period_can_be_named(charges):
    day = charges[0].created_at.date()
    assert replayed("--from", str(day), "--to", str(day))[0] == 0
    assert replayed("--from", "2099-01-01") == (0, "0 charges computed again: identical.\n")
    with pytest.raises(CommandError):
        replayed("--from", "2026-02-01", "--to", "2026-01-01")


def test_a_rule_that_was_altered_is_seen_in_every_figure_that_it_touches(charges, monkeypatch):
    real = ClaimRounding.apply

    def altered(self, amount, steps):
        return real(replace(self), amount + Decimal(1), steps)

    monkeypatch.setattr(ClaimRounding, "apply", altered)
    code, text = replayed()
    assert code == 1 and "3 different" in text
    assert (
        f"charge {charges[0].pk} (reservation {charges[0].reservation_id}): $.deducted_fen: frozen 48000, computed again 48001"
        in text
    )
    assert "awards.DEMO-QH-V" in text and ".total_fen" in text


def test_stored_results_are_not_looked_at_while_computing(charges, django_assert_num_queries):
    """A result that was tampered with is what differs, not what is computed."""
    charge = charges[0]
    with pgtrigger.ignore("billing.Charge:charge_append_only"):
        Charge.objects.filter(pk=charge.pk).update(result=charge.result | {"deducted_fen": 1})
    code, text = replayed()
    assert code == 1 and "$.deducted_fen: frozen 1, computed again 48000" in text


def test_an_award_that_is_not_what_was_computed_is_seen(charges):
    award = Award.objects.first()
    with pgtrigger.ignore("billing.Award:award_append_only"):
        Award.objects.filter(pk=award.pk).update(total_fen=award.total_fen + 1)
    assert replayed()[0] == 1


def test_inputs_that_were_tampered_with_are_said(charges):
    charge = charges[0]
    with pgtrigger.ignore("billing.Charge:charge_append_only"):
        Charge.objects.filter(pk=charge.pk).update(inputs=charge.inputs | {"customer_class": "inside"})
    code, text = replayed()
    assert code == 1 and "do not have their fingerprint" in text
