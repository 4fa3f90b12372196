"""A programme limited by vouchers, an announcement of them, and the people who apply, review and issue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from billing.vouchers.models import Voucher, VoucherAnnouncement, VoucherApplication
from billing.vouchers.rules.terms import Area, Terms
from billing.vouchers.services import announcing, applying
from billing.vouchers.services.applying import Application
from instruments.models import PolicyZone
from tests.conftest import Cast, voucher_document

CODE = "DEMO-QH-VC"
PDF = b"%PDF-1.4 plan"
TERMS = Terms(
    cap_id="voucher",
    title="Innovation vouchers of November",
    title_en="",
    notice="",
    opens_on=date(2026, 11, 1),
    closes_on=date(2026, 11, 30),
    face_fen=None,
    most_fen=5_000_00,
    life_days=30,
    last_on=date(2026, 12, 31),
    areas=(Area("", "63", 8_000_00), Area("east", "", 1_000_00)),
)


@dataclass
class Desk:
    """Chen writes and reviews, Sun publishes and issues; Zhao applies for Gaoyuan and He for Lianhe."""

    cast: Cast
    code: str = CODE

    def announce(self, **changes: Any) -> VoucherAnnouncement:
        made = announcing.draft(self.cast.actor("chen"), self.code, replace(TERMS, **changes), self.cast.now)
        return announcing.publish(self.cast.actor("sun"), made.pk, self.cast.now)

    def apply(
        self, found: VoucherAnnouncement, asked_fen: int = 1_000_00, who: str = "zhao", place: int = 0
    ) -> VoucherApplication:
        firm = self.cast.firm if who == "zhao" else self.cast.other_firm
        quota = found.quotas.order_by("pk")[place]
        given = Application(quota.pk, asked_fen, "Cathode tests", PDF)
        return applying.apply(self.cast.actor(who), found.pk, firm.pk, given, self.cast.now)

    def reviewed(self, found: VoucherAnnouncement, asked_fen: int = 1_000_00, who: str = "zhao") -> VoucherApplication:
        row = self.apply(found, asked_fen, who)
        return applying.review(self.cast.actor("chen"), row.pk, asked_fen, "", self.cast.now)

    def issued(self, asked_fen: int = 1_000_00, who: str = "zhao", **changes: Any) -> Voucher:
        row = self.reviewed(self.announce(**changes), asked_fen, who)
        return applying.issue(self.cast.actor("sun"), row.pk, self.cast.now)


@pytest.fixture
def published(cast: Cast) -> Callable[[dict[str, Any]], Any]:
    from billing.subsidy import services

    def do(document: dict[str, Any]) -> Any:
        version = services.draft_version(cast.actor("chen"), document, cast.now)
        services.publish_version(cast.actor("sun"), version, cast.now)
        return version

    return do


@pytest.fixture
def desk(cast: Cast, published: Callable[[dict[str, Any]], Any]) -> Desk:
    published(voucher_document(CODE))
    PolicyZone.objects.create(slug="east", name="East")
    return Desk(cast)
