"""The page of what reports still lack, for resources of every kind: counts lead to the records."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from instruments.services import resources
from tests.frontend.acting import query_count

pytestmark = pytest.mark.django_db


def test_a_count_leads_to_the_records_that_lack_the_field_and_the_meter_stands_on_the_list(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    actor, lab = cast.actor("wang"), cast.lab.pk
    part = {"creators": ["Wang"], "media_types": ["text/csv"]}
    bare = resources.create_resource(actor, lab, "dataset", {"name": "Bare <b>"}, {}, cast.now)
    some = resources.create_resource(actor, lab, "dataset", {"name": "Lake levels"}, part, cast.now)
    url = reverse("organisation_completeness", args=[lab])
    listed = wang.get(reverse("resource_list") + "?kind=dataset").content.decode()
    assert f'hx-get="{url}?kind=dataset"' in listed
    assert f'href="{url}?kind=test_item"' in wang.get(reverse("resource_list")).content.decode()
    page = wang.get(url + "?kind=dataset").content.decode()
    assert "Data sets: 0 of 2 complete" in page and "DCAT 3 dcterms:creator" in page
    assert "?kind=dataset&amp;field=media_types#records-title" in page
    assert "Bare &lt;b&gt;" in page and reverse("resource_edit", args=[some.pk]) in page
    narrow = wang.get(url + "?kind=dataset&field=creators&page=1").content.decode()
    assert "1 lacks: Creators" in narrow
    assert reverse("resource_edit", args=[bare.pk]) in narrow and reverse("resource_edit", args=[some.pk]) not in narrow
    assert reverse("resource_edit", args=[some.pk]) in wang.get(url + "?kind=dataset&field=none").content.decode()
    piece = wang.get(url + "?kind=dataset", headers={"HX-Request": "true"}).content.decode()
    assert piece.startswith('<div class="meter-line">') and "0 / 2" in piece and "<html" not in piece
    assert "Nothing of that kind here" in wang.get(url + "?kind=literature").content.decode()
    before = query_count(wang, url + "?kind=dataset")
    for number in range(3):
        resources.create_resource(actor, lab, "dataset", {"name": f"More {number}"}, {}, cast.now)
    assert query_count(wang, url + "?kind=dataset") == before
    assert as_("lin").get(url + "?kind=dataset").status_code in (403, 404)


def test_the_count_of_instruments_leads_to_those_that_lack_the_field(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    url = reverse("organisation_completeness", args=[cast.lab.pk])
    page = wang.get(url).content.decode()
    assert "?field=functions#records-title" in page and f'href="{url}?kind=germplasm"' in page
    assert reverse("instrument_edit", args=[cast.xrd.pk]) in wang.get(url + "?field=functions").content.decode()
    assert "1 lacks: Main functions" in wang.get(url + "?field=functions").content.decode()
