"""Refusals carry every reason."""

import pytest

from config.kernel.errors import Conflict, Reason, Refusal


def test_a_refusal_keeps_all_reasons_in_order():
    refusal = Refusal(Reason("a.one"), Reason("a.two", {"limit": 3}, "size"))
    assert [reason.code for reason in refusal.reasons] == ["a.one", "a.two"]
    assert str(refusal) == "a.one, a.two"


def test_of_makes_one_reason_with_its_field_and_parameters():
    assert Refusal.of("a.one", "size", limit=3).reasons == (Reason("a.one", {"limit": 3}, "size"),)


def test_raise_any_raises_its_own_class_and_only_when_there_is_a_reason():
    Conflict.raise_any([])
    with pytest.raises(Conflict) as caught:
        Conflict.raise_any([Reason("a.one")])
    assert caught.value.extra == {}
