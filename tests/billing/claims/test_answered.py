"""Who examines a claim reads what was answered with the booking, as it was frozen with the promise."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from billing.claims.models import Claim
from booking.models import Reservation
from tests.billing.claims.test_declared import Desk, asking
from tests.billing.settlement.test_questions import LICENSED, YES, asks, needs
from tests.billing.vouchers.conftest import published
from tests.conftest import slot_of

__all__ = ["published"]


def claimed(cast: Any, version: Any) -> Claim:
    desk = Desk(cast)
    desk.life.whole(slot_of(9, 11), said=YES)
    Reservation.objects.update(answers='{"other.licensed":"no"}')
    return desk.claim(version)


def page_of(cast: Any, claim: Claim, who: str) -> Any:
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.users[who])
    return client.get(reverse("claim_detail", args=[claim.pk]))


def test_the_claim_says_what_was_answered_with_the_booking_to_its_office_and_its_payee_alone(cast: Any, published: Any) -> None:
    document = asking(gates=[needs("other.licensed", **{"is": True})], asks=[asks("other.licensed")])
    claim = claimed(cast, published(document))
    for who in ("chen", "zhao"):
        page = page_of(cast, claim, who).content.decode()
        assert "Declared by the applicant with the booking" in page and f"{LICENSED['en']} <strong>Yes</strong>" in page
    assert page_of(cast, claim, "he").status_code == 404
    client = Client()
    client.force_login(cast.users["chen"])
    [line] = client.get(f"/api/v1/claims/{claim.pk}/").json()["lines"]
    assert line["answers"] == {"other.licensed": "yes"}


def test_a_claim_of_a_programme_that_asks_nothing_says_nothing_of_it(cast: Any, published: Any) -> None:
    claim = claimed(cast, published(asking()))
    assert "Declared by the applicant" not in page_of(cast, claim, "chen").content.decode()
