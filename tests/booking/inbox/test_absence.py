"""Standing in for who is away, and what happens when nobody answers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from booking.models import Delegation, Escalation, RequestDecision
from booking.rules.deciding import Verdict
from booking.services import changes, decisions, deputies, escalation, inbox, reject_reasons, transitions
from booking.services.changes import ChangeRequest
from booking.services.deputies import Absence
from booking.services.inbox import Wish
from booking.services.reject_reasons import Why
from config.kernel.access import Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from instruments.models import Membership, Notice, User

TODAY, TOMORROW = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
def tang(cast):
    """A second manager of the lab."""
    person = User.objects.create(email="tang@example.org", full_name="Tang", password="!", language="en")
    Membership.objects.create(user=person, organisation=cast.lab, role=Role.LAB_MANAGER, created_at=cast.now)
    cast.users["tang"] = person
    return person


@pytest.fixture
def away(cast, tang):
    """Wang is away today and tomorrow, Tang answers, and Wang wants to hear nothing."""
    return deputies.name(cast.actor("wang"), cast.lab.pk, tang.pk, Absence(TODAY, TOMORROW, also_manager=False), cast.now)


def told(event: str) -> set[str]:
    return set(Notice.objects.filter(event=event).values_list("user__email", flat=True))


def test_the_deputy_is_told_of_requests_and_who_is_away_is_not(cast, away, ask):
    ask(9, 10)
    assert told("reservation.requested") == {"tang@example.org"} and told("lab.deputy_named") == {"tang@example.org"}
    Notice.objects.all().delete()
    deputies.end(cast.actor("wang"), away.pk, cast.now)
    ask(10, 11)
    assert told("reservation.requested") == {"tang@example.org", "wang@example.org"}


def test_who_is_away_is_told_again_when_the_deputy_is_no_manager_any_more(cast, away, tang, ask):
    Membership.objects.filter(user=tang).delete()
    ask(9, 10)
    assert told("reservation.requested") == {"wang@example.org"}


@pytest.mark.parametrize(("after", "in_place"), [(timedelta(), True), (timedelta(days=2), False)])
def test_what_the_deputy_decides_is_noted_as_decided_in_the_others_place(cast, away, ask, after, in_place):
    pk, other = ask(9, 10, day=7), ask(10, 11, day=7)
    inbox.decide(cast.actor("tang"), pk, Wish(Verdict.APPROVE), cast.now + after)
    assert RequestDecision.objects.get().decided_for == (cast.users["wang"] if in_place else None)
    transitions.approve(cast.actor("tang"), other, cast.now + after)  # over the API one by one: told at once, noted all the same
    assert RequestDecision.objects.filter(reservation_id=other, told_at=cast.now).exists() == in_place
    row = RequestDecision.objects.get(reservation_id=pk).reservation
    assert decisions.in_place_of(cast.actor("wang"), row) == ({cast.now: "Wang"} if in_place else {})
    assert decisions.in_place_of(cast.actor("lin"), row) == {}


def test_nobody_stands_in_who_cannot(cast, away, tang):
    lab, days = cast.lab.pk, Absence(TODAY, TOMORROW)
    for who, deputy, absence, code in (
        ("tang", cast.users["li"].pk, days, "deputy.not_a_manager"),
        ("tang", tang.pk, days, "deputy.yourself"),
        ("tang", cast.users["wang"].pk, days, "deputy.away"),
        ("wang", tang.pk, days, "deputy.overlaps"),
        ("wang", tang.pk, Absence(TOMORROW, TODAY), "deputy.days"),
        ("wang", tang.pk, Absence(date(2026, 11, 1), date(2026, 11, 2)), "deputy.days"),
    ):
        with pytest.raises(Refusal, match=code):
            deputies.name(cast.actor(who), lab, deputy, absence, cast.now)
    with pytest.raises(Forbidden):
        deputies.name(cast.actor("li"), lab, tang.pk, days, cast.now)
    for who, error in (("li", NotFound), ("lin", NotFound)):
        with pytest.raises(error):
            deputies.end(cast.actor(who), away.pk, cast.now)
    deputies.end(cast.actor("tang"), away.pk, cast.now)
    with pytest.raises(Refusal, match=r"deputy\.ended"):
        deputies.end(cast.actor("wang"), away.pk, cast.now)
    assert Delegation.objects.get().ended_at == cast.now


def test_an_overdue_request_is_told_to_all_managers_and_the_heads_once(cast, away, ask):
    head = User.objects.create(email="head@example.org", full_name="Head", password="!", language="en")
    Membership.objects.create(user=head, organisation=cast.lab, role=Role.FIRM_ADMIN, created_at=cast.now)
    pk = ask(9, 10)
    due = cast.now + timedelta(minutes=1440)
    assert escalation.escalate_due(due - timedelta(seconds=1)) == 0
    assert (escalation.escalate_due(due), escalation.escalate_due(due)) == (1, 0)
    assert told("lab.request_overdue") == {"tang@example.org", "wang@example.org"}
    assert told("lab.request_overdue_for_heads") == {"head@example.org"}
    transitions.reject(cast.actor("tang"), pk, due, "No.")
    assert not Notice.objects.filter(event="lab.request_overdue", needs_action=True).exists()


def test_what_is_answered_or_asked_back_is_not_escalated(cast, ask, slot, approved):
    approved(8, 9)
    pk = ask(9, 10)
    changes.change(cast.actor("wang"), ChangeRequest(pk, slot(10, 11), reason="Better?"), cast.now, idempotency_key="s")
    assert escalation.escalate_due(cast.now + timedelta(days=1, hours=1)) == 0 and not Escalation.objects.exists()


def test_the_labs_own_sentences_are_read_in_the_language_of_who_asked(cast, ask):
    wang = cast.actor("wang")
    (row, _second) = reject_reasons.keep(
        wang, cast.lab.pk, [("Lampe", "The lamp broke."), ("", ""), ("", "Only this.")], cast.now
    )
    assert [one.text for one in reject_reasons.own_of(wang, cast.lab.pk)] == ["Lampe", "Only this."]
    for hour, language, text in ((9, "en", "The lamp broke."), (11, "zh-hans", "Lampe")):
        User.objects.filter(pk=cast.users["lin"].pk).update(language=language)
        pk = ask(hour, hour + 1)
        inbox.decide(wang, pk, Wish(Verdict.REJECT, Why(f"own:{row.pk}", " Try  Friday. ")), cast.now)
        assert RequestDecision.objects.get(reservation_id=pk).reason == f"{text} Try Friday."
    for choice in ("own:999999", "own:x", "nothing"):
        with pytest.raises(Refusal, match=r"decision\.reason_unknown"):
            reject_reasons.text_for(wang, "en", Why(choice))
    with pytest.raises(Refusal, match=r"decision\.reasons_too_many"):
        reject_reasons.keep(wang, cast.lab.pk, [(f"Text {number}", "") for number in range(13)], cast.now)
    for who, error in (("li", Forbidden), ("lin", Forbidden)):
        with pytest.raises(error):
            reject_reasons.keep(cast.actor(who), cast.lab.pk, [("Mine", "")], cast.now)


def test_who_is_away_is_not_told_of_single_cancellations_and_moves_either(cast, away, ask, slot):
    cancelled, moved = ask(9, 10), ask(13, 14)
    Notice.objects.all().delete()
    transitions.cancel(cast.actor("lin"), cancelled, cast.now)
    changes.change(cast.actor("lin"), ChangeRequest(moved, slot(15, 16)), cast.now, idempotency_key="m")
    assert told("lab.reservation_cancelled") == told("lab.reservation_moved") == {"tang@example.org"}
    deputies.end(cast.actor("wang"), away.pk, cast.now)
    transitions.cancel(cast.actor("lin"), moved, cast.now)
    assert told("lab.reservation_cancelled") == {"tang@example.org", "wang@example.org"}
