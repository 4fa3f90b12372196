"""Limited money on the stage: facts of firms, vouchers in every state, a partner region, a credit list, an opening balance."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from config.demo.programmes import lasting
from config.kernel.access import Role
from tests.conftest import voucher_document

PDF = b"%PDF-1.4 evidence"
CODE = "DEMO-STAGE-VOUCHER"


def build(now: datetime) -> None:
    """The personas' firm declared figures, a label and a controller, holds one voucher and waits for another."""
    from billing.firms.services import credit, declaring, partners
    from billing.firms.services.declaring import Declaration
    from billing.firms.services.partners import Partner
    from billing.settlement.services import openings
    from billing.subsidy import services
    from billing.vouchers.services import announcing, applying
    from instruments.models import Organisation

    people = _people()
    firm = Organisation.objects.get(pk=min(people["firm"].organisations()))
    today = (now + timedelta(hours=8)).date()
    _publish(services, people, today, now)
    first, second = (
        announcing.draft(people["officer"], CODE, _terms(title, today), now) for title in ("秋季创新券", "冬季创新券")
    )
    announcing.draft(people["officer"], CODE, _terms("春季创新券", today), now)
    for each in (first, second):
        announcing.publish(people["second"], each.pk, now)
    for content in _facts(today):
        kind = content.pop("kind")
        made = declaring.declare(people["firm"], firm.pk, Declaration(kind, content, PDF), now)
        if kind != "place":
            declaring.decide(people["operator"], made.pk, True, "", now)
    _earned(people, today, now)
    issued = _applied(applying, people, firm, first, now)
    applying.review(people["officer"], issued, 3_000_00, "材料齐全", now)
    applying.issue(people["second"], issued, now)
    _applied(applying, people, firm, second, now)
    code = firm.identifiers.get(scheme="uscc").value
    partner = Partner("310000", "CN-310000", "上海市", "Shanghai", "redeem", date(2026, 1, 1), None, "长三角互认协议 7")
    region = partners.keep_region(people["officer"], partner, now)
    partners.import_providers(people["officer"], region.pk, b"uscc,name,from\n12630000000000123E,Kunlun,2026-01-01\n", now)
    listed = b"uscc,name,from,to\n91632801MA00000312,Somebody,2026-01-01,2026-02-01\n"
    credit.import_list(people["operator"], "abnormal_operation", "青市监公告 12 号", listed, now)
    row = f"uscc,kind,class,number\n{code},invoice,session-subsidy,25632000000000000001\n"
    openings.load_items(people["finance"], row.encode(), PDF, "市级已补贴", now)


def _earned(people: dict[str, Any], today: date, now: datetime) -> None:
    """What the personas' institution earned outside: the year before the last confirmed, the last one waits for an officer."""
    from billing.firms.services import incomes

    owner_id = min(people["owner"].organisations(Role.OWNER_FINANCE))
    for year, fen in ((today.year - 2, 3_816_500_00), (today.year - 1, 4_275_300_00)):
        made = incomes.declare(people["owner"], owner_id, year, fen, "年度决算报告第9页", PDF, now)
        if year == today.year - 2:
            incomes.decide(people["officer"], made.pk, True, "", now)


def _people() -> dict[str, Any]:
    from tests.browser.stage import persona

    names = {
        "firm": "firm-admin",
        "officer": "officer",
        "second": "officer-2",
        "finance": "finance",
        "operator": "operator",
        "owner": "lab-finance",
    }
    return {key: persona(f"{name}@demo.jishi.example") for key, name in names.items()}


def _publish(services: Any, people: dict[str, Any], today: date, now: datetime) -> None:
    """A programme of vouchers for a service that nobody books here, so that no other page's figures change."""
    document = lasting(voucher_document(CODE), today)
    clause = document["clauses"][0]["id"]
    document["gates"].append({"type": "service_kind", "clause": clause, "any_of": ["incubation"]})
    services.publish_version(people["second"], services.draft_version(people["officer"], document, now), now)


def _terms(title: str, today: date) -> Any:
    from billing.vouchers.rules.terms import Area, Terms

    areas = (Area("", "6301", 500_000_00), Area("", "63", 200_000_00))
    closes, last = today + timedelta(days=60), today + timedelta(days=400)
    return Terms("voucher", title, "Vouchers", "面向在青企业。", today, closes, None, 5_000_00, 365, last, areas)


def _facts(today: date) -> list[dict[str, Any]]:
    since = date(today.year - 2, 1, 1)
    return [
        {
            "kind": "figures",
            "year": today.year - 1,
            "staff": 18,
            "revenue_fen": 2_000_000_00,
            "assets_fen": 3_000_000_00,
            "net_assets_fen": 1_200_000_00,
        },
        {"kind": "label", "label": "tech_sme", "level": "national", "number": "2026630104", "valid_from": since},
        {"kind": "controller", "party_kind": "person", "name": "王建国", "mark": "123X", "valid_from": since},
        {"kind": "place", "region_code": "630104", "policy_zones": [], "industry_code": "C3849", "valid_from": since},
    ]


def _applied(applying: Any, people: dict[str, Any], firm: Any, found: Any, now: datetime) -> int:
    quota = found.quotas.get(code_prefix="63")
    given = applying.Application(quota.pk, 3_000_00, "正极材料表征", PDF)
    return int(applying.apply(people["firm"], found.pk, firm.pk, given, now).pk)
