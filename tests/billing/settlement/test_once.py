"""One project takes a programme of an exclusive class once, from the promise on; what is given up can be taken again."""

from __future__ import annotations

from typing import Any

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing.settlement.models import Charge, Quote
from billing.settlement.once_models import TakenOnce
from billing.settlement.services import moving, quotes
from billing.subsidy import services
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict
from config.kernel.time_range import TimeRange
from tests.agreeing import check_out_agreed
from tests.conftest import Cast, programme_document, slot_of


def asking(code: str, *, asks: bool = True) -> dict[str, Any]:
    document = programme_document("DEMO-QH-V") | {"code": code, "examples": [], "open_points": [], "adjustments": [], "caps": []}
    once = {
        "type": "condition",
        "clause": document["gates"][0]["clause"],
        "says": {"zh": "同一项目只补一次", "en": "A project once"},
        "when": {"not": {"fact": "service.project_subsidised", "is": True, "if_unknown": "no"}},
    }
    document["gates"] = [once] if asks else []
    document["exclusive"] = {**document["exclusive"], "class": "class-of-projects"}
    return document


def publish(cast: Cast, document: dict[str, Any]) -> None:
    version = services.draft_version(cast.actor("chen"), document, cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)


def ask(cast: Cast, during: TimeRange, project: str) -> int:
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, "self_operated", "lithium salts", research_project=project)
    key = f"{during.starts_at:%d%H%M}"
    return reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key=key).reservation_id


def approved(cast: Cast, during: TimeRange, project: str) -> int:
    pk = ask(cast, during, project)
    transitions.approve(cast.actor("wang"), pk, cast.now)
    return pk


def deducted(cast: Cast, during: TimeRange, project: str) -> int:
    return quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, during, cast.now, "", project).assessment.deducted_fen


def test_a_project_takes_its_class_once_from_the_promise_to_the_award(cast: Cast) -> None:
    publish(cast, asking("DEMO-QH-ONCE"))
    waiting = ask(cast, slot_of(16, 17, 1), "２０２６-ZJ- 8")  # asked for before the other was promised
    first = approved(cast, slot_of(9, 11), "2026-ZJ-8")
    assert waiting and deducted(cast, slot_of(13, 15), "2026-ZJ-9") > 0
    assert deducted(cast, slot_of(13, 15), " 2026-zj-8") == 0 < deducted(cast, slot_of(13, 15), "")
    [mark] = TakenOnce.objects.all()
    assert (mark.exclusive_class, mark.kind, mark.reference, mark.source_id, mark.asks) == (
        "class-of-projects", "project", "2026-zj-8", first, True,
    )  # fmt: skip

    # Its own promise is no other one: the same time a day later costs what it costs now.
    moved = moving.preview(cast.actor("lin"), first, slot_of(9, 11, 1), cast.now).assessment
    assert moved.deducted_fen == Quote.objects.filter(reservation_id=first).latest("revision").deducted_fen > 0

    # Given back, the class is free again; used, it is taken for good.
    transitions.cancel(cast.actor("lin"), first, cast.now, "not needed")
    assert deducted(cast, slot_of(13, 15), "2026-ZJ-8") > 0
    second = approved(cast, slot_of(13, 15), "2026-ZJ-8")
    transitions.check_in(cast.actor("wang"), second, slot_of(13, 15).starts_at)
    check_out_agreed(cast.actor("wang"), second, slot_of(13, 15).ends_at)
    assert Charge.objects.get(reservation_id=second).deducted_fen > 0
    assert deducted(cast, slot_of(9, 10, 1), "2026-ZJ-8") == 0
    assert [(each.source_id, each.ended_at is None) for each in TakenOnce.objects.order_by("pk")] == [
        (first, False),
        (second, True),
    ]

    # Who asked before it was taken is asked again for its yes: it would pay more than it accepted.
    with pytest.raises(Conflict, match="figures_changed"):
        transitions.approve(cast.actor("wang"), waiting, cast.now)
    asked_again = Quote.objects.filter(reservation_id=waiting).latest("revision")
    assert (asked_again.accepted_at, asked_again.deducted_fen) == (None, 0)


def test_a_programme_that_does_not_ask_gives_again_and_is_known_to_those_of_its_class_that_do(cast: Cast) -> None:
    publish(cast, asking("DEMO-QH-FREE", asks=False))
    for hour in (9, 11, 13):
        approved(cast, slot_of(hour, hour + 1), "2026-ZJ-8")
    assert list(TakenOnce.objects.values_list("asks", "ended_at")) == [(False, None)] * 3
    publish(cast, asking("DEMO-QH-ONCE"))
    found = quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, slot_of(15, 16), cast.now, "", "2026-ZJ-8")
    known = [each.facts.service.paper.project_subsidised for each in found.prepared.inputs.candidates]
    assert known == [True, True]


def test_a_programme_that_gives_less_to_a_project_that_took_it_gives_to_it_again(cast: Cast) -> None:
    document = asking("DEMO-QH-LESS", asks=False)
    clause, says = document["rate"]["clause"], {"zh": "再次", "en": "Once more"}
    again = {"fact": "service.project_subsidised", "is": True, "if_unknown": "no"}
    cases = [{"when": again, "says": says, "rate": "0.1"}]
    document["rate"] = {"type": "cases", "cases": cases, "otherwise": "0.4", "clause": clause}
    publish(cast, document)
    gives = []
    for hour in (9, 11, 13):
        pk = approved(cast, slot_of(hour, hour + 1), "2026-ZJ-8")
        gives.append(Quote.objects.filter(reservation_id=pk).latest("revision").deducted_fen)
    assert gives[0] == 4 * gives[1] == 4 * gives[2] > 0
    assert list(TakenOnce.objects.order_by("pk").values_list("asks", flat=True)) == [True, False, False]


def test_the_database_keeps_a_second_promise_out_and_an_end_is_written_once(cast: Cast) -> None:
    publish(cast, asking("DEMO-QH-ONCE"))
    first = approved(cast, slot_of(9, 11), "2026-ZJ-8")
    mark = TakenOnce.objects.get()

    def again(**changes: Any) -> None:
        fields = {
            name: getattr(mark, name) for name in ("exclusive_class", "kind", "reference", "programme_version_id", "taken_at")
        }
        TakenOnce.objects.create(**{**fields, "source_type": "reservation", "source_id": 0, "asks": True, **changes})

    with pytest.raises(IntegrityError, match="taken_once_per_class"), transaction.atomic():
        again()
    again(asks=False)  # the control: one that nobody asks about may be there beside it
    again(kind="invoice")
    for change in ({"reference": "other"}, {"asks": False}):
        with (
            pytest.raises(
                DatabaseError,
            ),
            transaction.atomic(),
        ):
            TakenOnce.objects.filter(pk=mark.pk).update(**change)
    for statement in ("TRUNCATE billing_takenonce CASCADE", "DELETE FROM billing_takenonce"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    transitions.cancel(cast.actor("lin"), first, cast.now, "not needed")
    with pytest.raises(DatabaseError), transaction.atomic():
        TakenOnce.objects.filter(pk=mark.pk).update(ended_at=None)
    with pgtrigger.ignore("billing.TakenOnce:taken_once_ends_once"):
        TakenOnce.objects.filter(pk=mark.pk).update(ended_at=None)  # the control
