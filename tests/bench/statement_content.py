"""The content of a statement of any length, assembled by the real rules from real assessments, without a database."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.pricing.rules.schedule import parse_schedule
from billing.settlement.rules.statement import Bank, Heading, Party, Publishing, Session, assemble, numbered
from billing.subsidy.rules.assess import Candidate, assess_session
from billing.subsidy.rules.facts import Facts, Service
from billing.subsidy.rules.facts import Party as Place
from billing.subsidy.rules.programme import parse_programme
from config.kernel.time_range import TimeRange
from tests.conftest import PRICE

ZONE = "Asia/Shanghai"
FIRST = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)


def content_of(count: int) -> dict[str, Any]:
    """A voucher statement of ``count`` sessions of one to four hours, of fifty customers on twenty instruments."""
    path = settings.BASE_DIR / "billing" / "subsidy" / "programmes" / "DEMO-QH-V.json"
    programme = parse_programme(json.loads(path.read_text(encoding="utf-8")))
    lab = Party("Kunlun Institute of Materials", "", "uscc", "12630000000000123E")
    heading = Heading(
        period_on=date(2026, 11, 1),
        programme=programme,
        office=Party("Demo Science Office", "", "uscc", "11630000000000456A"),
        payee=lab,
        payee_kind="owner",
        bank=Bank("Bank of Demo", lab.name, "6222 0000 0000 0000"),
        maker="Qian",
        made_at=datetime(2026, 12, 1, 10, 0, tzinfo=ZoneInfo(ZONE)),
        zone=ZONE,
        public=Publishing("https://jishi.example/publicity/", 7),
    )
    schedule = parse_schedule(PRICE)
    facts = Facts(
        applicant=Place("firm", "small", "630104", frozenset(), verified=True, first_use=False),
        provider=Place(region_code="630104", verified=True),
        service=Service("instrument_use", date(2026, 11, 2)),
        grade="A",
    )
    sessions = []
    for place in range(count):
        starts_at = FIRST + timedelta(minutes=30 * (place % 1300))
        during = TimeRange(starts_at, starts_at + timedelta(minutes=60 + 30 * (place % 7)))
        assessment = assess_session(schedule, during, ZoneInfo(ZONE), "firm_sme", [Candidate(programme, facts, {})])
        (award,) = assessment.awards
        sessions.append(
            Session(
                award_id=place + 1,
                reservation_id=place + 1,
                reference=f"R2026-{place + 1:06d}",
                instrument=f"X-ray diffractometer {place % 20}",
                instrument_en="",
                inner_id=f"KL-{place % 20:04d}",
                owner=lab,
                customer=Party(f"Gaoyuan Lithium Materials {place % 50}", "", "uscc", f"91630100MA0000{place % 50:03d}1"),
                service_way="self_operated",
                service_on=during.starts_at.date(),
                starts_at=during.starts_at,
                ends_at=during.ends_at,
                zone=ZONE,
                assessment=assessment,
                awarded_fen=award.total_fen,
                payers=tuple((line.payer, line.amount_fen) for line in award.lines),
                band_names={},
                inputs_sha256="0" * 64,
                engine_version="1",
            )
        )
    return numbered(assemble(heading, sessions), "JS-2026-000123")
