"""Keeping resources: clean values or every reason, what an owner changes is found and written down, nobody else changes it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from config.kernel.access import NOBODY
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import CatalogueEntry, Instrument, Resource
from instruments.queries import resources as queries
from instruments.rules.resource_values import clean_part
from instruments.services import catalogue, registry, resources
from instruments.services.resource_parts import part_values
from tests.instruments.registry.conftest import make_owner

pytestmark = pytest.mark.django_db

TEST_ITEM = {
    "method": "ICP-OES",
    "standard": "GB/T 30902-2014",
    "matrix": "brine",
    "condition": "Li and Mg",
    "analytes": [{"name": "Li", "limit": "0.02", "unit": "mg/L"}, {"name": "Mg", "limit": "", "unit": ""}],
    "turnaround_days": 5,
    "qualifications": [
        {"scheme": "CMA", "certificate_number": "63", "valid_from": date(2025, 1, 1), "valid_to": date(2030, 12, 31)}
    ],
}
PARTS: dict[str, dict[str, Any]] = {
    "test_item": TEST_ITEM,
    "germplasm": {
        "standard": "mcpd",
        "descriptors": {"ACCENUMB": "QH-1", "GENUS": "Hordeum", "LATITUDE": "361230N", "LONGITUDE": "0941200E"},
    },
    "dataset": {"creators": ["Wang", "Li"], "issued_on": date(2025, 5, 1), "media_types": ["TEXT/CSV"], "size_bytes": 12},
    "literature": {"creators": ["Wang"], "issued": "2024-03", "type": "article", "language": "zh"},
}


def make(cast: Any, kind: str = "test_item", part: dict[str, Any] | None = None, **core: Any) -> Resource:
    given = {"name": "Brine elements", "published": True, **core}
    return resources.create_resource(
        cast.actor("wang"), cast.lab.pk, kind, given, PARTS[kind] if part is None else part, cast.now
    )


@pytest.mark.parametrize("kind", sorted(PARTS))
def test_each_kind_is_kept_with_its_part_and_changed_field_by_field(cast: Any, kind: str) -> None:
    resource = queries.resource_for(NOBODY, make(cast, kind).pk)
    stored = part_values(resource)
    assert {name: stored[name] for name in PARTS[kind] if name != "media_types"} == {
        name: value for name, value in PARTS[kind].items() if name != "media_types"
    }
    assert clean_part(kind, stored).values == stored  # what is stored passes its own rules unchanged
    before = AuditEntry.objects.count()
    resources.update_resource(cast.actor("wang"), resource.pk, {"name": "Brine elements"}, stored, cast.now)
    assert AuditEntry.objects.count() == before  # nothing differs, nothing is written
    resources.update_resource(cast.actor("wang"), resource.pk, {"description": "New"}, {}, cast.now)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.before, entry.after) == ("resource.update", {"description": ""}, {"description": "New"})


def test_an_accession_is_called_and_placed_by_its_descriptors(cast: Any) -> None:
    resource = queries.resource_for(NOBODY, make(cast, "germplasm", name="").pk)
    assert (resource.name, resource.inner_id) == ("Hordeum QH-1", "QH-1")
    assert (str(resource.germplasm.latitude), str(resource.germplasm.longitude)) == ("36.208333", "94.200000")
    changed = {"descriptors": {"ACCENUMB": "QH-2", "GENUS": "Hordeum"}}
    resources.update_resource(cast.actor("wang"), resource.pk, {}, changed, cast.now)
    again = queries.resource_for(NOBODY, resource.pk)
    assert (again.inner_id, again.germplasm.latitude) == ("QH-2", None)


@pytest.mark.parametrize(
    ("kind", "core", "part", "codes"),
    [
        ("test_item", {"name": ""}, {}, {("name.empty", "name")}),
        ("test_item", {"contact_email": "nobody"}, {}, {("instrument.email_invalid", "contact_email")}),
        (
            "test_item",
            {"region_code": "63"},
            {"turnaround_days": 0},
            {("instrument.region_code_invalid", "region_code"), ("resource.number_out_of_range", "turnaround_days")},
        ),
        ("test_item", {}, {"analytes": [{"limit": "0.1"}]}, {("resource.analyte_without_name", "analytes")}),
        (
            "test_item",
            {},
            {"qualifications": [{"certificate_number": "1"}]},
            {("resource.qualification_without_scheme", "qualifications")},
        ),
        (
            "test_item",
            {},
            {"qualifications": [{"scheme": "CMA", "valid_from": date(2026, 1, 2), "valid_to": date(2026, 1, 1)}]},
            {("resource.end_before_start", "qualifications")},
        ),
        ("test_item", {}, {"method": "a\u202eb"}, {("name.direction_control", "method")}),
        ("dataset", {}, {"media_types": ["csv"]}, {("resource.media_type_invalid", "media_types")}),
        (
            "dataset",
            {},
            {"temporal_from": date(2026, 1, 2), "temporal_to": date(2026, 1, 1)},
            {("resource.end_before_start", "temporal_to")},
        ),
        ("dataset", {}, {"landing_page": "javascript:alert(1)"}, {("instrument.url_invalid", "landing_page")}),
        (
            "literature",
            {},
            {"type": "novel", "issued": "2024-13", "language": "Chinese!"},
            {
                ("resource.choice_unknown", "type"),
                ("germplasm.iso_date_not_understood", "issued"),
                ("resource.language_invalid", "language"),
            },
        ),
        ("germplasm", {}, {"descriptors": {"GENUS": "Hordeum"}}, {("germplasm.number_missing", "ACCENUMB")}),
        ("germplasm", {}, {"standard": "other"}, {("resource.choice_unknown", "standard")}),
        (
            "germplasm",
            {},
            {"standard": "dwc", "descriptors": {}},
            {("germplasm.number_missing", "catalogNumber"), ("germplasm.scientific_name_missing", "scientificName")},
        ),
    ],
)
def test_every_reason_is_given_at_its_field(
    cast: Any, kind: str, core: dict[str, Any], part: dict[str, Any], codes: set[Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        resources.create_resource(cast.actor("wang"), cast.lab.pk, kind, {"name": "X", **core}, part, cast.now)
    assert {(reason.code, reason.field) for reason in refused.value.reasons} == codes
    assert not Resource.objects.exists()


def test_a_kind_that_does_not_exist_is_refused(cast: Any) -> None:
    with pytest.raises(Refusal, match="kind_unknown"):
        resources.create_resource(cast.actor("wang"), cast.lab.pk, "instrument", {"name": "X"}, {}, cast.now)


def test_only_the_owners_lab_manager_and_the_operator_keep_it(cast: Any) -> None:
    resource = make(cast)
    for name in ("lin", "li", "he", "chen", "wu"):
        with pytest.raises(Forbidden):
            resources.update_resource(cast.actor(name), resource.pk, {"name": "Mine"}, {}, cast.now)
        with pytest.raises(Forbidden):
            resources.create_resource(cast.actor(name), cast.lab.pk, "dataset", {"name": "Mine"}, {}, cast.now)
    resources.set_published(cast.actor("zhou"), resource.pk, False, cast.now)
    for name in ("lin", "he", "li"):
        with pytest.raises(NotFound):
            resources.update_resource(cast.actor(name), resource.pk, {"name": "Mine"}, {}, cast.now)
    with pytest.raises(NotFound):
        queries.resource_for(NOBODY, resource.pk)
    assert queries.resource_for(cast.actor("wang"), resource.pk).pk == resource.pk


def test_what_a_suspended_owner_shares_is_seen_by_the_operator_alone(cast: Any) -> None:
    resource = make(cast)
    cast.lab.status = "suspended"
    cast.lab.save()
    with pytest.raises(NotFound):
        queries.resource_for(cast.actor("lin"), resource.pk)
    assert queries.resource_for(cast.actor("zhou"), resource.pk).pk == resource.pk


def test_instruments_behind_a_test_are_the_owners_own_and_show_on_the_instrument(cast: Any) -> None:
    foreign = _foreign_instrument(cast)
    with pytest.raises(Refusal) as refused:
        make(cast, part={"instrument_ids": [cast.xrd.pk, foreign.pk, 10**9]})
    assert [reason.params["number"] for reason in refused.value.reasons] == [foreign.pk, 10**9]
    test = make(cast, part={"instrument_ids": [cast.xrd.pk]})
    make(cast, part={"instrument_ids": [cast.xrd.pk]}, published=False)
    assert [row.pk for row in queries.test_items_of(NOBODY, cast.xrd.pk)] == [test.pk]
    assert [row.resource.name for row in queries.test_items_of(cast.actor("wang"), cast.xrd.pk)] == ["Brine elements"]
    paper = make(cast, "literature", {"instrument_ids": [foreign.pk, cast.xrd.pk]})
    data = make(cast, "dataset", {"instrument_ids": [cast.xrd.pk]})
    assert {row.pk for row in queries.supported_by(NOBODY, cast.xrd.pk)} == {paper.pk, data.pk}
    assert [row.pk for row in queries.supported_by(NOBODY, foreign.pk)] == [paper.pk]
    assert queries.test_items_of(NOBODY, 10**9) == []
    Instrument.objects.filter(pk=cast.xrd.pk).update(published=False)
    assert queries.test_items_of(NOBODY, cast.xrd.pk) == []


def _foreign_instrument(cast: Any) -> Instrument:
    other = make_owner("Zangbo Institute", cast.now)
    return Instrument.objects.create(
        organisation=other, site=cast.site, calendar_id=cast.xrd.calendar_id, name="SEM", created_at=cast.now, updated_at=cast.now
    )


@pytest.mark.parametrize("words", ["brine", "Li", "GB/T 30902", "icp-oes", "Kunlun", "yuansu", "ys", "元素"])
def test_it_is_found_by_what_is_measured(cast: Any, words: str) -> None:
    resource = make(cast, name="元素", name_en="Elements")
    make(cast, part={}, name="X", published=False)
    assert [row.pk for row in queries.search_resources(NOBODY, words)] == [resource.pk]
    assert not queries.search_resources(NOBODY, "gold").exists()
    assert not queries.search_resources(NOBODY, "' | % _ \0").exists()


def test_the_catalogue_follows_every_change(cast: Any) -> None:
    resource = make(cast)
    entry = CatalogueEntry.objects.get(resource=resource)
    assert (entry.kind, entry.name, entry.public, entry.region_code, entry.price_from_fen) == (
        "test_item", "Brine elements", True, "630104", None,
    )  # fmt: skip
    resources.update_resource(
        cast.actor("wang"), resource.pk, {"name": "Salt", "region_code": "632801", "published": False}, {}, cast.now
    )
    entry.refresh_from_db()
    assert (entry.name, entry.name_pinyin, entry.public, entry.region_code) == ("Salt", "salt", False, "632801")
    assert CatalogueEntry.objects.filter(resource=resource).count() == 1


def test_a_test_item_follows_the_technique_and_the_place_of_its_instrument(cast: Any) -> None:
    test = make(cast, name="Composition", part={"instrument_ids": [cast.xrd.pk]}, region_code="")
    wang = cast.actor("wang")
    registry.update_instrument(wang, cast.xrd.pk, {"technique_codes": ["jishi:icp-oes"]}, cast.now)
    assert CatalogueEntry.objects.get(resource=test).technique_codes == ["jishi:icp-oes"]
    there = registry.create_site(wang, cast.lab.pk, registry.SiteFields(name="Golmud", region_code="632801"), cast.now)
    registry.update_instrument(wang, cast.xrd.pk, {"site_id": there.pk}, cast.now)
    assert CatalogueEntry.objects.get(resource=test).region_code == "632801"
    assert list(catalogue.differences()) == []


def test_a_new_place_lies_in_the_division_of_its_owner(cast: Any) -> None:
    registry.update_instrument(cast.actor("wang"), cast.xrd.pk, {}, cast.now, new_place="Building 7")
    assert (Instrument.objects.get(pk=cast.xrd.pk).site.name, CatalogueEntry.objects.get(instrument=cast.xrd).region_code) == (
        "Building 7",
        "630104",
    )
