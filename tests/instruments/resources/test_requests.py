"""A request for a resource from asking to feedback: every step by the right side only, and told to the other."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from config.kernel.access import Actor
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Resource, ResourceRequest, ResourceRequestState
from instruments.queries import resources as queries
from instruments.rules.resource_requests import OF_THE_ASKING, RequestAction, RequestState, actions_from, next_state
from instruments.services import resource_requests, resources
from instruments.services.resource_requests import Application, Delivery, file_name, terms_fingerprint
from tests import mailbox

pytestmark = pytest.mark.django_db

EXPECTED = {
    RequestState.REQUESTED: {"approve": "approved", "refuse": "refused", "withdraw": "withdrawn"},
    RequestState.APPROVED: {"deliver": "delivered", "refuse": "refused", "withdraw": "withdrawn"},
    RequestState.DELIVERED: {"give_feedback": "closed"},
    RequestState.REFUSED: {},
    RequestState.WITHDRAWN: {},
    RequestState.CLOSED: {},
}
#: How a request gets into each state.
WAYS: dict[str, tuple[str, ...]] = {
    "requested": (),
    "approved": ("approve",),
    "refused": ("refuse",),
    "withdrawn": ("withdraw",),
    "delivered": ("approve", "deliver"),
    "closed": ("approve", "deliver", "give_feedback"),
}


def data_set(cast: Any, **core: Any) -> Resource:
    given = {"name": "Brine of the Qaidam", "access_terms": "Cite it.", "published": True, **core}
    return resources.create_resource(cast.actor("wang"), cast.lab.pk, "dataset", given, {"creators": ["Wang"]}, cast.now)


def ask(cast: Any, resource: Resource, **more: Any) -> ResourceRequest:
    given = {"purpose": "To compare adsorbents.", "terms_accepted": True, "terms_seen": terms_fingerprint(resource), **more}
    actor = given.pop("actor", cast.actor("lin"))
    application = Application(resource_id=resource.pk, **{"organisation_id": cast.firm.pk, **given})
    return resource_requests.apply(actor, application, cast.now)


def step(action: str, actor: Actor, request_id: int, now: datetime) -> ResourceRequest:
    steps: dict[str, Any] = {
        "approve": lambda: resource_requests.approve(actor, request_id, now),
        "refuse": lambda: resource_requests.refuse(actor, request_id, "Under embargo.", now),
        "withdraw": lambda: resource_requests.withdraw(actor, request_id, now),
        "deliver": lambda: resource_requests.deliver(actor, request_id, Delivery("file", "", b"a,b\n1,2\n", "brine.csv"), now),
        "give_feedback": lambda: resource_requests.give_feedback(actor, request_id, 4, "Clear.", now),
    }
    return steps[action]()


def side_of(cast: Any, action: str) -> Actor:
    return cast.actor("lin") if RequestAction(action) in OF_THE_ASKING else cast.actor("wang")


@pytest.mark.parametrize("state", list(RequestState))
@pytest.mark.parametrize("action", list(RequestAction))
def test_the_table_has_exactly_these_steps(state: RequestState, action: RequestAction) -> None:
    expected = EXPECTED[state].get(action.value)
    assert (action in actions_from(state)) == (expected is not None)
    if expected is None:
        with pytest.raises(Refusal) as refused:
            next_state(state, action)
        assert refused.value.reasons[0].code == "resource_request.illegal_transition"
    else:
        assert next_state(state, action) == expected
    assert {one.value for one in RequestState} == set(ResourceRequestState.values)


@pytest.mark.parametrize("state", sorted(WAYS))
def test_every_step_out_of_every_state_does_what_the_table_says(cast: Any, state: str) -> None:
    resource = data_set(cast)
    request = ask(cast, resource)
    for action in WAYS[state]:
        step(action, side_of(cast, action), request.pk, cast.now)
    for action in RequestAction:
        with transaction.atomic():
            expected = EXPECTED[RequestState(state)].get(action.value)
            if expected is None:
                with pytest.raises(Refusal, match="illegal_transition"):
                    step(action.value, side_of(cast, action.value), request.pk, cast.now)
            else:
                assert step(action.value, side_of(cast, action.value), request.pk, cast.now).state == expected
            transaction.set_rollback(True)
    request.refresh_from_db()
    assert request.state == state


@pytest.mark.parametrize("action", [action.value for action in RequestAction])
def test_the_other_side_and_strangers_cannot_take_the_step(cast: Any, action: str) -> None:
    resource = data_set(cast)
    request = ask(cast, resource)
    before = next(way for way in WAYS.values() if action in EXPECTED[_after(way)])
    for one in before:
        step(one, side_of(cast, one), request.pk, cast.now)
    other_side = cast.actor("wang") if RequestAction(action) in OF_THE_ASKING else cast.actor("lin")
    with pytest.raises(Forbidden):
        step(action, other_side, request.pk, cast.now)
    with pytest.raises(Forbidden):
        step(action, cast.actor("wu"), request.pk, cast.now)  # an inspector reads and does not act
    for stranger in ("he", "chen", "zhou"):
        with pytest.raises(NotFound):
            step(action, cast.actor(stranger), request.pk, cast.now)


def _after(way: tuple[str, ...]) -> RequestState:
    state = RequestState.REQUESTED
    for action in way:
        state = next_state(state, RequestAction(action))
    return state


def test_each_step_is_written_down_and_told_to_the_other_side(cast: Any) -> None:
    resource = data_set(cast)
    request = ask(cast, resource)
    for action in WAYS["closed"]:
        step(action, side_of(cast, action), request.pk, cast.now)
    trail = AuditEntry.objects.filter(object_type="instruments.resourcerequest", object_id=str(request.pk)).order_by("pk")
    assert [entry.action.removeprefix("resource_request.") for entry in trail] == ["requested", "approved", "delivered", "closed"]
    mails = mailbox.mails()
    assert [mail["to"] for mail in mails] == [
        ["wang@example.org"],
        ["lin@example.org"],
        ["lin@example.org"],
        ["wang@example.org"],
    ]
    assert "Gaoyuan Lithium asks for Brine of the Qaidam" in mails[0]["subject"]
    assert all(f"/requests/{request.pk}/" in mail["text"] for mail in mails)


def test_what_was_delivered_is_loaded_byte_by_byte_by_both_sides_only(cast: Any) -> None:
    resource = data_set(cast)
    request = ask(cast, resource)
    step("approve", cast.actor("wang"), request.pk, cast.now)
    with pytest.raises(NotFound):
        resource_requests.delivered_file(cast.actor("lin"), request.pk)
    step("deliver", cast.actor("wang"), request.pk, cast.now)
    for name in ("lin", "zhao", "wang"):
        stored, content = resource_requests.delivered_file(cast.actor(name), request.pk)
        assert (content, stored.file_name, stored.media_type) == (b"a,b\n1,2\n", "brine.csv", "application/octet-stream")
    with pytest.raises(NotFound):
        resource_requests.delivered_file(cast.actor("he"), request.pk)


@pytest.mark.parametrize(
    ("delivery", "codes"),
    [
        (Delivery("pigeon"), {"resource_request.mode_unknown"}),
        (Delivery("file"), {"resource_request.file_missing"}),
        (Delivery("file", content=b"", file_name="x"), {"upload.empty"}),
        (Delivery("file", content=b"MZ\x90\x00", file_name="data.csv"), {"resource_request.file_is_program"}),
        (Delivery("visit"), {"resource_request.note_missing"}),
        (Delivery("visit", "Friday", b"x", "x"), {"resource_request.file_not_wanted"}),
        (Delivery("sample", "n" * 600), {"name.too_long", "resource_request.note_missing"}),
    ],
)
def test_a_delivery_says_what_is_missing(cast: Any, delivery: Delivery, codes: set[str]) -> None:
    request = ask(cast, data_set(cast))
    step("approve", cast.actor("wang"), request.pk, cast.now)
    with pytest.raises(Refusal) as refused:
        resource_requests.deliver(cast.actor("wang"), request.pk, delivery, cast.now)
    assert {reason.code for reason in refused.value.reasons} == codes
    request.refresh_from_db()
    assert (request.state, request.delivery_mode) == ("approved", "")


def test_asking_says_everything_that_is_missing_at_once(cast: Any) -> None:
    resource = data_set(cast)
    with pytest.raises(Refusal) as refused:
        ask(cast, resource, purpose=" ", organisation_id=0, terms_accepted=False)
    assert {reason.code for reason in refused.value.reasons} == {
        "resource_request.organisation_needed",
        "resource_request.purpose_missing",
        "resource_request.terms_not_accepted",
    }
    with pytest.raises(Forbidden):
        ask(cast, resource, organisation_id=cast.other_firm.pk)
    assert not ResourceRequest.objects.exists()


def test_terms_that_changed_meanwhile_are_not_accepted_by_accident(cast: Any) -> None:
    resource = data_set(cast)
    seen = terms_fingerprint(resource)
    resources.update_resource(cast.actor("wang"), resource.pk, {"access_terms": "Pay for it."}, {}, cast.now)
    with pytest.raises(Refusal, match="terms_changed"):
        ask(cast, resource, terms_seen=seen)
    resource.refresh_from_db()
    request = ask(cast, resource)
    resources.update_resource(cast.actor("wang"), resource.pk, {"access_terms": "Something else."}, {}, cast.now)
    request.refresh_from_db()
    assert request.terms == "Pay for it."  # what was accepted stays


def test_one_open_request_of_an_organisation_is_enough_but_tests_are_commissioned_again(cast: Any) -> None:
    resource = data_set(cast)
    request = ask(cast, resource)
    with pytest.raises(Refusal, match="open_already"):
        ask(cast, resource, actor=cast.actor("zhao"))
    step("refuse", cast.actor("wang"), request.pk, cast.now)
    assert ask(cast, resource).state == "requested"
    test = resources.create_resource(
        cast.actor("wang"), cast.lab.pk, "test_item", {"name": "XRD", "published": True}, {}, cast.now
    )
    assert ask(cast, test, quantity="12").pk != ask(cast, test, quantity="3").pk


def test_drafts_ones_own_and_foreign_resources_cannot_be_asked_for(cast: Any) -> None:
    draft = data_set(cast, published=False)
    with pytest.raises(NotFound):
        ask(cast, draft)
    with pytest.raises(Refusal, match="own_resource"):
        ask(cast, data_set(cast), actor=cast.actor("wang"), organisation_id=cast.lab.pk)
    with pytest.raises(Refusal, match="not_available"):
        ask(cast, draft, actor=cast.actor("wang"), organisation_id=cast.lab.pk)


def test_lists_show_each_side_its_own(cast: Any) -> None:
    request = ask(cast, data_set(cast))
    assert [row.pk for row in queries.my_requests(cast.actor("zhao"))] == [request.pk]
    assert [row.pk for row in queries.request_inbox(cast.actor("wang"))] == [request.pk]
    for name, seen in {"he": 0, "li": 1, "wu": 1, "zhou": 0}.items():
        expected = 0 if name == "li" else seen  # the lab's finance has no part in it, but belongs to no asking organisation
        assert queries.requests_visible(cast.actor(name)).count() == expected, name


def test_statistics_count_what_was_delivered_and_name_nobody(cast: Any) -> None:
    resource = data_set(cast)
    for days in (2, 4, 9):
        request = ask(cast, resource)
        step("approve", cast.actor("wang"), request.pk, cast.now)
        step("deliver", cast.actor("wang"), request.pk, cast.now + timedelta(days=days))
        step("give_feedback", cast.actor("lin"), request.pk, cast.now + timedelta(days=days))
    step("refuse", cast.actor("wang"), ask(cast, resource).pk, cast.now)
    [row] = [row for row in queries.statistics() if row.kind == "dataset"]
    assert (row.resources, row.requested, row.refused, row.delivered, str(row.median_days)) == (1, 4, 1, 3, "4.0")
    assert (row.ratings, str(row.mean_rating)) == (3, "4.0")


def test_a_rating_beyond_five_is_refused_by_rule_and_by_database(cast: Any) -> None:
    request = ask(cast, data_set(cast))
    for action in WAYS["delivered"]:
        step(action, side_of(cast, action), request.pk, cast.now)
    for rating in (0, 6):
        with pytest.raises(Refusal, match="rating_out_of_range"):
            resource_requests.give_feedback(cast.actor("lin"), request.pk, rating, "", cast.now)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE instruments_resourcerequest SET rating = 6 WHERE id = %s", [request.pk])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("brine.csv", "brine.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\brine.csv", "brine.csv"),
        ('a"b<c>.csv', "a_b_c_.csv"),
        ("x\r\nSet-Cookie: a.csv", "x__Set-Cookie_ a.csv"),
        ("...", "data"),
        ("卤水.csv", "卤水.csv"),
    ],
)
def test_a_delivered_file_gets_a_name_that_is_safe_everywhere(given: str, kept: str) -> None:
    assert file_name(given) == kept


def test_the_same_request_for_a_test_twice_is_one_and_too_many_are_refused(cast: Any) -> None:
    core = {"name": "Li in brine", "published": True}
    test = resources.create_resource(cast.actor("wang"), cast.lab.pk, "test_item", core, {}, cast.now)
    first = ask(cast, test, purpose="Five bottles")
    assert ask(cast, test, purpose="Five bottles").pk == first.pk
    assert ask(cast, test, purpose="Six bottles").pk != first.pk
    for number in range(resource_requests.MOST_OPEN - 2):
        ask(cast, test, purpose=f"Batch {number}")
    with pytest.raises(Refusal, match=r"resource_request\.too_many_open"):
        ask(cast, test, purpose="One more")
    resource_requests.withdraw(cast.actor("lin"), first.pk, cast.now)
    assert ask(cast, test, purpose="One more").state == "requested"
