"""Vouchers for commissioned tests: three rounds, applications in every state, one voucher that paid for a test, and money asked for."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from billing.ledger import top_ups
from billing.ledger.models import Account
from billing.subsidy import figures
from billing.subsidy import services as subsidy
from billing.subsidy.models import ProgrammeVersion
from billing.vouchers.models import VoucherAnnouncement, VoucherApplication
from billing.vouchers.rules.terms import Area, Terms
from billing.vouchers.services import announcing, applying
from billing.vouchers.services.applying import Application
from config.demo import programmes, samples
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Role

_EVIDENCE = b"%PDF-1.4\n% an invented plan of tests\n%%EOF\n"


def issue(people: People, today: date, now: datetime) -> dict[str, int]:
    """Play it through the services; how many vouchers there are."""
    office, said = people.office, words("vouchers")
    author, second = people.actor(office, Role.PROGRAMME_OFFICER), people.actors[office.pk, "second_officer"]
    document = programmes.lasting(words("voucher_programme"), today)
    began = now + timedelta(days=said["terms"][0]["opens"])
    version = subsidy.draft_version(author, document, began, issuer_id=office.pk)
    subsidy.publish_version(second, version, began)
    rounds = []
    for each in said["terms"]:
        at = now + timedelta(days=min(each["opens"], -1))
        made = announcing.draft(author, document["code"], _terms(each, today), at)
        if each["published"] is not None:
            announcing.publish(second, made.pk, now + timedelta(days=each["published"]))
        rounds.append(made)
    issued = sum(_apply(people, rounds[each["round"]], each, now) for each in said["applications"])
    items = samples.items_of(people, now)
    if items:
        samples.play(people, items[0], said["job"], now, "demo-voucher-job")
    pool = Account.objects.filter(kind="pool").earliest("pk")
    asked = said["top_up"]
    finance, at = people.actor(office, Role.FINANCE), now - timedelta(hours=5)
    top_ups.ask(finance, pool.pk, asked["yuan"] * 100, asked["reason"], at)
    open_limit, wanted = ProgrammeVersion.objects.filter(programme__code="DEMO-QH-V").earliest("pk"), said["figure"]
    figures.ask(finance, open_limit.pk, wanted["cap"], None, wanted["yuan"] * 100, wanted["reason"], at)
    return {"vouchers": issued}


def _terms(told: dict[str, Any], today: date) -> Terms:
    said = words("vouchers")
    return Terms(
        cap_id="voucher",
        title=told["title"],
        title_en=told["title_en"],
        notice=told["notice"],
        opens_on=today + timedelta(days=told["opens"]),
        closes_on=today + timedelta(days=told["closes"]),
        face_fen=None,
        most_fen=said["most_yuan"] * 100,
        life_days=said["life_days"],
        last_on=today + timedelta(days=told["closes"] + said["life_days"]),
        areas=tuple(Area(each["zone"], each["code_prefix"], each["yuan"] * 100) for each in said["areas"]),
    )


def _apply(people: People, found: VoucherAnnouncement, told: dict[str, Any], now: datetime) -> bool:
    """One application as far as it is told; whether a voucher came of it."""
    office, firm = people.office, people.customers[told["firm"]]
    at = now - timedelta(days=told["days_ago"])
    amount_fen = told["yuan"] * 100
    given = Application(found.quotas.get(code_prefix="63").pk, amount_fen, told["purpose"], _EVIDENCE)
    row: VoucherApplication = applying.apply(people.actor(firm, Role.FIRM_ADMIN), found.pk, firm.pk, given, at)
    if told["ends"] == "applied":
        return False
    author = people.actor(office, Role.PROGRAMME_OFFICER)
    if told["ends"] == "refused":
        applying.refuse(author, row.pk, told["reason"], at + timedelta(days=1))
        return False
    applying.review(author, row.pk, amount_fen, words("vouchers")["review"], at + timedelta(days=1))
    if told["ends"] != "issued":
        return False
    applying.issue(people.actor(office, Role.FINANCE), row.pk, at + timedelta(days=2))
    return True
