"""Rows that are written once: the database refuses to change, delete or empty them, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pgtrigger
import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from billing.pricing import sample_prices
from billing.settlement.models import Charge, Quote, Statement, StatementLine
from booking.models import Reservation
from config.kernel.services import files
from instruments.services import resources

#: Table -> a change that must be refused, and whether rows may be deleted or the table emptied at all (never).
KEPT = {
    "billing_transfer": "reason = 'another'",
    "billing_priceversion": "effective_from = effective_from - 1",
    "billing_testitemprice": "amount_fen = amount_fen + 1",
    "billing_programmeversion": "label = label || 'x'",
    "billing_quote": "gross_fen = gross_fen + 1, payable_now_fen = payable_now_fen + 1, final_cost_fen = final_cost_fen + 1",
    "billing_charge": "engine_version = 'other'",
    "billing_award": "payee_id = payee_id + 1",
    "billing_statement": "period_on = period_on + 31",
    "billing_statementline": "position = position + 1",
    "booking_reservationtransition": "reason = 'another'",
    "kernel_auditentry": "actor_name = 'nobody'",
    "kernel_storedfile": "file_name = 'other'",
}

#: Tables whose triggers are tried, each with its control or beside what is allowed, where their rows are made.
TRIED_ELSEWHERE = {
    **dict.fromkeys(
        (
            "billing_payment",
            "billing_allocation",
            "billing_refund",
            "billing_bankstatement",
            "billing_creditnote",
            "billing_awardreversal",
        ),
        "tests/billing/payments/test_bank_transfers.py",
    ),
    **dict.fromkeys(
        ("billing_bill", "billing_billline", "billing_billproposal", "billing_billvoid"), "tests/billing/bills/test_bills.py"
    ),
    **dict.fromkeys(("billing_writeoff", "billing_writeoffproposal"), "tests/billing/payments/test_writing_off.py"),
    **dict.fromkeys(
        ("billing_checkout", "billing_refundrequest", "billing_dispute", "billing_providerevent"),
        "tests/billing/payments/test_stripe.py",
    ),
    **dict.fromkeys(
        ("billing_programmedraft", "billing_draftstep", "billing_draftwriter"), "tests/billing/drafts/test_drafts.py"
    ),
    **dict.fromkeys(
        ("billing_recheckfinding", "billing_recheckitem", "billing_rechecksample"), "tests/billing/claims/test_rechecks.py"
    ),
    "billing_handentry": "tests/billing/payments/test_by_hand.py",
    "billing_repayment": "tests/access/test_kept.py",
    "billing_surplusrefund": "tests/access/test_kept.py",
    "billing_accountcodes": "tests/access/test_kept.py",
    "billing_statementproposal": "tests/billing/settlement/test_proposals.py",
    "billing_sessionextra": "tests/billing/settlement/test_session_extras.py",
    "billing_takenonce": "tests/billing/settlement/test_once.py",
    "billing_counted": "tests/billing/settlement/test_counted.py",
    "billing_topup": "tests/billing/ledger/test_life.py",
    "billing_capfigure": "tests/billing/services/test_cap_figures.py",
    "billing_versionend": "tests/billing/services/test_version_ends.py",
    "billing_ownerincome": "tests/billing/firms/test_owner_incomes.py",
    "billing_claimdeclaration": "tests/billing/claims/test_declared.py",
    "instruments_formercalendar": "tests/booking/timeline/test_timeline.py",
    "instruments_formeridentifier": "tests/billing/vouchers/test_code_change.py",
    "billing_sandboxrun": "tests/billing/sandbox/test_running.py",
    "billing_bookingfee": "tests/billing/services/test_fees.py",
    "billing_feerelief": "tests/billing/services/test_fees.py",
    "billing_commissioncharge": "tests/billing/ordering/test_line_charges.py",
    "billing_commissionreservation": "tests/billing/ordering/test_sheets.py",
    "billing_commissionsamplejob": "tests/billing/ordering/test_sample_links.py",
    "billing_commissionsheet": "tests/billing/ordering/test_sheets.py",
    "billing_commissionsignature": "tests/billing/ordering/test_sheets.py",
    "billing_internalslip": "tests/booking/spending/test_slips_are_kept.py",
    **dict.fromkeys(
        (
            "billing_firmdeclaration",
            "billing_creditimport",
            "billing_creditlisting",
            "billing_partnerregion",
            "billing_partnerlist",
            "billing_partnerprovider",
            "billing_voucherannouncement",
            "billing_voucherquota",
            "billing_voucherapplication",
            "billing_voucher",
            "billing_openingload",
            "billing_openingbalance",
            "billing_subsidiseditem",
            "billing_ledgerseal",
        ),
        "tests/billing/firms/test_kept.py",
    ),
    **dict.fromkeys(
        (
            "billing_accountstatement",
            "billing_billdispute",
            "billing_bookcheck",
            "billing_claim",
            "billing_claimbatch",
            "billing_claimevidence",
            "billing_claimline",
            "billing_claimstep",
            "billing_claimsubmission",
            "billing_clawback",
            "billing_closedperiod",
            "billing_deputy",
            "billing_draft",
            "billing_draftline",
            "billing_draftrun",
            "billing_exemption",
            "billing_heldback",
            "billing_invoicerequest",
            "billing_objection",
            "billing_openingreversal",
            "billing_papercode",
            "billing_paperfile",
            "billing_paymentdifference",
            "billing_paymentline",
            "billing_paymentlist",
            "billing_payout",
            "billing_prepaidentry",
            "billing_prepaidterms",
            "billing_publicity",
            "billing_purchaseorder",
            "billing_recheckanswer",
            "billing_receipt",
            "billing_reminder",
            "billing_spendinglimit",
            "billing_vatinvoice",
        ),
        "tests/access/test_kept.py",
    ),
    "billing_quotation": "tests/billing/ordering/test_quotations.py",
    "billing_quotationline": "tests/billing/ordering/test_quotations.py",
    "booking_labentry": "tests/booking/entering/test_entered_by_the_lab.py",
    "booking_creditevent": "tests/booking/licences/test_credit_flow.py",
    "booking_enquiryattachment": "tests/booking/enquiries/test_threads.py",
    "booking_enquirymessage": "tests/booking/enquiries/test_threads.py",
    "booking_sampleparcel": "tests/booking/samples/test_kept.py",
    "booking_samplereport": "tests/booking/samples/test_kept.py",
    "booking_samplesteptaken": "tests/booking/samples/test_kept.py",
}


@pytest.fixture
def written(life, programmes, slot) -> Iterator[Reservation]:
    """A row in every table of ``KEPT``."""
    charge = life.whole(slot(9, 12))
    award = charge.awards.get()
    statement = Statement.objects.create(
        number="T-1", programme_version=award.programme_version, payee=award.payee, period_on=date(2026, 11, 1),
        total_fen=award.total_fen, line_count=1, content={"programme": {"mode": award.mode}}, content_sha256="",
        issued_at=life.cast.now + timedelta(days=30),
        issued_by=life.cast.users["qian"],
    )  # fmt: skip
    StatementLine.objects.create(statement=statement, award=award, position=1)
    cast = life.cast
    test = resources.create_resource(cast.actor("wang"), cast.lab.pk, "test_item", {"name": "XRD"}, {}, cast.now)
    sample_prices.publish_test_price(cast.actor("li"), test, "sample", 8000, {}, date(2026, 12, 1), cast.now, date(2026, 12, 1))
    files.store(b"%PDF-1.4 of a paper", file_name="paper.pdf", media_type="application/pdf", user_id=None, now=cast.now)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    yield charge.reservation


def attempt(statement: str) -> None:
    """Run it behind a savepoint."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount != 0


def undone(*statements: str) -> None:
    """Run them and undo them again."""
    with transaction.atomic():
        for statement in ("SET CONSTRAINTS ALL IMMEDIATE", *statements):
            attempt(statement)
        transaction.set_rollback(True)


def deleting(table: str) -> str:
    return f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})"


def changing(table: str) -> str:
    return f"UPDATE {table} SET {KEPT[table]} WHERE id = (SELECT max(id) FROM {table})"


STATEMENTS: dict[str, Callable[[str], str]] = {
    "changed": changing,
    "deleted": deleting,
    "emptied": lambda table: f"TRUNCATE {table} CASCADE",
}


@pytest.mark.parametrize("table", sorted(KEPT))
@pytest.mark.parametrize("how", sorted(STATEMENTS))
def test_what_is_written_once_is_never(written, how, table):
    with pytest.raises(DatabaseError) as refused:
        attempt(STATEMENTS[how](table))
    assert any(word in str(refused.value) for word in ("Cannot update", "Cannot delete", "append-only", "only ends as a record"))


@pytest.mark.parametrize("table", sorted(KEPT))
def test_without_its_triggers_the_row_can_be_changed(written, table):
    """The control: the same statement, the triggers of this one table off."""
    undone(f"ALTER TABLE {table} DISABLE TRIGGER USER", changing(table))


def test_every_table_with_such_a_trigger_is_tried_here():
    protected = {
        model._meta.db_table
        for model, trigger in pgtrigger.registry.registered()
        if isinstance(trigger, pgtrigger.Protect | pgtrigger.ReadOnly)
    }
    assert protected | {"billing_quotationline", "billing_programmeversion"} == set(KEPT) | set(TRIED_ELSEWHERE)
    emptied = {
        model._meta.db_table for model, trigger in pgtrigger.registry.registered() if trigger.operation == pgtrigger.Truncate
    }
    assert emptied == set(KEPT) | set(TRIED_ELSEWHERE)
    for table, path in TRIED_ELSEWHERE.items():
        text = (settings.BASE_DIR / path).read_text(encoding="utf-8")
        assert table in text and "DatabaseError" in text, path
    assert {model._meta.db_table for model in apps.get_models()} >= set(KEPT)


def test_a_draft_may_be_changed_until_it_is_published(cast, programmes, variant):
    from billing.subsidy import services

    draft = services.draft_version(cast.actor("chen"), variant("DEMO-QH-V", version="2028.1"), cast.now)
    draft.label = "2028.2"
    draft.save()
    draft.delete()


def test_a_version_is_published_by_somebody_else_even_in_sql(cast, variant):
    from billing.subsidy import services

    draft = services.draft_version(cast.actor("chen"), variant("DEMO-QH-V"), cast.now)
    with pytest.raises(DatabaseError) as refused:
        attempt(f"UPDATE billing_programmeversion SET published_at = now(), approver_id = author_id WHERE id = {draft.pk}")
    assert "programme_version_two_people" in str(refused.value)


def test_published_versions_of_a_programme_never_overlap_even_in_sql(cast, programmes, variant):
    from billing.subsidy import services

    draft = services.draft_version(cast.actor("chen"), variant("DEMO-QH-V", version="2025.2"), cast.now)
    publish = (
        f"UPDATE billing_programmeversion SET published_at = now(), approver_id = {cast.users['sun'].pk} WHERE id = {draft.pk}"
    )
    with pytest.raises(DatabaseError) as refused:
        attempt(publish)
    assert "programme_version_no_overlap" in str(refused.value)
    undone("ALTER TABLE billing_programmeversion DROP CONSTRAINT programme_version_no_overlap", publish)


def test_the_customers_yes_is_the_only_thing_that_a_quote_takes(written):
    attempt(f"UPDATE billing_quote SET accepted_at = now() WHERE id = {Quote.objects.latest('pk').pk}")


def test_how_far_the_documents_are_is_the_only_thing_that_a_statement_takes(written):
    attempt("UPDATE billing_statement SET render_state = 'rendering', render_percent = 10")


_FIGURES = ["gross_fen", "deducted_fen", "refunded_fen", "payable_now_fen", "final_cost_fen"]


@pytest.mark.parametrize("model", [Quote, Charge])
@pytest.mark.parametrize("column", _FIGURES)
@pytest.mark.parametrize("by", [1, -1])
def test_figures_that_do_not_add_up_are_not_taken(written, life, slot, model, column, by):
    """A copy of a good row with one figure one fen off."""
    table, constraint = model._meta.db_table, f"{model._meta.model_name}_adds_up"
    columns = [field.column for field in model._meta.fields if field.column != "id"]
    values = [f"{name} + {by}" if name == column else name for name in columns]
    values = ["revision + 50" if name == "revision" else name for name in values]
    insert = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} ORDER BY id LIMIT 1"
    with pytest.raises(DatabaseError) as refused:
        attempt(insert)
    assert constraint in str(refused.value)
    if model is Quote:  # a second charge of a reservation is refused anyway
        undone(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}", insert)


def test_a_reservation_is_charged_once(written):
    columns = ", ".join(field.column for field in Charge._meta.fields if field.column != "id")
    with pytest.raises(DatabaseError) as refused:
        attempt(f"INSERT INTO billing_charge ({columns}) SELECT {columns} FROM billing_charge")
    assert "reservation_id" in str(refused.value)
