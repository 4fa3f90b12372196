"""The demo's test items, germplasm, data sets and literature, and requests for them in every state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from billing.pricing import sample_prices
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Actor, Role
from instruments.models import Instrument, Organisation, Resource
from instruments.services import resource_requests, resources
from instruments.services.resource_requests import Application, Delivery, terms_fingerprint

#: How each request of the demo goes on; every state is there, and one that waits in the inbox of the printed accounts.
LIVES = ("requested", "approved", "delivered", "closed", "refused", "withdrawn", "closed", "requested", "delivered")
#: Large firms pay a quarter more than the list says, the lab's own people half.
_CLASS_SHARES = {"firm_large": 125, "inside": 50}


def share(people: People, stocked: Sequence[Instrument], began: datetime, now: datetime) -> int:
    """Publish what the owners share and play the requests; returns how many resources there are."""
    shared = _test_items(people, stocked, began)
    shared += _collections(people, stocked, began)
    _requests(people, shared, now)
    return len(shared)


def _test_items(people: People, stocked: Sequence[Instrument], began: datetime) -> list[Resource]:
    """One item for every owner that has an instrument of its technique."""
    by_technique: dict[tuple[int, str], list[Instrument]] = {}
    for instrument in stocked:
        by_technique.setdefault((instrument.organisation_id, instrument.technique), []).append(instrument)
    made: list[Resource] = []
    for owner in people.owners:
        for template in words("resources")["test_items"]:
            behind = by_technique.get((owner.pk, template["technique"]))
            if behind:
                made.append(_test_item(people, owner, template, behind, len(made), began))
    return made


def _test_item(
    people: People, owner: Organisation, template: dict[str, Any], behind: list[Instrument], serial: int, began: datetime
) -> Resource:
    manager = people.actor(owner, Role.LAB_MANAGER)
    core = {
        **_core(owner, manager, "test_item", template["zh"], template["en"]),
        "inner_id": f"T{owner.pk:02d}{serial:03d}",
        "keywords": [template["technique"], template["matrix"].split("、")[0]],
    }
    part = {
        "method": template["method"],
        "standard": template["standard"],
        "condition": template["condition"],
        "matrix": template["matrix"],
        "analytes": [{"name": name, "limit": limit, "unit": unit} for name, limit, unit in template["analytes"]],
        "sample_amount": template["amount"],
        "sample_preparation": template["preparation"],
        "turnaround_days": template["days"] + serial % 3,
        "daily_capacity": template["capacity"],
        "instrument_ids": [instrument.pk for instrument in behind],
        "qualifications": _qualifications(serial, began.date()),
    }
    resource = resources.create_resource(manager, owner.pk, "test_item", core, part, began)
    if template["price"]:
        fen = template["price"] * 100
        classes = {name: fen * share // 100 for name, share in _CLASS_SHARES.items()} if serial % 2 else {}
        accountant = people.actor(owner, Role.OWNER_FINANCE)
        today = began.date()
        sample_prices.publish_test_price(accountant, resource, template["unit"], fen, classes, today, began, today)
    return resource


def _qualifications(serial: int, today: date) -> list[dict[str, Any]]:
    """Every other item is accredited; some accreditations have run out."""
    return [
        {
            "scheme": one["scheme"],
            "certificate_number": f"{one['number']}{serial:03d}",
            "valid_from": today + timedelta(days=one["from_days"]),
            "valid_to": today + timedelta(days=one["to_days"]),
        }
        for place, one in enumerate(words("resources")["qualifications"])
        if (serial + place) % 2 == 0
    ]


def _collections(people: People, stocked: Sequence[Instrument], began: datetime) -> list[Resource]:
    lists = words("resources")
    made = []
    for place, each in enumerate(lists["datasets"]):
        owner = people.owners[0 if place % 2 == 0 else place]
        part = {
            "creators": [owner.name],
            "issued_on": date(2025, 1 + place, 15),
            "version": "1.0",
            "media_types": each["types"],
            "size_bytes": each["size"],
            "temporal_from": date.fromisoformat(each["from"]),
            "temporal_to": date.fromisoformat(each["to"]),
            "spatial": each["spatial"],
            "instrument_ids": _first_of(stocked, owner),
        }
        extra = {"description": each["what_zh"], "description_en": each["what_en"], "keywords": each["keywords"]}
        numbers = {"doi": f"10.99999/demo.data.{place + 1}", "cstr": f"99999.11.demo.{place + 1}", "licence": "CC BY-NC 4.0"}
        made.append(_add(people, owner, "dataset", each["zh"], each["en"], extra | numbers, part, began))
    for place, each in enumerate(lists["literature"]):
        owner = people.owners[place * 3]
        names = ("type", "issued", "source", "publisher", "language")
        part = {**{name: each[name] for name in names}, "creators": each["authors"], "instrument_ids": _first_of(stocked, owner)}
        numbers = {"doi": f"10.99999/demo.text.{place + 1}"}
        made.append(_add(people, owner, "literature", each["zh"], each["en"], numbers, part, began))
    bank = people.owners[4]
    for standard, rows, number in (("mcpd", lists["plants"], "ACCENUMB"), ("dwc", lists["animals"], "catalogNumber")):
        code = "INSTCODE" if standard == "mcpd" else "institutionCode"
        for place, descriptors in enumerate(rows):
            part = {
                "standard": standard,
                "descriptors": {**descriptors, code: "CHN999", number: f"QH-{standard}-{place + 1:04d}"},
            }
            made.append(_add(people, bank, "germplasm", "", "", {}, part, began))
    return made


def _first_of(stocked: Sequence[Instrument], owner: Organisation) -> list[int]:
    return [instrument.pk for instrument in stocked if instrument.organisation_id == owner.pk][:1]


def _add(
    people: People, owner: Organisation, kind: str, zh: str, en: str, more: dict[str, Any], part: dict[str, Any], began: datetime
) -> Resource:
    manager = people.actor(owner, Role.LAB_MANAGER)
    core = _core(owner, manager, kind, zh, en) | more
    return resources.create_resource(manager, owner.pk, kind, core, part, began)


def _core(owner: Organisation, manager: Actor, kind: str, zh: str, en: str) -> dict[str, Any]:
    return {
        "name": zh,
        "name_en": en,
        "access_terms": words("resources")["terms"][kind],
        "contact_name": manager.name,
        "contact_email": f"lab-{owner.pk}@demo.jishi.example",
        "published": True,
    }


def _requests(people: People, shared: Sequence[Resource], now: datetime) -> None:
    """Firms ask for every kind; the first firm asks the first owner, so that the printed accounts see both sides."""
    home = people.owners[0].pk
    own = [resource for resource in shared if resource.organisation_id == home and resource.kind != "test_item"]
    own += [resource for resource in shared if resource.organisation_id == home and resource.kind == "test_item"][:3]
    others = [resource for resource in shared if resource.organisation_id != home][:: max(1, len(shared) // 12)]
    purposes = words("resources")["purposes"]
    for place, resource in enumerate([*own, *others]):
        firm = people.customers[0 if resource.organisation_id == home else place]
        asker, keeper = people.actor(firm, Role.RESEARCHER), people.actor(resource.organisation, Role.LAB_MANAGER)
        asked_at = now - timedelta(days=40 - 2 * place, hours=place)
        application = Application(
            resource_id=resource.pk,
            organisation_id=firm.pk,
            purpose=purposes[place % len(purposes)],
            quantity=str(3 + place) if resource.kind == "test_item" else "",
            terms_accepted=True,
            terms_seen=terms_fingerprint(resource),
        )
        request = resource_requests.apply(asker, application, asked_at)
        _live(request.pk, LIVES[place % len(LIVES)], asker, keeper, asked_at, place)


def _live(request_id: int, life: str, asker: Actor, keeper: Actor, asked_at: datetime, place: int) -> None:
    """Take a request to the state in which the demo shows it."""
    if life == "withdrawn":
        resource_requests.withdraw(asker, request_id, asked_at + timedelta(days=1))
        return
    if life == "refused":
        reason = words("resources")["refusal"]
        resource_requests.refuse(keeper, request_id, reason, asked_at + timedelta(days=2))
        return
    if life == "requested":
        return
    resource_requests.approve(keeper, request_id, asked_at + timedelta(hours=20))
    if life == "approved":
        return
    file = Delivery("file", "", b"sample,Li_mg_per_L,Mg_mg_per_L\nQ-1,168.2,41200\nQ-2,152.7,39800\n", f"demo-{request_id}.csv")
    delivery = file if place % 2 == 0 else Delivery("visit", words("resources")["visit"])
    resource_requests.deliver(keeper, request_id, delivery, asked_at + timedelta(days=3 + place % 4))
    if life == "closed":
        feedback = words("resources")["feedback"]
        resource_requests.give_feedback(asker, request_id, 5 - place % 2, feedback, asked_at + timedelta(days=9))
