"""A shared calendar over the API: looked at, shared, taken apart; explicit fields, and another lab's instrument is not there."""

from __future__ import annotations

from typing import Any

import pytest

from instruments.models import Instrument
from tests.api.conftest import codes
from tests.booking.finding.labs import labs, organisation_of  # noqa: F401

pytestmark = pytest.mark.django_db


def test_instruments_are_put_together_and_taken_apart_over_the_api(
    api: Any,
    booked: Any,
    cast: Any,
    labs: Any,  # noqa: F811
    asked: Any,
) -> None:
    twin, lab = labs.add("Twin"), api("wang", "manage")
    address = f"instruments/{twin.pk}/sharing/"
    alone = lab.get(address).json()
    assert alone["shares_with"] == [] and cast.xrd.pk in [one["id"] for one in alone["candidates"]]

    pk = booked(9, 11)
    twins = api("lin").post("reservations/", asked(9, 11, instrument=twin.pk))
    assert twins.status_code == 201
    told = lab.get(f"{address}preview/", other=cast.xrd.pk).json()
    (pair,) = told["clashing"]
    assert (pair["mine"]["reservation"], pair["theirs"]["reservation"]) == (twins.json()["id"], pk)
    assert pair["mine"]["starts_at"].endswith("+08:00") and told["moving"] == 1
    refused = lab.post(address, {"other": cast.xrd.pk})
    assert refused.status_code == 409 and codes(refused) == {"sharing.clashes"}
    assert pair["theirs"]["reference"] in refused.json()["errors"][0]["detail"]

    assert api("lin").post(f"reservations/{pk}/cancel/", {"reason": "another day"}).status_code == 200
    done = lab.post(address, {"other": cast.xrd.pk}, key="share-once")
    assert [one["id"] for one in done.json()["shares_with"]] == [cast.xrd.pk]
    again = lab.post(address, {"other": cast.xrd.pk}, key="share-once")
    assert again.headers["Idempotent-Replayed"] == "true" and again.json() == done.json()
    taken = api("lin").post("reservations/", asked(9, 11))
    assert taken.status_code == 409 and codes(taken) == {"booking.just_taken"}
    assert lab.post(f"{address}end/").json()["shares_with"] == []
    assert codes(lab.post(f"{address}end/")) == {"sharing.not_shared"}
    assert api("lin").post("reservations/", asked(9, 11)).status_code == 201


def test_who_does_not_keep_both_cannot_look_or_share(api: Any, cast: Any, labs: Any) -> None:  # noqa: F811
    twin, lab = labs.add("Twin"), api("wang", "manage")
    foreign = labs.add("Theirs", published=False)
    Instrument.objects.filter(pk=foreign.pk).update(organisation=organisation_of("owner", "Elsewhere", cast))
    address = f"instruments/{twin.pk}/sharing/"
    assert lab.get(f"{address}preview/").status_code == 400
    for bad in ({}, {"other": "x"}, {"other": 0}, {"other": cast.xrd.pk, "force": True}):
        assert lab.post(address, bad).status_code == 400, bad
    for other in (foreign.pk, 999_999):
        assert lab.post(address, {"other": other}).status_code == 404
        assert lab.get(f"{address}preview/", other=other).status_code == 404
    assert lab.get(f"instruments/{foreign.pk}/sharing/").status_code == 404
    customer = api("lin", "manage")
    assert {customer.get(address).status_code, customer.post(address, {"other": cast.xrd.pk}).status_code} == {403}
    assert Instrument.objects.get(pk=twin.pk).calendar_id == twin.calendar_id
