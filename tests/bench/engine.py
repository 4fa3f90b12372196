"""*engine*: sessions priced and subsidised per second on one core, with full steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.pricing.rules.pricing import price_session
from billing.pricing.rules.schedule import parse_schedule
from billing.subsidy.rules.assess import Candidate, assess_session, session_facts
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import Facts, Party, Service
from billing.subsidy.rules.outcome import Balance
from billing.subsidy.rules.programme import parse_programme
from config.kernel.time_range import TimeRange
from tests.bench.harness import NOW, Figure, best_of, silent_garbage
from tests.conftest import PRICE

SESSIONS, ALONE = 20_000, 5_000


def figures() -> list[Figure]:
    """Each shipped DEMO programme on its own; one session is the price plus every part of the programme."""
    found: list[Figure] = []
    for code, region, staff in (("DEMO-QH-V", "630104", "small"), ("DEMO-QH-A", "632801", "small")):
        found += _programme(code, region, staff)
    return found


def _programme(code: str, region: str, size: str) -> list[Figure]:
    path = settings.BASE_DIR / "billing" / "subsidy" / "programmes" / f"{code}.json"
    programme = parse_programme(json.loads(path.read_text(encoding="utf-8")))
    schedule = parse_schedule(PRICE)
    zone = ZoneInfo("Asia/Shanghai")
    facts = Facts(
        applicant=Party("firm", size, region, frozenset(), verified=True, first_use=False),
        provider=Party(region_code="630104", verified=True),
        service=Service("instrument_use", date(2026, 11, 25)),
        grade="A",
    )
    balances = {cap.id: Balance(used_fen=1_000_00) for cap in programme.accounts_for("firm")}
    candidates = [Candidate(programme, facts, balances)]
    during = [TimeRange(NOW + timedelta(hours=n % 200), NOW + timedelta(hours=n % 200 + 3)) for n in range(200)]

    def run() -> None:
        for number in range(SESSIONS):
            assess_session(schedule, during[number % 200], zone, "firm_sme", candidates)

    with silent_garbage():
        rate = SESSIONS / best_of(3, run)
        priced = _microseconds(lambda: price_session(schedule, during[0], zone, "firm_sme"))
        known = session_facts(candidates[0], schedule, during[0], zone, "firm_sme")
        decided = _microseconds(lambda: evaluate(programme, known, balances))
    steps = len(assess_session(schedule, during[0], zone, "firm_sme", candidates).awards[0].steps)
    return [
        Figure(f"engine, {code}, {steps} subsidy steps a session", rate, "sessions/s", ">= 30,000", rate >= 30_000),
        Figure(f"engine, {code}, the price alone", priced, "us", "", True),
        Figure(f"engine, {code}, the parts of the programme alone", decided, "us", "", True),
    ]


def _microseconds(work: Callable[[], object]) -> float:
    """Of one of many, nothing between them."""
    return best_of(5, lambda: [work() for _ in range(ALONE)]) / ALONE * 1e6
