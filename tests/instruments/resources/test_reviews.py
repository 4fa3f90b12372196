"""Test items, data sets and the rest of an owner that is looked at first: what is published waits for the operator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.kernel.access import Actor
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Instrument, Notice, Organisation, Resource, ResourceChange
from instruments.queries import records
from instruments.rules.registry_map import builtin_map
from instruments.rules.resource_values import CORE_FIELDS, KINDS, part_fields
from instruments.services import resource_reviews, resources
from instruments.services.registry_import import ImportRequest, import_registry
from instruments.services.resource_import import ResourceImportRequest
from instruments.services.test_item_import import import_test_items

pytestmark = pytest.mark.django_db
PART = {"method": "ICP-OES", "qualifications": [{"scheme": "CMA", "valid_to": date(2030, 12, 31)}]}


@pytest.fixture
def wang(cast: Any) -> Actor:
    return cast.actor("wang")


@pytest.fixture
def zhou(cast: Any) -> Actor:
    return cast.actor("zhou")


@pytest.fixture
def item(cast: Any, wang: Actor, now: datetime) -> Resource:
    """A published test item of an owner whose changes are looked at first from now on."""
    made = resources.create_resource(wang, cast.lab.pk, "test_item", {"name": "Lithium", "published": True}, PART, now)
    Organisation.objects.filter(pk=cast.lab.pk).update(reviews_needed=True)
    return made


@pytest.fixture
def hand_in(wang: Actor, item: Resource, now: datetime) -> Callable[..., ResourceChange]:
    def make(core: dict[str, Any] | None = None, part: dict[str, Any] | None = None) -> ResourceChange:
        change = resource_reviews.save(wang, item.pk, core or {}, part or {}, now)
        assert change is not None
        return change

    return make


def stored(item: Resource) -> Resource:
    return Resource.objects.select_related("test_item").get(pk=item.pk)


def mark(change: ResourceChange) -> str:
    return resource_reviews.seen(ResourceChange.objects.select_related("resource").get(pk=change.pk))


def test_fields_of_core_and_part_never_share_a_name() -> None:
    assert all(not CORE_FIELDS & part_fields(kind) for kind in KINDS)


def test_what_is_published_waits_and_the_contact_does_not(hand_in: Any, item: Resource) -> None:
    change = hand_in({"name": "Lithium in brine", "contact_phone": "0971 1"}, {"method": "ICP-MS"})
    now_there = stored(item)
    assert (now_there.name, now_there.contact_phone, now_there.test_item.method) == ("Lithium", "0971 1", "ICP-OES")
    assert change.values == {"name": "Lithium in brine", "method": "ICP-MS"}
    assert (change.base, change.state) == ({"name": "Lithium", "method": "ICP-OES"}, "submitted")
    assert Notice.objects.filter(event="registry.change_submitted", needs_action=True).exists()


def test_saving_again_replaces_what_waits_and_saving_as_it_is_takes_it_back(
    hand_in: Any, wang: Actor, item: Resource, now: datetime
) -> None:
    first, second = hand_in({"name": "Li"}), hand_in({"name": "Li and Mg"})
    first.refresh_from_db()
    assert (first.state, second.state) == ("withdrawn", "submitted")
    assert hand_in({"name": "Li and Mg"}).pk == second.pk
    assert resource_reviews.save(wang, item.pk, {"name": "Lithium"}, {}, now) is None
    second.refresh_from_db()
    assert second.state == "withdrawn"
    assert not Notice.objects.filter(event="registry.change_submitted", needs_action=True).exists()


def test_accepting_applies_everything_dates_too_and_tells_the_owner(
    hand_in: Any, zhou: Actor, item: Resource, now: datetime
) -> None:
    rows = [{"scheme": "CNAS", "certificate_number": "L1", "valid_from": date(2026, 1, 1), "valid_to": date(2031, 12, 31)}]
    change = hand_in(
        {"keywords": ["brine"]}, {"qualifications": rows, "analytes": [{"name": "Li", "limit": "0.1", "unit": "mg/L"}]}
    )
    resource_reviews.accept(zhou, change.pk, mark(change), now)
    now_there = stored(item)
    [qualification] = now_there.test_item.qualifications.all()
    assert (now_there.keywords, qualification.scheme, str(qualification.valid_to)) == (["brine"], "CNAS", "2031-12-31")
    assert now_there.test_item.analytes[0]["name"] == "Li"
    assert Notice.objects.filter(event="registry.change_accepted").exists()
    told = list(
        AuditEntry.objects.filter(object_type="instruments.resource", object_id=str(item.pk)).values_list("action", flat=True)
    )
    assert {"resource_change.submit", "resource_change.accept", "resource.update"} <= set(told)


def test_refusing_needs_a_reason_and_the_owner_reads_it(
    hand_in: Any, zhou: Actor, wang: Actor, item: Resource, now: datetime
) -> None:
    change = hand_in({"name": "Best lithium"})
    with pytest.raises(Refusal, match="reason_missing"):
        resource_reviews.refuse(zhou, change.pk, "  ", now)
    resource_reviews.refuse(zhou, change.pk, "No praise in names.", now)
    assert records.last_resource_change(wang, item).reason == "No praise in names."  # type: ignore[union-attr]
    assert stored(item).name == "Lithium"
    with pytest.raises(Refusal, match="not_now"):
        resource_reviews.accept(zhou, change.pk, mark(change), now)
    resources.update_resource(zhou, item.pk, {"name": "Lithium (Li)"}, {}, now + timedelta(minutes=1))
    assert records.last_resource_change(wang, stored(item)) is None  # what was refused is not put before what came after


def test_what_was_not_looked_at_or_has_changed_is_not_accepted(hand_in: Any, zhou: Actor, item: Resource, now: datetime) -> None:
    change = hand_in({"name": "Li"})
    looked = mark(change)
    resources.update_resource(zhou, item.pk, {"name": "Lithium (Li)"}, {}, now + timedelta(minutes=1))
    with pytest.raises(Conflict, match="changed_meanwhile"):
        resource_reviews.accept(zhou, change.pk, looked, now)
    with pytest.raises(Conflict, match="clash"):
        resource_reviews.accept(zhou, change.pk, mark(change), now)
    resource_reviews.accept(zhou, change.pk, mark(change), now + timedelta(minutes=2), overwrite=True)
    assert stored(item).name == "Li"


def test_nobody_decides_about_their_own_and_strangers_know_nothing(
    cast: Any, hand_in: Any, wang: Actor, zhou: Actor, now: datetime
) -> None:
    change = hand_in({"name": "Li"})
    with pytest.raises(Forbidden):
        resource_reviews.accept(wang, change.pk, mark(change), now)
    with pytest.raises(NotFound):
        resource_reviews.withdraw(cast.actor("lin"), change.pk, now)
    with transaction.atomic(), pytest.raises(IntegrityError, match="resource_change_two_people"), transaction.atomic():
        ResourceChange.objects.filter(pk=change.pk).update(decided_by_id=wang.user_id, decided_at=now, state="accepted")
    resource_reviews.withdraw(wang, change.pk, now)
    assert records.resource_review_queue(zhou).count() == 0


def test_the_database_keeps_one_open_change_of_a_resource(hand_in: Any, item: Resource, now: datetime) -> None:
    hand_in({"name": "Li"})
    with pytest.raises(IntegrityError, match="resource_change_one_open"), transaction.atomic():
        ResourceChange.objects.create(resource=item, state="draft", created_at=now)


def test_a_new_one_stays_a_draft_until_its_publication_is_accepted(
    cast: Any, item: Resource, wang: Actor, zhou: Actor, now: datetime
) -> None:
    core = {"name": "Fluxes", "published": True}
    made = resources.create_resource(wang, cast.lab.pk, "dataset", core, {"creators": ["Wang"]}, now)
    assert not made.published
    with pytest.raises(Refusal, match=r"resource\.review_needed"):
        resources.set_published(wang, made.pk, True, now)
    change = resource_reviews.save(wang, made.pk, {"name": "Fluxes of a lake", "published": True}, {}, now)
    assert change is not None
    assert change.values == {"published": True}
    made.refresh_from_db()
    assert (made.name, made.published) == ("Fluxes of a lake", False)
    resource_reviews.accept(zhou, change.pk, mark(change), now)
    made.refresh_from_db()
    assert made.published


def test_no_other_way_leads_past_the_review(cast: Any, item: Resource, wang: Actor, zhou: Actor, now: datetime) -> None:
    with pytest.raises(Refusal, match=r"resource\.review_needed"):
        resources.update_resource(wang, item.pk, {"name": "Other"}, {}, now)
    resources.update_resource(zhou, item.pk, {"name": "By the operator"}, {}, now)
    Resource.objects.filter(pk=item.pk).update(inner_id="T-1")
    listed = "test_code,name,unit_price\nT-1,{},80\nT-2,Magnesium,90\n"

    def taken_in(name: str) -> Any:
        return import_test_items(wang, ResourceImportRequest(listed.format(name).encode(), "list.csv", cast.lab.pk), now)

    with pytest.raises(Refusal, match=r"import\.review_needed"):
        taken_in("Another name")
    assert not Resource.objects.filter(inner_id="T-2").exists()
    assert taken_in("By the operator").counts["created"] == 1
    assert not Resource.objects.get(inner_id="T-2").published


def test_a_list_of_instruments_does_not_pass_the_review_either(cast: Any, wang: Actor, zhou: Actor, now: datetime) -> None:
    plan = builtin_map("csv")

    def taken_in(actor: Actor, name: str) -> Any:
        content = f"inner_id,name,class_code\nN-1,{name},0101\n".encode()
        return import_registry(actor, ImportRequest(content, "list.csv", plan, owner_id=cast.lab.pk), now)

    Organisation.objects.filter(pk=cast.lab.pk).update(reviews_needed=True)
    taken_in(wang, "Oven")
    assert not Instrument.objects.get(inner_id="N-1").published
    taken_in(wang, "Tube oven")  # nobody sees it yet
    Instrument.objects.filter(inner_id="N-1").update(published=True)
    with pytest.raises(Refusal, match=r"import\.review_needed"):
        taken_in(wang, "Golden oven")
    assert Instrument.objects.get(inner_id="N-1").name == "Tube oven"
    assert taken_in(zhou, "Golden oven").counts["updated"] == 1
