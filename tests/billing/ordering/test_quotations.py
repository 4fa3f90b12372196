"""A quotation from the draft to its end: priced from the price list, frozen when sent, accepted once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from billing.ledger.rules.documents import sha256_of
from billing.ordering import queries
from billing.ordering.models import CommissionSheet, Quotation
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations
from billing.pricing import sample_prices
from booking.models import Enquiry, EnquiryMessage
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Resource, TestItem
from tests.price_publishing import publish_confirmed


def codes(refusal) -> set[str]:
    return {reason.code for reason in refusal.value.reasons}


def fields(refusal) -> dict[str, str]:
    return {reason.field: reason.code for reason in refusal.value.reasons}


@pytest.fixture
def test_item(cast):
    resource = Resource.objects.create(
        kind="test_item", organisation=cast.lab, name="Li in brine", published=True, created_at=cast.now, updated_at=cast.now
    )
    TestItem.objects.create(resource=resource)
    today = date(2026, 11, 23)
    sample_prices.publish_test_price(cast.actor("wang"), resource, "sample", 8000, {"firm_sme": 6000}, today, cast.now, today)
    return resource


def test_lines_take_the_published_price_of_the_customers_class(cast, drafted, test_item):
    quotation = drafted(
        LineInput("instrument_time", "2.5", cast.xrd.pk),
        LineInput("test", "3", test_item.pk),
        LineInput("test", "3", test_item.pk, unit_price_fen=5500),
        LineInput("other", "0.5", None, "Report", "piece", 15_001),
    )
    kept = [(row.unit, row.unit_price_fen, row.published_fen, row.amount_fen) for row in quotation.lines.order_by("position")]
    assert kept == [
        ("hour", 40_000, 40_000, 100_000),
        ("sample", 6_000, 6_000, 18_000),
        ("sample", 5_500, 6_000, 16_500),
        ("piece", 15_001, None, 7_501),
    ]
    assert quotation.total_fen == 142_001


def test_a_draft_is_the_labs_own_and_can_be_changed(cast, enquiry, drafted, offer):
    quotation = drafted()
    assert (quotation.state, quotation.number, quotation.total_fen) == ("draft", None, 115_000)
    with pytest.raises(NotFound):
        queries.quotation_for(cast.actor("lin"), quotation.pk)
    quotations.edit(
        cast.actor("wang"), quotation.pk, offer(LineInput("other", "1", None, "All", "piece", 1), title="Less"), cast.now
    )
    quotation.refresh_from_db()
    assert (quotation.title, quotation.total_fen, quotation.lines.count()) == ("Less", 1, 1)


def test_sending_numbers_and_freezes_it_and_answers_the_thread(cast, enquiry, sent):
    quotation = sent()
    assert (quotation.state, quotation.number) == ("sent", "BJ-2026-000001")
    assert sha256_of(quotation.content) == quotation.content_sha256
    content = quotation.content
    assert (content["lab"]["name"], content["customer"]["name"], content["total_fen"]) == (
        "Kunlun Institute",
        "Gaoyuan Lithium",
        115_000,
    )
    assert [line["amount_fen"] for line in content["lines"]] == [100_000, 15_000]
    assert Enquiry.objects.get(pk=enquiry).state == "answered"
    assert "BJ-2026-000001" in EnquiryMessage.objects.latest("pk").text
    assert sent().number == "BJ-2026-000002"
    assert queries.quotation_for(cast.actor("zhao"), quotation.pk).pk == quotation.pk


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_quotation SET total_fen = 1",
        "UPDATE billing_quotation SET content = '{}'",
        "UPDATE billing_quotation SET number = 'BJ-2026-000009'",
        "UPDATE billing_quotation SET valid_until = '2030-01-01'",
        "UPDATE billing_quotationline SET unit_price_fen = 1",
        "DELETE FROM billing_quotationline",
        "DELETE FROM billing_quotation",
        "INSERT INTO billing_quotationline (quotation_id, position, kind, subject_name, description, quantity, unit, unit_price_fen,"
        " amount_fen) SELECT id, 9, 'other', '', 'x', 1, 'piece', 1, 1 FROM billing_quotation",
    ],
)
def test_what_was_sent_cannot_be_changed_by_whoever_writes(sent, statement):
    sent()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_line_whose_amount_is_not_its_price_is_refused_by_the_database(drafted):
    drafted()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_quotationline SET amount_fen = amount_fen + 2")


def test_what_was_sent_is_not_edited_or_sent_again(cast, sent, offer):
    quotation = sent()
    for attempt in (
        lambda: quotations.edit(cast.actor("wang"), quotation.pk, offer(), cast.now),
        lambda: quotations.send(cast.actor("wang"), quotation.pk, "", cast.now),
    ):
        with pytest.raises(Refusal) as refused:
            attempt()
        assert codes(refused) == {"quotation.illegal_transition"}


def test_accepting_makes_one_commission_sheet_however_often(cast, sent):
    quotation = sent()
    lin = cast.actor("lin")
    first = quotations.accept(lin, quotation.pk, 115_000, cast.now, idempotency_key="a")
    again = quotations.accept(lin, quotation.pk, 115_000, cast.now, idempotency_key="a")
    assert (again.pk, again.replayed, first.replayed) == (first.pk, True, False)
    with pytest.raises(Refusal) as refused:
        quotations.accept(cast.actor("zhao"), quotation.pk, 115_000, cast.now, idempotency_key="b")
    assert codes(refused) == {"quotation.illegal_transition"}
    sheet = CommissionSheet.objects.get()
    assert (sheet.pk, sheet.total_fen, sheet.lab_id, sheet.organisation_id) == (first.pk, 115_000, cast.lab.pk, cast.firm.pk)
    assert (sheet.state, sheet.terms) == ("draft", "Ten days.")


def test_another_total_than_the_one_looked_at_is_not_accepted(cast, sent):
    with pytest.raises(Conflict) as refused:
        quotations.accept(cast.actor("lin"), sent().pk, 114_999, cast.now, idempotency_key="a")
    assert codes(refused) == {"quotation.figures_differ"}
    assert not CommissionSheet.objects.exists()


def test_it_binds_until_the_end_of_its_last_day_and_lapses_after(cast, sent):
    quotation = sent(valid_until=date(2026, 11, 23))
    evening = cast.now.replace(hour=15, minute=59)  # 23:59 in Shanghai
    assert quotations.expire_due(evening) == 0
    with pytest.raises(Refusal) as refused:
        quotations.accept(cast.actor("lin"), quotation.pk, None, evening + timedelta(minutes=1), idempotency_key="a")
    assert codes(refused) == {"quotation.expired"}
    assert quotations.expire_due(evening + timedelta(minutes=1)) == 1
    assert quotations.expire_due(evening + timedelta(minutes=1)) == 0
    quotation.refresh_from_db()
    assert (quotation.state, quotation.ended_by) == ("expired", None)


def test_a_declined_one_says_why_and_a_withdrawn_one_cannot_be_accepted(cast, sent):
    lin, wang = cast.actor("lin"), cast.actor("wang")
    first, second = sent(), sent()
    with pytest.raises(Refusal) as refused:
        quotations.decline(lin, first.pk, "  ", cast.now)
    assert codes(refused) == {"quotation.reason_missing"}
    assert quotations.decline(lin, first.pk, "Too dear", cast.now).reason == "Too dear"
    quotations.withdraw(wang, second.pk, "Instrument broken", cast.now)
    with pytest.raises(Refusal):
        quotations.accept(lin, second.pk, None, cast.now, idempotency_key="a")


@pytest.mark.parametrize("who", ["he", "chen", "wu", "zhou"])
def test_others_find_no_quotation(cast, sent, who):
    quotation, actor = sent(), cast.actor(who)
    for attempt in (
        lambda: queries.quotation_for(actor, quotation.pk),
        lambda: quotations.accept(actor, quotation.pk, None, cast.now, idempotency_key="k"),
        lambda: quotations.decline(actor, quotation.pk, "no", cast.now),
        lambda: quotations.withdraw(actor, quotation.pk, "", cast.now),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert list(queries.quotations_visible(actor)) == []


def test_each_side_does_what_is_its_own(cast, enquiry, sent, drafted, offer):
    quotation = sent()
    for attempt in (
        lambda: quotations.accept(cast.actor("wang"), quotation.pk, None, cast.now, idempotency_key="k"),
        lambda: quotations.decline(cast.actor("li"), quotation.pk, "no", cast.now),
        lambda: quotations.withdraw(cast.actor("lin"), quotation.pk, "", cast.now),
        lambda: quotations.send(cast.actor("li"), drafted().pk, "", cast.now),
        lambda: quotations.draft(cast.actor("lin"), enquiry, offer(), cast.now, idempotency_key="k"),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_a_draft_may_be_given_up_and_never_gets_a_number(cast, drafted):
    quotation = quotations.withdraw(cast.actor("wang"), drafted().pk, "", cast.now)
    assert (quotation.state, quotation.number) == ("withdrawn", None)


def test_the_same_draft_twice_is_one(cast, enquiry, offer):
    made = [quotations.draft(cast.actor("wang"), enquiry, offer(), cast.now, idempotency_key="k").pk for _ in range(2)]
    assert made[0] == made[1] and Quotation.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"title": " "}, "title", "quotation.title_missing"),
        ({"title": "x" * 201}, "title", "name.too_long"),
        ({"tax_note": "a\u202eb"}, "tax_note", "name.direction_control"),
        ({"terms": "x" * 4001}, "terms", "name.too_long"),
        ({"valid_until": date(2026, 11, 22)}, "valid_until", "quotation.validity_out_of_range"),
        ({"valid_until": date(2029, 1, 1)}, "valid_until", "quotation.validity_out_of_range"),
    ],
)
def test_bad_input_is_named_at_its_field(drafted, change, field, code):
    with pytest.raises(Refusal) as refused:
        drafted(**change)
    assert fields(refused) == {field: code}
    assert not Quotation.objects.exists()


def test_what_is_not_the_labs_own_or_has_no_price_is_refused_with_its_line(cast, drafted, test_item):
    Resource.objects.filter(pk=test_item.pk).update(organisation=cast.lab)
    with pytest.raises(Refusal) as refused:
        drafted(LineInput("instrument_time", "1", 987654), LineInput("test", "1", cast.xrd.pk + 999))
    assert fields(refused) == {
        "lines.0.subject": "quotation.subject_of_another",
        "lines.1.subject": "quotation.subject_of_another",
    }
    today = date(2026, 11, 23)
    publish_confirmed(cast.actor("wang"), test_item, "sample", None, {}, today, cast.now, today)
    with pytest.raises(Refusal) as refused:
        drafted(LineInput("test", "1", test_item.pk))
    assert fields(refused) == {"lines.0.unit_price": "quotation.no_published_price"}


def test_a_total_beyond_any_reason_is_refused(drafted):
    with pytest.raises(Refusal) as refused:
        drafted(LineInput("other", "1000", None, "x", "piece", 100_000_000_000))
    assert codes(refused) == {"quotation.total_too_large"}
