"""A firm whose unified code changes keeps what was declared and counted under the first one."""

from __future__ import annotations

from dataclasses import replace

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction

from billing.firms import loading
from billing.firms.services import declaring
from billing.firms.services.declaring import Declaration
from billing.ledger.models import Account
from config.kernel.errors import Conflict
from config.kernel.services import files
from instruments.models import FormerIdentifier, Organisation, OrganisationIdentifier
from instruments.services import organisations
from instruments.services.organisation_facts import OrganisationFacts, facts_of
from tests.billing.firms.conftest import USCC, controlled_by
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import PDF
from tests.billing.vouchers.test_using import broken
from tests.conftest import programme_document, slot_of


def key(organisation: Organisation) -> str:
    return loading.known([organisation.pk])[1][organisation.pk]


def coded(cast, code: str) -> None:
    """Zhao changes the code, and the operator has verified the firm again."""
    firm = Organisation.objects.get(pk=cast.firm.pk)
    organisations.update_profile(cast.actor("zhao"), firm.pk, replace(facts_of(firm), identifiers={"uscc": code}), cast.now)
    Organisation.objects.filter(pk=firm.pk).update(status="verified", verified_at=cast.now)
    cast.firm.refresh_from_db()


def test_what_was_used_of_a_controllers_limit_before_the_code_changed_counts_after_it(cast, published):
    document = programme_document("DEMO-QH-V") | {"examples": []}
    document["gates"] = [gate for gate in document["gates"] if gate["type"] in ("applicant_kind", "verified_organisation")]
    clause = document["caps"][0]["clause"]
    document["caps"] = [{"id": "controller", "per": "controller_year", "limit": "400", "when_short": "partial", "clause": clause}]
    published(document)
    OrganisationIdentifier.objects.create(organisation=cast.firm, scheme="uscc", value=USCC["firm"])
    tie = declaring.declare(
        cast.actor("he"), cast.other_firm.pk, Declaration("controller", controlled_by(USCC["firm"]), PDF), cast.now
    )
    declaring.decide(cast.actor("zhou"), tie.pk, True, "", cast.now)
    worked, first = Life(cast), f"uscc:{USCC['firm']}"
    assert worked.whole(slot_of(9, 11)).deducted_fen == 320_00

    coded(cast, USCC["third"])
    assert key(cast.firm) == first and FormerIdentifier.objects.get().value == USCC["firm"]
    with transaction.atomic():  # the control: nobody remembers, and the limit begins anew
        with pgtrigger.ignore():
            FormerIdentifier.objects.all().delete()
        assert key(cast.firm) == f"uscc:{USCC['third']}"
        transaction.set_rollback(True)
    assert worked.whole(slot_of(13, 15)).deducted_fen == 80_00
    assert worked.whole(slot_of(16, 18), who="he", firm=cast.other_firm).deducted_fen == 0
    shared = Account.objects.get(kind="controller_year")
    assert first in shared.key and (shared.posted_fen, shared.left_fen) == (400_00, 0)

    later = declaring.declare(
        cast.actor("he"), cast.other_firm.pk, Declaration("controller", controlled_by(USCC["third"]), PDF), cast.now
    )
    assert later.party_key == first  # named by the new code, it is the same firm
    taken = OrganisationFacts(name="Somebody else", identifiers={"uscc": USCC["firm"]}, region_code="630104")
    with pytest.raises(Conflict, match="code_taken"):
        organisations.create_organisation(cast.actor("he"), "firm", taken, cast.now)
    for change in (lambda rows: rows.update(value="x"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(FormerIdentifier.objects.all())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE instruments_formeridentifier CASCADE")
    assert broken() == {}


def test_a_code_that_was_ever_verified_is_kept_whatever_was_changed_before_it(cast):
    """A change of another fact makes a verified firm a claimed one; its code is its own all the same, also when it is given up."""
    OrganisationIdentifier.objects.create(organisation=cast.firm, scheme="uscc", value=USCC["firm"])
    licence = files.store(PDF, file_name="l.pdf", media_type="application/pdf", user_id=None, now=cast.now)
    decided = {"decided_by": cast.users["zhou"], "decided_at": cast.now, "accepted": True}
    cast.firm.verification_requests.create(licence=licence, submitted_by=cast.users["zhao"], submitted_at=cast.now, **decided)
    for facts in ({"staff_count": 7}, {"identifiers": {"foreign-registration": "HRB 12345"}}):
        firm = Organisation.objects.get(pk=cast.firm.pk)
        organisations.update_profile(cast.actor("zhao"), firm.pk, replace(facts_of(firm), **facts), cast.now)
    assert FormerIdentifier.objects.get().value == USCC["firm"] and key(cast.firm) == f"uscc:{USCC['firm']}"


def test_a_code_that_nobody_verified_is_not_followed(cast):
    Organisation.objects.filter(pk=cast.firm.pk).update(status="claimed", verified_at=None)
    OrganisationIdentifier.objects.create(organisation=cast.firm, scheme="uscc", value=USCC["firm"])
    coded(cast, USCC["third"])
    assert not FormerIdentifier.objects.exists() and key(cast.firm) == f"uscc:{USCC['third']}"
