"""Inspectors draw a sample of settled claims, and write down what they find of each; nobody changes it, or judges their own work."""

from __future__ import annotations

from datetime import date

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing.claims.models import Claim, ClaimBatch
from billing.claims.recheck_models import RecheckFinding, RecheckItem, RecheckSample
from billing.claims.recheck_queries import is_as_drawn, items_of, progress_of, samples_visible
from billing.claims.rules.sampling import Method, Plan, Settled
from billing.claims.rules.sampling import draw as drawn_by
from billing.claims.services import rechecking
from billing.claims.services.rechecking import DrawInput, Found
from config.kernel.access import Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.services import tokens
from instruments.models import Membership
from tests.billing.claims.conftest import PUBLIC_OVER, at, code_of, wrong
from tests.billing.claims.test_office_people import refused_by_database
from tests.frontend.acting import as_, clock, query_count

__all__ = ["as_", "clock"]
pytestmark = pytest.mark.django_db
DECEMBER = (date(2026, 12, 1), date(2026, 12, 31))


def draw(cast, *, who="wu", days=DECEMBER, method=Method.AMOUNT, seed="6-2-5", now=PUBLIC_OVER, **how):
    return rechecking.draw(cast.actor(who), DrawInput(*days, Plan(method, seed, **(how or {"share": 50}))), now)


def look_now():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def paid(cast, office):
    """A refund and a redemption, both paid whole in December."""
    for what in ({}, {"code": "DEMO-QH-V", "mode": "deducted_now", "who": "li"}):
        batch, _claim = office.approved(**what)
        office.pay_all(office.listed(batch))
    return list(Claim.objects.order_by("pk"))


def test_a_sample_is_drawn_looked_at_and_never_changed(cast, office, paid, as_, clock):
    assert [claim.state for claim in paid] == ["paid", "paid"]
    with pytest.raises(Forbidden):
        draw(cast, who="qian")  # finance does not choose what is looked at
    for code, how in (
        ("recheck.nothing", {"days": (date(2026, 11, 1), date(2026, 11, 30))}),
        ("recheck.days", {"days": (DECEMBER[1], DECEMBER[0])}),
        ("recheck.seed_missing", {"seed": ""}),
        ("recheck.seed_signs", {"seed": "Wu Lei"}),
        ("recheck.size", {"size": 1001}),
    ):
        with pytest.raises(Refusal) as refused:
            draw(cast, **how)
        assert code_of(refused) == code
    half = draw(cast)
    assert (half.number, half.claim_count, half.drawn_count) == ("CY-2026-000001", 2, 1)
    (item,) = half.items.all()
    claims = [Settled(claim.pk, claim.total_fen) for claim in paid]
    assert item.claim_id == drawn_by(claims, Plan(Method.AMOUNT, "6-2-5", share=50))[0].id
    assert is_as_drawn(half, [(item.claim_id, item.amount_fen)]) and not is_as_drawn(half, [(item.claim_id, item.amount_fen + 1)])
    whole = draw(cast, method=Method.RANDOM, size=9)
    first, second = items_of(whole)
    # What is found: a difference with its reason, corrected by a later finding; who had a part in it finds nothing.
    wu = cast.actor("wu")
    for found, code in (
        (Found("difference", 0, "x"), "recheck.difference"),
        (Found("confirmed", 5), "recheck.difference"),
        (Found("difference", first.amount_fen + 1, "x"), "recheck.difference"),
        (Found("difference", 5, " "), "claims.text_missing"),
        (Found("perhaps"), "recheck.outcome"),
    ):
        with pytest.raises(Refusal) as refused:
            rechecking.record(wu, first.pk, found, at(20))
        assert code_of(refused) == code
    with pytest.raises(Forbidden):
        rechecking.record(cast.actor("chen"), first.pk, Found("confirmed"), at(20))
    Membership.objects.create(user=cast.users["chen"], organisation=cast.office, role=Role.INSPECTOR, created_at=cast.now)
    with pytest.raises(Forbidden) as own:
        rechecking.record(cast.actor("chen"), first.pk, Found("confirmed"), at(20))
    assert code_of(own) == "recheck.own_part"
    rechecking.record(wu, first.pk, Found("difference", 1200, "three hours were not used"), at(20))
    rechecking.record(wu, second.pk, Found("difference", -100, "a sample was not counted"), at(20))
    assert vars_of(progress_of([whole, half])[whole.pk]) == (2, 2, 1100)
    rechecking.record(wu, first.pk, Found("confirmed"), at(21))
    found = {sample.pk: vars_of(each) for sample in samples_visible(wu) for each in [progress_of([sample])[sample.pk]]}
    assert found == {whole.pk: (2, 1, -100), half.pk: (0, 0, 0)}
    assert [each.outcome for each in items_of(whole)[0].findings.all()] == ["confirmed", "difference"]
    assert list(samples_visible(cast.actor("he"))) == [] and samples_visible(cast.actor("qian")).count() == 2
    assert wrong() == {}
    _guards(cast, whole, first)
    _pages_and_api(cast, whole, first, as_, clock)


def vars_of(progress):
    return progress.looked_at, progress.differing, progress.difference_fen


def _guards(cast, sample, item):
    """Whoever writes: nothing is changed or added, and nobody judges their own work."""
    look_now()  # what the draws themselves left to the end of the transaction
    finding = RecheckFinding.objects.first()
    for rows, change, guard in (
        (RecheckSample.objects.filter(pk=sample.pk), {"seed": "mine"}, "RecheckSample:recheck_sample_append_only"),
        (RecheckItem.objects.filter(pk=item.pk), {"amount_fen": 1}, "RecheckItem:recheck_item_append_only"),
        (RecheckFinding.objects.filter(pk=finding.pk), {"reason": "y"}, "RecheckFinding:recheck_finding_append_only"),
    ):
        refused_by_database(lambda rows=rows, change=change: rows.update(**change), guard)
    for table in ("billing_recheckfinding", "billing_recheckitem", "billing_rechecksample"):
        with pytest.raises(DatabaseError, match="cannot be truncated"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")
    own = {"item": item, "position": 9, "outcome": "confirmed", "recorded_by": cast.users["sun"], "recorded_at": at(22)}
    refused_by_database(lambda: RecheckFinding.objects.create(**own), "RecheckFinding:recheck_finding_independent")
    batch = ClaimBatch.objects.filter(pk=item.claim.batch_id)
    closer = batch.get().closed_by
    with pgtrigger.ignore("billing.ClaimBatch:claim_batch_closes_once"):
        batch.update(closed_by=cast.users["zhou"])  # who has done nothing else
    refused_by_database(
        lambda: RecheckFinding.objects.create(**own | {"recorded_by": cast.users["zhou"]}),
        "RecheckFinding:recheck_finding_independent",
    )
    with pgtrigger.ignore("billing.ClaimBatch:claim_batch_closes_once"):
        batch.update(closed_by=closer)
    for bad in ({"difference_fen": 5}, {"outcome": "difference", "difference_fen": 5}, {"outcome": "difference", "reason": "x"}):
        with pytest.raises(IntegrityError, match="recheck_finding_says_what"), transaction.atomic():
            RecheckFinding.objects.create(**own | {"recorded_by": cast.users["wu"]} | bad)

    def one_more():
        # A claim that was not drawn, put on a sample of one.
        half = RecheckSample.objects.get(drawn_count=1)
        other = Claim.objects.exclude(recheck_items__sample=half).get()
        RecheckItem.objects.create(sample=half, position=2, claim=other, amount_fen=1)
        look_now()

    with pytest.raises(DatabaseError, match="a sample is the claims that were drawn"), transaction.atomic():
        one_more()
    refused_by_database(one_more, "RecheckItem:recheck_item_is_of_sample")


def _pages_and_api(cast, sample, item, as_, clock):
    """Pages of a constant number of queries; what is refused keeps what was typed; the API says and does the same."""
    clock.now = at(23)
    wu = as_("wu")
    listed, shown = "/claims/samples/", f"/claims/samples/{sample.pk}/"
    before = query_count(wu, listed)
    typed = {"from_on": "2026-12-01", "until_on": "2026-12-31", "method": "amount", "seed": "7-7-7", "key": "k1"}
    refused = wu.post(listed, typed)
    assert refused.status_code == 422 and b"7-7-7" in refused.content and b"one of the two" in refused.content
    drawn = wu.post(listed, typed | {"size": "1"})
    assert drawn.status_code == 302 and wu.post(listed, typed | {"size": "1"})["Location"] == drawn["Location"]
    assert query_count(wu, listed) == before
    page = wu.get(shown).content.decode()
    assert "three hours were not used" in page and "replaced by a later finding" in page and item.claim.number in page
    one = query_count(wu, drawn["Location"])
    assert query_count(wu, shown) == one
    find = f"/claims/samples/items/{item.pk}/find"
    again = wu.post(find, {"outcome": "too_much", "amount": "12.5x", "reason": "kept as typed"})
    assert again.status_code == 422 and b"kept as typed" in again.content and b"12.5x" in again.content
    for amount in ("100.00", "12.5x"):  # of a confirmed claim there is none
        kept = wu.post(find, {"outcome": "confirmed", "amount": amount})
        assert kept.status_code == 422 and amount.encode() in kept.content
    assert wu.post(find, {"outcome": "too_little", "amount": "12.50", "reason": "two samples"}).status_code == 302
    assert item.findings.latest("position").difference_fen == -1250
    assert as_("chen").post(find, {"outcome": "confirmed"}).status_code == 403
    assert as_("qian").get(shown).status_code == 200 and b"/samples/items/" not in as_("qian").get(shown).content
    assert as_("he").get(shown).status_code == 404 and as_("he").get(listed).status_code == 403

    def call(method, path, who="wu", body=None, key="a"):
        headers = {"Authorization": f"Bearer {keys[who]}", "Idempotency-Key": key}
        return getattr(client, method)(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)

    client, keys = as_(), {who: tokens.issue(cast.actor(who), "x", ["read", "settle"], at(23)) for who in ("wu", "he", "qian")}
    read = {name: call("get", "recheck-samples/", name).json()["results"] for name in keys}
    assert len(read["wu"]) == 3 == len(read["qian"]) and read["he"] == []
    asked = {"from_on": "2026-12-01", "until_on": "2026-12-31", "method": "random", "seed": "5", "share": 100}
    assert call("post", "recheck-samples/", "qian", asked).status_code == 403
    made = call("post", "recheck-samples/", "wu", asked, "b")
    assert made.status_code == 201 and call("post", "recheck-samples/", "wu", asked, "b").json() == made.json()
    assert call("post", "recheck-samples/", "wu", asked | {"size": 3}, "c").status_code == 422
    detail = call("get", f"recheck-samples/{made.json()['id']}/").json()
    assert detail["drawn_count"] == len(detail["population"]) == 2 and detail["looked_at"] == 0
    (row, _other) = call("get", f"recheck-samples/{made.json()['id']}/items/").json()["results"]
    path = f"recheck-items/{row['id']}/find/"
    assert call("post", path, "wu", {"outcome": "difference", "difference_fen": 5}, "d").status_code == 422
    assert call("post", path, "wu", {"outcome": "confirmed"}, "e").status_code == 201
    assert call("post", path, "he", {"outcome": "confirmed"}, "f").status_code == 403
    assert call("get", f"recheck-samples/{made.json()['id']}/", "he").status_code == 404
    with pytest.raises(NotFound):
        items = RecheckItem.objects.latest("pk").pk + 1
        rechecking.record(cast.actor("wu"), items, Found("confirmed"), at(23))
    assert wrong() == {}
