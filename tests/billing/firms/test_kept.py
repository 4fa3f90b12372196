"""What is declared, imported, announced, issued, loaded and sealed is kept by the database, and could be changed without its triggers.

Tables: billing_firmdeclaration, billing_creditimport, billing_creditlisting, billing_partnerregion, billing_partnerlist,
billing_partnerprovider, billing_voucherannouncement, billing_voucherquota, billing_voucherapplication, billing_voucher,
billing_openingload, billing_openingbalance, billing_subsidiseditem, billing_ledgerseal.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from billing.firms.services import credit, declaring, partners
from billing.firms.services.declaring import Declaration
from billing.firms.services.partners import Partner
from billing.ledger import seals
from billing.settlement.services import openings
from billing.vouchers.services import announcing, applying
from billing.vouchers.services.applying import Application
from instruments.models import OrganisationIdentifier, PolicyZone
from tests.billing.firms.conftest import PDF, USCC
from tests.billing.vouchers.conftest import CODE, TERMS
from tests.conftest import voucher_document

#: Table -> a change that must be refused; a region may be changed, and never deleted.
KEPT = {
    "billing_firmdeclaration": "content = '{}'",
    "billing_creditimport": "source = 'x'",
    "billing_creditlisting": "name = 'x'",
    "billing_partnerregion": "",
    "billing_partnerlist": "row_count = 9",
    "billing_partnerprovider": "name = 'x'",
    "billing_voucherannouncement": "title = 'x'",
    "billing_voucherquota": "amount_fen = amount_fen + 1",
    "billing_voucherapplication": "purpose = 'x'",
    "billing_voucher": "face_fen = face_fen + 1",
    "billing_openingload": "reason = 'x'",
    "billing_openingbalance": "amount_fen = amount_fen + 1",
    "billing_subsidiseditem": "reference = 'x'",
    "billing_ledgerseal": "count = count + 1",
}


@pytest.fixture
def written(cast: Any, programmes: Any) -> None:
    """A row in each of the tables."""
    from billing.subsidy import services

    now = cast.now
    OrganisationIdentifier.objects.create(organisation=cast.firm, scheme="uscc", value=USCC["firm"])
    declaring.declare(cast.actor("zhao"), cast.firm.pk, Declaration("figures", {"year": 2025, "staff": 5}, PDF), now)
    credit.import_list(cast.actor("zhou"), "platform", "x", f"uscc,name,from\n{USCC['firm']},G,2026-01-01\n".encode(), now)
    partner = Partner("310000", "CN-310000", "Shanghai", "", "redeem", date(2026, 1, 1), None, "A")
    region = partners.keep_region(cast.actor("chen"), partner, now)
    partners.import_providers(cast.actor("chen"), region.pk, f"uscc,name,from\n{USCC['lab']},K,2026-01-01\n".encode(), now)
    version = services.draft_version(cast.actor("chen"), voucher_document(CODE), now)
    services.publish_version(cast.actor("sun"), version, now)
    PolicyZone.objects.create(slug="east", name="East")
    found = announcing.draft(cast.actor("chen"), CODE, TERMS, now)
    announcing.publish(cast.actor("sun"), found.pk, now)
    given = Application(found.quotas.order_by("pk")[0].pk, 1_000_00, "x", PDF)
    row = applying.apply(cast.actor("zhao"), found.pk, cast.firm.pk, given, now)
    applying.review(cast.actor("chen"), row.pk, 1_000_00, "", now)
    applying.issue(cast.actor("sun"), row.pk, now)
    balances = f"uscc,programme,cap,year,amount\n{USCC['firm']},DEMO-QH-V,firm-year,2026,1\n"
    openings.load_balances(cast.actor("qian"), balances.encode(), PDF, "x", now)
    items = f"uscc,kind,class,number\n{USCC['firm']},invoice,session-subsidy,12345678901234567890\n"
    openings.load_items(cast.actor("qian"), items.encode(), PDF, "x", now)
    seals.seal_due(now)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def attempt(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.parametrize("table", sorted(KEPT))
def test_nothing_is_changed_deleted_or_emptied_and_without_triggers_it_is(written: None, table: str) -> None:
    last = f"WHERE id = (SELECT max(id) FROM {table})"
    changing = f"UPDATE {table} SET {KEPT[table]} {last}" if KEPT[table] else ""
    for statement in filter(None, (changing, f"DELETE FROM {table} {last}", f"TRUNCATE {table} CASCADE")):
        with pytest.raises(DatabaseError) as refused:
            attempt(statement)
        assert any(word in str(refused.value) for word in ("Cannot update", "Cannot delete", "append-only")), statement
    if changing:
        attempt(f"ALTER TABLE {table} DISABLE TRIGGER USER", changing)
