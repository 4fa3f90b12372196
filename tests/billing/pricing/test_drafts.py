"""Writing a price: a draft is never lost, large changes are confirmed one by one, a family is published at once, versions stay."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.pricing import drafts, families, sample_prices, services
from billing.pricing.models import PriceDraft, PriceFamily, PriceFamilyMember, PriceVersion, TestItemPrice
from billing.pricing.rules.typed import typed_of
from billing.pricing.subjects import Subject, subject_for
from billing.settlement.models import Charge
from billing.settlement.services import price_effects
from billing.settlement.services.assessing import thaw
from billing.subsidy.rules.codec import assessment_to_json, differences
from config.kernel.access import visible_to
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Instrument, Resource
from instruments.services import resources
from tests.conftest import PRICE

pytestmark = pytest.mark.django_db


@pytest.fixture
def xrd(cast: Any) -> Subject:
    return subject_for(cast.actor("li"), "instrument", cast.xrd.pk)


@pytest.fixture
def twin(cast: Any) -> Instrument:
    return Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=cast.xrd.calendar_id, name="Twin",
        service_modes=["self_operated"], created_at=cast.now, updated_at=cast.now,
    )  # fmt: skip


@pytest.fixture
def assay(cast: Any) -> Resource:
    return resources.create_resource(
        cast.actor("wang"), cast.lab.pk, "test_item", {"name": "Assay", "published": True}, {}, cast.now
    )


def typed(**changes: str | list[str]) -> dict[str, Any]:
    return {**typed_of(PRICE), **changes}


def save(cast: Any, subject: Subject, values: dict[str, Any], seen: int = 0) -> PriceDraft:
    return drafts.save_draft(cast.actor("li"), subject, values, seen, cast.now)


def publish(cast: Any, subject: Subject, on: date, confirmed: tuple[str, ...] = (), seen: int = 1) -> int:
    return drafts.publish_draft(cast.actor("li"), subject, on, confirmed, seen, cast.now)


def test_what_is_no_price_yet_is_kept_as_it_was_typed(cast: Any, xrd: Subject) -> None:
    half = {"unit": "hour", "class-0-who": "inside", "class-0-rate": "four hundred", "band-3-from": "9"}
    save(cast, xrd, half)
    assert PriceDraft.objects.get(instrument=cast.xrd).typed == half
    assert {name for name, _fault in drafts.faults_of(xrd, half)} >= {"class-0-rate", "band-3-from"}
    with pytest.raises(Refusal) as refused:
        publish(cast, xrd, xrd.today(cast.now))
    assert {reason.code for reason in refused.value.reasons} == {"price.invalid"}
    assert PriceDraft.objects.filter(instrument=cast.xrd).exists()


def test_who_saw_an_older_draft_overwrites_nothing(cast: Any, xrd: Subject) -> None:
    save(cast, xrd, typed(tax_percent="6"))
    save(cast, xrd, typed(tax_percent="3"), seen=1)
    for seen in (0, 1, 7):
        with pytest.raises(Conflict):
            save(cast, xrd, typed(tax_percent="9"), seen=seen)
    assert PriceDraft.objects.get(instrument=cast.xrd).typed["tax_percent"] == "3"


def test_a_price_is_published_with_its_cost_sheet_and_the_draft_is_gone(cast: Any, xrd: Subject) -> None:
    costs = {"cost-value": "800000", "cost-years": "5", "cost-units_a_year": "800", "cost-consumables": "300", "cost-labour": "214",
             "cost-share-inside": "70"}  # fmt: skip
    save(cast, xrd, typed(**costs, step_minutes="30"))
    on = xrd.today(cast.now) + timedelta(days=9)
    assert publish(cast, xrd, on) == 1
    version = PriceVersion.objects.get(instrument=cast.xrd, effective_from=on)
    assert version.document["format"] == 2 and version.document["step_minutes"] == 30
    # The worked example of the domain notes: 800,000 / (5 x 800) = 200; + 300 + 214 = 714 an hour; inside 70 % = 499.80.
    assert version.cost_sheet["cost_fen"] == 71_400
    assert version.cost_sheet["proposed_fen"]["inside"] == 49_980
    assert not PriceDraft.objects.exists()
    assert services.version_id_in_force(cast.xrd.pk, on - timedelta(days=1)) != version.pk


def test_large_changes_are_confirmed_one_by_one(cast: Any, xrd: Subject) -> None:
    save(cast, xrd, typed(**{"class-0-rate": "1200", "class-1-rate": "10", "class-2-rate": "410"}))
    on = xrd.today(cast.now) + timedelta(days=1)
    with pytest.raises(Refusal) as refused:
        publish(cast, xrd, on)
    keys = sorted(reason.params["key"] for reason in refused.value.reasons)
    assert [reason.code for reason in refused.value.reasons] == ["price.jump_not_confirmed"] * 2
    assert len(keys) == 2
    with pytest.raises(Refusal) as refused:
        publish(cast, xrd, on, (keys[0],))
    assert [reason.params["key"] for reason in refused.value.reasons] == [keys[1]]
    assert not PriceVersion.objects.filter(instrument=cast.xrd, effective_from=on).exists()
    assert publish(cast, xrd, on, tuple(keys)) == 1


def test_a_document_from_elsewhere_passes_the_same_guard(cast: Any, xrd: Subject) -> None:
    li, on = cast.actor("li"), xrd.today(cast.now) + timedelta(days=1)
    document = {**PRICE, "rates": {**PRICE["rates"], "inside": "1000"}}
    with pytest.raises(Refusal) as refused:
        drafts.publish_document(li, xrd, document, on, (), cast.now)
    assert [reason.params["key"] for reason in refused.value.reasons] == ["inside:standard:20000:100000"]
    with pytest.raises(Refusal) as refused:
        drafts.publish_document(li, xrd, {**PRICE, "format": 9}, on, (), cast.now)
    assert [(reason.code, reason.field) for reason in refused.value.reasons] == [("price.invalid", "$.format")]
    assert drafts.publish_document(li, xrd, document, on, ("inside:standard:20000:100000",), cast.now) == 1


def test_two_versions_never_start_on_one_day_and_the_database_sees_to_it(cast: Any, xrd: Subject) -> None:
    on = xrd.today(cast.now) + timedelta(days=1)
    row = {"instrument": cast.xrd, "effective_from": on, "document": PRICE, "published_at": cast.now}
    PriceVersion.objects.create(**row)
    with pytest.raises(IntegrityError, match="price_version_one_per_day"), transaction.atomic():
        PriceVersion.objects.create(**row)
    with transaction.atomic():  # the control: without the guard both would stand there
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE billing_priceversion DROP CONSTRAINT price_version_one_per_day")
        PriceVersion.objects.create(**row)
        assert PriceVersion.objects.filter(instrument=cast.xrd, effective_from=on).count() == 2
        transaction.set_rollback(True)


def test_a_family_is_published_for_all_its_members_or_for_none(cast: Any, twin: Instrument) -> None:
    li = cast.actor("li")
    made = families.create_family(li, cast.lab.pk, "  X-ray   instruments ", cast.now)
    assert made.name == "X-ray instruments"
    with pytest.raises(Conflict):
        families.create_family(li, cast.lab.pk, "X-ray instruments", cast.now)
    empty = subject_for(li, "family", made.pk)
    wang = cast.actor("wang")  # the twin is a draft: its lab manager sees it
    for pk in (cast.xrd.pk, twin.pk):
        families.add_member(wang, empty, "instrument", pk, cast.now)
    family = subject_for(li, "family", made.pk)
    drafts.save_draft(li, family, typed(**{"class-1-setup": "50"}), 0, cast.now)
    taken = family.today(cast.now) + timedelta(days=3)
    PriceVersion.objects.create(instrument=twin, effective_from=taken, document=PRICE, published_at=cast.now)
    new_fee = ("academic:/setup/0:0:5000",)
    with pytest.raises(Refusal) as refused:
        publish(cast, family, taken, new_fee)
    assert refused.value.reasons[0].code == "price.date_taken"
    assert not PriceVersion.objects.filter(instrument=cast.xrd, effective_from=taken).exists(), "all or nothing"
    on = taken + timedelta(days=1)
    assert publish(cast, family, on, new_fee) == 2
    found = PriceVersion.objects.filter(effective_from=on)
    assert {(row.instrument_id, row.family_id) for row in found} == {(cast.xrd.pk, made.pk), (twin.pk, made.pk)}
    assert len({row.document["setup"]["academic"] for row in found}) == 1


def test_a_family_holds_things_of_one_kind_and_one_lab(cast: Any, twin: Instrument, assay: Resource) -> None:
    wang = cast.actor("wang")
    family, other = (
        subject_for(wang, "family", families.create_family(wang, cast.lab.pk, name, cast.now).pk) for name in ("A", "B")
    )
    families.add_member(wang, family, "instrument", twin.pk, cast.now)
    families.add_member(wang, family, "instrument", twin.pk, cast.now)  # once more is no mistake
    refusals = {("test_item", assay.pk, family): "price.family_mixed", ("instrument", twin.pk, other): "price.in_a_family"}
    for (kind, pk, into), code in refusals.items():
        with pytest.raises(Refusal) as refused:
            families.add_member(wang, into, kind, pk, cast.now)
        assert refused.value.reasons[0].code == code
    assert PriceFamilyMember.objects.count() == 1
    families.remove_member(wang, family, "instrument", twin.pk, cast.now)
    families.add_member(wang, other, "test_item", assay.pk, cast.now)
    with pytest.raises(IntegrityError, match="price_family_member_is_one_thing"), transaction.atomic():
        PriceFamilyMember.objects.create(family_id=family.pk)
    with pytest.raises(IntegrityError, match="price_draft_is_for_one_thing"), transaction.atomic():
        PriceDraft.objects.create(instrument=cast.xrd, test_item_id=assay.pk, typed={}, updated_at=cast.now)


def test_prices_of_others_are_not_written_and_their_families_not_seen(cast: Any, xrd: Subject) -> None:
    family = families.create_family(cast.actor("li"), cast.lab.pk, "Ours", cast.now)
    save(cast, xrd, typed())
    for name in ("lin", "he", "chen"):
        stranger = cast.actor(name)
        with pytest.raises(Forbidden):
            subject_for(stranger, "instrument", cast.xrd.pk)
        with pytest.raises(NotFound):
            subject_for(stranger, "family", family.pk)
        with pytest.raises(Forbidden):
            drafts.publish_draft(stranger, xrd, xrd.today(cast.now), (), 1, cast.now)
        assert not visible_to(PriceDraft.objects.all(), stranger).exists()
        assert not visible_to(PriceFamily.objects.all(), stranger).exists()
    with pytest.raises(NotFound):
        subject_for(cast.actor("li"), "planet", 1)


def test_a_test_item_takes_a_schedule_and_a_list_cannot_undo_it(cast: Any, assay: Resource) -> None:
    li = cast.actor("li")
    subject = subject_for(li, "test_item", assay.pk)
    values = {"unit": "sample", "class-0-who": "firm_sme", "class-0-rate": "100", "class-1-who": "academic", "class-1-rate": "80",
              "step-0-up_to": "10", "step-0-percent": "100", "step-1-percent": "50", "minimum_amount": "300"}  # fmt: skip
    save(cast, subject, values)
    assert publish(cast, subject, subject.today(cast.now)) == 1
    row = TestItemPrice.objects.get(test_item_id=assay.pk)
    assert (row.unit, row.amount_fen, row.class_fen) == ("sample", 10_000, {"firm_sme": 10_000, "academic": 8_000})
    found = sample_prices.in_force([assay.pk], subject.today(cast.now))[assay.pk].price
    assert found is not None and found.terms is not None and found.lowest_fen == 4_000
    from instruments.ports import ListPrice

    wanted = {assay.pk: ListPrice(5_000, "sample")}
    changed = sample_prices.SamplePrices().set_list_prices(li, wanted, subject.today(cast.now), cast.now)
    assert changed == {} and TestItemPrice.objects.count() == 1
    with pytest.raises(IntegrityError, match="test_item_price_of_schedule"), transaction.atomic():
        TestItemPrice.objects.create(
            test_item_id=assay.pk, effective_from=date(2027, 1, 1), unit="sample", document={}, published_at=cast.now
        )


def test_the_last_quarter_is_priced_anew_and_nothing_is_written(cast: Any, xrd: Subject, life: Any, slot: Any) -> None:
    charges = [life.whole(slot(9, 12)), life.whole(slot(13, 14))]
    values = typed(**{f"class-{row}-rate": "800" for row in range(5)}, **{"tax_percent": "6", "tax_included": "added"})
    made = drafts.written(xrd, values)
    later = cast.now + timedelta(days=92)
    effects = price_effects.effects_of(xrd, made, later)
    assert effects.count == 2
    assert effects.was_fen == sum(charge.gross_fen for charge in charges)
    assert effects.becomes_fen == 4 * 80_000 * 106 // 100
    assert [row.count for row in effects.classes] == [2]
    assert Charge.objects.count() == 2 and not PriceVersion.objects.filter(document__format=2).exists()
    early = price_effects.effects_of(xrd, made, cast.now)
    assert early.count == 0, "this quarter is not the last one"


def test_a_session_goes_its_whole_way_under_format_2_and_replays(cast: Any, xrd: Subject, life: Any, slot: Any) -> None:
    """The operator works along (the cast asks for assisted sessions), holidays and tax count, from the quote to the charge."""
    values = typed(
        **{f"class-{row}-operator": "100" for row in range(5)},
        **{"tax_percent": "6", "tax_included": "added", "knows_holidays": "on", "step-0-up_to": "2", "step-0-percent": "100",
           "step-1-percent": "50", "minimum_minutes": "", "band-0-weekdays": ["1", "2", "3", "4", "5", "6", "7"], "band-0-from": "00:00",
           "band-0-to": "08:00", "band-0-percent": "50"},
    )  # fmt: skip
    made = drafts.written(xrd, save(cast, xrd, values).typed)
    large = drafts.large_changes(xrd, made, xrd.today(cast.now))
    assert {change.part for change in large} >= {"operator", "rate"}
    publish(cast, xrd, xrd.today(cast.now), tuple(change.key for change in large))
    charge = life.whole(slot(9, 12))
    rate = next(int(amount) * 100 for code, amount in PRICE["rates"].items() if code == charge.result["priced"]["customer_class"])
    net = 2 * rate + rate // 2 + 3 * 10_000
    assert charge.gross_fen == net * 106 // 100
    assert charge.inputs["operated"] is True and "public_days" in charge.inputs
    assert list(differences(charge.result, assessment_to_json(thaw(charge.inputs).assess()))) == []
