"""An instrument about which everything is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from instruments.models import CustomsRecord, Instrument, InstrumentFunding
from instruments.queries import codes

EVERYTHING: dict[str, Any] = {
    "inner_id": "00123",
    "name": "=SUM(A1) X-ray diffractometer",
    "name_en": "XRD",
    "class_code": "0103",
    "model": "D8 Advance",
    "manufacturer": "Bruker",
    "original_value_fen": 123_456_789_01,
    "commissioned_on": date(2019, 5, 7),
    "technique": "X-ray diffraction, powder",
    "description": "First line\nsecond, with a comma\n\nand \u4e2d\u6587 \U0001f52c",
    "description_en": "In English",
    "service_modes": ["self_operated", "commissioned"],
    "status": "occasionally_faulty",
    "published": True,
    "contact_name": "Wang Min",
    "contact_phone": "0971-5512345",
    "contact_email": "lab@example.org",
    "contact_address": "1 Road",
    "contact_postal_code": "810000",
    "department": "Analysis",
    "affiliation": "state_key_lab",
    "affiliation_name": "Salt lakes",
    "acquisition": "purchased",
    "use_type": "special",
    "share_mode": "external",
    "nation_code": "DE",
    "technical_indicators": "2\u03b8 -10\u00b0 to 168\u00b0",
    "functions": "Phases",
    "subject_codes": ["150", "430"],
    "technique_codes": ["PaNET01216", "jishi:icp-ms"],
    "keywords": ["salt, dried", "lithium"],
    "service_content": "Powder patterns",
    "achievements": "A paper",
    "access_terms": "Book two days ahead",
    "fee_note": "",
    "service_url": "",
    "effect_1": "One",
    "effect_2": "Two",
    "asset_number": "A-1",
    "fixed_asset_code": "2010203",
    "accessories": "Oven",
    "certification": "applied",
    "known_users": "Salt works\nA university",
    "purchased_on": date(2018, 1, 2),
    "imported": True,
    "customs_supervised": True,
    "training_needed": True,
    "doi": "10.1234/abc",
    "cstr": "CSTR:31253.11.xrd-1",
}
CUSTOMS: dict[str, Any] = {
    "declaration_number": "010120181018123456",
    "item_number": "03",
    "declared_name": "Diffractometer",
    "released_on": date(2018, 3, 4),
    "exemption_number": "Z01011800001",
    "contract_number": "C-1",
    "port": "Xining",
    "customs_office": "Xining customs",
    "hs_code": "9022199090",
    "may_share": True,
    "may_charge": False,
    "imported_on": date(2018, 2, 20),
    "exemption_item": "7",
    "supervision_notes": "Moved to the south campus on 2020-05-01, told to customs",
}
FUNDINGS = {"central": 100_000_000_01, "district": None, "own": None, "loan": 7_00}


@pytest.fixture(autouse=True)
def _fresh_names() -> Iterator[None]:
    codes.forget()
    yield
    codes.forget()


@pytest.fixture
def known(cast: Any) -> Instrument:
    """The cast's XRD, with every field filled, at a site with an address."""
    Instrument.objects.filter(pk=cast.xrd.pk).update(**EVERYTHING)
    CustomsRecord.objects.create(instrument=cast.xrd, **CUSTOMS)
    for source, amount in FUNDINGS.items():
        InstrumentFunding.objects.create(instrument=cast.xrd, source=source, amount_fen=amount)
    cast.site.address = "2 Salt Road"
    cast.site.latitude, cast.site.longitude = "36.617000", "101.778000"
    cast.site.save()
    return Instrument.objects.get(pk=cast.xrd.pk)
