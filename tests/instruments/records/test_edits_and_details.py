"""Saving a whole record: all of it or nothing, customs and funding with their own rules, nobody overwrites unseen."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.models import AuditEntry
from instruments.models import CustomsRecord, Instrument, InstrumentFunding
from instruments.queries import records
from instruments.services import instrument_details, instrument_edits
from instruments.services.instrument_edits import Edit
from instruments.services.registry import InstrumentFields

pytestmark = pytest.mark.django_db

CUSTOMS = {"declaration_number": " 3101 2019 0718 654321 ", "item_number": "2", "declared_name": "ICP-MS", "may_share": None}


def codes(refused):
    return [(reason.code, reason.field) for reason in refused.value.reasons]


def test_an_edit_is_saved_as_a_whole(cast, wang, now):
    edit = Edit({"functions": "Phases"}, customs=CUSTOMS, fundings=(("own", 100), ("central", None)))
    instrument_edits.save(wang, cast.xrd.pk, edit, now)
    details = records.details_of(wang, Instrument.objects.get(pk=cast.xrd.pk))
    assert details.customs.declaration_number == "310120190718654321"
    assert [(each.source, each.amount_fen) for each in details.fundings] == [("central", None), ("own", 100)]


def test_one_wrong_detail_saves_nothing_and_stands_at_its_field(cast, wang, now):
    edit = Edit({"functions": "Phases"}, customs={"hs_code": "abc"}, fundings=(("own", -1), ("moon", 5)))
    with pytest.raises(Refusal) as refused:
        instrument_edits.save(wang, cast.xrd.pk, edit, now)
    assert codes(refused) == [
        ("instrument.customs_code_invalid", "customs_hs_code"),
        ("instrument.value_negative", "funding_own"),
        ("instrument.funding_unknown", "fundings"),
    ]
    assert Instrument.objects.get(pk=cast.xrd.pk).functions == ""
    assert not InstrumentFunding.objects.exists()


def test_a_record_that_was_changed_meanwhile_is_not_overwritten_unseen(cast, wang, now):
    seen = Instrument.objects.get(pk=cast.xrd.pk).updated_at
    instrument_edits.save(wang, cast.xrd.pk, Edit({"functions": "First"}, seen=seen), now + timedelta(minutes=1))
    with pytest.raises(Conflict, match=r"instrument\.changed_meanwhile"):
        instrument_edits.save(wang, cast.xrd.pk, Edit({"functions": "Second"}, seen=seen), now + timedelta(minutes=2))
    assert Instrument.objects.get(pk=cast.xrd.pk).functions == "First"


def test_customs_and_funding_changes_are_audited_once_and_an_empty_record_is_not_kept(cast, wang, now):
    instrument_details.set_customs(wang, cast.xrd.pk, CUSTOMS | {"released_on": date(2019, 7, 18)}, now)
    instrument_details.set_customs(wang, cast.xrd.pk, CUSTOMS, now)
    instrument_details.set_fundings(wang, cast.xrd.pk, [("own", 5)], now)
    instrument_details.set_fundings(wang, cast.xrd.pk, [("own", 5)], now)
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["instrument.customs", "instrument.funding"]
    assert AuditEntry.objects.get(action="instrument.customs").after["customs_released_on"] == "2019-07-18"
    blank = dict.fromkeys(("declaration_number", "item_number", "declared_name"), "") | {"released_on": None}
    assert instrument_details.set_customs(wang, cast.xrd.pk, blank, now) is None
    assert not CustomsRecord.objects.exists()


@pytest.mark.parametrize("person", ["lin", "li", "he", "wu"])
def test_only_who_keeps_it_writes_the_details(cast, now, person):
    for write in (
        lambda actor: instrument_details.set_customs(actor, cast.xrd.pk, CUSTOMS, now),
        lambda actor: instrument_details.set_fundings(actor, cast.xrd.pk, [], now),
        lambda actor: instrument_edits.save(actor, cast.xrd.pk, Edit({}), now),
    ):
        with pytest.raises(Forbidden):
            write(cast.actor(person))


def test_people_outside_are_warned_until_customs_allows_sharing(cast, wang, now):
    actor = cast.actor("lin")

    def unclear():
        return records.customs_unclear(actor, Instrument.objects.get(pk=cast.xrd.pk))

    assert not unclear()
    instrument_edits.save(wang, cast.xrd.pk, Edit({"customs_supervised": True}), now)
    assert unclear()
    instrument_details.set_customs(wang, cast.xrd.pk, {"may_share": False}, now)
    assert unclear()
    instrument_details.set_customs(wang, cast.xrd.pk, {"may_share": True}, now)
    assert not unclear()


def test_a_new_instrument_comes_with_its_details_or_not_at_all(cast, wang, now):
    fields = InstrumentFields("Lathe", keywords=("turning",))
    with pytest.raises(Refusal):
        instrument_edits.create(wang, cast.lab.pk, cast.site.pk, fields, Edit({}, customs={"item_number": "x"}), now)
    assert not Instrument.objects.filter(name="Lathe").exists()
    made = instrument_edits.create(wang, cast.lab.pk, None, fields, Edit({}, "North hall", fundings=(("own", 7),)), now)
    assert (made.site.name, made.fundings.get().amount_fen) == ("North hall", 7)
