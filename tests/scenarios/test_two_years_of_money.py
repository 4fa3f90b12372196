"""Two years of one group of firms under a programme that changes in between, with a voucher that ends and a firm that is listed.

The programme gives 40 % of the fee until 30 November 2026 and 30 % from 1 December, at most 1,000 yuan a year to everybody under one
actual controller. Two hours of the diffractometer cost either firm 800.00.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from billing.firms.services import credit, declaring
from billing.firms.services.declaring import Declaration
from billing.ledger import life, seals
from billing.ledger.models import Account
from billing.settlement import reservation_figures
from billing.settlement.models import Charge
from billing.subsidy import services as subsidy
from billing.subsidy.ending import Confirmed
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.codec import differences
from billing.vouchers.rules.terms import Area, Terms
from billing.vouchers.services import announcing, applying
from billing.vouchers.services.applying import Application
from config.kernel import invariants
from config.kernel.time_range import TimeRange
from instruments.models import OrganisationIdentifier
from tests.billing.firms.conftest import HOLDING, PDF, USCC, controlled_by
from tests.billing.services.conftest import Life
from tests.conftest import programme_document, voucher_document

CODE = "DEMO-QH-VC"


def session(month: int, day: int, year: int = 2026) -> TimeRange:
    """Ten to twelve in Shanghai."""
    starts_at = datetime(year, month, day, 2, tzinfo=UTC)
    return TimeRange(starts_at, starts_at + timedelta(hours=2))


def group_programme(label: str, rate: str, first_day: str, last_day: str) -> dict[str, Any]:
    """DEMO-QH-V for whoever is verified and on no credit list, limited per controller and year."""
    document = programme_document("DEMO-QH-V") | {"examples": [], "open_points": [], "version": label}
    document.pop("exclusive")
    clause = document["caps"][0]["clause"]
    free = {"fact": "applicant.credit_listings", "free_on": {"days": ["service.approval_on", "service.payment_on"]}}
    document["gates"] = [gate for gate in document["gates"] if gate["type"] in ("applicant_kind", "verified_organisation")]
    document["gates"].append(
        {"type": "condition", "clause": clause, "when": free, "says": {"zh": "信用良好", "en": "On no list"}}
    )
    document["caps"] = [{"id": "group", "per": "controller_year", "limit": "1000", "when_short": "partial", "clause": clause}]
    document["rate"] = document["rate"] | {"rate": rate}
    document["validity"] = document["validity"] | {"first_day": first_day, "last_day": last_day}
    return document


@pytest.fixture
def group(cast: Any) -> Life:
    """Gaoyuan and Lianhe under one holding, and both versions of the programme."""
    for name, firm in (("firm", cast.firm), ("other", cast.other_firm)):
        OrganisationIdentifier.objects.create(organisation=firm, scheme="uscc", value=USCC[name])
    for who, firm in (("zhao", cast.firm), ("he", cast.other_firm)):
        made = declaring.declare(cast.actor(who), firm.pk, Declaration("controller", controlled_by(HOLDING), PDF), cast.now)
        declaring.decide(cast.actor("zhou"), made.pk, True, "", cast.now)
    # The first one was to hold for both years; the second one ends it on 30 November.
    first = publish(cast, group_programme("2026.1", "0.4", "2026-01-01", "2027-12-31"))
    publish(cast, group_programme("2026.2", "0.3", "2026-12-01", "2027-12-31"), first.pk)
    return Life(cast)


def publish(cast: Any, document: dict[str, Any], ends: int | None = None) -> ProgrammeVersion:
    version = subsidy.draft_version(cast.actor("chen"), document, cast.now)
    subsidy.publish_version(cast.actor("sun"), version, cast.now, Confirmed(ends, cast.now))
    return version


def subsidies(charge: Charge) -> dict[str, int]:
    """What each programme gave, in fen."""
    return {award.programme_version.programme.code: award.total_fen for award in charge.awards.all()}


def test_the_group_gets_what_the_rules_of_each_day_say_and_the_closing_figures_agree(cast: Any, group: Life) -> None:
    # 25 November: 40 % of 800.00 = 320.00 for Gaoyuan; 680.00 of the group's limit are left.
    assert subsidies(group.whole(session(11, 25))) == {"DEMO-QH-V": 320_00}
    # 26 November: 40 % of the sister's 800.00 = 320.00; 640.00 of 1,000.00 are used.
    assert subsidies(group.whole(session(11, 26), who="he", firm=cast.other_firm)) == {"DEMO-QH-V": 320_00}
    # 2 December: the new version, 30 % of 800.00 = 240.00. The limit counts both versions of the year together: 880.00.
    assert subsidies(group.whole(session(12, 2))) == {"DEMO-QH-V": 240_00}
    # 3 December: 30 % would be 240.00, and 120.00 are left of 1,000.00.
    assert subsidies(group.whole(session(12, 3))) == {"DEMO-QH-V": 120_00}

    # A voucher of 300.00 for ten days from 23 November: 40 % of the next session would be 320.00, so it gives all it has,
    # and the group's programme has nothing left of 2026.
    publish(cast, voucher_document(CODE))
    voucher = _voucher(cast)
    worth = group.quote(group.ask(session(11, 27)))
    assert worth.deducted_fen == 300_00
    # It ends on 2 December unused: 300.00 go back to the quota of 5,000.00.
    assert life.lapse_due(date(2026, 12, 3), cast.now) == 1
    assert Account.objects.get(kind="voucher_quota").left_fen == 5_000_00
    assert Account.objects.get(pk=voucher.account_id).state == "closed"

    # January 2027: a new year, the limit is whole again: 30 % of 800.00 = 240.00.
    cast.now = datetime(2027, 1, 11, 1, tzinfo=UTC)
    january = group.approve(group.ask(session(1, 13, 2027)))
    shared = Account.objects.get(kind="controller_year", key__endswith=":2027")
    assert (shared.held_fen, shared.posted_fen) == (240_00, 0)
    # Before it is used the firm is listed: nothing is paid, the hold is given back, and the booking says why.
    listed = f"uscc,name,from\n{USCC['firm']},Gaoyuan,2027-01-12\n"
    credit.import_list(cast.actor("zhou"), "serious_default", "Notice 1", listed.encode(), cast.now)
    charge = group.use(january)
    assert (subsidies(charge), charge.payable_now_fen) == ({}, 800_00)
    (lost,) = reservation_figures.money_of(cast.actor("lin"), january).lost
    assert (lost.programme, lost.promised_fen) == ("DEMO-QH-V", 240_00)

    # Closing figures: 320 + 320 + 240 + 120 = 1,000.00 of 2026 and nothing of 2027; nothing is held; the chain and every sum agree.
    year = Account.objects.get(kind="controller_year", key__endswith=":2026")
    shared.refresh_from_db()
    assert (year.posted_fen, year.held_fen) == (1_000_00, 0)
    assert (shared.posted_fen, shared.held_fen) == (0, 0)
    everything_agrees(cast.now)


def _voucher(cast: Any) -> Any:
    areas = (Area("", "63", 5_000_00),)
    terms = Terms("voucher", "V", "", "", date(2026, 11, 1), date(2026, 11, 30), None, 300_00, 10, date(2026, 12, 31), areas)
    found = announcing.draft(cast.actor("chen"), CODE, terms, cast.now)
    announcing.publish(cast.actor("sun"), found.pk, cast.now)
    row = applying.apply(
        cast.actor("zhao"), found.pk, cast.firm.pk, Application(found.quotas.get().pk, 300_00, "x", PDF), cast.now
    )
    applying.review(cast.actor("chen"), row.pk, 300_00, "", cast.now)
    return applying.issue(cast.actor("qian"), row.pk, cast.now)


def everything_agrees(now: datetime) -> None:
    from billing.settlement.services import assessing, sample_money
    from billing.subsidy.rules import assessment_to_json

    seals.seal_due(now)
    assert seals.verify().faults == ()
    for charge in Charge.objects.all():
        thawed = (assessing if charge.sample_job_id is None else sample_money).thaw(charge.inputs)
        assert list(differences(charge.result, assessment_to_json(thawed.assess()))) == []
    findings = {name: each().violations for name, each in invariants.registered().items() if not name.startswith("registry.")}
    assert {name: found for name, found in findings.items() if found} == {}
