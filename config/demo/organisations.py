"""The demo's people and organisations."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from itertools import product
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from PIL import Image, ImageDraw

from config.demo.accounts import DEMO_PASSWORD, SECOND_PEOPLE
from config.demo.source import words
from config.kernel.access import Actor, Role
from instruments.models import Membership, Organisation, OrganisationIdentifier, OrganisationStatus, User
from instruments.queries import actor_for
from instruments.rules.identifiers import make_uscc
from instruments.rules.names import name_key
from instruments.services import verification

UNVERIFIED_FIRMS = 3


@dataclass
class People:
    """Who is there: organisations by kind and actors by organisation id and role."""

    office: Organisation
    owners: list[Organisation] = field(default_factory=list)
    customers: list[Organisation] = field(default_factory=list)
    actors: dict[tuple[int, str], Actor] = field(default_factory=dict)

    def actor(self, organisation: Organisation, role: Role) -> Actor:
        return self.actors[organisation.pk, role]


class Founder:
    """Creates organisations and people; the same seed gives the same ones."""

    def __init__(self, dice: random.Random, now: datetime) -> None:
        self.dice = dice
        self.now = now
        self.password = make_password(DEMO_PASSWORD)
        self.serial = 0

    def organisation(self, kind: str, zh: str, en: str, region: str, **fields: Any) -> Organisation:
        self.serial += 1
        verified = fields.pop("verified", True)
        organisation = Organisation.objects.create(
            kind=kind,
            name=zh,
            name_en=en,
            name_key=name_key(zh),
            region_code=region,
            status=OrganisationStatus.VERIFIED if verified else OrganisationStatus.CLAIMED,
            verified_at=self.now if verified else None,
            created_at=self.now,
            bank_name=f"Demo Bank {region}",
            bank_account_name=zh,
            bank_account_number=f"6300{self.serial:012d}",
            **fields,
        )
        if kind != "team":
            prefix = {"firm": "91", "owner": "12", "government": "11"}[kind]
            code = make_uscc(f"{prefix}{region}", f"MA{self.serial:06d}")
            OrganisationIdentifier.objects.create(organisation=organisation, scheme="uscc", value=code)
        return organisation

    def person(self, email: str, name: str, organisation: Organisation, *roles: Role) -> Actor:
        user = User.objects.create(email=email, full_name=name, password=self.password, date_joined=self.now)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        for role in roles:
            Membership.objects.create(user=user, organisation=organisation, role=role, created_at=self.now)
        return actor_for(user)

    def name(self) -> str:
        people = words("people")
        return str(self.dice.choice(people["family"]) + self.dice.choice(people["given"]))


def found(dice: random.Random, now: datetime) -> People:
    """Create the office, the owners with their staff, and the customers with theirs."""
    founder = Founder(dice, now)
    office_words = words("people")["office"]
    people = People(founder.organisation("government", office_words["zh"], office_words["en"], "630000"))
    for place, each in enumerate(words("owners")):
        owner = founder.organisation(
            "owner", each["zh"], each["en"], each["region"], owner_class=each["class"], quality_grade=each["grade"]
        )
        people.owners.append(owner)
        _staff(founder, people, owner, f"owner{place + 1}", (Role.LAB_MANAGER, Role.OWNER_FINANCE))
    for place, (zh, en, region, size) in enumerate(_firms()):
        firm = founder.organisation(
            "firm",
            zh,
            en,
            region,
            staff_count=size["staff"],
            annual_revenue_fen=size["revenue"] * 100,
            verified=place % 14 != 13 or place // 14 >= UNVERIFIED_FIRMS,
        )
        people.customers.append(firm)
        _staff(founder, people, firm, f"firm{place + 1}", (Role.RESEARCHER, Role.FIRM_ADMIN))
    for place, each in enumerate(words("firms")["teams"]):
        team = founder.organisation("team", each["zh"], each["en"], "630105")
        people.customers.append(team)
        _staff(founder, people, team, f"team{place + 1}", (Role.RESEARCHER, Role.FIRM_ADMIN))
    _personas(founder, people)
    return people


def _firms() -> list[tuple[str, str, str, dict[str, int]]]:
    lists = words("firms")
    firms = []
    for place, (prefix, trade) in enumerate(product(lists["prefixes"], lists["trades"])):
        region = lists["regions"][place % len(lists["regions"])]
        size = lists["sizes"][place % len(lists["sizes"])]
        zh = prefix["zh"] + trade["zh"] + lists["suffix_zh"]
        firms.append((zh, f"{prefix['en']} {trade['en']} {lists['suffix_en']}", region, size))
    return firms


def _staff(founder: Founder, people: People, organisation: Organisation, mailbox: str, roles: tuple[Role, ...]) -> None:
    for role in roles:
        email = f"{role.replace('_', '-')}.{mailbox}@demo.jishi.example"
        people.actors[organisation.pk, role] = founder.person(email, founder.name(), organisation, role)


def _personas(founder: Founder, people: People) -> None:
    """The printed accounts: colleagues in the first firm, the first lab and the office; and who works with them."""
    homes = {
        Role.RESEARCHER: people.customers[0],
        Role.FIRM_ADMIN: people.customers[0],
        Role.LAB_MANAGER: people.owners[0],
        Role.OWNER_FINANCE: people.owners[0],
    }
    lists = words("people")
    for each in lists["personas"]:
        role = Role(each["role"])
        home = people.owners[0] if each.get("home") == "owner" else homes.get(role, people.office)
        people.actors[home.pk, role] = founder.person(each["email"], each["zh"], home, role)
    for each in lists["group_people"]:
        lab = people.owners[0]
        people.actors[lab.pk, each["key"]] = founder.person(each["email"], each["zh"], lab, Role.RESEARCHER)
    for key, home, role in zip(
        SECOND_PEOPLE,
        (people.office, people.office, people.owners[0]),
        (Role.PROGRAMME_OFFICER, Role.FINANCE, Role.OWNER_FINANCE),
        strict=True,
    ):
        people.actors[home.pk, key] = founder.person(lists[key]["email"], lists[key]["zh"], home, role)


def hand_in_licence(administrator: Actor, organisation: Organisation, now: datetime) -> None:
    """Hand in an invented licence: a plain picture that says so."""
    picture = Image.new("RGB", (620, 420), "#f7f3e8")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((14, 14, 606, 406), outline="#8a6d3b", width=3)
    pen.text((150, 190), f"DEMO LICENCE  {organisation.name_en}", fill="#333333")
    out = BytesIO()
    picture.save(out, "PNG")
    verification.submit_verification(administrator, organisation.pk, out.getvalue(), now)
