"""A published version ends before the last day of its document: for a successor or without one, by two people, never in the past."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from psycopg.types.range import DateRange

from billing.claims import queries as claim_queries
from billing.claims.models import Claim, ClaimLine
from billing.claims.rules.checks import CheckCode, look
from billing.claims.services import batches
from billing.claims.services.batches import BatchInput
from billing.ledger.models import Account
from billing.settlement.models import Charge
from billing.settlement.services import assessing, basis_day, charging_many
from billing.subsidy import draft_queries, drafts, ends
from billing.subsidy import services as subsidy
from billing.subsidy.end_models import VersionEnd
from billing.subsidy.ending import Confirmed
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.queries import programme_versions
from booking.rules.service_facts import Said
from booking.services import transitions, usage_review
from config.kernel import invariants
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Notice
from tests.billing.money_invariants import wrong
from tests.billing.services.conftest import Life
from tests.conftest import programme_document
from tests.scenarios.test_two_years_of_money import session, subsidies

pytestmark = pytest.mark.django_db
CODE = "DEMO-QH-V"


def rule(label: str, rate: str, first_day: str, last_day: str, **changes: Any) -> dict[str, Any]:
    """DEMO-QH-V for whoever is verified, under one wide limit and without stacking, with its own rate and days."""
    document = programme_document(CODE) | {"version": label, "open_points": []}
    document.pop("exclusive")
    clause = document["caps"][0]["clause"]
    document["caps"] = [{"id": "year", "per": "applicant_year", "limit": "10000", "when_short": "partial", "clause": clause}]
    document["gates"] = [gate for gate in document["gates"] if gate["type"] in ("applicant_kind", "verified_organisation")]
    document["rate"] = document["rate"] | {"rate": rate}
    document["validity"] = document["validity"] | {"first_day": first_day, "last_day": last_day}
    facts = {
        "applicant": {"kind": "firm", "verified": True},
        "provider": {"verified": True},
        "service": {
            "kind": "instrument_use",
            **dict.fromkeys(("service_on", "invoice_on", "claim_on", "approval_on"), first_day),
        },
        "amounts": {"fee": 100},
    }
    document["examples"] = [{"title": "plain", "facts": facts, "expect": {"total": round(100 * float(rate))}}]
    return document | changes


OLD = rule("2025.1", "0.4", "2025-01-01", "2027-12-31")
NEW = rule("2026.2", "0.3", "2026-12-01", "2027-12-31")


def published(cast: Any, document: dict[str, Any], ends_id: int | None = None) -> ProgrammeVersion:
    """By the pages' own way: Chen writes and hands in, Sun looks and publishes."""
    draft = drafts.hand_in(cast.actor("chen"), document, cast.now)
    return drafts.approve(cast.actor("sun"), draft.pk, draft.revision, cast.now, ends_id)


@pytest.fixture
def old(cast: Any) -> ProgrammeVersion:
    return published(cast, OLD)


def again(version: ProgrammeVersion) -> ProgrammeVersion:
    return ProgrammeVersion.objects.get(pk=version.pk)


def codes(refused: Any) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def replayed() -> str:
    out = StringIO()
    call_command("replay_charges", stdout=out)
    return out.getvalue()


def december(version: ProgrammeVersion, mode: str) -> BatchInput:
    """A batch of the first days of December."""
    days = {"from_on": 1, "until_on": 5, "opens_on": 10, "closes_on": 31}
    return BatchInput(version.programme_id, mode, fund_year=2026, **{name: date(2026, 12, day) for name, day in days.items()})


def stopped(cast: Any, version: ProgrammeVersion, last_on: date) -> VersionEnd:
    row = ends.ask(cast.actor("chen"), version.pk, last_on, "The fund is used up", cast.now)
    return ends.confirm(cast.actor("sun"), row.pk, cast.now)


def test_a_rule_changes_mid_year_and_each_day_goes_by_its_own_version(cast: Any, life: Life, old: ProgrammeVersion) -> None:
    # Two hours cost 800.00. Before anybody thinks of a change: 40 % of the 25th, and of the 2nd of December as it was promised.
    before = life.whole(session(11, 25))
    promised = life.approve(life.ask(session(12, 2)))
    frozen = before.result
    new = published(cast, NEW, old.pk)
    assert (again(old).valid, again(new).valid) == (
        DateRange(date(2025, 1, 1), date(2026, 12, 1)),
        DateRange(date(2026, 12, 1), date(2028, 1, 1)),
    )
    assert again(old).document == OLD, "the document stays as it was"
    assert subsidies(life.whole(session(11, 30))) == {CODE: 320_00}, "the day before goes by the old one"
    first_day = life.whole(session(12, 1))
    assert subsidies(first_day) == {CODE: 240_00}, "30 % from the first day on"
    kept = life.use(promised)
    assert subsidies(kept) == {CODE: 320_00}, "what was promised before stays promised"
    assert {award.programme_version.label for award in kept.awards.all()} == {"2025.1"}
    states = {each.version.label: each.state for each in programme_versions(cast.actor("lin"), CODE, date(2026, 12, 1))}
    assert states == {"2025.1": "ended", "2026.2": "current"}
    assert replayed() == "4 charges computed again: identical.\n"
    before.refresh_from_db()
    assert before.result == frozen
    assert not wrong()


def test_the_record_says_who_when_and_which_days(cast: Any, old: ProgrammeVersion) -> None:
    new = published(cast, NEW, old.pk)
    row = VersionEnd.objects.get()
    assert (row.version_id, row.successor_id, row.last_before, row.last_on) == (
        old.pk,
        new.pk,
        date(2027, 12, 31),
        date(2026, 11, 30),
    )
    assert (row.state, row.asked_by, row.decided_by) == ("set", cast.users["chen"], cast.users["sun"])
    entry = AuditEntry.objects.get(action="programme.end")
    assert entry.before == {"last_on": "2027-12-31"} and entry.after == {"last_on": "2026-11-30", "successor": "2026.2"}


def test_nothing_ends_that_was_not_confirmed(cast: Any, old: ProgrammeVersion) -> None:
    draft = drafts.hand_in(cast.actor("chen"), NEW, cast.now)
    found = draft_queries.beside_published(draft, cast.now)
    assert found.ends is not None and found.reasons == ()
    assert (found.ends.version, found.ends.last_before, found.ends.last_on) == (old, date(2027, 12, 31), date(2026, 11, 30))
    for ends_id in (None, old.pk + 1000):
        with pytest.raises(Refusal) as refused:
            drafts.approve(cast.actor("sun"), draft.pk, draft.revision, cast.now, ends_id)
        assert codes(refused) == ["programme.ending_unconfirmed"] and refused.value.reasons[0].field == "ends"
    assert again(old).last_on == date(2027, 12, 31) and not VersionEnd.objects.exists()


def test_what_ends_nothing_is_not_published_as_if_it_did(cast: Any, old: ProgrammeVersion) -> None:
    later = rule("2028.1", "0.3", "2028-01-01", "2028-12-31")
    draft = drafts.hand_in(cast.actor("chen"), later, cast.now)
    assert draft_queries.beside_published(draft, cast.now).ends is None
    with pytest.raises(Refusal) as refused:
        drafts.approve(cast.actor("sun"), draft.pk, draft.revision, cast.now, old.pk)
    assert codes(refused) == ["programme.ends_nothing"]


@pytest.mark.parametrize(
    "first_day, code",
    [("2026-11-22", "programme.ends_in_the_past"), ("2025-01-01", "programme.overlaps"), ("2024-12-31", "programme.overlaps")],
)
def test_days_that_are_over_and_versions_that_began_later_stay(
    cast: Any, old: ProgrammeVersion, first_day: str, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        drafts.hand_in(cast.actor("chen"), rule("2026.2", "0.3", first_day, "2027-12-31"), cast.now)
    assert codes(refused) == [code]


def test_a_version_may_begin_today_and_not_once_its_day_is_over(cast: Any, old: ProgrammeVersion) -> None:
    draft = drafts.hand_in(cast.actor("chen"), rule("2026.2", "0.3", "2026-11-23", "2027-12-31"), cast.now)
    late = datetime(2026, 11, 23, 16, 1, tzinfo=UTC)  # a minute past midnight in Shanghai
    with pytest.raises(Refusal) as refused:
        drafts.approve(cast.actor("sun"), draft.pk, draft.revision, late, old.pk)
    assert codes(refused) == ["programme.ends_in_the_past"]
    drafts.approve(cast.actor("sun"), draft.pk, draft.revision, late - timedelta(minutes=2), old.pk)
    assert again(old).last_on == date(2026, 11, 22)


def test_a_version_that_would_end_and_one_that_cannot_are_told_together_and_nothing_ends(
    cast: Any, old: ProgrammeVersion
) -> None:
    published(cast, rule("2028.1", "0.3", "2028-01-01", "2028-12-31"))
    with pytest.raises(Refusal) as refused:
        drafts.hand_in(cast.actor("chen"), rule("2027.1", "0.3", "2027-06-01", "2028-06-30"), cast.now)
    assert codes(refused) == ["programme.overlaps"] and refused.value.reasons[0].params["label"] == "2028.1"


def test_a_version_that_was_published_for_later_ends_for_another_one(cast: Any, old: ProgrammeVersion) -> None:
    new = published(cast, NEW, old.pk)
    published(cast, rule("2027.1", "0.2", "2027-01-01", "2027-12-31"), new.pk)
    assert (again(old).last_on, again(new).last_on) == (date(2026, 11, 30), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("DELETE FROM billing_versionend WHERE last_on = '2026-11-30'", 1),  # the next one says what stood before it
        ("DELETE FROM billing_versionend WHERE last_on = '2026-11-27'", 1),
        ("UPDATE billing_versionend SET last_before = '2027-12-30' WHERE last_on = '2026-11-30'", 1),
        ("UPDATE billing_programmeversion SET published_at = NULL WHERE label = '2026.2'", 1),
        ("UPDATE billing_programmeversion SET valid = '[2026-12-02,2028-01-01)' WHERE label = '2026.2'", 2),
        ("UPDATE billing_programmeversion SET valid = '[2025-01-01,2026-11-27)' WHERE label = '2025.1'", 1),
    ],
)
def test_days_that_no_record_explains_are_found_behind_the_guards(
    cast: Any, old: ProgrammeVersion, broken: str, said: int
) -> None:
    """A version that ended for another one and was stopped earlier after that: 2027-12-31, 2026-11-30, 2026-11-27."""
    published(cast, NEW, old.pk)
    with connection.cursor() as cursor:  # what is looked at when a transaction ends
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    stopped(cast, old, date(2026, 11, 27))
    days = invariants.registered()["programmes.hold_as_documents_and_ends_say"]
    assert days().violations == () and again(old).last_on == date(2026, 11, 27)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(broken)
        assert cursor.rowcount == 1
    assert len(days().violations) == said, days().violations


def test_a_programme_is_stopped_by_two_officers(cast: Any, life: Life, old: ProgrammeVersion) -> None:
    promised = life.approve(life.ask(session(12, 2)))
    row = ends.ask(cast.actor("chen"), old.pk, date(2026, 11, 30), " The fund\nis used up ", cast.now)
    assert (row.state, row.reason, again(old).last_on) == ("asked", "The fund is used up", date(2027, 12, 31))
    told = Notice.objects.filter(event="programme.stop_asked")
    assert [(each.user, each.needs_action) for each in told] == [(cast.users["sun"], True)]
    with pytest.raises(Refusal) as refused:
        ends.confirm(cast.actor("chen"), row.pk, cast.now)
    assert codes(refused) == ["programme.own_stop"]
    ends.confirm(cast.actor("sun"), row.pk, cast.now)
    assert again(old).last_on == date(2026, 11, 30)
    assert not Notice.objects.filter(event="programme.stop_asked", needs_action=True).exists()
    assert [each.user for each in Notice.objects.filter(event="programme.stopped")] == [cast.users["chen"]]
    assert subsidies(life.whole(session(11, 30))) == {CODE: 320_00}, "its last day still counts"
    assert subsidies(life.whole(session(12, 1))) == {}, "nothing from the day after on"
    assert subsidies(life.use(promised)) == {CODE: 320_00}, "what was promised before is paid"
    with pytest.raises(Conflict):
        ends.confirm(cast.actor("sun"), row.pk, cast.now)
    assert replayed() == "3 charges computed again: identical.\n"
    assert not wrong()


def test_an_end_that_is_not_confirmed_changes_nothing_and_another_may_be_proposed(cast: Any, old: ProgrammeVersion) -> None:
    row = ends.ask(cast.actor("chen"), old.pk, date(2026, 11, 30), "Used up", cast.now)
    with pytest.raises(Conflict) as twice:
        ends.ask(cast.actor("sun"), old.pk, date(2026, 12, 31), "Used up", cast.now)
    assert codes(twice) == ["programme.stop_waits"]
    with pytest.raises(Refusal) as refused:
        ends.refuse(cast.actor("sun"), row.pk, " ", cast.now)
    assert codes(refused) == ["programme.stop_reason"]
    ends.refuse(cast.actor("sun"), row.pk, "There is money left", cast.now)
    assert again(old).last_on == date(2027, 12, 31)
    assert [each.user for each in Notice.objects.filter(event="programme.stop_refused")] == [cast.users["chen"]]
    ends.ask(cast.actor("sun"), old.pk, date(2026, 12, 31), "Used up", cast.now)


@pytest.mark.parametrize("last_on", [date(2026, 11, 22), date(2027, 12, 31), date(2028, 1, 1)])
def test_a_last_day_lies_from_today_to_the_day_before_its_own(cast: Any, old: ProgrammeVersion, last_on: date) -> None:
    with pytest.raises(Refusal) as refused:
        ends.ask(cast.actor("chen"), old.pk, last_on, "Used up", cast.now)
    assert codes(refused) == ["programme.stop_day"] and refused.value.reasons[0].field == "last_on"


def test_today_may_be_the_last_day_and_is_none_any_more_tomorrow(cast: Any, old: ProgrammeVersion) -> None:
    row = ends.ask(cast.actor("chen"), old.pk, date(2026, 11, 23), "Used up", cast.now)
    with pytest.raises(Refusal) as refused:
        ends.confirm(cast.actor("sun"), row.pk, cast.now + timedelta(days=1))
    assert codes(refused) == ["programme.stop_day"]
    ends.confirm(cast.actor("sun"), row.pk, cast.now)
    assert again(old).last_on == date(2026, 11, 23)


def test_an_end_that_was_overtaken_by_a_successor_is_not_confirmed(cast: Any, old: ProgrammeVersion) -> None:
    row = ends.ask(cast.actor("chen"), old.pk, date(2026, 11, 29), "Used up", cast.now)
    published(cast, NEW, old.pk)
    with pytest.raises(Conflict) as refused:
        ends.confirm(cast.actor("sun"), row.pk, cast.now)
    assert codes(refused) == ["programme.stop_overtaken"]


@pytest.mark.parametrize("who", ["qian", "wu", "lin", "zhou"])
def test_only_officers_end_a_version(cast: Any, old: ProgrammeVersion, who: str) -> None:
    with pytest.raises(Forbidden):
        ends.ask(cast.actor(who), old.pk, date(2026, 11, 30), "Used up", cast.now)


def test_a_request_that_is_approved_after_the_end_gets_nothing_of_what_counts_by_the_approval(cast: Any, life: Life) -> None:
    version = published(cast, OLD | {"date_basis": "approval"})
    waits = life.ask(session(12, 2))
    assert life.quote(waits).deducted_fen == 320_00
    pins = assessing.Pins.of(life.quote(waits).inputs)
    stopped(cast, version, date(2026, 11, 24))
    assert pins.approved_on(date(2026, 11, 24)) == pins
    assert pins.approved_on(date(2026, 11, 25)).programme_version_ids == ()


def test_a_request_that_is_approved_after_a_change_goes_by_the_version_of_the_approval(cast: Any, life: Life) -> None:
    version = published(cast, OLD | {"date_basis": "approval"})
    pins = assessing.Pins.of(life.quote(life.ask(session(12, 2))).inputs)
    new = published(cast, NEW | {"date_basis": "approval"}, version.pk)
    assert pins.approved_on(date(2026, 11, 30)) == pins
    assert pins.approved_on(date(2026, 12, 1)).programme_version_ids == (new.pk,)


def _charged_later(life: Life, on: datetime, *, day: int = 30, month: int = 11) -> Any:
    """Used on one day and charged on another."""
    from billing.settlement.models import Charge
    from booking.services import transitions, usage_review

    one = life.approve(life.ask(session(month, day)))
    yield one
    transitions.check_in(life.cast.actor("wang"), one.pk, one.starts_at)
    transitions.check_out(life.cast.actor("wang"), one.pk, one.ends_at + timedelta(minutes=3))
    assert usage_review.agree(life.cast.actor("lin"), one.pk, on)
    yield Charge.objects.get(reservation=one)


INVOICE = {"date_basis": "invoice"}
LATER = datetime(2026, 12, 3, 1, tzinfo=UTC)


def test_an_invoice_after_the_change_goes_by_the_new_rule(cast: Any, life: Life) -> None:
    version = published(cast, OLD | INVOICE)
    steps = _charged_later(life, LATER)
    next(steps)
    published(cast, NEW | INVOICE, version.pk)
    assert subsidies(next(steps)) == {CODE: 240_00}
    assert replayed() == "1 charges computed again: identical.\n"
    assert not wrong()


def test_without_the_look_at_what_took_over_an_invoice_after_the_change_goes_by_the_old_rule(
    cast: Any, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basis_day, "another_took_over", lambda *_: False)
    version = published(cast, OLD | INVOICE)
    steps = _charged_later(life, LATER)
    next(steps)
    published(cast, NEW | INVOICE, version.pk)
    assert subsidies(next(steps)) == {CODE: 320_00}


def test_a_service_of_a_later_day_that_was_promised_before_keeps_its_rule_whenever_its_invoice_comes(
    cast: Any, life: Life
) -> None:
    version = published(cast, OLD | INVOICE)
    steps = _charged_later(life, LATER, day=2, month=12)
    next(steps)
    published(cast, NEW | INVOICE, version.pk)
    assert subsidies(next(steps)) == {CODE: 320_00}


def test_what_a_stopped_programme_promised_is_paid_though_the_invoice_comes_later(cast: Any, life: Life) -> None:
    version = published(cast, OLD | INVOICE)
    steps = _charged_later(life, LATER)
    next(steps)
    stopped(cast, version, date(2026, 11, 30))
    assert subsidies(next(steps)) == {CODE: 320_00}
    assert not wrong()


def test_a_quote_stands_by_its_version_and_the_next_one_goes_by_the_new_rule(
    cast: Any, life: Life, old: ProgrammeVersion
) -> None:
    waits = life.ask(session(12, 2))
    published(cast, NEW, old.pk)
    life.approve(waits)
    assert life.quote(waits).deducted_fen == 320_00, "what was shown is what is approved"
    assert life.quote(life.ask(session(12, 3))).deducted_fen == 240_00


def test_the_pool_of_an_ended_version_may_go_on(cast: Any) -> None:
    clause = OLD["rate"]["clause"]
    pool = {"id": "pool", "per": "pool", "limit": "1000", "when_short": "partial", "clause": clause}
    version = published(cast, OLD | {"caps": [pool]})
    with pytest.raises(Refusal) as refused:
        published(cast, NEW | {"caps": [pool]}, version.pk)
    assert codes(refused) == ["programme.pool_again"], "its money was for the days after as well"
    published(cast, NEW | {"caps": [pool | {"pool_of": "2025.1"}]}, version.pk)
    assert Account.objects.filter(kind="pool").count() == 1


def test_what_was_promised_for_a_day_after_the_end_is_claimed_as_valid(cast: Any, life: Life) -> None:
    version = published(
        cast, OLD | {"settlement": OLD["settlement"] | {"mode": "refunded_later", "form": "post_claim_refund", "payee": "firm"}}
    )
    one = life.approve(life.ask(session(12, 2)))
    stopped(cast, version, date(2026, 11, 30))
    life.use(one)
    now = datetime(2026, 12, 10, 1, tzinfo=UTC)
    batch = batches.open_batch(cast.actor("chen"), december(version, "refunded_later"), now)
    batches.gather(cast.actor("chen"), batch.pk, now)
    claim = Claim.objects.get()
    assert ClaimLine.objects.filter(claim=claim).count() == 1
    checks = {check.code: check.ok for check in look(claim_queries.check_inputs([claim])[claim.pk])}
    assert checks[CheckCode.VALIDITY]


@pytest.fixture
def waiting(cast: Any, old: ProgrammeVersion) -> VersionEnd:
    return ends.ask(cast.actor("chen"), old.pk, date(2026, 11, 30), "Used up", cast.now)


def refused_by_database(statement: str, *values: Any) -> str:
    with pytest.raises((DatabaseError, IntegrityError)) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return str(refused.value)


SET = "UPDATE billing_versionend SET state = 'set', decided_by_id = %s, decided_at = %s WHERE id = %s"
SHORTEN = "UPDATE billing_programmeversion SET valid = daterange(lower(valid), %s) WHERE id = %s"


def test_the_database_lets_nobody_confirm_an_own_end(cast: Any, waiting: VersionEnd) -> None:
    assert "version_end_two_people" in refused_by_database(SET, cast.users["chen"].pk, cast.now, waiting.pk)


def test_the_database_ends_no_version_without_its_record(cast: Any, waiting: VersionEnd) -> None:
    for last in (date(2026, 12, 1), date(2027, 1, 1)):
        assert "only ends as a record" in refused_by_database(SHORTEN, last, waiting.version_id)


def test_the_database_takes_no_record_whose_version_goes_on(cast: Any, waiting: VersionEnd) -> None:
    assert "holds until the day" in refused_by_database(SET, cast.users["sun"].pk, cast.now, waiting.pk)


def test_the_database_ends_nothing_on_a_day_that_is_over(cast: Any, waiting: VersionEnd) -> None:
    late = datetime(2026, 11, 30, 16, 1, tzinfo=UTC)
    assert "a day that is over" in refused_by_database(SET, cast.users["sun"].pk, late, waiting.pk)


def test_the_database_ends_no_version_that_ends_earlier_already(cast: Any, old: ProgrammeVersion) -> None:
    row = ends.ask(cast.actor("chen"), old.pk, date(2026, 11, 29), "Used up", cast.now)
    published(cast, NEW, old.pk)
    assert "holds longer" in refused_by_database(SET, cast.users["sun"].pk, cast.now, row.pk)


def test_the_database_lengthens_no_version_and_changes_nothing_else_of_it(cast: Any, old: ProgrammeVersion) -> None:
    stopped(cast, old, date(2026, 11, 30))
    for change in (
        "valid = daterange(lower(valid), '2028-01-01')",
        "valid = daterange(lower(valid) + 1, upper(valid))",
        "valid = daterange(lower(valid), upper(valid) - 1)",
        "label = 'x'",
        "document = document || '{\"x\": 1}'",
    ):
        statement = f"UPDATE billing_programmeversion SET {change} WHERE id = %s"
        assert "only ends as a record" in refused_by_database(statement, old.pk), change


def test_the_database_takes_a_successor_only_from_those_who_publish_it_for_the_day_after(
    cast: Any, old: ProgrammeVersion
) -> None:
    new = subsidy.draft_version(cast.actor("chen"), NEW, cast.now)
    users = {name: cast.users[name].pk for name in ("chen", "sun", "qian")}
    insert = (
        "INSERT INTO billing_versionend (version_id, successor_id, last_before, last_on, reason, state, asked_by_id, asked_at,"
        " decided_by_id, decided_at, answer) VALUES (%s, %s, '2027-12-31', %s, '', 'set', %s, %s, %s, %s, '')"
    )
    for last_on, asked, decided in (("2026-11-30", "chen", "sun"), ("2026-11-30", "qian", "sun"), ("2026-11-29", "chen", "sun")):
        with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(insert, [old.pk, new.pk, last_on, users[asked], cast.now, users[decided], cast.now])
            cursor.execute(SHORTEN, [date.fromisoformat(last_on) + timedelta(days=1), old.pk])
            if asked == "qian" or last_on != "2026-11-30":
                cursor.execute(
                    "UPDATE billing_programmeversion SET approver_id = %s, published_at = %s WHERE id = %s",
                    [users["sun"], cast.now, new.pk],
                )
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert "a successor is published for the day after" in str(refused.value), (last_on, asked)


def test_the_database_wants_a_reason_where_nothing_follows(cast: Any, old: ProgrammeVersion) -> None:
    for changes, name in (({"reason": ""}, "version_end_says_why"), ({"last_on": date(2027, 12, 31)}, "version_end_is_earlier")):
        values = {"version": old, "last_before": date(2027, 12, 31), "last_on": date(2026, 12, 31), "reason": "x"} | changes
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            VersionEnd.objects.create(**values, asked_by=cast.users["chen"], asked_at=cast.now)


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE billing_versionend CASCADE",
        "DELETE FROM billing_versionend",
        "UPDATE billing_versionend SET last_on = last_on - 1",
        "UPDATE billing_versionend SET answer = 'x'",
    ],
)
def test_what_ended_a_version_stays_as_it_was(cast: Any, old: ProgrammeVersion, statement: str) -> None:
    stopped(cast, old, date(2026, 11, 30))
    refused_by_database(statement)


def test_who_publishes_without_pages_confirms_as_well(cast: Any, old: ProgrammeVersion) -> None:
    new = subsidy.draft_version(cast.actor("chen"), NEW, cast.now)
    with pytest.raises(Refusal) as refused:
        subsidy.publish_version(cast.actor("sun"), new, cast.now)
    assert codes(refused) == ["programme.ending_unconfirmed"]
    subsidy.publish_version(cast.actor("sun"), new, cast.now, Confirmed(old.pk, cast.now))
    assert again(old).last_on == date(2026, 11, 30)


def test_nothing_of_it_waits_in_the_way_of_a_batch(cast: Any, old: ProgrammeVersion) -> None:
    stopped(cast, old, date(2026, 11, 30))
    batch = batches.open_batch(cast.actor("chen"), december(old, OLD["settlement"]["mode"]), cast.now)
    assert batch.programme_version_id == old.pk


QUESTION = {"zh": "有许可吗？", "en": "Is there a licence?"}


def _with_example(document: dict[str, Any], expected: int | None = None, **facts: Any) -> dict[str, Any]:
    (example,) = document["examples"]
    expect = example["expect"] if expected is None else {"total": expected}
    return document | {"examples": [example | {"facts": example["facts"] | facts, "expect": expect}]}


def _licensed(document: dict[str, Any], **asks: Any) -> dict[str, Any]:
    clause, value = document["rate"]["clause"], "a" if asks.get("kind") == "choice" else True
    gate = {"type": "condition", "clause": clause, "when": {"fact": "other.licensed", "is": value}, "says": QUESTION}
    question = {"fact": "other.licensed", "says": QUESTION, "clause": clause} | asks
    made = document | INVOICE | {"gates": [*document["gates"], gate]} | ({"asks": [question]} if asks else {})
    return _with_example(made, other={"licensed": value})


@pytest.mark.parametrize(
    ("new", "given"),
    [
        (_licensed(NEW, kind="yes_no"), {CODE: 240_00}),
        (_licensed(NEW), {}),
        (_licensed(NEW, kind="choice", choices=[{"value": each, "says": QUESTION} for each in "ab"]), {}),
    ],
    ids=["asks the same", "asks nothing", "asks in another way"],
)
def test_a_new_rule_is_told_the_answers_to_its_own_questions_alone(
    cast: Any, life: Life, new: dict[str, Any], given: dict[str, int]
) -> None:
    version = published(cast, _licensed(OLD, kind="yes_no"))
    one = life.approve(life.ask(session(11, 30), said=Said(answers='{"other.licensed":"yes"}')))
    assert life.quote(one).deducted_fen == 320_00
    published(cast, new, version.pk)
    transitions.check_in(cast.actor("wang"), one.pk, one.starts_at)
    transitions.check_out(cast.actor("wang"), one.pk, one.ends_at + timedelta(minutes=3))
    assert usage_review.agree(cast.actor("lin"), one.pk, LATER)
    charge = Charge.objects.get(reservation=one)
    assert subsidies(charge) == given
    assert not Account.objects.filter(held_fen__gt=0).exists()
    assert replayed() == "1 charges computed again: identical.\n"
    assert not wrong()


def test_a_new_rule_of_one_side_is_not_told_that_both_claim(cast: Any, life: Life) -> None:
    def sided(document: dict[str, Any], user: dict[str, Any]) -> dict[str, Any]:
        clause = document["rate"]["clause"]
        beside = {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": clause}
        owner = {"id": "owner", "settlement": beside, "rate": {"type": "flat", "clause": clause, "rate": "0.1"}}
        own = {"id": "user", "settlement": document["settlement"], "says": QUESTION, "when": user}
        made = document | INVOICE | {"sides": [own, owner]}
        return _with_example(made, round(100 * float(document["rate"]["rate"])) + 10, request={"side": "user"})

    version = published(cast, sided(OLD, {"fact": "request.side", "is": "user"}))
    steps = _charged_later(life, LATER)
    assert life.quote(next(steps)).inputs["candidates"][0]["facts"]["request"] == {"side": "both"}
    published(cast, sided(NEW, {"fact": "applicant.kind", "is": "firm"}), version.pk)
    charge = next(steps)
    assert "request" not in charge.inputs["candidates"][0]["facts"]
    assert {award.mode: award.total_fen for award in charge.awards.all()} == {"deducted_now": 240_00, "paid_beside": 80_00}
    assert replayed() == "1 charges computed again: identical.\n"
    assert not wrong()


def test_time_agrees_to_many_whose_programme_goes_by_the_invoice(cast: Any, life: Life) -> None:
    published(cast, OLD | INVOICE)
    for day in (25, 26):
        one = life.approve(life.ask(session(11, day)))
        transitions.check_in(cast.actor("wang"), one.pk, one.starts_at)
        transitions.check_out(cast.actor("wang"), one.pk, one.ends_at + timedelta(minutes=3))
    agreed = charging_many.charge
    together: list[bool] = []
    usage_review.remind_due(one.ends_at + timedelta(days=10))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charging_many, "charge", lambda *asked: together.extend(found := agreed(*asked)) or found)
        assert usage_review.agree_due(one.ends_at + timedelta(days=12)) == 2
    assert together == [True, True]
    assert [subsidies(charge) for charge in Charge.objects.all()] == [{CODE: 320_00}] * 2
    assert not wrong()
