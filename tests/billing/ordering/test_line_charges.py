"""Other lines of a signed commission: charged with its sessions and sample jobs as agreed, each up to its quantity, and nobody is asked
again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from rest_framework.test import APIClient

from billing.ordering import charged
from billing.ordering.models import CommissionCharge, CommissionSheet
from billing.ordering.rules.lines import LineInput, part_fen
from billing.ordering.services import line_charges, sample_links, sheets
from billing.ordering.services.line_charges import Part
from billing.settlement.extra_models import SessionExtra
from billing.settlement.models import Charge
from billing.settlement.services import session_extras
from billing.settlement.services.replaying import replay_charges
from booking.models import Reservation, SampleExtra
from booking.rules.samples import ExtraEvent
from booking.services import transitions, usage_review
from config.kernel import invariants
from config.kernel.errors import Forbidden, NotFound, Refusal
from instruments.models import Notice, User
from tests.billing.services.conftest import Life
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db
TRANSLATION, TRAVEL = "Report translation", "Travel to the customer"


@pytest.fixture
def life(cast: Any, programmes: Any) -> Life:
    return Life(cast)


@pytest.fixture
def signed(cast: Any, accepted: Any) -> Callable[..., CommissionSheet]:
    """``signed(*lines)``: a sheet in force, Zhao signed it for the firm. Two translations at 300.00 and 2.5 trips at 100.01 unless other
    lines are given."""

    def make(*lines: LineInput) -> CommissionSheet:
        usual = (
            LineInput("instrument_time", "8", cast.xrd.pk),
            LineInput("other", "2", None, TRANSLATION, "piece", 300_00),
            LineInput("other", "2.5", None, TRAVEL, "piece", 100_01),
        )
        sheet = sheets.issue(cast.actor("wang"), accepted("lin", *(lines or usual)).pk, cast.now)
        sheets.sign(cast.actor("wang"), sheet.pk, sheet.content_sha256, cast.now)
        return sheets.sign(cast.actor("zhao"), sheet.pk, sheet.content_sha256, cast.now)

    return make


@pytest.fixture
def session(cast: Any, life: Life) -> Callable[..., Reservation]:
    """``session(sheet, first)``: two hours of Lin's from ``first`` on under a sheet, used and over."""

    def make(sheet: CommissionSheet | None, first: int = 9) -> Reservation:
        booked = life.approve(life.ask(slot_of(first, first + 2)))
        if sheet is not None:
            sheets.link(cast.actor("wang"), sheet.pk, booked.pk, cast.now)
        transitions.check_in(cast.actor("wang"), booked.pk, booked.starts_at)
        transitions.check_out(cast.actor("wang"), booked.pk, booked.ends_at, "")
        booked.refresh_from_db()
        return booked

    return make


def wrong() -> dict[str, Any]:
    found = {name: each().violations for name, each in invariants.registered().items() if not name.startswith("registry.")}
    return {name: each for name, each in found.items() if each}


def refused(call: Callable[[], Any]) -> list[tuple[str, str]]:
    with pytest.raises(Refusal) as caught:
        call()
    return [(reason.code, reason.field) for reason in caught.value.reasons]


def client(name: str) -> APIClient:
    found = APIClient()
    found.force_authenticate(user=User.objects.get(email=f"{name}@example.org"))
    return found


AT: datetime = slot_of(9, 11).ends_at


def test_what_both_signed_for_is_charged_with_the_session_and_nobody_is_asked_again(cast: Any, signed: Any, session: Any) -> None:
    sheet = signed()
    booked = session(sheet)
    made = line_charges.charge(cast.actor("wang"), sheet.pk, Part(2, "1", booked.pk), AT)
    extra = SessionExtra.objects.get()
    assert made.extra == extra and made.about == booked
    assert (extra.words, extra.quantity, extra.rate_fen, extra.amount_fen, extra.state) == (
        TRANSLATION, 1, 300_00, 300_00, "agreed",
    )  # fmt: skip
    # The consent is the signature.
    assert (extra.answered_by, extra.answered_at) == (cast.users["zhao"], cast.now)
    told = Notice.objects.get(event="reservation.extra_by_order", user=cast.users["lin"])
    assert (told.params["words"], told.params["sheet"], told.params["amount_fen"]) == (TRANSLATION, sheet.number, 300_00)
    assert not Notice.objects.filter(event="reservation.extra_proposed").exists()
    assert wrong() == {}

    usage_review.agree(cast.actor("lin"), booked.pk, AT)
    charge = Charge.objects.get()
    assert charge.inputs["extras"] == [{"words": TRANSLATION, "amount_fen": 300_00}]
    assert charge.gross_fen == 800_00 + 300_00
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")]
    assert wrong() == {}
    assert refused(lambda: line_charges.charge(cast.actor("wang"), sheet.pk, Part(2, "1", booked.pk), AT)) == [
        ("extras.no_more_now", "")
    ]


def test_a_line_is_charged_up_to_its_quantity_over_all_sessions_and_what_is_taken_back_is_free_again(
    cast: Any, signed: Any, session: Any
) -> None:
    sheet, wang = signed(), cast.actor("wang")
    first, second = session(sheet), session(sheet, 12)
    at = second.ends_at
    line_charges.charge(wang, sheet.pk, Part(2, "1", first.pk), at)
    with pytest.raises(Refusal) as caught:
        line_charges.charge(wang, sheet.pk, Part(2, "2", second.pk), at)
    assert [(each.code, each.params) for each in caught.value.reasons] == [
        ("commission.line_used_up", {"quantity": "2", "left": "1"})
    ]
    taken = line_charges.charge(wang, sheet.pk, Part(2, "1", second.pk), at)
    _sheet, offered = charged.offered_to_session(wang, first)
    assert [each.line.position for each in offered] == [3], "nothing is left of the translations"
    with pytest.raises(Forbidden):  # the customer has signed for it
        session_extras.answer(cast.actor("lin"), taken.extra.pk, ExtraEvent.WITHDRAW, at)
    session_extras.answer(wang, taken.extra.pk, ExtraEvent.WITHDRAW, at)
    assert Notice.objects.filter(event="reservation.extra_withdrawn", user=cast.users["lin"]).exists()
    line_charges.charge(wang, sheet.pk, Part(2, "1", first.pk), at)
    assert wrong() == {}


def test_parts_of_a_line_cost_together_what_the_line_does(cast: Any, signed: Any, session: Any) -> None:
    sheet, wang = signed(), cast.actor("wang")
    booked = session(sheet)
    made = [line_charges.charge(wang, sheet.pk, Part(3, part, booked.pk), AT).extra for part in ("0.5", "1.5", "0.5")]
    assert sum(each.amount_fen for each in made) == sheet.quotation.lines.get(position=3).amount_fen == 250_03
    assert [each.words for each in made] == [f"{TRAVEL} × {part}" for part in ("0.5", "1.5", "0.5")]
    assert [part_fen(Decimal(0), Decimal("0.5"), 100_01), part_fen(Decimal("0.5"), Decimal(2), 100_01)] == [50_01, 200_02]
    assert wrong() == {}


def test_only_what_the_sheet_says_for_work_under_it_while_it_is_in_force(
    cast: Any, signed: Any, session: Any, accepted: Any
) -> None:
    sheet, wang = signed(), cast.actor("wang")
    booked, alone = session(sheet), session(None, 12)

    def charge(part: Part, sheet_id: int = sheet.pk, who: str = "wang") -> Callable[[], Any]:
        return lambda: line_charges.charge(cast.actor(who), sheet_id, part, AT)

    for part, code, field in (
        (Part(2, "1", alone.pk), "commission.not_under_it", ""),
        (Part(2, "1"), "commission.not_under_it", ""),
        (Part(1, "1", booked.pk), "commission.line_unknown", "line"),  # time is charged by itself
        (Part(2, "0", booked.pk), "commission.line_quantity", "quantity"),
        (Part(2, "some", booked.pk), "commission.line_quantity", "quantity"),
        (Part(2, "3", booked.pk), "commission.line_used_up", "quantity"),
    ):
        assert refused(charge(part)) == [(code, field)]
    for who, kind in (("lin", Forbidden), ("li", Forbidden), ("he", NotFound)):
        with pytest.raises(kind):
            charge(Part(2, "1", booked.pk), who=who)()
    free = signed(LineInput("other", "1", None, "Coffee", "piece", 0))
    assert not charged.other_lines(free)[0].is_open
    unsigned = accepted()
    assert refused(charge(Part(2, "1", booked.pk), unsigned.pk)) == [("commission.illegal_transition", "")]
    sheets.finish(wang, sheet.pk, AT)
    assert refused(charge(Part(2, "1", booked.pk))) == [("commission.illegal_transition", "")]
    assert charged.offered_to_session(wang, booked) == (None, [])
    assert not CommissionCharge.objects.exists() and not SessionExtra.objects.exists()


def test_the_database_has_the_last_word(cast: Any, signed: Any, session: Any) -> None:
    sheet, wang = signed(), cast.actor("wang")
    booked, alone = session(sheet), session(None, 12)
    made = line_charges.charge(wang, sheet.pk, Part(2, "1", booked.pk), AT)
    line = made.line

    def extra(reservation: Reservation, **more: Any) -> SessionExtra:
        given = {"words": "x", "quantity": 2, "rate_fen": 300_00, "amount_fen": 600_00, "proposed_at": AT} | more
        return SessionExtra.objects.create(reservation=reservation, proposed_by_id=wang.user_id, **given)

    def write(reservation: Reservation, quantity: str, **more: Any) -> CommissionCharge:
        given = {"line": line, "quantity": Decimal(quantity), "charged_by_id": wang.user_id, "charged_at": AT, "sheet": sheet}
        return CommissionCharge.objects.create(**(given | {"session_extra": extra(reservation)} | more))

    guard = "billing.CommissionCharge:commission_charge_within_line"
    for call, name in (
        (lambda: write(booked, "2"), "is charged already"),
        (lambda: write(alone, "1"), "stands under no sheet"),
        (lambda: write(booked, "1", line=sheet.quotation.lines.get(position=1)), "stands under no sheet"),
        (lambda: write(booked, "1", session_extra=None), "stands under no sheet|of_one_extra"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            call()
    table = "billing_commissioncharge"
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET quantity = 0.5", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    typed = extra(booked, quantity=1, amount_fen=300_00)  # agreed by somebody, of no order: it is answered once
    taken_back = {"state": "withdrawn", "answered_by_id": wang.user_id, "answered_at": AT}
    SessionExtra.objects.filter(pk=typed.pk).update(state="agreed", answered_by_id=cast.users["lin"].pk, answered_at=AT)
    with pytest.raises(IntegrityError, match="answered already"), transaction.atomic():
        SessionExtra.objects.filter(pk=typed.pk).update(**taken_back)
    assert wrong() == {}
    with pgtrigger.ignore(guard):  # the control
        write(booked, "2")
    assert set(wrong()) == {"ordering.other_lines_are_charged_up_to_their_quantity"}


def test_a_sample_job_under_the_sheet_is_charged_the_same_way(cast: Any, signed: Any, programmes: Any) -> None:
    item = make_item(cast)
    work, wang = Work(cast, item), cast.actor("wang")
    sheet = signed(
        LineInput("test", "9", item.pk, "", "sample", 70_00), LineInput("other", "2", None, TRANSLATION, "piece", 300_00)
    )
    job = work.ask()
    sample_links.link(cast.actor("lin"), sheet.pk, job.pk, cast.now)

    def charge(quantity: str) -> Any:
        return line_charges.charge(wang, sheet.pk, Part(2, quantity, sample_job_id=job.pk), cast.now).extra

    assert refused(lambda: charge("1")) == [("samples.no_extra_now", "")]  # the lab has not answered yet
    work.accept(job)
    made = charge("2")
    assert isinstance(made, SampleExtra)
    assert (made.words, made.amount_fen, made.state) == (f"{TRANSLATION} × 2", 600_00, "agreed")
    assert (made.answered_by, made.answered_at) == (cast.users["zhao"], cast.now)
    assert Notice.objects.filter(event="sample_job.extra_by_order", user=cast.users["lin"]).exists()
    assert refused(lambda: charge("1")) == [("commission.line_used_up", "quantity")]
    with pytest.raises(Forbidden):
        work.answer(made, "withdraw")
    work.answer(made, "withdraw", who="wang")
    charge("1")
    agreed = work.answer(work.propose(job), "agree")  # what the customer agreed to is not taken back
    assert refused(lambda: work.answer(agreed, "withdraw", who="wang")) == [("samples.extra_answered", "")]
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    work.report(job)
    work.close(job)
    assert Charge.objects.get().gross_fen == 3 * 70_00 + 300_00 + 50_00
    assert wrong() == {}


def test_what_ends_without_a_charge_leaves_its_part_of_the_line_free(cast: Any, signed: Any, programmes: Any) -> None:
    item = make_item(cast)
    work = Work(cast, item)
    sheet = signed(
        LineInput("test", "9", item.pk, "", "sample", 70_00), LineInput("other", "1", None, TRANSLATION, "piece", 300_00)
    )
    first, second = work.ask(), work.ask()
    for job in (first, second):
        sample_links.link(cast.actor("lin"), sheet.pk, job.pk, cast.now)
        work.accept(job)
    part = Part(2, "1", sample_job_id=first.pk)
    line_charges.charge(cast.actor("wang"), sheet.pk, part, cast.now)
    other = Part(2, "1", sample_job_id=second.pk)
    assert refused(lambda: line_charges.charge(cast.actor("wang"), sheet.pk, other, cast.now)) == [
        ("commission.line_used_up", "quantity")
    ]
    work.come(first)
    work.step(first, "receive")
    work.step(first, "lose", reason="Broken", ends_job=True)
    line_charges.charge(cast.actor("wang"), sheet.pk, other, work.now)
    assert wrong() == {}


def test_who_signed_for_the_customer_does_not_charge_for_the_lab(cast: Any, signed: Any, session: Any) -> None:
    from instruments.models import Membership

    sheet = signed()
    booked = session(sheet)
    Membership.objects.create(user=cast.users["zhao"], organisation=cast.lab, role="lab_manager", created_at=cast.now)
    assert refused(lambda: line_charges.charge(cast.actor("zhao"), sheet.pk, Part(2, "1", booked.pk), AT)) == [
        ("commission.signed_by_you", "")
    ]


def test_the_same_over_the_api_and_the_sheet_tells_what_was_charged(cast: Any, signed: Any, session: Any) -> None:
    sheet = signed()
    booked = session(sheet)
    place = f"/api/v1/commission-sheets/{sheet.pk}/"
    body = {"line": 2, "quantity": "1", "reservation": booked.pk}
    assert client("lin").post(f"{place}charge/", body, format="json").status_code == 403
    assert client("he").post(f"{place}charge/", body, format="json").status_code == 404
    both = client("wang").post(f"{place}charge/", body | {"sample_job": 1}, format="json")
    assert both.status_code == 400 and [each["field"] for each in both.json()["errors"]] == ["reservation"]
    made = client("wang").post(f"{place}charge/", body, format="json")
    assert made.status_code == 201
    assert {name: made.json()[name] for name in ("line", "quantity", "amount_fen", "state", "reservation", "sample_job")} == {
        "line": 2, "quantity": "1", "amount_fen": 300_00, "state": "agreed", "reservation": booked.pk, "sample_job": None,
    }  # fmt: skip
    shown = client("lin").get(place).json()
    assert [(each["charged"], each["left"]) for each in shown["lines"]] == [(None, None), ("1", "1"), ("0", "2.5")]
    assert [each["session_extra"] for each in shown["charges"]] == [SessionExtra.objects.get().pk]


def test_a_charge_on_a_line_can_be_looked_at_by_both_sides_and_its_day_is_the_signature(
    cast: Any, signed: Any, session: Any
) -> None:
    sheet = signed()
    booked = session(sheet)
    line_charges.charge(cast.actor("wang"), sheet.pk, Part(2, "1", booked.pk), AT + timedelta(days=2))
    (row,) = session_extras.of(cast.actor("lin"), booked)
    assert row.by_order.sheet == sheet and row.answered_at.date() == date(2026, 11, 23)
