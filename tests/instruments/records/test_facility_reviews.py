"""The sheet of a large facility goes through the review as the rest of a published record does; its persons do not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse

from config.kernel.errors import Conflict, Refusal
from instruments.models import CatalogueEntry, FacilityRecord, InstrumentChange
from instruments.rules.facility_values import FACILITY_FIELDS, PUBLIC_FIELDS, empty_facility, facility_apart, shows
from instruments.services import instrument_details, instrument_edits, instrument_reviews
from instruments.services.instrument_edits import Edit
from tests.instruments.records.test_reviews import mark

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility(wang, cast, reviewed, zhou, now):
    """The diffractometer as a facility that everybody sees."""
    instrument_details.set_facility(zhou, reviewed.pk, {"host_institution": "Plateau Institute", "manager_name": "Li"}, now)
    return reviewed


def saved(actor: Any, instrument: Any, now: Any, **facility: Any) -> InstrumentChange | None:
    return instrument_edits.save(actor, instrument.pk, Edit({}, facility=facility), now).change


def sheet(instrument: Any) -> FacilityRecord:
    return FacilityRecord.objects.get(instrument=instrument)


def test_what_everybody_reads_of_a_facility_waits_and_its_persons_do_not(wang, zhou, facility, now):
    change = saved(wang, facility, now, host_institution="Somebody else", accepted_on=date(2020, 1, 2), manager_name="Zhao")
    assert change is not None
    assert change.values == {"facility_host_institution": "Somebody else", "facility_accepted_on": "2020-01-02"}
    assert change.base == {"facility_host_institution": "Plateau Institute", "facility_accepted_on": None}
    assert (sheet(facility).host_institution, sheet(facility).manager_name) == ("Plateau Institute", "Zhao")
    instrument_reviews.submit(wang, change.pk, now)
    instrument_reviews.accept(zhou, change.pk, mark(change), now)
    assert (sheet(facility).host_institution, sheet(facility).accepted_on) == ("Somebody else", date(2020, 1, 2))


def test_an_instrument_becomes_a_facility_when_the_operator_has_looked(wang, zhou, reviewed, now):
    change = saved(wang, reviewed, now, **(empty_facility() | {"construction": "built", "scientist_name": "Li"}))
    assert change is not None
    assert change.values == {"facility": True, "facility_construction": "built", "facility_scientist_name": "Li"}
    assert not FacilityRecord.objects.exists()
    instrument_reviews.submit(wang, change.pk, now)
    instrument_reviews.accept(zhou, change.pk, mark(change), now)
    assert (sheet(reviewed).construction, sheet(reviewed).scientist_name) == ("built", "Li")
    assert CatalogueEntry.objects.get(instrument=reviewed).kind == "facility"


def test_a_sheet_that_says_nothing_makes_a_facility_too_and_waits_for_it(wang, zhou, reviewed, now):
    change = saved(wang, reviewed, now, **empty_facility())
    assert change is not None and change.values == {"facility": True}
    instrument_reviews.submit(wang, change.pk, now)
    instrument_reviews.accept(zhou, change.pk, mark(change), now)
    assert sheet(reviewed).construction == ""
    assert saved(wang, reviewed, now, **empty_facility()) is None


def test_no_other_way_leads_a_facility_past_the_review(wang, zhou, reviewed, now):
    with pytest.raises(Refusal, match=r"instrument\.review_needed"):
        instrument_details.set_facility(wang, reviewed.pk, {"manager_name": "Li"}, now)
    instrument_details.set_facility(zhou, reviewed.pk, {"manager_name": "Li"}, now)
    with pytest.raises(Refusal, match=r"instrument\.review_needed"):
        instrument_details.set_facility(wang, reviewed.pk, {"website": "https://x.example.org"}, now)
    instrument_details.set_facility(wang, reviewed.pk, {"manager_name": "Zhao", "website": ""}, now)
    assert (sheet(reviewed).manager_name, sheet(reviewed).website) == ("Zhao", "")


def test_bad_input_in_the_sheet_is_told_at_its_field_and_nothing_is_kept(wang, facility, now):
    edit = Edit({"functions": "Phases"}, facility={"website": "ftp://x", "manager_name": "Zhao"})
    with pytest.raises(Refusal) as refused:
        instrument_edits.save(wang, facility.pk, edit, now)
    assert [reason.field for reason in refused.value.reasons] == ["facility_website"]
    assert not InstrumentChange.objects.exists() and sheet(facility).manager_name == "Li"


def test_a_sheet_that_changed_meanwhile_is_a_clash(wang, zhou, facility, now):
    change = saved(wang, facility, now, host_institution="Somebody else")
    assert change is not None
    instrument_reviews.submit(wang, change.pk, now)
    instrument_details.set_facility(zhou, facility.pk, {"host_institution": "The operator's"}, now + timedelta(minutes=1))
    with pytest.raises(Conflict, match=r"instrument_change\.clash"):
        instrument_reviews.accept(zhou, change.pk, mark(change), now)


def test_the_form_and_the_difference_show_what_waits(cast, client, reviewed, now):
    client.force_login(cast.users["wang"])
    address = reverse("instrument_edit", args=[reviewed.pk])
    form = client.get(address + "?kind=facility").context["form"]
    sent = {name: value for name, value in form.initial.items() if value not in (None, "", False) and name in form.fields}
    sent |= {"facility_construction": "built", "facility_accepted_on": "2020-01-02", "facility_manager_name": "Li"}
    answer = client.post(address + "?kind=facility", sent, follow=True, headers={"accept-language": "en"})
    shown = [(str(each.label), each.before, each.after) for each in answer.context["differences"]]
    assert shown == [
        ("Large research facility", "no", "yes"),
        ("State of construction", "", "Built"),
        ("Accepted on", "", "2020-01-02"),
        ("Head of operation: name", "", "Li"),
    ]
    again = client.get(address).context["form"]
    assert again.is_facility
    assert (again.initial["facility_construction"], again.initial["facility_accepted_on"]) == ("built", "2020-01-02")


def test_every_field_of_a_sheet_applies_at_once_or_waits():
    given = dict.fromkeys(FACILITY_FIELDS, "")
    at_once, looked_at = facility_apart(given, is_new=False)
    assert {*at_once, *(name.removeprefix("facility_") for name in looked_at)} == set(FACILITY_FIELDS)
    assert not shows(at_once, is_new=False)
    assert all(shows([name], is_new=False) for name in PUBLIC_FIELDS)
    assert facility_apart(given, is_new=True)[0] == {}
