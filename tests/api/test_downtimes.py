"""An instrument out of service over the API: the same service as the page."""

from __future__ import annotations

from booking.models import Downtime, Reservation
from tests.api.conftest import codes

UNTIL = "2026-11-25T18:00:00+08:00"


def test_what_it_hits_is_shown_decided_and_reported(api, booked, cast):
    pk = booked(9, 12)
    lab = api("wang", "manage")
    address = f"instruments/{cast.xrd.pk}/downtimes/"
    (hit,) = lab.get(f"{address}hits/?starts_at=2026-11-25T01:00:00Z&ends_at=2026-11-25T10:00:00Z").json()["hits"]
    assert hit["reservation"] == pk and hit["choices"] == ["keep", "offer", "cancel"] and len(hit["times"]) == 3
    body = {"kind": "breakdown", "ends_at": UNTIL}
    unseen = lab.post(address, body, key="a")
    assert unseen.status_code == 409 and codes(unseen) == {"downtime.others_hit"} and not Downtime.objects.exists()
    decided = {"reservation": pk, "choice": "offer", "times": hit["times"]}
    made = lab.post(address, body | {"seen": [pk], "decisions": [decided]}, key="b")
    assert made.status_code == 201 and [one["became"] for one in made.json()["bookings"]] == ["offered"]
    again = lab.post(
        f"downtimes/{made.json()['id']}/decisions/", {"decisions": [{"reservation": pk, "choice": "cancel"}]}, key="c"
    )
    assert again.json()["bookings"][0]["became"] == "cancelled" and Reservation.objects.get(pk=pk).state == "cancelled"
    assert lab.post(f"downtimes/{made.json()['id']}/until/", {"ends_at": "2026-11-25T12:00:00+08:00"}, key="d").status_code == 200
    assert lab.post(f"downtimes/{made.json()['id']}/close/", {}, key="e").json()["closed_at"]
    late = lab.post(f"downtimes/{made.json()['id']}/close/", {}, key="f")
    assert late.status_code == 422 and codes(late) == {"downtime.closed"}


def test_bad_input_is_refused_and_says_why(api, cast):
    lab = api("wang", "manage")
    address = f"instruments/{cast.xrd.pk}/downtimes/"
    for body in ({"kind": "nap", "ends_at": UNTIL}, {"kind": "other"}, {"kind": "other", "ends_at": UNTIL, "extra": 1}):
        assert lab.post(address, body, key="x").status_code == 400
    over = lab.post(address, {"kind": "breakdown", "ends_at": "2026-11-01T12:00:00+08:00"}, key="y")
    assert over.status_code == 422
    assert lab.get(f"{address}hits/?starts_at=2026-11-25T01:00:00Z").status_code == 400
