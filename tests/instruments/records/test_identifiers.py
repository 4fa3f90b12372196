"""A DOI or a CSTR identifier is checked where it is typed and imported; one that was stored before it was checked stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from config.kernel.errors import Refusal
from instruments.models import Instrument, Organisation, Resource
from instruments.rules.registry_map import builtin_map
from instruments.services import instrument_edits, registry, resources
from instruments.services.described_import import import_datasets
from instruments.services.instrument_edits import Edit
from instruments.services.registry_import import ImportRequest, import_registry
from tests.instruments.resources.conftest import OPERATOR, as_, clock, taken_in

__all__ = ["as_", "clock"]

pytestmark = pytest.mark.django_db
ODD, DOI, CSTR = "see our page", "10.1234/xrd.1", "CSTR:31253.11.xrd"


def test_an_odd_doi_that_is_stored_stands_in_nobodys_way_and_another_one_is_refused(cast: Any, now: Any) -> None:
    wang = cast.actor("wang")
    Instrument.objects.filter(pk=cast.xrd.pk).update(doi=ODD)
    registry.update_instrument(wang, cast.xrd.pk, {"model": "D8", "doi": ODD}, now)
    assert Instrument.objects.values_list("model", "doi").get(pk=cast.xrd.pk) == ("D8", ODD)
    for field, text in (("doi", "10.1234"), ("cstr", ODD)):
        with pytest.raises(Refusal) as refused:
            registry.update_instrument(wang, cast.xrd.pk, {field: text}, now)
        assert [(one.code, one.field) for one in refused.value.reasons] == [(f"instrument.{field}_invalid", field)]
    registry.update_instrument(wang, cast.xrd.pk, {"doi": DOI, "cstr": CSTR}, now)
    assert Instrument.objects.values_list("doi", "cstr").get(pk=cast.xrd.pk) == (DOI, CSTR)


def test_what_waits_for_the_operator_may_leave_an_odd_doi_too(cast: Any, now: Any) -> None:
    Instrument.objects.filter(pk=cast.xrd.pk).update(doi=ODD)
    Organisation.objects.filter(pk=cast.lab.pk).update(reviews_needed=True)
    saved = instrument_edits.save(cast.actor("wang"), cast.xrd.pk, Edit({"model": "D8", "doi": ODD}), now)
    assert saved.change is not None and saved.change.values == {"model": "D8"}


def test_a_list_with_an_odd_doi_is_refused_but_for_one_that_is_there_already(cast: Any, now: Any) -> None:
    Instrument.objects.filter(pk=cast.xrd.pk).update(inner_id="A1", doi=ODD)

    def report(doi: str) -> Any:
        content = f"inner_id,name,model,doi\nA1,{cast.xrd.name},D9,{doi}\n".encode()
        plan = builtin_map("csv")
        return import_registry(cast.actor("wang"), ImportRequest(content, "l.csv", plan, owner_id=cast.lab.pk), now)

    refused = report("10.1234")
    assert [(one.code, one.field) for one in refused.rows[0].reasons] == [("instrument.doi_invalid", "doi")]
    again = report(ODD)
    assert again.counts["updated"] == 1
    assert [(one.code, one.field) for one in again.rows[0].notes] == [("import.identifier_not_written", "doi")]
    assert Instrument.objects.values_list("model", "doi").get(pk=cast.xrd.pk) == ("D9", ODD)


def test_resources_obey_the_same_rules(cast: Any, now: Any) -> None:
    wang = cast.actor("wang")
    with pytest.raises(Refusal, match=r"instrument\.cstr_invalid"):
        resources.create_resource(wang, cast.lab.pk, "dataset", {"name": "Brines", "cstr": "1"}, {}, now)
    made = resources.create_resource(wang, cast.lab.pk, "dataset", {"name": "Brines", "inner_id": "1"}, {}, now)
    Resource.objects.filter(pk=made.pk).update(doi=ODD)
    resources.update_resource(wang, made.pk, {"name": "Brines 2", "doi": ODD}, {}, now)
    text = "number,title,doi\n1,Brines 3,{}\n"
    assert taken_in(import_datasets, text.format("odd"), cast.lab, now, actor=OPERATOR).counts["refused"] == 1
    assert taken_in(import_datasets, text.format(ODD), cast.lab, now, actor=OPERATOR).counts["updated"] == 1
    assert Resource.objects.values_list("name", "doi").get() == ("Brines 3", ODD)
    copied = taken_in(import_datasets, text.format(ODD) + f"2,Other brines,{ODD}\n", cast.lab, now, actor=OPERATOR)
    assert [(row.fate, [one.code for one in row.notes]) for row in copied.rows] == [
        ("unchanged", ["import.identifier_not_written"]),
        ("created", ["import.identifier_not_written"]),
    ]
    assert Resource.objects.get(inner_id="2").doi == ""


def test_the_pages_lead_to_what_an_identifier_stands_for_and_an_odd_one_is_text(cast: Any, client: Any, now: Any) -> None:
    Instrument.objects.filter(pk=cast.xrd.pk).update(doi=DOI, cstr="odd & old")
    page = client.get(reverse("instrument_detail", args=[cast.xrd.pk])).content.decode()
    assert f'<a href="https://doi.org/{DOI}" rel="noopener">{DOI}</a>' in page
    assert "odd &amp; old" in page and "cstr.cn" not in page
    core = {"name": "Brines", "doi": DOI, "cstr": CSTR, "published": True}
    made = resources.create_resource(OPERATOR, cast.lab.pk, "dataset", core, {"instrument_ids": [cast.xrd.pk]}, now)
    page = client.get(reverse("resource_detail", args=[made.pk])).content.decode()
    assert f'<a href="https://doi.org/{DOI}" rel="noopener">{DOI}</a>' in page
    assert f'<a href="https://cstr.cn/31253.11.xrd" rel="noopener">{CSTR}</a>' in page
