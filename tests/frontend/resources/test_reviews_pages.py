"""A change of a data set on its way through the pages: handed in, compared, accepted or refused, withdrawn."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from instruments.models import Organisation, Resource, ResourceChange
from instruments.services import resources

pytestmark = pytest.mark.django_db


def text(response: Any) -> str:
    return str(response.content.decode())


@pytest.fixture
def data_set(cast: Any) -> Resource:
    core = {"name": "Levels", "description": "Daily levels.", "published": True}
    made = resources.create_resource(cast.actor("wang"), cast.lab.pk, "dataset", core, {"creators": ["Han"]}, cast.now)
    Organisation.objects.filter(pk=cast.lab.pk).update(reviews_needed=True)
    return made


def edited(lab: Any, pk: int, **typed: str) -> Any:
    values = {"name": "Levels", "description": "Daily levels.", "creators": "Han", "published": "on"} | typed
    return lab.post(reverse("resource_edit", args=[pk]), values, follow=True)


def test_an_edit_is_handed_in_and_shown_with_its_difference_and_accepted(as_: Any, data_set: Resource) -> None:
    page = text(edited(as_("wang"), data_set.pk, description="Hourly levels.", creators="Han\nWang"))
    assert "Handed in. You get a mail when the operator has decided." in page
    assert "Your change waits for the operator" in page
    change = ResourceChange.objects.get()
    operator = as_("zhou")
    assert reverse("resource_review", args=[change.pk]) in text(operator.get(reverse("review_queue")))
    shown = text(operator.get(reverse("resource_review", args=[change.pk])))
    assert "<del>Daily</del>" in shown
    assert "<ins>Hourly</ins>" in shown
    decide = reverse("resource_review_decide", args=[change.pk])
    assert operator.post(decide, {"decision": "accept", "mark": "old"}).status_code == 409
    mark = shown.split('name="mark" value="')[1].split('"')[0]
    assert "the change is published" in text(operator.post(decide, {"decision": "accept", "mark": mark}, follow=True))
    data_set.refresh_from_db()
    assert (data_set.description, data_set.dataset.creators) == ("Hourly levels.", ["Han", "Wang"])


def test_a_refusal_needs_a_reason_which_the_owner_reads_beside_what_was_typed(as_: Any, data_set: Resource) -> None:
    edited(as_("wang"), data_set.pk, name="The best levels")
    change = ResourceChange.objects.get()
    decide = reverse("resource_review_decide", args=[change.pk])
    assert as_("zhou").post(decide, {"decision": "refuse", "reason": ""}).status_code == 422
    as_("zhou").post(decide, {"decision": "refuse", "reason": "No praise in names."})
    lab = as_("wang")
    assert "The operator refused your change." in text(lab.get(reverse("resource_detail", args=[data_set.pk])))
    assert "Refused: No praise in names." in text(lab.get(reverse("resource_review", args=[change.pk])))
    assert 'value="The best levels"' in text(lab.get(reverse("resource_edit", args=[data_set.pk])))


def test_a_draft_is_handed_in_for_publication_and_taken_back(as_: Any, data_set: Resource) -> None:
    lab = as_("wang")
    address = reverse("resource_publish", args=[data_set.pk])
    lab.post(address, {"published": "0"})
    assert "Hand in for publication" in text(lab.get(reverse("resource_detail", args=[data_set.pk])))
    lab.post(address, {"published": "1"})
    change = ResourceChange.objects.get(state="submitted")
    assert "The owner wants this to be shown to everybody" in text(as_("zhou").get(reverse("resource_review", args=[change.pk])))
    withdraw = reverse("resource_review_withdraw", args=[change.pk])
    assert "Withdrawn." in text(lab.post(withdraw, follow=True))
    assert lab.post(withdraw).status_code == 422
    data_set.refresh_from_db()
    assert not data_set.published


def test_the_queue_and_the_page_cost_the_same_queries_however_many_wait(
    as_: Any, cast: Any, data_set: Resource, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        core = {"name": f"Set {number}", "published": True}
        made = resources.create_resource(cast.actor("zhou"), cast.lab.pk, "dataset", core, {}, cast.now)
        edited(as_("wang"), made.pk, name=f"Other {number}")
    operator = as_("zhou")
    with django_assert_max_num_queries(12):
        operator.get(reverse("review_queue"))
    with django_assert_max_num_queries(12):
        operator.get(reverse("resource_review", args=[ResourceChange.objects.latest("pk").pk]))


def test_strangers_find_nothing(as_: Any, data_set: Resource) -> None:
    edited(as_("wang"), data_set.pk, name="Other")
    assert as_("lin").get(reverse("resource_review", args=[ResourceChange.objects.get().pk])).status_code == 404
