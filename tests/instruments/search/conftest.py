"""Two owners with instruments, and a test item behind one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from instruments.models import CatalogueEntry, Instrument, Organisation, Resource, TestItem
from instruments.services import catalogue, registry
from instruments.services.registry import InstrumentFields, SiteFields
from tests.instruments.registry.conftest import OPERATOR, make_owner, owner, take  # noqa: F401  (fixtures)

BRINE_ZH = "\u5364\u6c34"
ICP_ZH = "\u7535\u611f\u8026\u5408\u7b49\u79bb\u5b50\u4f53\u8d28\u8c31\u4eea"


@dataclass
class Stock:
    lab: Organisation
    university: Organisation
    icp: Instrument
    xrd: Instrument
    furnace: Instrument
    item: Resource


@pytest.fixture
def stock(db: None, now: datetime) -> Stock:
    lab = make_owner("Kunlun Institute", now, region_code="630104")
    university = make_owner("Salt Lake University", now, region_code="632801")
    xining = registry.create_site(OPERATOR, lab.pk, SiteFields("Xining", region_code="630104"), now)
    golmud = registry.create_site(OPERATOR, university.pk, SiteFields("Golmud", region_code="632801"), now)

    def instrument(site: Any, name: str, **fields: Any) -> Instrument:
        return registry.create_instrument(OPERATOR, site.pk, InstrumentFields(name, **fields), now)

    icp = instrument(xining, ICP_ZH, name_en="ICP mass spectrometer", class_code="0103", model="NexION-2000")
    xrd = instrument(golmud, "X-ray diffractometer", technique="XRD", class_code="0103", service_modes=("assisted",))
    furnace = instrument(xining, "Muffle furnace", class_code="12", training_needed=True)
    item = make_test_item(lab, now, "Lithium and magnesium in brine", matrix=BRINE_ZH, analytes=["Li", "Mg"], behind=[icp])
    return Stock(lab, university, icp, xrd, furnace, item)


def make_test_item(
    lab: Organisation, now: datetime, name: str, *, matrix: str, analytes: list[str], behind: list[Instrument]
) -> Resource:
    """A published test item with its entry."""
    resource = Resource.objects.create(
        kind="test_item", organisation=lab, name=name, published=True, created_at=now, updated_at=now
    )
    item = TestItem.objects.create(
        resource=resource,
        matrix=matrix,
        method="ICP-MS",
        analytes=[{"name": one, "limit": "0.01", "unit": "mg/L"} for one in analytes],
    )
    item.instruments.set(behind)
    catalogue.refresh_resources([resource.pk], now)
    return resource


def entry_of(thing: Instrument | Resource) -> CatalogueEntry:
    if isinstance(thing, Instrument):
        return CatalogueEntry.objects.get(instrument=thing)
    return CatalogueEntry.objects.get(resource=thing)
