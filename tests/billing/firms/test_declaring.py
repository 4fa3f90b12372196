"""A firm declares, the operator decides, and the database stands behind both."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection, transaction

from billing.firms import loading, queries
from billing.firms.models import CreditImport, CreditListing, FirmDeclaration
from billing.firms.rules.profile import party
from billing.firms.services import credit, declaring, partners
from billing.firms.services.partners import Partner
from billing.settlement.services.gathering import gather
from billing.subsidy.rules.facts import Party
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from tests.billing.firms.conftest import HOLDING, USCC, controlled_by

DAY = date(2026, 11, 25)


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


def of(organisation, on: date = DAY, other=None):
    known, keys = loading.known([organisation.pk, *([other.pk] if other else [])])
    return party(known, keys[organisation.pk], keys[other.pk] if other else None, on)


def test_what_is_declared_counts_once_it_is_accepted(coded, declare):
    made = declare("figures", year=2025, staff=400, revenue_fen=50_000_000_00)
    assert made.firm_key == f"uscc:{USCC['firm']}" == loading.known([coded.firm.pk])[1][coded.firm.pk]
    assert of(coded.firm).size == "micro"
    declaring.decide(coded.actor("zhou"), made.pk, True, "", coded.now)
    assert of(coded.firm).size == "medium"
    assert of(coded.firm, date(2025, 6, 1)).size == "micro"


def test_a_refusal_says_why_and_counts_for_nothing(coded, declare):
    made = declare("figures", year=2025, staff=400, revenue_fen=50_000_000_00)
    with pytest.raises(Refusal, match="reason_needed"):
        declaring.decide(coded.actor("zhou"), made.pk, False, " ", coded.now)
    declaring.decide(coded.actor("zhou"), made.pk, False, "Not the audited figures", coded.now)
    assert of(coded.firm).size == "micro"
    with pytest.raises(Conflict, match="decided_already"):
        declaring.decide(coded.actor("zhou"), made.pk, True, "", coded.now)


@pytest.mark.parametrize("who", ["lin", "wang", "chen"])
def test_only_its_administrator_declares(coded, who):
    with pytest.raises((Forbidden, NotFound)):
        declaring.declare(
            coded.actor(who), coded.firm.pk, declaring.Declaration("figures", {"year": 2025, "staff": 1}, b"%PDF-"), coded.now
        )


def test_only_an_operator_decides_and_never_about_its_own(coded, declare):
    from instruments.models import Membership

    made = declare("figures", year=2025, staff=1)
    with pytest.raises(Forbidden):
        declaring.decide(coded.actor("chen"), made.pk, True, "", coded.now)
    Membership.objects.create(user=coded.users["zhou"], organisation=coded.firm, role="researcher", created_at=coded.now)
    with pytest.raises(Forbidden, match="own_organisation"):
        declaring.decide(coded.actor("zhou"), made.pk, True, "", coded.now)


def test_a_foreign_declaration_is_not_there(coded, declare):
    made = declare("figures", year=2025, staff=1)
    with pytest.raises(NotFound):
        declaring.evidence_for(coded.actor("he"), made.pk)
    assert declaring.evidence_for(coded.actor("zhao"), made.pk)[1].startswith(b"%PDF-")


def test_sister_firms_meet_at_a_controller_who_is_not_on_the_platform(coded, verified):
    verified("controller", "zhao", **controlled_by(HOLDING))
    verified("controller", "he", **controlled_by(HOLDING))
    found = of(coded.firm, other=coded.other_firm)
    assert found.profile.controller == f"uscc:{HOLDING}"
    assert found.profile.related_to_provider is True
    assert found.profile.group_staff is None  # the holding's own figures are not known
    assert of(coded.firm, date(2019, 1, 1)).profile.controller is None


def test_a_circle_is_refused_with_its_chain_at_once(coded, declare, verified):
    verified("controller", "zhao", **controlled_by(USCC["other"]))
    with pytest.raises(Refusal) as refused:
        declare("controller", "he", **controlled_by(USCC["firm"]))
    reason = refused.value.reasons[0]
    assert (reason.code, reason.field) == ("firm.circle", "uscc")
    assert reason.params["chain"] == [USCC["other"], USCC["firm"], USCC["other"]]
    with pytest.raises(Refusal, match=r"firm\.itself"):
        declare("controller", "he", **controlled_by(USCC["other"]))


def test_a_circle_of_two_that_waited_together_is_refused_by_trigger_and_let_in_without_it(coded, declare):
    first, second = (
        declare("controller", "zhao", **controlled_by(USCC["other"])),
        declare("controller", "he", **controlled_by(USCC["firm"])),
    )
    declaring.decide(coded.actor("zhou"), first.pk, True, "", coded.now)
    with pytest.raises(Refusal, match="circle_now"):
        declaring.decide(coded.actor("zhou"), second.pk, True, "", coded.now)
    run("ALTER TABLE billing_firmdeclaration DISABLE TRIGGER USER")
    declaring.decide(coded.actor("zhou"), second.pk, True, "", coded.now)
    assert of(coded.firm).profile.controller is not None  # and the rules still come to an end


@pytest.mark.parametrize(
    "change", ["content = '{}'", "valid_from = '2001-01-01'", "firm_key = 'uscc:x'", "reason = 'y' , accepted = NULL"]
)
def test_a_decided_declaration_never_changes_and_does_without_the_triggers(coded, verified, change):
    made = verified("figures", year=2025, staff=5)
    statement = f"UPDATE billing_firmdeclaration SET {change} WHERE id = {made.pk}"
    with pytest.raises(Exception, match="annot"), transaction.atomic():
        run(statement)
    run("ALTER TABLE billing_firmdeclaration DISABLE TRIGGER USER")
    run("ALTER TABLE billing_firmdeclaration DROP CONSTRAINT firm_declaration_decided_whole")
    run(statement)


def test_one_person_cannot_be_both_hands_even_past_the_service(coded, declare):
    made = declare("figures", year=2025, staff=5)
    with pytest.raises(Exception, match="firm_declaration_two_people"), transaction.atomic():
        FirmDeclaration.objects.filter(pk=made.pk).update(accepted=True, decided_at=coded.now, decided_by=made.declared_by)
    run("ALTER TABLE billing_firmdeclaration DROP CONSTRAINT firm_declaration_two_people")
    FirmDeclaration.objects.filter(pk=made.pk).update(accepted=True, decided_at=coded.now, decided_by=made.declared_by)


def test_the_queue_is_the_operators_oldest_first(coded, declare):
    first, second = declare("figures", year=2024, staff=5), declare("figures", year=2025, staff=5)
    assert list(queries.queue(coded.actor("zhou"))) == [first, second]
    with pytest.raises(Forbidden):
        queries.queue(coded.actor("zhao"))


LIST = "uscc,name,from,to\n" + f"{USCC['firm']},Gaoyuan,2026-01-05,\n" + f"{USCC['other']},Lianhe,2025-01-05,2025-12-31\n"


def imported(coded, text: str, who: str = "zhou") -> CreditImport:
    return credit.import_list(coded.actor(who), "serious_default", "Credit Qinghai, notice 3", text.encode(), coded.now)


def test_a_credit_list_becomes_facts_with_their_days(coded):
    imported(coded, LIST)
    (mine,) = of(coded.firm).profile.credit_listings
    assert (mine.list, mine.since, mine.to) == ("serious_default", date(2026, 1, 5), None)
    (theirs,) = of(coded.other_firm).profile.credit_listings
    assert not theirs.holds(DAY)


def test_what_is_known_of_an_owner_is_told_as_of_any_other(coded):
    credit.import_list(
        coded.actor("zhou"), "platform", "House rules", f"uscc,name,from,to\n{USCC['lab']},Lab,2026-01-05,\n".encode(), coded.now
    )
    facts = gather(coded.firm, [coded.lab.pk]).facts(coded.lab, Party(), coded.firm, "testing", DAY, DAY)
    assert [(each.list, each.since) for each in facts.provider.profile.violations] == [("platform", date(2026, 1, 5))]
    assert (facts.provider.profile.controller, facts.provider.profile.labels, facts.applicant.profile.violations) == (
        None,
        (),
        (),
    )


def test_a_later_list_ends_an_entry(coded):
    imported(coded, LIST)
    imported(coded, f"统一社会信用代码,企业名称,列入日期,移出日期\n{USCC['firm']},高原,2026/1/5,2026/6/30\n")
    (mine,) = of(coded.firm).profile.credit_listings
    assert mine.to == date(2026, 6, 30)


def test_a_list_with_faults_is_refused_whole_with_every_row_named(coded):
    text = LIST + f"123,Nobody,2026-01-01,\n{USCC['third']},Third,soon,\n{USCC['firm']},Gaoyuan,2026-01-05,\n"
    with pytest.raises(Refusal) as refused:
        imported(coded, text)
    assert [(reason.code, reason.params["row"]) for reason in refused.value.reasons] == [
        ("table.cell_invalid", 4),
        ("table.cell_invalid", 5),
    ]
    with pytest.raises(Refusal, match="row_repeated"):
        imported(coded, LIST + f"{USCC['firm']},Gaoyuan,2026-01-05,\n")
    with pytest.raises(Refusal, match="column_missing"):
        imported(coded, "a,b\n1,2\n")
    assert not CreditListing.objects.exists()


def test_only_the_operator_imports_and_only_known_lists(coded):
    with pytest.raises(Forbidden):
        imported(coded, LIST, "chen")
    with pytest.raises(Refusal) as refused:
        credit.import_list(coded.actor("zhou"), "gossip", "", LIST.encode(), coded.now)
    assert {reason.field for reason in refused.value.reasons} == {"list_code", "source"}


def test_listings_are_append_only(coded):
    imported(coded, LIST)
    with pytest.raises(Exception, match="annot"), transaction.atomic():
        CreditListing.objects.update(to_on=DAY)


PARTNER = Partner("310000", "CN-310000", "上海市", "Shanghai", "redeem", date(2026, 1, 1), None, "Agreement 7")


def test_a_provider_on_a_partners_latest_list_is_known_as_such(coded):
    region = partners.keep_region(coded.actor("chen"), PARTNER, coded.now)
    rows = f"uscc,name,from,to\n{USCC['lab']},Kunlun,2025-01-01,2026-12-31\n"
    partners.import_providers(coded.actor("chen"), region.pk, rows.encode(), coded.now)
    known, keys = loading.known([coded.lab.pk])
    assert known.lists_of(keys[coded.lab.pk], DAY) == {"partner:310000"}
    assert known.lists_of(keys[coded.lab.pk], date(2025, 12, 31)) == frozenset()  # before the agreement
    partners.import_providers(
        coded.actor("chen"), region.pk, f"uscc,name,from,to\n{USCC['third']},X,2025-01-01,\n".encode(), coded.now
    )
    known, keys = loading.known([coded.lab.pk])
    assert known.lists_of(keys[coded.lab.pk], DAY) == frozenset()


def test_a_partner_is_kept_by_officers_and_its_identifiers_never_change(coded):
    from dataclasses import replace

    with pytest.raises(Forbidden):
        partners.keep_region(coded.actor("zhou"), PARTNER, coded.now)
    region = partners.keep_region(coded.actor("chen"), PARTNER, coded.now)
    with pytest.raises(Refusal, match="taken"):
        partners.keep_region(coded.actor("chen"), PARTNER, coded.now)
    changed = partners.keep_region(coded.actor("sun"), replace(PARTNER, mode="refund", platform_id="CN-1X"), coded.now, region.pk)
    assert (changed.mode, changed.platform_id) == ("refund", "CN-310000")
