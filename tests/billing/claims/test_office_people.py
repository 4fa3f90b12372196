"""Payment lists that are cancelled, and people who stand in for others: three people are still three people."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, transaction
from django.utils.translation import override

from billing.claims.deputy_models import Deputy
from billing.claims.models import Claim, PaymentList
from billing.claims.notices import OBJECTION, TO_SIGN
from billing.claims.paper_kinds import LIST
from billing.claims.services import deputies, paying, publishing
from billing.claims.services.deputies import Named
from billing.claims.services.office import right_of
from billing.month.services.claim_evidence import of_claim
from billing.papers.kinds import kinds
from billing.papers.rules.status import Status
from billing.subsidy.models import Programme
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Membership, Notice, User
from instruments.notice_events import words_of
from tests.billing.claims.conftest import AFTER, PUBLIC_OVER, at, code_of, wrong

pytestmark = pytest.mark.django_db


def refused_by_database(work, guard):
    """That a guard refuses, and that without it the same would be written."""
    with pytest.raises(DatabaseError), transaction.atomic():
        work()
    with pytest.raises(ZeroDivisionError), transaction.atomic(), pgtrigger.ignore(f"billing.{guard}"):
        work()
        raise ZeroDivisionError  # it was written: undone


def test_a_list_is_cancelled_before_it_is_paid_and_its_claims_stand_where_they_stood(cast, office):
    batch, claim = office.approved()
    made, other = office.listed(batch)
    qian = cast.actor("qian")
    with pytest.raises(Forbidden):
        paying.cancel(cast.actor("chen"), made.pk, "wrong account", PUBLIC_OVER)
    with pytest.raises(Refusal) as refused:
        paying.cancel(qian, made.pk, " ", PUBLIC_OVER)
    assert code_of(refused) == "claims.text_missing"
    paying.cancel(qian, made.pk, "wrong account", PUBLIC_OVER)
    claim.refresh_from_db()
    assert claim.state == "listed"  # the other payer's list holds
    paying.cancel(qian, other.pk, "wrong account", PUBLIC_OVER)
    claim.refresh_from_db()
    assert claim.state == "approved" and claim.expected_on is not None and wrong() == {}
    assert kinds()[LIST].facts(PaymentList.objects.get(pk=made.pk)).status is Status.VOID
    for attempt in (
        lambda: paying.cancel(qian, made.pk, "again", PUBLIC_OVER),
        lambda: paying.sign(cast.actor("sun"), made.pk, PUBLIC_OVER),
        lambda: office.pay(made.lines.get()),
    ):
        with pytest.raises(Conflict) as conflict:
            attempt()
        assert code_of(conflict) == "claims.list_cancelled"
    # Paid in part from another list, the claim goes back to that when the list after it is cancelled.
    second, aside = office.listed(batch)
    office.pay_all([aside])
    office.pay(second.lines.get(), 1, "returned")
    with pytest.raises(Conflict) as conflict:
        paying.cancel(qian, second.pk, "too late", PUBLIC_OVER)
    assert code_of(conflict) == "claims.list_paid"
    (third,) = office.listed(batch)
    paying.cancel(qian, third.pk, "wrong day", PUBLIC_OVER)
    claim.refresh_from_db()
    assert claim.state == "partly_paid"
    office.pay_all(office.listed(batch))
    assert Claim.objects.get().state == "paid" and wrong() == {}
    # Behind it all: the archive of evidence, for who reads the claim.
    pack = of_claim(cast.actor("wu"), claim.pk)
    with zipfile.ZipFile(io.BytesIO(pack.archive.content)) as archive:
        said = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}
    assert said["claim/claim.json"]["total_fen"] == claim.total_fen == sum(each["paid_fen"] for each in said["claim/paid.json"])
    assert [each["event"] for each in said["claim/history.json"]].count("unlist") == 3 and "invoices.json" in said
    assert len([name for name in said if name.startswith("lines/0001-")]) >= 3 and f"forms/{claim.number}-1.json" in said
    assert of_claim(cast.actor("he"), claim.pk).archive.sha256 != pack.archive.sha256  # not what the treasury paid
    with pytest.raises(NotFound):
        of_claim(cast.actor("lin"), claim.pk)
    numbers = list(PaymentList.objects.order_by("pk").values_list("number", flat=True))
    assert numbers == [f"BF-2026-00000{place}" for place in (1, 2, 3, 4, 5, 6)]
    # Whoever writes: what is cancelled was not paid and is not signed, and its lines count for nothing.
    paid = {"cancelled_by": cast.users["qian"], "cancelled_at": PUBLIC_OVER, "cancel_reason": "x"}
    refused_by_database(
        lambda: PaymentList.objects.filter(pk=second.pk).update(**paid), "PaymentList:payment_list_cancelled_unpaid"
    )
    refused_by_database(
        lambda: PaymentList.objects.filter(pk=third.pk).update(cancel_reason="y"), "PaymentList:payment_list_signed_once"
    )


def named(cast, principal, deputy, until=date(2026, 12, 31), now=AFTER):
    given = Named(cast.office.pk, cast.users[deputy].pk, date(2026, 12, 1), until, "on leave")
    return deputies.name(cast.actor(principal), given, now)


def _told(claim):
    """Whom an objection was told, and for whom each of them stands in."""
    rows = Notice.objects.filter(event=OBJECTION, object_id=str(claim.pk), needs_action=True).select_related("user")
    found = {row.user.full_name: row.params.get("behalf", "") for row in rows}
    with override("en"):
        lines = {row.user.full_name: words_of(row.event, row.params).lines for row in rows}
    assert {name for name, said in lines.items() if "You stand in for" in said[-1]} == {name for name in found if found[name]}
    return found


def _waits(made):
    """Whom a payment list asks for a signature now."""
    rows = Notice.objects.filter(event=TO_SIGN, object_id=str(made.pk), needs_action=True)
    return set(rows.values_list("user__full_name", flat=True))


def test_somebody_stands_in_for_some_days_and_counts_as_both(cast, office):
    Programme.objects.update(issuer=cast.office)
    rui = User.objects.create(email="rui@example.org", full_name="Rui", password="!", language="en")
    Membership.objects.create(user=rui, organisation=cast.office, role=Role.FINANCE, created_at=cast.now)
    cast.users["rui"] = rui
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    office.close(batch)
    with pytest.raises(Forbidden) as refused:
        office.passed(claim, "qian")
    assert code_of(refused) == "claims.other_office"
    for deputy, until, code in (
        ("chen", date(2026, 12, 31), "deputies.oneself"),
        ("qian", date(2026, 11, 1), "deputies.days"),
        ("qian", date(2027, 12, 31), "deputies.too_long"),
    ):
        with pytest.raises(Refusal) as refused:
            named(cast, "chen", deputy, until)
        assert code_of(refused) == code
    with pytest.raises(NotFound):
        named(cast, "chen", "li")
    with pytest.raises(Forbidden):
        named(cast, "wu", "qian")
    row = named(cast, "chen", "qian")
    with pytest.raises(NotFound):
        deputies.end(cast.actor("sun"), row.pk, AFTER)
    office.passed(claim, "qian")
    step = claim.steps.get(event="pass")
    assert (step.actor, step.behalf) == (cast.users["qian"], cast.users["chen"])
    said = publishing.object_to(office.publicise(batch).pk, claim.pk, "x", "y", "z", AFTER)
    assert _told(claim) == {"Chen": "", "Sun": "", "Qian": "Chen"}  # Rui pays, and stands in for nobody who reviews
    publishing.answer(cast.actor("sun"), said.pk, False, "no", AFTER)
    assert not Notice.objects.filter(event=OBJECTION, needs_action=True).exists()
    for who in ("chen", "qian"):  # neither of the two who passed it approves it
        with pytest.raises(Forbidden) as refused:
            office.approve(claim, who)
        assert code_of(refused) == "claims.three_people"
    # Nor does somebody who would do it for one of them.
    named(cast, "chen", "sun")
    office.approve(claim, "sun")
    assert claim.steps.get(event="approve").behalf is None  # in her own right
    # A payment list: made for Qian by Chen, who stands in for her; neither of the two signs it.
    named(cast, "qian", "chen")
    made = paying.make(cast.actor("chen"), batch.pk, PUBLIC_OVER)[0]
    assert _waits(made) == {"Sun", "Rui"}
    assert (made.issued_by, made.issued_for) == (cast.users["chen"], cast.users["qian"])
    for who in ("chen", "qian"):
        with pytest.raises(Forbidden):
            paying.sign(cast.actor(who), made.pk, PUBLIC_OVER)
    paying.sign(cast.actor("sun"), made.pk, PUBLIC_OVER)
    assert _waits(made) == {"Rui"}
    signed = PaymentList.objects.filter(pk=made.pk)
    looks_away = pgtrigger.ignore("billing.PaymentList:payment_list_signers_apart")  # Qian passed the claim, too
    with looks_away, pytest.raises(DatabaseError, match="payment_list_deputies_apart"), transaction.atomic():
        signed.update(approved_by=rui, approved_for=cast.users["qian"], approved_at=PUBLIC_OVER)
    paying.sign(cast.actor("rui"), made.pk, PUBLIC_OVER)
    assert _waits(made) == set()
    assert wrong() == {}
    deputies.end(cast.actor("chen"), row.pk, PUBLIC_OVER)
    with pytest.raises(Conflict):
        deputies.end(cast.actor("qian"), row.pk, PUBLIC_OVER)
    later = Deputy.objects.filter(ended_at=None, principal=cast.users["chen"])
    refused_by_database(lambda: later.update(until_on=date(2027, 1, 1)), "Deputy:deputy_frozen")
    # Over are: what was ended, what is past, and what a person without the role named.
    roles = (Role.PROGRAMME_OFFICER,)
    assert right_of(cast.actor("qian"), cast.office.pk, roles, PUBLIC_OVER) is None
    again = named(cast, "sun", "qian", date(2026, 12, 20), PUBLIC_OVER)
    with pytest.raises(Conflict) as conflict:
        deputies.end(cast.actor("sun"), again.pk, at(20) + timedelta(days=1))  # its last day is over: there is nothing to end
    assert code_of(conflict) == "deputies.ended"
    assert right_of(cast.actor("qian"), cast.office.pk, roles, PUBLIC_OVER).behalf_id == again.principal_id
    assert right_of(cast.actor("qian"), cast.office.pk, roles, at(20) + timedelta(days=1)) is None
    Membership.objects.filter(user=cast.users["sun"]).update(role=Role.INSPECTOR)
    assert right_of(cast.actor("qian"), cast.office.pk, roles, PUBLIC_OVER) is None
