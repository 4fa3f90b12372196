"""What was stored when readers let more pass is rewritten as it is read today."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from booking.credit_queries import rules_of
from booking.models import CreditRules, InstrumentPolicy, PolicyLayer
from booking.rules.credit import document_of
from booking.services import policies
from booking.services.context import policy_for
from booking.services.policies import Scope
from config.kernel.errors import Refusal
from instruments.models import Instrument

TYPED = {
    "notice_minutes": 600,
    "peak": [{"weekdays": [5, 1.0], "from_minute": "480", "until_minute": 720, "note": "mornings"}],
    "quotas": [
        {"subject": "person", "measure": "count", "period": "day", "most": "5", "class_code": ""},
        *({"subject": "person", "measure": "minutes", "period": "week", "most": 60 + most} for most in range(10)),
    ],
}
KEPT = {
    "start_points": 100,
    "points": None,
    "thresholds": [{"below": 60, "kind": "no_booking", "days": 7, "note": "a week"}],
}


@pytest.fixture
def of_before(cast):
    PolicyLayer.objects.create(organisation=cast.lab, said=TYPED, changed_at=cast.now)
    about = {"changed_by": cast.users["wang"], "changed_at": cast.now}
    CreditRules.objects.create(organisation=cast.lab, document=KEPT, **about)
    CreditRules.objects.create(organisation=None, document={"start_points": 50, "thresholds": None}, **about)


def mend() -> None:
    import_module("booking.migrations.0018_rules_as_read").rules_as_read(apps, None)


def test_rules_that_were_stored_as_typed_can_be_read(cast, of_before):
    for read in (lambda: rules_of(cast.lab.pk), lambda: policies.read_layer(PolicyLayer.objects.get())):
        with pytest.raises(Refusal):
            read()
    mend()
    lab, platform = rules_of(cast.lab.pk)
    assert (lab.thresholds[0].days, lab.points, platform.thresholds) == (7, {}, ())
    assert [document_of(lab), document_of(platform)] == [
        CreditRules.objects.get(organisation=owner).document for owner in (cast.lab, None)
    ]
    said = policies.read_layer(PolicyLayer.objects.get()).said
    assert (said["quotas"][0].most, said["peak"][0].document()) == (
        5, {"weekdays": [1, 5], "from_minute": 480, "until_minute": 720}
    )  # fmt: skip
    assert len(said["quotas"]) == 11, "no limit of a lab is lost: only what is newly said has ten at most"


def test_the_rules_that_hold_for_an_instrument_can_be_read_too(cast):
    typed = [{"weekdays": [5, 1.0], "from_minute": 480, "until_minute": 720}]
    quota = {"subject": "person", "measure": "count", "period": "day", "most": 5, "peak_only": False}
    kept = {"peak": typed, "quotas": [{**quota, "instrument": None, "class_code": "010301"}], "licence_needed": True}
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"rules": kept})
    with pytest.raises(Refusal):
        policy_for(Instrument.objects.get(pk=cast.xrd.pk))
    mend()
    policy = policy_for(Instrument.objects.get(pk=cast.xrd.pk))
    assert policy.peak[0].document() == {"weekdays": [1, 5], "from_minute": 480, "until_minute": 720}
    assert (policy.quotas[0].counted.class_code, policy.licence_needed) == ("010301", True)


def test_what_reads_well_is_left_as_it_is(cast):
    layer = policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"notice_minutes": 600, "horizons": {"firm": 5}}, cast.now)
    mend()
    assert PolicyLayer.objects.get().said == layer.said == {"notice_minutes": 600, "horizons": {"firm": 5}}
