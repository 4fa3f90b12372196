"""Use and figures over the API."""

from __future__ import annotations

from tests.api.conftest import codes


def test_a_lab_reads_its_figures_and_its_hours(api, cast):
    answer = api("wang", "read").get(f"organisations/{cast.lab.pk}/utilisation/?span=month&on=2026-10-05")
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert (found["span"], found["first_on"], found["last_on"]) == ("month", "2026-10-01", "2026-10-31")
    assert found["figures"]["offered_seconds"] == 31 * 12 * 3600 and found["figures"]["used_percent"] == 0
    assert len(found["hours"]) == 168 and found["instruments"][0]["id"] == cast.xrd.pk


def test_days_that_cannot_be_counted_are_said(api, cast):
    lab = api("wang", "read")
    address = f"organisations/{cast.lab.pk}/utilisation/"
    own = "span=own&first_on=2026-01-02"
    for asked, code in (
        (own, "utilisation.days_missing"),
        (f"{own}&last_on=2026-01-01", "utilisation.days_reversed"),
        (f"{own}&last_on=2027-06-01", "utilisation.too_many_days"),
    ):
        answer = lab.get(f"{address}?{asked}")
        assert answer.status_code == 422 and codes(answer) == {code}
    assert lab.get(f"{address}?span=decade").status_code == 400
    assert lab.get(f"{address}?instrument={10**15}").status_code == 404
