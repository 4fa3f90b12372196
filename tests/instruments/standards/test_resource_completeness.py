"""What the records of test items, data sets, literature and germplasm still lack, counted and listed by the database."""

from __future__ import annotations

from typing import Any

import pytest

from config.kernel.errors import Forbidden
from instruments.models import Resource
from instruments.queries.resource_completeness import lacking, share_of, told
from instruments.rules.resource_values import CORE_FIELDS, KINDS, part_fields
from instruments.rules.standards import darwin_core, mcpd
from instruments.rules.standards.resource_completeness import MCPD, requirement_of, requirements
from instruments.services import resources

_TEXTS = {
    "description": "What it is",
    "keywords": ["brine"],
    "access_terms": "On request",
    "licence": "CC BY 4.0",
    "contact_name": "Wang",
}
FULL: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    "test_item": [
        (
            {"name": "ICP", **_TEXTS},
            {"analytes": [{"name": "Li", "limit": "", "unit": ""}], "matrix": "brine", "method": "ICP-OES", "sample_amount": "10 mL",
             "turnaround_days": 5, "instrument_ids": []},
        ),
    ],
    "dataset": [
        (
            {"name": "Levels", "cstr": "CSTR:12345.11.lake", **_TEXTS},
            {"creators": ["Wang"], "issued_on": None, "media_types": ["text/csv"]},
        ),
    ],
    "literature": [
        (
            {"name": "Salt", "doi": "10.1000/1", **_TEXTS},
            {"creators": ["Wang"], "issued": "2020", "type": "article", "language": "zh", "source": "Salt Research"},
        ),
    ],
    "germplasm": [
        ({}, {"standard": "mcpd", "descriptors": dict.fromkeys(mcpd.DESCRIPTORS, "")
              | {"INSTCODE": "CHN001", "ACCENUMB": "W1", "GENUS": "Triticum", "SPECIES": "aestivum", "CROPNAME": "wheat",
                 "ACQDATE": "198802--", "ORIGCTY": "CHN", "SAMPSTAT": "300", "COLLSRC": "20", "DUPLSITE": "CHN002", "STORAGE": "13",
                 "MLSSTAT": "1"}}),
        ({}, {"standard": "dwc", "descriptors": {
            "occurrenceID": "urn:1", "basisOfRecord": "LivingSpecimen", "institutionCode": "QH", "catalogNumber": "Y1",
            "scientificName": "Bos grunniens", "kingdom": "Animalia", "eventDate": "2001", "countryCode": "CN",
            "preparations": "semen"}}),
    ],
}  # fmt: skip


@pytest.fixture
def kept(cast: Any, db: None) -> dict[str, list[Resource]]:
    """Of each kind one record (of germplasm one of each standard) with all that is asked for, before a name alone."""
    wang = cast.actor("wang")

    def made(kind: str, core: dict[str, Any], part: dict[str, Any]) -> Resource:
        part = {name: value if value != [] else [cast.xrd.pk] for name, value in part.items()}
        if "issued_on" in part:
            part["issued_on"] = cast.now.date()
        return resources.create_resource(wang, cast.lab.pk, kind, core, part, cast.now)

    rows = {kind: [made(kind, core, part) for core, part in full] for kind, full in FULL.items()}
    for kind in ("test_item", "dataset", "literature"):
        rows[kind].append(made(kind, {"name": "Bare"}, {}))
    rows["germplasm"].append(made("germplasm", {}, {"standard": "mcpd", "descriptors": {"ACCENUMB": "W2", "GENUS": "Triticum"}}))
    rows["germplasm"].append(
        made("germplasm", {}, {"standard": "dwc", "descriptors": {"catalogNumber": "Y2", "scientificName": "Bos"}})
    )
    return rows


def test_what_each_kind_lacks_is_counted_by_field_and_each_count_has_its_records(
    kept: dict[str, list[Resource]], cast: Any, django_assert_num_queries: Any
) -> None:
    wang = cast.actor("wang")
    for kind in KINDS:
        bare = kept[kind][len(FULL[kind]) :]
        with django_assert_num_queries(1):
            found = share_of(wang, cast.lab.pk, kind)
        assert (found.total, found.complete, found.percent) == (len(kept[kind]), len(FULL[kind]), 50), kind
        with django_assert_num_queries(1):
            listed = told(kind, list(lacking(wang, cast.lab.pk, kind)))
        assert {one.resource.pk for one in listed} == {row.pk for row in bare}, kind
        for required, count in found.missing:
            assert count == sum(required in one.requirements for one in listed), required
            rows = list(lacking(wang, cast.lab.pk, kind, required.field))
            assert len(rows) == count, required
        if kind != "germplasm":
            assert {one.field for one, _count in found.missing} == {one.field for one in requirements(kind)}
    of_wheat = {one.field for one in told("germplasm", list(lacking(wang, cast.lab.pk, "germplasm", "ORIGCTY")))[0].requirements}
    assert of_wheat == {one.field for one in requirements("germplasm") if one.standard == MCPD} - {"ACCENUMB", "GENUS"}


def test_one_of_several_fields_is_enough_and_what_is_filled_in_is_counted_no_more(
    kept: dict[str, list[Resource]], cast: Any
) -> None:
    wang = cast.actor("wang")
    bare = kept["dataset"][1]
    assert bare in lacking(wang, cast.lab.pk, "dataset", "identifier")
    Resource.objects.filter(pk=bare.pk).update(doi="10.1000/2", contact_phone="1")
    missing = {one.field for one, _count in share_of(wang, cast.lab.pk, "dataset").missing}
    assert not missing & {"identifier", "contact_name"}
    assert missing == {"description", "keywords", "creators", "issued_on", "licence", "access_terms", "media_types"}
    with pytest.raises(Forbidden):
        share_of(cast.actor("li"), cast.lab.pk, "dataset")
    with pytest.raises(Forbidden):
        lacking(cast.actor("lin"), cast.lab.pk, "dataset")


def test_every_requirement_names_fields_that_there_are_once() -> None:
    for kind in KINDS:
        asked = requirements(kind)
        assert len({one.field for one in asked}) == len(asked)
        assert all(requirement_of(kind, one.field) is one for one in asked)
        known = {"": CORE_FIELDS | part_fields(kind), "mcpd": set(mcpd.DESCRIPTORS), "dwc": set(darwin_core.TERMS)}
        assert all(set(one.any_of) <= known[one.standard] for one in asked)
    assert requirement_of("dataset", "ORIGCTY") is None
