"""One effect per key; what fails leaves no trace and may be sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.kernel.errors import Conflict, Refusal
from config.kernel.models import AuditEntry, IdempotencyRecord
from config.kernel.services import audit, idempotency, transactions


@pytest.fixture
def effect(cast):
    """Something that leaves an audit entry and tells how often it ran."""
    runs = []

    def do():
        runs.append(1)
        audit.record(cast.actor("lin"), "test.effect", cast.firm, cast.now)
        return {"run": len(runs)}

    do.runs = runs
    return do


def once(cast, effect, who="lin", route="r", key="k", payload=None):
    return idempotency.once(cast.actor(who), route, key, payload or {"a": 1}, cast.now, effect)


def test_the_second_call_gets_the_first_answer(cast, effect):
    assert once(cast, effect) == ({"run": 1}, False)
    assert once(cast, effect) == ({"run": 1}, True)
    assert len(effect.runs) == AuditEntry.objects.filter(action="test.effect").count() == 1


@pytest.mark.parametrize("changed", [{"who": "zhao"}, {"route": "other"}, {"key": "other"}])
def test_another_person_route_or_key_is_another_call(cast, effect, changed):
    once(cast, effect)
    assert once(cast, effect, **changed) == ({"run": 2}, False)


def test_another_payload_under_the_same_key_is_refused(cast, effect):
    once(cast, effect)
    with pytest.raises(Refusal) as refused:
        once(cast, effect, payload={"a": 2})
    assert refused.value.reasons[0].code == "idempotency.other_payload"
    assert len(effect.runs) == 1


def test_the_order_of_names_in_a_payload_means_nothing(cast, effect):
    once(cast, effect, payload={"a": 1, "b": 2})
    assert once(cast, effect, payload={"b": 2, "a": 1})[1]


def test_a_refused_effect_leaves_nothing_and_may_be_sent_again(cast, effect):
    def refuse():
        effect()
        raise Conflict.of("test.refused")

    with pytest.raises(Conflict):
        transactions.run(lambda: once(cast, refuse))
    assert not IdempotencyRecord.objects.exists()
    assert not AuditEntry.objects.filter(action="test.effect").exists()
    assert once(cast, effect) == ({"run": 2}, False)


@pytest.mark.parametrize(("key", "code"), [("", "key_missing"), ("k" * 256, "key_too_long")])
def test_a_key_is_needed_and_not_endless(cast, effect, key, code):
    with pytest.raises(Refusal) as refused:
        once(cast, effect, key=key)
    assert refused.value.reasons[0].code == f"idempotency.{code}"
    assert not effect.runs


def test_keys_are_kept_for_seven_days(cast, effect):
    once(cast, effect)
    assert idempotency.forget_old(cast.now + idempotency.KEEP) == 0
    assert once(cast, effect)[1]
    assert idempotency.forget_old(cast.now + idempotency.KEEP + timedelta(seconds=1)) == 1


@pytest.mark.parametrize("key", ["a\x00", "\n", "钥匙"])
def test_a_key_that_no_header_could_carry_is_refused_and_nothing_happens(cast, effect, key):
    with pytest.raises(Refusal) as refused:
        once(cast, effect, key=key)
    assert refused.value.reasons[0].code == "idempotency.key_unreadable"
    assert not effect.runs
