"""A published version that ends early, on pages: the draft's page says which one ends, and two officers stop a programme."""

from __future__ import annotations

from datetime import date

import pytest

from billing.subsidy import drafts, ends
from billing.subsidy.end_models import VersionEnd
from billing.subsidy.models import ProgrammeVersion
from tests.billing.services.test_version_ends import CODE, NEW, OLD, published, rule
from tests.frontend.acting import words

PAGE = f"/programmes/{CODE}/"


@pytest.fixture
def old(cast):
    return published(cast, OLD)


def test_who_hands_in_and_who_publishes_see_which_version_ends_and_on_which_day(as_, cast, old):
    draft = drafts.start(cast.actor("chen"), NEW, cast.now)
    address = f"/programmes/drafts/{draft.pk}/"
    said = "When this is published, version 2025.1 ends on Mon 30 Nov 2026 instead of Fri 31 Dec 2027"
    chen, sun = as_("chen"), as_("sun")
    assert said in words(chen.get(address))
    assert chen.post(address + "submit/", {"revision": 1}).status_code == 302
    assert said in words(chen.get(address)) and said in words(sun.get(address))
    assert "I have seen that version 2025.1 ends on" in words(sun.get(address))
    refused = sun.post(address + "approve/", {"revision": 1})
    assert refused.status_code == 422 and "Publishing this ends version 2025.1" in words(refused)
    assert sun.post(address + "approve/", {"revision": 1, "ends": "x"}).status_code == 422
    assert sun.post(address + "approve/", {"revision": 1, "ends": str(old.pk)}).status_code == 302
    text = words(as_().get(PAGE + "?version=2025.1"))
    assert "It was to hold until Fri 31 Dec 2027 ; version 2026.2 begins the day after its last day." in text
    assert "Wed 1 Jan 2025 – Mon 30 Nov 2026" in text


def test_days_that_are_over_are_told_before_anybody_hands_in(as_, cast, old):
    draft = drafts.start(cast.actor("chen"), rule("2026.2", "0.3", "2026-11-01", "2027-12-31"), cast.now)
    text = words(as_("chen").get(f"/programmes/drafts/{draft.pk}/"))
    assert "days that are over stay with it" in text and "Mon 23 Nov 2026 or later" in text


def test_a_draft_that_ends_nothing_says_nothing_of_it(as_, cast, old):
    draft = drafts.start(cast.actor("chen"), rule("2028.1", "0.3", "2028-01-01", "2028-12-31"), cast.now)
    assert "instead of" not in words(as_("chen").get(f"/programmes/drafts/{draft.pk}/"))


def test_two_officers_stop_a_programme(as_, cast, old):
    chen, sun = as_("chen"), as_("sun")
    assert "End it early" in words(chen.get(PAGE)) and "End it early" not in words(as_("lin").get(PAGE))
    form = f"/programmes/versions/{old.pk}/end/"
    wrong = chen.post(form, {"last_on": "2026-11-01", "reason": "The fund is used up"})
    assert wrong.status_code == 422 and "Choose a last day from Mon 23 Nov 2026 to Thu 30 Dec 2027" in words(wrong)
    assert 'value="2026-11-01"' in wrong.content.decode() and "The fund is used up" in wrong.content.decode()
    assert chen.post(form, {"last_on": "", "reason": ""}).status_code == 422
    assert chen.post(form, {"last_on": "2026-11-30", "reason": "The fund is used up"}).status_code == 302
    assert "proposes Mon 30 Nov 2026 as its last day: The fund is used up" in words(sun.get(PAGE))
    assert "proposes" not in words(as_("lin").get(PAGE)) and "The fund is used up" not in words(as_().get(PAGE))
    decide = f"/programmes/ends/{VersionEnd.objects.get().pk}/"
    assert "proposes that it ends on Mon 30 Nov 2026 instead of Fri 31 Dec 2027" in words(sun.get(decide))
    own = chen.post(decide, {"decision": "confirm"})
    assert own.status_code == 422 and "who proposes an end does not confirm it" in words(own)
    assert sun.post(decide, {"decision": "refuse", "reason": ""}).status_code == 422
    assert sun.post(decide, {"decision": "confirm"}).status_code == 302
    assert ProgrammeVersion.objects.get(pk=old.pk).last_on == date(2026, 11, 30)
    text = words(as_().get(PAGE))
    assert "It was to hold until Fri 31 Dec 2027 and was stopped: The fund is used up" in text
    assert sun.get(decide).status_code == 302 and sun.post(decide, {"decision": "confirm"}).status_code == 409


def test_the_pages_of_an_end_are_for_officers(as_, cast, old):
    row = ends.ask(cast.actor("chen"), old.pk, date(2026, 11, 30), "Used up", cast.now)
    for who in ("lin", "qian", "wu"):
        assert as_(who).get(f"/programmes/versions/{old.pk}/end/").status_code == 403
        assert as_(who).get(f"/programmes/ends/{row.pk}/").status_code == 403
    assert as_("sun").get("/programmes/versions/999999/end/").status_code == 404
    assert as_("sun").get("/programmes/ends/999999/").status_code == 404


def test_the_calculator_of_an_ended_version_goes_to_its_last_day(as_, cast, clock, old):
    row = ends.ask(cast.actor("chen"), old.pk, date(2026, 11, 23), "Used up", cast.now)
    ends.confirm(cast.actor("sun"), row.pk, cast.now)
    clock.now = cast.now.replace(month=12)
    text = words(as_().get(PAGE + "?fee=30000&kind=firm&size=small&region=630100"))
    assert "Ended" in text and "23 Nov 2026" in text
