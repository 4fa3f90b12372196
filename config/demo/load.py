"""Loading the invented province."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from billing.settlement.models import Award
from billing.settlement.services import statements
from billing.subsidy import services as subsidy
from config.demo import (
    assisting,
    billing,
    calendars,
    claims,
    enquiries,
    facilities,
    fees,
    hours,
    imports,
    lifecycle,
    news,
    organisations,
    papers,
    prices,
    programmes,
    records,
    registry,
    samples,
    sessions,
    shared_things,
    spending,
    training,
    usage,
    vouchers,
)
from config.demo.organisations import People
from config.kernel.access import Role
from config.kernel.services.silence import silence
from instruments.services import catalogue, policy_zones, vocabulary

PROGRAMMES = ("DEMO-QH-A", "DEMO-QH-V")


def load(seed: int, now: datetime) -> dict[str, int]:
    """Fill an empty database with the demo as of ``now``, in one transaction; the same seed and day give the same demo.

    The hours of its story are counted in UTC, whatever zone ``now`` is told in. Returns what it made, by kind. Documents of statements are
    rendered afterwards by the worker.
    """
    with transaction.atomic():
        return _load(seed, now.astimezone(UTC))


def _load(seed: int, now: datetime) -> dict[str, int]:
    dice = random.Random(seed)  # noqa: S311  (a reproducible demo, not a secret)
    today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    began = sessions.start_of(today)
    with silence():
        people = organisations.found(dice, began)
        with catalogue.gathering(began):
            stocked = registry.stock(people, dice, began.date(), began)
            _programmes(people, today, began)
            policy_zones.seed_zones(people.actor(people.office, Role.OPERATOR), began)
            shared = shared_things.share(people, stocked, began, now)
            records.describe(people, stocked, began)
            beside = facilities.found(people, began)
        told = sessions.Season(people, stocked, dice, now).play(today)
        told["agreed"] = told.get("agreed", 0) + records.use(people, stocked, now)
        told |= records.live(people, stocked, now)
        told |= enquiries.ask(people, stocked, now)
        told |= samples.send(people, now)
        told |= vouchers.issue(people, today, now)
        told |= lifecycle.agree(people, today, now)
        told |= training.teach(people, stocked, today, now)
        told |= usage.live(people, stocked, now)
        told |= spending.spend(people, stocked, today, now)
        told |= fees.give_back(people, stocked, today, now)
        told |= prices.write(people, stocked, now)
        laid = hours.lay(people, stocked, today, now)
        _hand_in_licences(people, now)
        imports.hand_over(people, now)
        issued = _statements(people, today, now)
        told |= programmes.write(people, today, now)
        told |= papers.before(people, today, now)
        told |= billing.bill(people, today, now)
        told |= papers.after(people, today, now)
        told |= claims.claim(people, today, now)
        told |= assisting.name(people, stocked, today, now)
        closures = calendars.close(people, stocked, today, now)
        catalogue.rebuild(now)
        vocabulary.rebuild_vocabulary()
    told_of = news.tell(people, now)
    return {
        "owners": len(people.owners),
        "customers": len(people.customers),
        "instruments": len(stocked) + beside,
        "resources": shared,
        "calendars with layers": laid,
        **told,
        "statements": issued,
        "closures": closures,
        "notices": told_of,
    }


def _programmes(people: People, today: date, now: datetime) -> None:
    author = people.actor(people.office, Role.PROGRAMME_OFFICER)
    approver = people.actors[people.office.pk, "second_officer"]
    for code in PROGRAMMES:
        path = settings.BASE_DIR / "billing" / "subsidy" / "programmes" / f"{code}.json"
        document = programmes.lasting(json.loads(path.read_text(encoding="utf-8")), today)
        version = subsidy.draft_version(author, document, now, issuer_id=people.office.pk)
        subsidy.publish_version(approver, version, now)


def _hand_in_licences(people: People, now: datetime) -> None:
    """Unverified firms that wait in the operator's queue, each with a scan."""
    for place, firm in enumerate(one for one in people.customers if one.status == "claimed"):
        organisations.hand_in_licence(people.actor(firm, Role.FIRM_ADMIN), firm, now - timedelta(days=3, hours=place))


def _statements(people: People, today: date, now: datetime) -> int:
    """One statement per programme, payee and closed month; those of the last month whose turn has not come are left to do."""
    first_of_month = today.replace(day=1)
    rows = (
        Award.objects.filter(service_on__lt=first_of_month)
        .order_by("service_on", "programme_version_id", "payee_id")
        .values_list("programme_version_id", "payee_id", "service_on")
    )
    wanted = sorted({(service_on.replace(day=1), version, payee) for version, payee, service_on in rows})
    last_month = (first_of_month - timedelta(days=1)).replace(day=1)
    wanted = [one for place, one in enumerate(wanted) if one[0] != last_month or place % 3]
    finance = people.actor(people.office, Role.FINANCE)
    for period_on, version, payee in wanted:
        statements.issue(finance, version, payee, period_on, now)
    return len(wanted)
