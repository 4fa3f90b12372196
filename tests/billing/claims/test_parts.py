"""Three people, each part whole: who did some of a part has it, from the first line of a claim to its payment list."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from billing.claims import worklist
from billing.claims.models import ClaimEvidence, ClaimLine, PaymentLine, PaymentList
from billing.claims.notices import TO_SIGN
from billing.claims.services import batches, handing_in, paying, publishing, reviewing, waiting
from billing.claims.services.handing_in import Evidence
from billing.subsidy.models import Programme
from config.kernel.access import Role
from config.kernel.errors import Forbidden
from instruments.models import Membership, Notice, User
from tests.billing.claims.conftest import AFTER, DECEMBER, PUBLIC_OVER, code_of, wrong
from tests.billing.claims.test_guards import refused, step

pytestmark = pytest.mark.django_db
PDF = Evidence("report", b"%PDF-1.4 a report")


def hired(cast, name, role=Role.FINANCE, where=None):
    cast.users[name] = User.objects.create(email=f"{name}@example.org", full_name=name.title(), password="!", language="en")
    Membership.objects.create(user=cast.users[name], organisation=where or cast.office, role=role, created_at=cast.now)


def forbidden(work):
    with pytest.raises(Forbidden) as error:
        work()
    return code_of(error) == "claims.three_people"


def asked(event):
    return set(Notice.objects.filter(event=event, needs_action=True).values_list("user__full_name", flat=True))


def waits_for(cast, who, now=PUBLIC_OVER):
    return [each.work.value for each in worklist.mine(cast.actor(who), now)]


def test_who_fills_a_batch_or_closes_it_approves_none_of_its_claims(cast, office):
    """Half of it by one and half by another, and each approves the other's half: nobody does."""
    Programme.objects.update(issuer=cast.office)
    hired(cast, "rui")
    hired(cast, "yan")
    batch = office.batch()
    batches.gather(cast.actor("sun"), batch.pk, DECEMBER)
    (claim,) = batch.claims.all()
    assert [(each.event, each.actor) for each in claim.steps.all()] == [("fill", cast.users["sun"])]
    office.submit(claim, "he")
    batches.close(cast.actor("rui"), batch.pk, AFTER)
    assert claim.steps.get(event="begin").actor == cast.users["rui"]
    office.passed(claim, "chen")
    office.publicise(batch)
    publishing.end_due(PUBLIC_OVER)
    for who in ("sun", "rui", "chen"):
        assert forbidden(lambda who=who: reviewing.approve(cast.actor(who), claim.pk, PUBLIC_OVER))
        assert waits_for(cast, who) == []
    waiting.tell_due(PUBLIC_OVER)
    assert asked("claims.to_approve") == {"Qian", "Yan"}
    claim.refresh_from_db()
    filled = step(claim, "approve", cast.users["sun"], "approved", claim.step_count + 1)
    refused("three people", filled, "ClaimStep:claim_three_people")
    reviewing.approve(cast.actor("yan"), claim.pk, PUBLIC_OVER)
    assert wrong() == {}


def test_who_completes_a_claim_for_its_payee_has_no_part_at_the_office(cast, office):
    """Somebody of the firm who adds what another one hands in, and works at the office as well."""
    Membership.objects.create(user=cast.users["he"], organisation=cast.office, role=Role.PROGRAMME_OFFICER, created_at=cast.now)
    hired(cast, "tan", Role.FIRM_ADMIN, cast.other_firm)
    batch, (claim,) = office.filled()
    first = claim.lines.filter(kind="award").earliest("position")
    number = ClaimLine.objects.filter(pk=first.pk)
    refused("with a step in the history", lambda: number.update(invoice_number="x"), "ClaimLine:claim_line_changes")
    for _again in range(2):
        handing_in.add_evidence(cast.actor("he"), claim.pk, PDF, DECEMBER)
    handing_in.write_invoice(cast.actor("he"), claim.pk, first.position, "26632000000000000001", DECEMBER)
    assert [each.event for each in claim.steps.order_by("position")] == ["fill", "complete"]  # once for what one does in a row
    row = {"claim": claim, "kind": "other", "file": ClaimEvidence.objects.first().file, "added_at": DECEMBER}
    refused(
        "stands in its history",
        lambda: ClaimEvidence.objects.create(**row, added_by=cast.users["tan"]),
        "ClaimEvidence:claim_evidence_by_maker",
    )
    office.submit(claim, "tan")
    assert forbidden(lambda: batches.close(cast.actor("he"), batch.pk, AFTER))
    office.close(batch)
    waiting.tell_due(AFTER)
    assert "He" not in asked("claims.to_review") and waits_for(cast, "he", AFTER) == []
    assert forbidden(lambda: office.passed(claim, "he"))
    claim.refresh_from_db()
    refused("three people", step(claim, "pass", cast.users["he"], "passed", claim.step_count + 1), "ClaimStep:claim_three_people")
    office.passed(claim)
    office.publicise(batch)
    assert forbidden(lambda: office.approve(claim, "he"))
    office.approve(claim)
    # Nor in the list that pays it: neither makes it nor signs it.
    Membership.objects.create(user=cast.users["he"], organisation=cast.office, role=Role.FINANCE, created_at=cast.now)
    assert forbidden(lambda: paying.make(cast.actor("he"), batch.pk, PUBLIC_OVER))
    made, other = paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
    assert forbidden(lambda: paying.sign(cast.actor("he"), made.pk, PUBLIC_OVER))
    rows = PaymentList.objects.filter(pk=made.pk)
    by_he = {"reviewed_by": cast.users["he"], "reviewed_at": PUBLIC_OVER}
    refused("does not sign its payment list", lambda: rows.update(**by_he), "PaymentList:payment_list_signers_apart")
    paying.cancel(cast.actor("qian"), other.pk, "once more", PUBLIC_OVER)

    def made_by_he():
        again = {
            name: getattr(other, name) for name in ("batch", "payer", "total_fen", "line_count", "content", "content_sha256")
        }
        listed = PaymentList.objects.create(**again, number="BF-2026-000009", issued_by=cast.users["he"], issued_at=PUBLIC_OVER)
        PaymentLine.objects.create(payment_list=listed, claim=claim, position=1, amount_fen=other.total_fen)

    refused("does not make its payment list", made_by_he, "PaymentLine:payment_line_maker_apart")
    assert wrong() == {}


def test_who_prepared_a_claim_may_check_its_list_and_not_approve_it(cast, office, monkeypatch):
    """One leaves a line out, a second one makes the list, a third one checks it: the first one does not approve what is paid."""
    Programme.objects.update(issuer=cast.office)
    hired(cast, "rui")
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    office.close(batch)
    reviewing.set_line(cast.actor("chen"), claim.pk, 1, "excluded", "no report", AFTER)
    office.passed(claim)
    office.publicise(batch)
    office.approve(claim, "sun")
    made, other = paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
    assert asked(TO_SIGN) == {"Chen", "Sun", "Rui"}
    paying.sign(cast.actor("chen"), other.pk, PUBLIC_OVER)  # who prepared it may check the list
    paying.sign(cast.actor("rui"), made.pk, PUBLIC_OVER)
    assert set(
        Notice.objects.filter(event=TO_SIGN, object_id=str(made.pk), needs_action=True).values_list("user__full_name", flat=True)
    ) == {"Sun"}
    assert forbidden(lambda: paying.sign(cast.actor("chen"), made.pk, PUBLIC_OVER))
    monkeypatch.setattr(timezone, "now", lambda: PUBLIC_OVER)
    for who, may in (("chen", False), ("sun", True)):
        lists = worklist.my_lists(cast.actor(who), PUBLIC_OVER).to_sign
        assert (made in lists) is may
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(cast.users[who])
        assert (f"/payout-lists/{made.pk}/sign" in client.get(f"/payout-lists/{made.pk}/").content.decode()) is may
    rows = PaymentList.objects.filter(pk=made.pk)
    by_chen = {"approved_by": cast.users["chen"], "approved_at": PUBLIC_OVER}
    refused("does not sign its payment list", lambda: rows.update(**by_chen), "PaymentList:payment_list_signers_apart")
    for_chen = {"approved_by": cast.users["sun"], "approved_for": cast.users["chen"], "approved_at": PUBLIC_OVER}
    refused("does not sign its payment list", lambda: rows.update(**for_chen), "PaymentList:payment_list_signers_apart")
    paying.sign(cast.actor("sun"), made.pk, PUBLIC_OVER)  # who approved the claim is the third of three people here, too
    assert wrong() == {}
