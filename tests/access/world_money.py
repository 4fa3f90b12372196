"""Facts declared by each firm, vouchers applied for and issued to each, a partner region and accounts of a programme."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from billing.firms.services import declaring, incomes, partners
from billing.firms.services.declaring import Declaration
from billing.firms.services.partners import Partner
from billing.ledger import top_ups
from billing.ledger.models import Account
from billing.subsidy import ends, figures
from billing.vouchers.rules.terms import Area, Terms
from billing.vouchers.services import announcing, applying
from billing.vouchers.services.applying import Application
from instruments.queries import actor_for
from tests.conftest import voucher_document

PDF = b"%PDF-1.4 evidence"
TERMS = Terms(
    cap_id="voucher",
    title="Vouchers",
    title_en="",
    notice="",
    opens_on=date(2026, 11, 1),
    closes_on=date(2026, 12, 31),
    face_fen=None,
    most_fen=5_000_00,
    life_days=365,
    last_on=date(2027, 12, 31),
    areas=(Area("", "63", 100_000_00),),
)


def build(world: Any, now: datetime) -> None:
    """Zhao declares and applies for Gaoyuan, He for Lianhe."""
    from billing.subsidy import services
    from tests.access.world import OURS_WORK, THEIRS_WORK

    cast = world.cast
    version = services.draft_version(cast.actor("chen"), voucher_document("DEMO-VOUCHER"), now)
    services.publish_version(cast.actor("sun"), version, now)
    first, second, draft = (announcing.draft(cast.actor("chen"), "DEMO-VOUCHER", TERMS, now) for _ in range(3))
    for each in (first, second):
        announcing.publish(cast.actor("sun"), each.pk, now)
    sides = (("zhao", cast.firm, OURS_WORK), ("he", cast.other_firm, THEIRS_WORK))
    made: dict[str, list[int]] = {"declaration": [], "application": [], "voucher": []}
    for who, firm, mark in sides:
        content = {"year": 2025, "staff": 7}
        made["declaration"].append(declaring.declare(cast.actor(who), firm.pk, Declaration("figures", content, PDF), now).pk)
        issued, waiting = (_applied(cast, who, firm, each, mark, now) for each in (first, second))
        applying.review(cast.actor("chen"), issued, 1_000_00, "", now)
        made["voucher"].append(applying.issue(cast.actor("qian"), issued, now).pk)
        made["application"].append(waiting)
    world.objects |= {kind: tuple(ids) for kind, ids in made.items()}
    world.objects["income"] = _incomes(world, now)
    world.objects["earner"] = (cast.lab.pk, world.other_lab.pk)
    world.objects["announcement"] = (first.pk, draft.pk)
    region = partners.keep_region(
        cast.actor("chen"), Partner("310000", "CN-310000", "Shanghai", "", "redeem", date(2026, 1, 1), None, "Agreement"), now
    )
    world.objects["partner"] = (region.pk, region.pk)
    pool = Account.objects.filter(kind="pool").earliest("pk")
    world.objects["account"] = (pool.pk, pool.pk)
    asked = top_ups.ask(cast.actor("qian"), pool.pk, 1_00, "Notice 9", now)
    world.objects["top_up"] = (asked.pk, asked.pk)
    version = world.versions["DEMO-QH-V"]
    figure = figures.ask(cast.actor("qian"), version.pk, "pool", None, 2_000_001_00, "Notice 9", now)
    world.objects["figure"] = (figure.pk, figure.pk)
    world.objects["figure_version"] = (version.pk, version.pk)
    end = ends.ask(cast.actor("chen"), version.pk, date(2027, 12, 1), "Notice 9", now)
    world.objects["version_end"] = (end.pk, end.pk)


def _incomes(world: Any, now: datetime) -> tuple[int, int]:
    """What both labs say that they earned in the year before; nobody has confirmed it."""
    cast = world.cast
    sides = ((cast.actor("li"), cast.lab.pk), (actor_for(cast.users["bo"]), world.other_lab.pk))
    ours, theirs = (incomes.declare(actor, lab, 2025, 1_000_00, "", PDF, now).pk for actor, lab in sides)
    return ours, theirs


def _applied(cast: Any, who: str, firm: Any, announcement: Any, mark: str, now: datetime) -> int:
    quota = announcement.quotas.get()
    return applying.apply(
        cast.actor(who), announcement.pk, firm.pk, Application(quota.pk, 1_000_00, f"Tests {mark}", PDF), now
    ).pk
