"""The places of an owner: what is known of them is kept by its managers, and what hangs on it follows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from config.kernel.errors import Forbidden, Refusal
from config.kernel.models import AuditEntry
from instruments.models import CatalogueEntry, Instrument, Site
from instruments.services import catalogue
from instruments.services.places import Place, update_site
from instruments.services.registry import SiteFields

pytestmark = pytest.mark.django_db


def codes(refusal: Refusal) -> list[str]:
    return sorted(reason.code for reason in refusal.reasons)


def test_a_manager_mends_a_place_and_the_search_and_the_record_follow(as_: Any, cast: Any) -> None:
    catalogue.rebuild(cast.now)
    wang, place = as_("wang"), cast.site
    listed = wang.get(reverse("place_list", args=[cast.lab.pk])).content.decode()
    assert reverse("place_edit", args=[place.pk]) in listed
    lacking = wang.get(reverse("organisation_completeness", args=[cast.lab.pk])).content.decode()
    assert reverse("place_edit", args=[place.pk]) in lacking  # the street is missing, and this is where it is given
    url = reverse("place_edit", args=[place.pk])
    typed = {
        "name": place.name,
        "name_en": "Golmud station",
        "address": "1 Salt Lake Road",
        "region_code": "632801",
        "time_zone": place.time_zone,
        "latitude": "36.4064",
        "longitude": "94.9285",
    }
    wrong = wang.post(url, typed | {"latitude": "91", "longitude": "east", "region_code": "999999", "time_zone": "Asia/Urumqi"})
    assert wrong.status_code == 422
    said = wrong.content.decode()
    for words in ("between -90 and 90", "is no number of degrees", "There is no division 999999", "Opening hours here are kept"):
        assert words in said
    assert 'value="east"' in said  # nothing typed is lost
    assert wang.post(url, typed).status_code == 302
    place.refresh_from_db()
    assert (place.latitude, place.longitude, place.address) == (Decimal("36.4064"), Decimal("94.9285"), "1 Salt Lake Road")
    assert CatalogueEntry.objects.get(instrument=cast.xrd).region_code == "632801"
    audited = AuditEntry.objects.get(action="site.update")
    assert audited.after["latitude"] == "36.406400"
    again = wang.post(url, typed)
    assert again.status_code == 302
    assert AuditEntry.objects.filter(action="site.update").count() == 1  # nothing differs, nothing is written
    lacking = wang.get(reverse("organisation_completeness", args=[cast.lab.pk])).content.decode()
    assert reverse("place_edit", args=[place.pk]) not in lacking
    # nobody else
    with pytest.raises(Forbidden):
        update_site(cast.actor("lin"), place.pk, Place(SiteFields(place.name)), cast.now)
    assert as_("lin").get(url).status_code == 403


def test_half_a_coordinate_and_a_taken_name_are_refused_and_the_zone_changes_without_hours(cast: Any) -> None:
    wang = cast.actor("wang")
    empty = Site.objects.create(organisation=cast.lab, name="New hall")
    with pytest.raises(Refusal) as refused:
        update_site(wang, empty.pk, Place(SiteFields(cast.site.name), latitude="1"), cast.now)
    assert codes(refused.value) == ["place.coordinate_missing", "site.name_taken"]
    with pytest.raises(Refusal) as refused:
        update_site(wang, empty.pk, Place(SiteFields("New hall", time_zone="Mars/Olympus")), cast.now)
    assert codes(refused.value) == ["import.time_zone_unknown"]
    moved = update_site(wang, empty.pk, Place(SiteFields("New hall", time_zone="Asia/Urumqi")), cast.now)
    assert moved.time_zone == "Asia/Urumqi"
    for outside in ({"latitude": 91, "longitude": 0}, {"latitude": 0, "longitude": -181}):  # the database's own guard
        with pytest.raises((IntegrityError, ValidationError)), transaction.atomic():
            Site.objects.filter(pk=empty.pk).update(**outside)


def test_a_place_is_read_and_changed_through_the_api(as_: Any, cast: Any) -> None:
    wang, address = as_("wang"), f"/api/v1/places/{cast.site.pk}/"
    listed = wang.get(f"/api/v1/organisations/{cast.lab.pk}/places/").json()["results"]
    assert cast.site.pk in [row["id"] for row in listed]
    body = {"name": cast.site.name, "time_zone": cast.site.time_zone, "latitude": "36.6", "longitude": "101.8"}
    changed = wang.put(address, body, content_type="application/json")
    assert changed.status_code == 200, changed.content
    assert (changed.json()["latitude"], changed.json()["longitude"]) == ("36.600000", "101.800000")
    wrong = wang.put(address, body | {"latitude": "north"}, content_type="application/json")
    assert wrong.status_code == 422
    assert "latitude" in wrong.content.decode()
    assert as_("lin").put(address, body, content_type="application/json").status_code == 403


def test_what_is_published_with_a_place_is_changed_by_the_operator_where_changes_are_looked_at(cast: Any) -> None:
    place, wang = cast.site, cast.actor("wang")
    cast.lab.__class__.objects.filter(pk=cast.lab.pk).update(reviews_needed=True)

    def fields(region: str, street: str) -> Place:
        return Place(SiteFields(place.name, address=street, region_code=region, time_zone=place.time_zone))

    with pytest.raises(Refusal) as refused:
        update_site(wang, place.pk, fields("632801", ""), cast.now)
    assert [(one.code, one.field) for one in refused.value.reasons] == [("place.review_needed", "region_code")]
    place.refresh_from_db()
    assert update_site(wang, place.pk, fields(place.region_code, "1 Salt Lake Road"), cast.now).address == "1 Salt Lake Road"
    assert update_site(cast.actor("zhou"), place.pk, fields("632801", ""), cast.now).region_code == "632801"
    Instrument.objects.filter(site=place).update(published=False)
    assert update_site(wang, place.pk, fields("632802", ""), cast.now).region_code == "632802"  # nobody sees it
