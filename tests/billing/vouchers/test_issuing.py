"""From the announcement to the voucher: two officers, windows, areas, eligibility, quotas; and the database behind each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from billing.ledger import life, top_ups
from billing.ledger.models import Account, Transfer
from billing.vouchers.models import Voucher, VoucherApplication
from billing.vouchers.rules.backing import Usable, behind, spread
from billing.vouchers.rules.terms import Area, last_day, term_faults
from billing.vouchers.services import announcing, applying, holding
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from frontend.voucher_forms import AnnouncementForm
from instruments.models import PolicyZone
from tests.billing.vouchers.conftest import CODE, PDF, TERMS


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


def code_of(refused) -> str:
    return refused.value.reasons[0].code


def test_an_announcement_is_published_by_another_officer_who_funds_its_quotas(desk):
    cast = desk.cast
    draft = announcing.draft(cast.actor("chen"), CODE, TERMS, cast.now)
    with pytest.raises(Refusal, match="own_draft"):
        announcing.publish(cast.actor("chen"), draft.pk, cast.now)
    announcing.publish(cast.actor("sun"), draft.pk, cast.now)
    assert [quota.account.left_fen for quota in draft.quotas.order_by("pk")] == [8_000_00, 1_000_00]
    with pytest.raises(Refusal, match="published_already"):
        announcing.publish(cast.actor("sun"), draft.pk, cast.now)


def test_what_is_left_of_a_quota_goes_back_to_the_treasury_that_funded_it(desk):
    quota = desk.announce().quotas.order_by("pk")[0].account
    life.close(desk.cast.actor("qian"), quota.pk, "Announcement over", desk.cast.now)
    came = Transfer.objects.get(credit=quota, kind="grant").debit
    assert Transfer.objects.get(debit=quota, kind="reverse").credit == came
    assert came.key == life.TREASURY.key


@pytest.mark.parametrize("who", ["zhao", "qian", "zhou", "wang"])
def test_only_officers_announce(desk, who):
    with pytest.raises(Forbidden):
        announcing.draft(desk.cast.actor(who), CODE, TERMS, desk.cast.now)


def test_faults_of_an_announcement_are_told_together_at_their_fields(desk):
    from billing.subsidy.rules import parse_programme
    from tests.conftest import voucher_document

    wrong = replace(
        TERMS,
        cap_id="pool",
        title=" ",
        closes_on=date(2026, 10, 1),
        life_days=0,
        most_fen=0,
        areas=(Area("", "6", 1), Area("", "6", 1)),
    )
    fields = {reason.field for reason in term_faults(wrong, parse_programme(voucher_document(CODE)))}
    assert fields == {"cap_id", "title", "closes_on", "life_days", "most_fen", "areas"}


def test_a_zone_longer_than_its_column_is_refused(desk):
    with pytest.raises(Refusal) as refused:
        desk.announce(areas=(Area("z" * 51, "", 1_000_00),))
    assert (code_of(refused), refused.value.reasons[0].field) == ("voucher.area_invalid", "areas")


def test_a_zone_that_nobody_knows_or_that_has_ended_is_refused_with_those_there_are(desk):
    PolicyZone.objects.create(slug="west", name="West", valid_to=TERMS.opens_on)
    for wrong in ("Asia/Shanghai", "west"):
        with pytest.raises(Refusal) as refused:
            desk.announce(areas=(Area(wrong, "", 1_000_00), Area("east", "", 1_00)))
        (reason,) = refused.value.reasons
        assert (reason.code, reason.field) == ("voucher.zone_unknown", "areas")
        assert reason.params == {"text": wrong, "known": ["east"]}


def test_the_code_of_a_whole_division_is_for_all_within_it():
    xining = Area("", "630100", 1)
    assert [xining.takes(code, frozenset()) for code in ("630102", "630100", "632801", None)] == [True, True, False, False]


def test_an_area_written_with_its_zeros_and_without_stands_there_twice(desk):
    with pytest.raises(Refusal) as refused:
        desk.announce(areas=(Area("", "63", 1_000_00), Area("", "630000", 1_000_00)))
    assert code_of(refused) == "voucher.area_twice"
    announced = desk.announce(areas=(Area("", "630000", 1_000_00),))
    assert [quota.code_prefix for quota in announced.quotas.all()] == ["63"]


@pytest.mark.parametrize("line", ["6301: 0500", "*: ,", "6301: 1,000.123"])
def test_a_line_that_is_no_area_is_a_fault_of_the_form(line):
    form = AnnouncementForm([], {"areas": line})
    assert "areas" in form.errors
    assert "areas" not in AnnouncementForm([], {"areas": "6301: 5,000.50"}).errors


def test_a_published_announcement_never_changes_and_does_without_its_trigger(desk):
    found = desk.announce()
    statement = f"UPDATE billing_voucherannouncement SET title = 'x' WHERE id = {found.pk}"
    with pytest.raises(Exception, match="annot"), transaction.atomic():
        run(statement)
    run("ALTER TABLE billing_voucherannouncement DISABLE TRIGGER USER")
    run(statement)


def test_one_person_reviews_another_issues_and_the_firm_has_a_voucher(desk):
    cast = desk.cast
    found = desk.announce()
    row = desk.reviewed(found, 1_200_00)
    with pytest.raises(Refusal, match="own_review"):
        applying.issue(cast.actor("chen"), row.pk, cast.now)
    made = applying.issue(cast.actor("qian"), row.pk, cast.now)
    assert (made.number, made.face_fen) == (f"CN-630000/{CODE}/2026/000001", 1_200_00)
    assert (made.valid_from, made.valid_to) == (date(2026, 11, 23), date(2026, 12, 22))
    made.account.refresh_from_db()
    assert (made.account.left_fen, row.quota.account.left_fen) == (1_200_00, 8_000_00 - 1_200_00)
    row.refresh_from_db()
    assert (row.state, row.facts["applicant"]["size"], row.facts_decided["applicant"]["verified"]) == ("issued", "micro", True)
    moved = Transfer.objects.get(credit=made.account)
    assert (moved.kind, moved.reason, moved.source_type) == ("grant", "issue", "voucher_application")


def test_three_people_are_needed_even_past_the_service(desk):
    row = desk.reviewed(desk.announce())
    with pytest.raises(Exception, match="voucher_application_three_people"), transaction.atomic():
        VoucherApplication.objects.filter(pk=row.pk).update(state="issued", decided_by=row.reviewed_by, decided_at=desk.cast.now)
    run("ALTER TABLE billing_voucherapplication DROP CONSTRAINT voucher_application_three_people")
    VoucherApplication.objects.filter(pk=row.pk).update(state="issued", decided_by=row.reviewed_by, decided_at=desk.cast.now)


def test_an_issuer_of_the_same_firm_is_refused(desk):
    from instruments.models import Membership

    row = desk.reviewed(desk.announce())
    Membership.objects.create(
        user=desk.cast.users["sun"], organisation=desk.cast.firm, role="researcher", created_at=desk.cast.now
    )
    with pytest.raises(Refusal, match="own_application"):
        applying.issue(desk.cast.actor("sun"), row.pk, desk.cast.now)


def test_a_firm_applies_once_and_again_after_it_withdrew(desk):
    found = desk.announce()
    row = desk.apply(found)
    with pytest.raises(Conflict, match="applied_already"):
        desk.apply(found)
    applying.withdraw(desk.cast.actor("zhao"), row.pk, desk.cast.now)
    desk.apply(found)


def test_the_window_the_area_and_the_amount_are_checked(desk):
    cast = desk.cast
    with pytest.raises(Refusal) as late:
        desk.apply(desk.announce(closes_on=date(2026, 11, 22)))
    assert code_of(late) == "voucher.window_closed"
    found = desk.announce()
    with pytest.raises(Refusal) as elsewhere:
        desk.apply(found, place=1)
    assert (code_of(elsewhere), elsewhere.value.reasons[0].field) == ("voucher.not_in_area", "quota")
    with pytest.raises(Refusal) as much:
        desk.apply(found, 5_000_01)
    assert code_of(much) == "voucher.asked_range"
    with pytest.raises(Forbidden):
        given = applying.Application(found.quotas.first().pk, 1, "x", PDF)
        applying.apply(cast.actor("lin"), found.pk, cast.firm.pk, given, cast.now)


def test_who_does_not_meet_the_programmes_conditions_is_told_every_one(desk, cast):
    cast.firm.status, cast.firm.verified_at = "claimed", None
    cast.firm.save()
    with pytest.raises(Refusal) as refused:
        desk.apply(desk.announce())
    assert [reason.code for reason in refused.value.reasons] == ["voucher.not_eligible", "subsidy.unmet.verified_organisation"]


def test_eligibility_lost_between_application_and_issue_stops_the_issue(desk, cast):
    row = desk.reviewed(desk.announce())
    cast.firm.status, cast.firm.verified_at = "claimed", None
    cast.firm.save()
    with pytest.raises(Refusal, match="not_eligible"):
        applying.issue(cast.actor("sun"), row.pk, cast.now)
    assert not Voucher.objects.exists()


def test_a_quota_that_is_used_up_says_what_is_left(desk):
    found = desk.announce(areas=(Area("", "63", 1_500_00),))
    first, second = desk.reviewed(found, 1_000_00), desk.reviewed(found, 1_000_00, "he")
    applying.issue(desk.cast.actor("sun"), first.pk, desk.cast.now)
    with pytest.raises(Conflict) as refused:
        applying.issue(desk.cast.actor("sun"), second.pk, desk.cast.now)
    assert (code_of(refused), refused.value.reasons[0].params) == ("voucher.quota_used_up", {"left_fen": 500_00})
    second.refresh_from_db()
    assert second.state == "reviewed"


def test_a_suspended_quota_issues_nothing_until_it_is_opened_again(desk):
    row = desk.reviewed(desk.announce())
    quota = Account.objects.get(quota=row.quota)
    life.set_suspended(desk.cast.actor("qian"), quota.pk, True, "Audit", desk.cast.now)
    with pytest.raises(Conflict, match="quota_suspended"):
        applying.issue(desk.cast.actor("sun"), row.pk, desk.cast.now)
    life.set_suspended(desk.cast.actor("qian"), quota.pk, False, "Audit over", desk.cast.now)
    assert applying.issue(desk.cast.actor("sun"), row.pk, desk.cast.now).face_fen == 1_000_00


def test_nobody_raises_a_voucher_alone(desk):
    made = desk.issued()
    with pytest.raises(Refusal, match="voucher_is_issued"):
        top_ups.ask(desk.cast.actor("qian"), made.account_id, 1_00, "More", desk.cast.now)
    assert Account.objects.get(pk=made.account_id).granted_fen == 1_000_00


def test_of_a_face_value_nothing_else_is_issued(desk):
    found = desk.announce(face_fen=500_00, most_fen=500_00)
    with pytest.raises(Refusal, match="asked_range"):
        desk.apply(found, 400_00)
    row = desk.apply(found, 500_00)
    with pytest.raises(Refusal, match="asked_range"):
        applying.review(desk.cast.actor("chen"), row.pk, 300_00, "", desk.cast.now)


def test_a_refusal_says_why_and_ends_it(desk):
    row = desk.apply(desk.announce())
    with pytest.raises(Refusal, match="reason_needed"):
        applying.refuse(desk.cast.actor("chen"), row.pk, "", desk.cast.now)
    applying.refuse(desk.cast.actor("chen"), row.pk, "No evidence of the project", desk.cast.now)
    with pytest.raises(Conflict, match="decided_already"):
        applying.review(desk.cast.actor("chen"), row.pk, 1, "", desk.cast.now)


def test_a_foreign_application_and_voucher_are_not_there(desk):
    made = desk.issued()
    with pytest.raises(NotFound):
        applying.evidence_for(desk.cast.actor("he"), made.application_id)
    with pytest.raises(NotFound):
        holding.give_back(desk.cast.actor("he"), made.pk, desk.cast.now)


def test_a_voucher_given_back_returns_to_its_quota(desk):
    made = desk.issued(1_000_00)
    holding.give_back(desk.cast.actor("zhao"), made.pk, desk.cast.now)
    account = Account.objects.get(pk=made.account_id)
    assert (account.state, account.left_fen) == ("closed", 0)
    assert made.application.quota.account.left_fen == 8_000_00
    with pytest.raises(Conflict, match="returned_already"):
        holding.give_back(desk.cast.actor("zhao"), made.pk, desk.cast.now)


@pytest.mark.parametrize(
    "change", ["face_fen = face_fen + 1", "valid_to = valid_to + 1", "organisation_id = organisation_id + 1"]
)
def test_a_voucher_never_changes_and_does_without_its_trigger(desk, change):
    made = desk.issued()
    statement = f"UPDATE billing_voucher SET {change} WHERE id = {made.pk}"
    with pytest.raises(Exception, match="annot"), transaction.atomic():
        run(statement)
    if "organisation" not in change:
        run("ALTER TABLE billing_voucher DISABLE TRIGGER USER")
        run(statement)


def test_days_and_order_of_vouchers():
    assert last_day(date(2026, 11, 23), 1, date(2026, 12, 31)) == date(2026, 11, 23)
    assert last_day(date(2026, 11, 23), 100, date(2026, 12, 31)) == date(2026, 12, 31)
    assert spread(100, [30, 50, 90]) == (30, 50, 20)
    assert spread(200, [30, 50]) == (30, 170)  # and the ledger refuses
    assert spread(0, []) == ()


def test_only_vouchers_of_the_cap_that_hold_on_the_day_stand_behind_it(desk):
    from billing.subsidy.rules import parse_programme
    from tests.conftest import voucher_document

    (cap,) = parse_programme(voucher_document(CODE)).caps
    day = date(2026, 12, 1)
    ones = [
        Usable("late", 1, "voucher", "2", date(2026, 1, 1), day + timedelta(days=9)),
        Usable("soon", 1, "voucher", "1", date(2026, 1, 1), day),
        Usable("over", 1, "voucher", "0", date(2026, 1, 1), day - timedelta(days=1)),
        Usable("other programme", 2, "voucher", "3", date(2026, 1, 1), day),
        Usable("other cap", 1, "else", "4", date(2026, 1, 1), day),
    ]
    assert [each.key for each in behind(cap, 1, day, ones)] == ["soon", "late"]
