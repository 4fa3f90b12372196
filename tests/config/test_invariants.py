"""Every invariant finds nothing after a day's work, and finds what somebody broke behind the guards' back."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection

from config.kernel import invariants
from config.kernel.services import files

from .conftest import DaysWork


@pytest.fixture
def behind_the_guards(days_work: DaysWork) -> Iterator[Any]:
    """A cursor for which triggers and foreign keys do not fire until the test is rolled back (only a superuser may do this)."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor


def violations(name: str) -> tuple[str, ...]:
    return invariants.registered()[name]().violations


def without(constraint: str, table: str) -> str:
    return f"ALTER TABLE {table} DROP CONSTRAINT {constraint}"


#: A run of drafts, and a draft of it: (state, bill, lines).
A_RUN = (
    "INSERT INTO billing_draftrun (series, period_on, revision, state, filters, draft_count, parked_count, line_count, total_fen,"
    " content_sha256, second_from_fen, made_by_id, made_at)"
    " SELECT 'statements', '2026-11-01', 1, 'open', '{}', 1, 0, 0, 0, '', 1, min(id), now() FROM instruments_user"
)
A_DRAFT = (
    "INSERT INTO billing_draft (run_id, party_id, mode, position, state, reason, line_count, prior_count, odd_count, odd, gross_fen,"
    " deducted_fen, relieved_fen, refunded_fen, claims_fen, total_fen, bill_id)"
    " SELECT max(r.id), (SELECT min(id) FROM instruments_organisation), '', 1, {0}, '{{}}', {2}, 0, 0, '{{}}', 0, 0, 0, 0, 0, 0, {1}"
    " FROM billing_draftrun r"
)

#: A batch, and a claim in it of the day's award: (state, steps, total).
A_BATCH = (
    "INSERT INTO billing_claimbatch (number, programme_id, programme_version_id, mode, fund_year, from_on, until_on, opens_on, closes_on,"
    " opened_by_id, opened_at, rule_steps, rules_applied) SELECT 'PC-2026-1', v.programme_id, v.id, a.mode, 2026,"
    " '2026-11-01', '2026-11-30', '2026-12-01', '2026-12-31', 1, now(), '[]', '[]'"
    " FROM billing_award a JOIN billing_programmeversion v ON v.id = a.programme_version_id"
    " ORDER BY a.id LIMIT 1"
)
A_CLAIM = (
    "INSERT INTO billing_claim (batch_id, payee_id, number, state, step, step_count, total_fen, since, created_at)"
    " SELECT b.id, a.payee_id, 'SQ-2026-1', '{0}', 0, {1}, {2}, now(), now() FROM billing_claimbatch b, billing_award a"
    " ORDER BY a.id LIMIT 1"
)
#: The award on the claim: (position, payers).
A_CLAIM_LINE = (
    "INSERT INTO billing_claimline (claim_id, position, kind, standing, reason, award_id, amount_fen, credited_fen, netted, payers, steps,"
    " invoice_number, created_at) SELECT c.id, {0}, 'award', 'included', '', a.id, a.total_fen, 0, '[]', {1}, '[]', '', now()"
    " FROM billing_claim c, billing_award a ORDER BY a.id LIMIT 1"
)
#: A step of the claim: (position, event, from, to).
A_CLAIM_STEP = (
    "INSERT INTO billing_claimstep (claim_id, position, event, from_state, to_state, step, actor_id, reason, total_fen, at)"
    " SELECT id, {0}, '{1}', '{2}', '{3}', 0, 1, '', 0, now() FROM billing_claim"
)
FROZEN = "total_fen, content, content_sha256, issued_at, issued_by_id, render_state, render_percent, render_error"
A_FORM = (
    f"INSERT INTO billing_claimsubmission ({FROZEN}, claim_id, number, position)"
    " SELECT 1, '{}', '', now(), 1, 'done', 0, '', id, number, 1 FROM billing_claim"
)
A_PAYMENT_LIST = (
    f"INSERT INTO billing_paymentlist ({FROZEN}, batch_id, number, payer, line_count, cancel_reason)"
    " SELECT 1, '{}', '', now(), 1, 'done', 0, '', id, 'BF-2026-1', 'city', 1, '' FROM billing_claimbatch"
)
A_PAYMENT_LINE = (
    "INSERT INTO billing_paymentline (payment_list_id, claim_id, position, amount_fen)"
    " SELECT l.id, c.id, 1, c.total_fen + 1 FROM billing_paymentlist l, billing_claim c"
)
A_PAYOUT = (
    "INSERT INTO billing_payout (line_id, paid_fen, paid_on, reference, reason, recorded_by_id, recorded_at)"
    " SELECT id, 1, '2026-12-01', '', '', 1, now() FROM billing_paymentline"
)
A_CLAWBACK = (
    f"INSERT INTO billing_clawback ({FROZEN}, number, programme_id, payee_id, award_id, claim_id, reversal_id, cause, reason)"
    " SELECT r.amount_fen + 1, '{}', '', now(), 1, 'done', 0, '', 'ZH-2026-1', v.programme_id, a.payee_id, a.id, c.id, r.id,"
    " 'credit_note', 'x' FROM billing_awardreversal r JOIN billing_award a ON a.id = r.award_id"
    " JOIN billing_programmeversion v ON v.id = a.programme_version_id, billing_claim c LIMIT 1"
)
A_REPAYMENT = (
    "INSERT INTO billing_repayment (clawback_id, amount_fen, received_fen, payers, received_on, payer_name, reference, recorded_by_id,"
    " recorded_at, end_reason) SELECT id, 5, 5, '[]', '2026-12-01', '', '', 1, now(), '' FROM billing_clawback LIMIT 1"
)
A_LINE_CHARGE = (
    "INSERT INTO billing_commissioncharge (sheet_id, line_id, sample_extra_id, quantity, charged_by_id, charged_at)"
    " SELECT s.id, l.id, x.id, 3, 1, now() FROM billing_commissionsheet s"
    " JOIN billing_quotationline l ON l.quotation_id = s.quotation_id CROSS JOIN booking_sampleextra x LIMIT 1"
)
TOO_MUCH = (
    "INSERT INTO billing_repayment (clawback_id, amount_fen, received_fen, payers, received_on, payer_name, reference, recorded_by_id,"
    " recorded_at, confirmed_by_id, confirmed_at, end_reason)"
    " SELECT id, 0, 5, '[]', '2026-12-01', '', '', 1, now(), 2, now(), '' FROM billing_clawback LIMIT 1"
)
A_SURPLUS_REFUND = (
    "INSERT INTO billing_surplusrefund (repayment_id, amount_fen, paid_on, reference, recorded_by_id, recorded_at, end_reason)"
    " SELECT id, 6, '2026-12-01', 'x', 1, now(), '' FROM billing_repayment LIMIT 1"
)
A_SAMPLE = (
    "INSERT INTO billing_rechecksample (number, from_on, until_on, method, seed, size, population, population_sha256, claim_count,"
    " claim_fen, drawn_count, drawn_fen, drawn_by_id, drawn_at)"
    " SELECT 'CY-2026-1', '2026-11-01', '2026-11-30', 'random', 's', 1, '[[1, 5], [2, 7]]', '', 2, 12, 1, 5, 1, now()"
)
AN_ANSWER = [
    "INSERT INTO billing_recheckitem (sample_id, position, claim_id, amount_fen) SELECT s.id, 1, c.id, 5 FROM billing_rechecksample s,"
    " billing_claim c LIMIT 1",
    "INSERT INTO billing_recheckfinding (item_id, position, outcome, difference_fen, reason, recorded_by_id, recorded_at)"
    " SELECT id, 1, 'difference', 5, 'x', 1, now() FROM billing_recheckitem",
    "INSERT INTO billing_recheckanswer (finding_id, taken_fen, reason, answered_by_id, answered_at)"
    " SELECT id, {}, 'x', {}, now() FROM billing_recheckfinding",
]
A_DECLARATION = (
    "INSERT INTO billing_claimdeclaration (claim_id, award_id, position, amounts, added_by_id, added_at, applied_at, less_fen, engine,"
    " steps, unmet) SELECT c.id, a.id, 1, '{}', 1, now(), now(), 0, '1', '[]', '[]' FROM billing_claim c, billing_award a"
    " ORDER BY a.id LIMIT 1"
)
CLAIMED = [A_BATCH, A_CLAIM.format("draft", 0, 1)]

SLIP_OF_MORE = (
    "INSERT INTO billing_internalslip (charge_id, organisation_id, number, period_on, total_fen, covered_fen, content, issued_at)"
    " SELECT id, 1, 'NB-2026-000002', '2026-11-01', payable_now_fen + 1, 0, '{}', now() FROM billing_charge LIMIT 1"
)
FEE = (
    "INSERT INTO billing_bookingfee (reservation_id, kind, price_version_id, calendar_id, starts_at, ends_at, fund_card_id, covered_fen,"
    " gross_fen, deducted_fen, refunded_fen, payable_now_fen, final_cost_fen, estimate, inputs, inputs_sha256, result, engine_version,"
    " created_at) SELECT r.id, 'late_cancel', 1, 1, r.starts_at, r.ends_at, 1, 50, 100, 0, 0, 100, 100, false, '{}', '', '{}', 'fee-1',"
    " now() FROM booking_reservation r WHERE r.state = 'agreed' LIMIT 1"
)
RELIEF = (
    "INSERT INTO billing_feerelief (fee_id, cause, used_by_id, amount_fen, returned_fen, inputs, inputs_sha256, result, created_at)"
    " SELECT f.id, 'taken_again', 0, 101, 0, '{}', '', '{}', now() FROM billing_bookingfee f"
)
WAIVER = (
    RELIEF.replace("'taken_again', 0, 101", "'waived', NULL, 1")
    .replace("cause, used_by_id", "cause, used_by_id, reason")
    .replace("NULL, 1", "NULL, 'x', 1")
)
GIVEN_UP = (
    "INSERT INTO billing_writeoff (bill_id, kind, amount_fen, reason, actor_id, at)"
    " SELECT id, 'written_off', total_fen + 1, 'x', issued_by_id, now() FROM billing_bill LIMIT 1"
)
FROZEN_PAPER = f"INSERT INTO {{0}} ({FROZEN}, owner_id, customer_id, number{{1}})"
A_RECEIPT = (
    FROZEN_PAPER.format("billing_receipt", ", payment_id")
    + " SELECT 1, '{}', '', now(), 1, 'done', 0, '', owner_id, 1, 'SJ-2026-000002', id FROM billing_payment LIMIT 1"
)
A_STATEMENT_OF_CLAWBACKS = (
    FROZEN_PAPER.format("billing_accountstatement", ", first_on, last_on")
    + " SELECT 1, '{}', '', now(), 1, 'done', 0, '', p.issuer_id, k.payee_id, 'DZ-2026-000001', '2026-11-01', '2026-11-30'"
    " FROM billing_clawback k JOIN billing_programme p ON p.id = k.programme_id"
)
A_STATEMENT_OF_ACCOUNT = (
    FROZEN_PAPER.format("billing_accountstatement", ", first_on, last_on")
    + " SELECT 1, '{}', '', now(), 1, 'done', 0, '', 1, 2, 'DZ-2026-000002', '2026-11-01', '2026-11-30'"
)
#: Another row of the same table that differs in some fields (of which it may have no ``reference``): (table, fields).
ANOTHER = (
    "INSERT INTO {0} SELECT (jsonb_populate_record(r, jsonb_build_object('id', r.id + 100000, 'reference', 'x', {1}))).*"
    " FROM {0} r WHERE r.id = (SELECT min(id) FROM {0})"
)
#: A VAT invoice of the day's bill: (id, reverses, fen, owner).
AN_INVOICE = (
    "INSERT INTO billing_vatinvoice (id, owner_id, bill_id, reverses_id, number, code, issued_on, buyer_code, seller_code, net_fen,"
    " tax_fen, total_fen, recorded_by_id, recorded_at)"
    " SELECT {0}, {3}, id, {1}, lpad('{0}', 20, '0'), '', '2026-12-01', '', '', {2}, 0, {2}, issued_by_id, now() FROM billing_bill LIMIT 1"
)
#: A VAT invoice of a settlement statement: (id, owner).
A_SOLD_INVOICE = (
    "INSERT INTO billing_vatinvoice (id, owner_id, statement_id, number, code, issued_on, buyer_code, seller_code, net_fen,"
    " tax_fen, total_fen, recorded_by_id, recorded_at)"
    " SELECT {0}, {1}, id, lpad('{0}', 20, '0'), '', '2026-12-01', '', '', 5, 0, 5, issued_by_id, now() FROM billing_statement LIMIT 1"
)
#: The day's charge was paid from a voucher: (organisation, last day).
A_USED_VOUCHER = [
    "INSERT INTO billing_account (key, kind, limited, granted_fen, held_fen, posted_fen, created_at)"
    " VALUES ('voucher:x:1', 'voucher', true, 1, 0, 1, now())",
    "INSERT INTO billing_voucher (number, programme_id, cap_id, organisation_id, application_id, account_id, face_fen, valid_from,"
    " valid_to, issued_by_id, issued_at) SELECT 'V-1', v.programme_id, 'x', {0}, 1, a.id, 1, '2026-01-01', {1}, 1, now()"
    " FROM billing_account a, billing_award w JOIN billing_programmeversion v ON v.id = w.programme_version_id"
    " JOIN billing_charge c ON c.id = w.charge_id JOIN booking_reservation r ON r.id = c.reservation_id"
    " WHERE a.key = 'voucher:x:1' ORDER BY w.id LIMIT 1",
    "INSERT INTO billing_transfer (kind, debit_id, credit_id, amount_fen, hold_id, source_type, source_id, reason, at,"
    " programme_version_id) SELECT 'post', a.id, a.id + 1, 1, 0, 'reservation', c.reservation_id, 'agree', now(), w.programme_version_id"
    " FROM billing_account a, billing_award w JOIN billing_charge c ON c.id = w.charge_id"
    " WHERE a.key = 'voucher:x:1' AND c.reservation_id IS NOT NULL ORDER BY w.id LIMIT 1",
]


def used_voucher(organisation: str, last_day: str) -> list[str]:
    return [statement.format(organisation, last_day) for statement in A_USED_VOUCHER]


def earlier(table: str, number: str, at: str = "issued_at") -> str:
    """The paper after the first one of a series, a day before it."""
    return ANOTHER.format(table, f"'number', '{number}', '{at}', r.{at} - interval '1 day'")


BREAKS: dict[str, list[str]] = {
    "booking.colleagues_have_agreed": [
        "UPDATE booking_reservation SET booked_by_id = (SELECT max(id) FROM instruments_user WHERE id <> requested_by_id)"
    ],
    "booking.entered_with_a_yes": [
        "INSERT INTO booking_labentry (reservation_id, entered_by_id, entered_at, evidence)"
        " SELECT id, requested_by_id, now(), '' FROM booking_reservation WHERE state = 'agreed' LIMIT 1"
    ],
    "booking.nobody_approves_their_own": [
        "UPDATE booking_reservationtransition t SET actor_id = r.requested_by_id FROM booking_reservation r"
        " WHERE r.id = t.reservation_id AND t.action = 'approve'"
    ],
    "fees.only_for_time_that_was_left": [FEE],
    "fees.waived_by_somebody_else": [FEE, WAIVER],
    "fees.never_more_falls_away_than_there_is": [FEE, RELIEF],
    "fees.what_falls_away_was_used": [FEE, RELIEF],
    "fees.cards_paid_and_got_back_what_fees_say": [FEE],
    "settlement.bookingfees_add_up": [
        without("booking_fee_is_not_subsidised", "billing_bookingfee"),
        FEE,
        "UPDATE billing_bookingfee SET deducted_fen = 1",
    ],
    "bills.are_their_lines": ["UPDATE billing_bill SET total_fen = total_fen + 1"],
    "bills.lines_say_what_was_charged": ["UPDATE billing_billline SET amount_fen = amount_fen + 1"],
    "bills.a_charge_stands_on_one_bill": ["UPDATE billing_billline SET voided = true"],
    "bills.credited_within_their_lines": ["UPDATE billing_creditnote SET total_fen = total_fen + 100000000"],
    "bills.no_more_is_given_up_than_is_owed": [GIVEN_UP],
    "bills.the_ledger_says_what_was_given_up": [GIVEN_UP],
    "bills.awards_go_back_within_themselves": ["UPDATE billing_awardreversal SET amount_fen = amount_fen + 100000000"],
    "bills.bill_numbers_have_no_gap": ["UPDATE billing_numberseries SET last = last + 1 WHERE key LIKE 'ZD/%'"],
    "bills.creditnote_numbers_have_no_gap": ["UPDATE billing_numberseries SET last = last + 1 WHERE key LIKE 'HZ/%'"],
    "bills.rendered_bills_have_both_files": ["UPDATE billing_bill SET render_state = 'done'"],
    "bills.rendered_creditnotes_have_both_files": ["UPDATE billing_creditnote SET render_state = 'done'"],
    "bills.the_ledger_says_what_was_billed": ["UPDATE billing_creditnote SET total_fen = total_fen - 1"],
    "receipts.receipt_numbers_have_no_gap": [A_RECEIPT],
    "receipts.accountstatement_numbers_have_no_gap": [A_STATEMENT_OF_ACCOUNT],
    "receipts.rendered_receipts_have_both_files": [A_RECEIPT],
    "receipts.rendered_accountstatements_have_both_files": [A_STATEMENT_OF_ACCOUNT],
    "invoices.a_bill_has_one_that_lives": [
        AN_INVOICE.format(1, "NULL", 5, "owner_id"),
        AN_INVOICE.format(2, "NULL", 5, "owner_id"),
    ],
    "invoices.red_ones_within_their_blue_one": [
        AN_INVOICE.format(1, "NULL", 5, "owner_id"),
        AN_INVOICE.format(2, "1", -6, "owner_id"),
    ],
    "invoices.are_of_the_owner_of_their_bill": [AN_INVOICE.format(1, "NULL", 5, "customer_id")],
    "invoices.a_statement_has_one_that_lives": [A_SOLD_INVOICE.format(1, "payee_id"), A_SOLD_INVOICE.format(2, "payee_id")],
    "invoices.are_of_the_payee_of_their_statement": [A_SOLD_INVOICE.format(1, "issued_by_id")],
    "papers.dates_follow_numbers": [earlier("billing_bill", "ZD-2026-000002")],
    "payments.by_hand_are_what_another_person_confirmed": [
        "INSERT INTO billing_handentry (owner_id, way, amount_fen, received_on, payer_name, reference, remark, evidence_id, told_apart,"
        " recorded_by_id, recorded_at, confirmed_by_id, confirmed_at, end_reason)"
        " SELECT owner_id, 'cash', 5, '2026-12-01', 'x', 'x', '', 1, false, issued_by_id, now(), issued_by_id + 1, now(), ''"
        " FROM billing_bill LIMIT 1"
    ],
    "payments.the_ledger_says_what_came_in": [
        "INSERT INTO billing_refund (payment_id, kind, amount_fen, provider_ref, reason, at)"
        " SELECT id, 'refund', 1, '', 'x', now() FROM billing_payment LIMIT 1"
    ],
    "payments.stay_with_their_owner": ["UPDATE billing_creditnote SET owner_id = owner_id + 1"],
    "vouchers.are_used_in_their_days_by_their_firm": used_voucher("r.organisation_id + 1", "'2026-12-31'"),
    "ledger.moves_are_between_accounts_without_a_limit": ["UPDATE billing_account SET limited = true WHERE kind = 'revenue'"],
    "papers.contents_and_codes_are_what_was_issued": ["UPDATE billing_papercode SET code = lower(code)"],
    "papers.have_the_files_that_were_made_for_them": [
        "INSERT INTO kernel_storedfile (sha256, size_bytes, media_type, file_name, path, created_at) VALUES ('', 0, '', '', '', now())",
        "UPDATE billing_bill SET pdf_id = (SELECT max(id) FROM kernel_storedfile)",
    ],
    "payments.nothing_is_given_that_did_not_come_in": ["UPDATE billing_payment SET amount_fen = 1"],
    "payments.no_bill_is_paid_beyond_what_is_due": ["UPDATE billing_allocation SET amount_fen = amount_fen + 100000000"],
    "payments.the_ledger_says_who_owes_what": ["UPDATE billing_allocation SET amount_fen = amount_fen + 1"],
    "payments.the_ledger_says_what_is_free": ["UPDATE billing_payment SET amount_fen = amount_fen + 1"],
    "payments.statements_say_what_they_brought": ["UPDATE billing_bankstatement SET taken_count = taken_count + 1"],
    "payments.paid_attempts_brought_their_money": [
        "INSERT INTO billing_checkout (bill_id, provider, attempt, key, amount_fen, state, url, note, asked_by_id, asked_at, changed_at)"
        " SELECT id, 'stripe', 1, 'k', 1, 'paid', '', '', 1, now(), now() FROM billing_bill LIMIT 1"
    ],
    "payments.events_are_handled": [
        "INSERT INTO billing_providerevent (provider, event_ref, kind, object_ref, account_ref, live, happened_at, received_at, state,"
        " tries, note) VALUES ('stripe', 'e', 'x', 'x', '', false, now(), now() - interval '1 hour', 'waiting', 0, '')"
    ],
    "prepaid.the_ledger_says_what_is_kept": [
        "INSERT INTO billing_prepaidentry (payment_id, customer_id, kind, amount_fen, reason, at)"
        " SELECT id, 1, 'deposit', 5, '', now() FROM billing_payment LIMIT 1"
    ],
    "prepaid.what_was_taken_for_bills_pays_them": [
        "INSERT INTO billing_prepaidentry (payment_id, customer_id, kind, amount_fen, of_id, bill_id, reason, at)"
        " SELECT p.id, 1, 'capture', -100000000, 0, b.id, '', now() FROM billing_payment p, billing_bill b LIMIT 1"
    ],
    "prepaid.what_waits_for_a_bill_is_not_billed_yet": [
        "INSERT INTO billing_transfer (kind, debit_id, credit_id, amount_fen, source_type, source_id, reason, at)"
        " SELECT 'hold', (SELECT min(id) FROM billing_account), (SELECT max(id) FROM billing_account), 1, 'charge', charge_id, 'x', now()"
        " FROM billing_billline WHERE charge_id IS NOT NULL AND NOT voided LIMIT 1"
    ],
    "dunning.steps_come_in_their_days": [
        "INSERT INTO billing_reminder (bill_id, owner_id, customer_id, step, open_fen, at)"
        " SELECT id, owner_id, customer_id, 'block', 1, due_on - interval '100 days' FROM billing_bill LIMIT 1"
    ],
    "samples.no_day_is_promised_twice": ["UPDATE booking_sampleday SET samples = 11"],
    "samples.days_are_for_all_samples": ["DELETE FROM booking_sampleday"],
    "samples.jobs_follow_their_samples": ["UPDATE booking_sample SET state = 'tested'"],
    "settlement.every_closed_sample_job_has_one_charge": ["DELETE FROM billing_charge WHERE sample_job_id IS NOT NULL"],
    "settlement.sample_jobs_charge_what_was_agreed": ["UPDATE booking_sampleextra SET amount_fen = amount_fen + 1"],
    "ledger.sample_jobs_hold_while_they_run": ["UPDATE booking_samplejob SET state = 'cancelled' WHERE state = 'accepted'"],
    "cards.a_booking_is_held_on_its_own_card": [
        "INSERT INTO billing_account (key, kind, limited, granted_fen, held_fen, posted_fen, created_at)"
        " VALUES ('fund_card:7', 'fund_card', true, 0, 0, 0, now())",
        "INSERT INTO billing_transfer (kind, debit_id, credit_id, amount_fen, source_type, source_id, reason, at)"
        " SELECT 'hold', a.id, a.id + 1, 1, 'reservation', r.id, 'x', now() FROM billing_account a, booking_reservation r"
        " WHERE a.key = 'fund_card:7' LIMIT 1",
    ],
    "cards.a_slip_says_what_was_charged": [SLIP_OF_MORE],
    "cards.slips_have_no_gap": [SLIP_OF_MORE],
    "cards.every_card_has_an_account": [
        "INSERT INTO instruments_fundcard (organisation_id, group_id, number, title, valid_from, valid_until, created_at)"
        " VALUES (1, 1, 'x', 'x', '2026-01-01', '2026-12-31', now())"
    ],
    "booking.assistance_follows_bookings": [
        "INSERT INTO booking_occupancy (calendar_id, during, blocking, source, reservation_id, note)"
        " SELECT calendar_id, during, false, 'assistance', reservation_id, '' FROM booking_occupancy WHERE source = 'reservation' LIMIT 1",
    ],
    "booking.busy_changes_say_what_is_taken": [
        "INSERT INTO booking_busychange (calendar_id, name, during, taken, sequence, changed_at)"
        " SELECT calendar_id, 'r' || reservation_id, during, false, 1, now() FROM booking_occupancy"
        " WHERE blocking AND source = 'reservation' LIMIT 1",
    ],
    "booking.changes_are_a_chain": [
        "INSERT INTO booking_occupancy (calendar_id, during, blocking, source, reservation_id, note)"
        " SELECT calendar_id, tstzrange(upper(during), upper(during) + interval '1 hour'), false, 'change', reservation_id, ''"
        " FROM booking_occupancy WHERE reservation_id IS NOT NULL LIMIT 1",
    ],
    "booking.downtimes_take_their_own_time": [
        "INSERT INTO booking_downtime (instrument_id, kind, starts_at, ends_at, note, words, words_en, status_before, made_by_id, made_at)"
        " SELECT instrument_id, 'service', '2031-01-01', '2031-01-02', '', '', '', '', requested_by_id, now()"
        " FROM booking_reservation LIMIT 1",
        "INSERT INTO booking_occupancy (calendar_id, during, blocking, source, note, downtime_id)"
        " SELECT i.calendar_id, tstzrange(d.ends_at, d.ends_at + interval '1 hour'), true, 'maintenance', '', d.id"
        " FROM booking_downtime d JOIN instruments_instrument i ON i.id = d.instrument_id",
    ],
    "booking.policies_follow_layers": [
        "INSERT INTO booking_policylayer (organisation_id, class_code, said, changed_at)"
        " SELECT organisation_id, '', '{\"notice_minutes\": 600}', now() FROM instruments_instrument LIMIT 1",
    ],
    "booking.availability_is_current": ["UPDATE booking_dayavailability SET free = '{}'"],
    "booking.enquiries_follow_their_messages": [
        "UPDATE booking_enquiry SET state = 'closed'",
        "DELETE FROM booking_enquirymessage",
    ],
    "booking.followed_times_have_an_event": [
        "INSERT INTO booking_occupancy (calendar_id, during, blocking, source, note)"
        " SELECT id, tstzrange(now() + interval '9 years', now() + interval '10 years'), true, 'subscribed', ''"
        " FROM schedule_calendar LIMIT 1",
    ],
    "booking.no_double_booking": [
        without("occupancy_no_overlap", "booking_occupancy"),
        "INSERT INTO booking_occupancy (calendar_id, during, blocking, source, note)"
        " SELECT calendar_id, during, true, 'maintenance', '' FROM booking_occupancy WHERE blocking LIMIT 1",
    ],
    "booking.occupancies_follow_states": [
        "UPDATE booking_occupancy SET blocking = false WHERE reservation_id ="
        " (SELECT id FROM booking_reservation WHERE state = 'agreed')",
    ],
    "booking.groups_are_of_one_customer": [
        "INSERT INTO booking_reservationgroup (organisation_id, requested_by_id, created_at)"
        " SELECT id, 0, now() FROM instruments_organisation LIMIT 1",
        "UPDATE booking_reservation SET group_id = (SELECT max(id) FROM booking_reservationgroup)"
        " WHERE id = (SELECT min(id) FROM booking_reservation)",
    ],
    "booking.series_hold_together": [
        "INSERT INTO booking_reservationseries (instrument_id, organisation_id, requested_by_id, rule, zone, planned, created_at)"
        " SELECT instrument_id, organisation_id, requested_by_id, '{}', 'Asia/Shanghai', 1, now() FROM booking_reservation LIMIT 1",
        "UPDATE booking_reservation SET ordinal = 2, series_id = (SELECT max(id) FROM booking_reservationseries)"
        " WHERE id = (SELECT min(id) FROM booking_reservation)",
    ],
    "booking.places_are_given_once": [
        "INSERT INTO booking_coursesession (course_id, starts_at, ends_at, place, places, created_at, called_off_reason)"
        " VALUES (1, now(), now() + interval '1 hour', 'x', 1, now(), '')",
        "INSERT INTO booking_enrolment (session_id, person_id, state, enrolled_at, note)"
        " SELECT s.id, person, 'enrolled', now(), '' FROM booking_coursesession s, generate_series(1, 2) AS person",
    ],
    "booking.reversals_mirror_events": [
        "INSERT INTO booking_creditevent (person_id, organisation_id, kind, lab_points, platform_points, at, made_by_id, note)"
        " VALUES (1, 1, 'manual', -5, -5, now(), 1, 'x')",
        "INSERT INTO booking_creditevent (person_id, organisation_id, kind, lab_points, platform_points, at, made_by_id, note,"
        " reverses_id) SELECT 1, 1, 'manual', 3, 5, now(), 1, 'x', id FROM booking_creditevent",
    ],
    "booking.ratings_are_of_agreed_sessions": [
        "INSERT INTO booking_sessionrating (reservation_id, instrument_id, stars, comment, rated_by_id, rated_at, answer, hidden_reason)"
        " SELECT id, instrument_id, 5, '', requested_by_id, now(), '', '' FROM booking_reservation WHERE state = 'requested' LIMIT 1",
    ],
    "booking.imported_ones_say_where_from": ["UPDATE booking_reservation SET imported = true WHERE state = 'agreed'"],
    "booking.agreed_use_has_its_yes": ["UPDATE booking_usagesession SET customer_agreed_at = NULL"],
    "booking.runs_are_of_their_instrument": [
        "INSERT INTO booking_devicerun (instrument_id, device, starts_at, heard_at, started, skew_seconds, state, problem, reservation_id,"
        " noticed_at, reason) SELECT instrument_id + 1, '', now(), now(), true, 0, 'matched', '', id, now(), ''"
        " FROM booking_reservation LIMIT 1",
    ],
    "booking.sessions_follow_states": ["UPDATE booking_usagesession SET agreed_at = NULL, agreed_how = ''"],
    "booking.sessions_keep_the_booked_time": [
        "UPDATE booking_usagesession SET booked_ends_at = booked_ends_at + interval '1 hour'"
    ],
    "booking.wishes_and_disputes_follow_states": [
        "INSERT INTO booking_usageadjustment (session_id, reason, asked_by_id, asked_at, state, answer)"
        " SELECT id, 'x', checked_in_by_id, now(), 'open', '' FROM booking_usagesession LIMIT 1",
    ],
    "booking.states_are_replays": ["UPDATE booking_reservation SET state = 'cancelled' WHERE state = 'requested'"],
    "kernel.guards_installed": ["ALTER TABLE billing_charge DISABLE TRIGGER USER"],
    "kernel.idempotency_once": ["UPDATE kernel_idempotencyrecord SET result = NULL"],
    "ledger.columns_are_the_sums_of_transfers": ["UPDATE billing_account SET posted_fen = posted_fen - 1 WHERE posted_fen > 0"],
    "ledger.never_overspent": [
        without("account_never_overspent", "billing_account"),
        "UPDATE billing_account SET held_fen = granted_fen + 1 WHERE limited",
    ],
    "ledger.closed_accounts_are_empty": [
        without("account_closed_holds_nothing", "billing_account"),
        "UPDATE billing_account SET state = 'closed', granted_fen = granted_fen + 1, held_fen = held_fen + 1 WHERE limited",
    ],
    "counted.what_stands_was_promised_or_given": [
        "INSERT INTO billing_counted (subject, programme_version_id, source_type, source_id, fee_fen, subsidised_fen, minutes, samples,"
        " counted_at) SELECT 'x', min(id), 'reservation', 0, 0, 0, 1, 0, now() FROM billing_programmeversion",
    ],
    "vouchers.each_is_worth_what_was_granted": [
        "INSERT INTO billing_voucher (number, programme_id, cap_id, organisation_id, application_id, account_id, face_fen, valid_from,"
        " valid_to, issued_by_id, issued_at) SELECT 'x', 1, 'x', 1, 1, id, 1, '2026-01-01', '2026-12-31', 1, now()"
        " FROM billing_account LIMIT 1",
    ],
    "vouchers.a_quota_gave_what_its_vouchers_are_worth": [
        "INSERT INTO billing_voucherquota (announcement_id, zone, code_prefix, amount_fen, account_id)"
        " SELECT 1, '', '', amount_fen, debit_id FROM billing_transfer WHERE kind = 'grant' LIMIT 1",
    ],
    "vouchers.homes_pay_what_was_drawn_on_theirs": [
        """UPDATE billing_award SET payers = '[{"payer": "partner:CN-310000", "amount_fen": 1}]'""",
    ],
    "books.charges_come_to_the_same": ["UPDATE billing_charge SET result = jsonb_set(result, '{gross_fen}', '1')"],
    "books.the_chain_holds": [
        "INSERT INTO billing_ledgerseal (number, first_id, last_id, count, previous_sha256, sha256, marks, sealed_at)"
        " SELECT 1, min(id), max(id), count(*), '', 'x', '', now() FROM billing_transfer",
    ],
    "openings.were_posted": [
        "INSERT INTO billing_openingbalance (batch_id, organisation_id, programme_id, cap_id, year, amount_fen, account_id)"
        " SELECT 1, 1, 1, 'x', 2026, 1, id FROM billing_account LIMIT 1",
    ],
    "ledger.holds_end_once": [
        "DROP INDEX transfer_hold_ends_once",
        "INSERT INTO billing_transfer (kind, debit_id, credit_id, amount_fen, hold_id, source_type, source_id, reason, at)"
        " SELECT kind, debit_id, credit_id, amount_fen, hold_id, source_type, source_id, reason, at"
        " FROM billing_transfer WHERE hold_id IS NOT NULL LIMIT 1",
    ],
    "ledger.no_forgotten_hold": ["DELETE FROM billing_transfer WHERE hold_id IS NOT NULL"],
    "month.drafts_are_their_lines": [A_RUN, A_DRAFT.format("'ready'", "NULL", 1)],
    "month.issued_as_drafted": [A_RUN, A_DRAFT.format("'issued'", "(SELECT min(id) FROM billing_bill)", 0)],
    "month.released_by_another_above_the_threshold": [
        without("draft_run_two_people", "billing_draftrun"),
        A_RUN,
        "UPDATE billing_draftrun SET released_by_id = made_by_id, released_at = now(), total_fen = second_from_fen",
    ],
    "month.closed_months_took_nothing_later": [
        "INSERT INTO billing_closedperiod (series, owner_id, period_on, totals, closed_by_id, closed_at)"
        " SELECT 'bills:' || owner_id, owner_id, date_trunc('month', until_on), '{}', issued_by_id, issued_at - interval '1 hour'"
        " FROM billing_bill LIMIT 1",
    ],
    "month.what_is_held_back_stands_on_nothing": [
        "INSERT INTO billing_heldback (charge_id, reason, held_by_id, held_at)"
        " SELECT charge_id, 'x', (SELECT min(id) FROM instruments_user), now() FROM billing_billline WHERE charge_id IS NOT NULL LIMIT 1",
    ],
    "claims.are_their_lines": CLAIMED,
    "claims.lines_are_their_awards": [*CLAIMED, A_CLAIM_LINE.format(1, "'[]'")],
    "claims.an_award_is_claimed_once": [
        "DROP INDEX claim_line_award_once",
        *CLAIMED,
        A_CLAIM_LINE.format(1, "a.payers"),
        A_CLAIM_LINE.format(2, "a.payers"),
    ],
    "claims.history_leads_to_the_state": [A_BATCH, A_CLAIM.format("paid", 3, 1)],
    "claims.steps_are_of_the_table": [*CLAIMED, A_CLAIM_STEP.format(1, "submit", "paid", "draft")],
    "claims.three_people": [
        *CLAIMED,
        A_CLAIM_STEP.format(1, "submit", "draft", "submitted"),
        A_CLAIM_STEP.format(2, "pass", "in_review", "passed"),
    ],
    "claims.payment_lists_are_their_lines": [*CLAIMED, A_PAYMENT_LIST],
    "claims.never_paid_beyond_the_claim": [*CLAIMED, A_PAYMENT_LIST, A_PAYMENT_LINE],
    "claims.each_payer_pays_its_share": [*CLAIMED, A_PAYMENT_LIST, A_PAYMENT_LINE],
    "claims.the_ledger_says_what_each_payer_paid": [*CLAIMED, A_PAYMENT_LIST, A_PAYMENT_LINE, A_PAYOUT],
    "claims.the_ledger_says_what_is_owed": [A_BATCH, A_CLAIM.format("approved", 0, 1)],
    "claims.clawbacks_within_themselves": [*CLAIMED, A_CLAWBACK],
    "claims.what_came_back_is_its_payers": [*CLAIMED, A_CLAWBACK, A_REPAYMENT],
    "claims.accounts_of_payees_add_up": [
        *CLAIMED,
        A_CLAWBACK,
        "UPDATE billing_programme SET issuer_id = (SELECT max(id) FROM instruments_organisation)",
        A_STATEMENT_OF_CLAWBACKS,
    ],
    "claims.no_more_is_used_than_came_too_much": [*CLAIMED, A_CLAWBACK, TOO_MUCH, A_SURPLUS_REFUND],
    "claims.the_ledger_says_what_came_too_much": [*CLAIMED, A_CLAWBACK, TOO_MUCH],
    "claims.claimbatch_numbers_have_no_gap": [A_BATCH],
    "claims.claim_numbers_have_no_gap": CLAIMED,
    "claims.paymentlist_numbers_have_no_gap": [A_BATCH, A_PAYMENT_LIST],
    "claims.clawback_numbers_have_no_gap": [*CLAIMED, A_CLAWBACK],
    "claims.rechecksample_numbers_have_no_gap": [A_SAMPLE],
    "claims.findings_are_answered_as_clawed_back": [*CLAIMED, A_SAMPLE, *(each.format(5, 2) for each in AN_ANSWER)],
    "claims.samples_are_as_drawn": [A_SAMPLE],
    "claims.declared_as_worked_out": [*CLAIMED, A_DECLARATION],
    "claims.rendered_claimsubmissions_have_both_files": [*CLAIMED, A_FORM],
    "claims.rendered_paymentlists_have_both_files": [A_BATCH, A_PAYMENT_LIST],
    "claims.rendered_clawbacks_have_both_files": [*CLAIMED, A_CLAWBACK],
    "ordering.accepted_quotations_became_one_sheet": ["DELETE FROM billing_commissionsheet"],
    "ordering.numbers_have_no_gap": ["UPDATE billing_quotation SET number = 'BJ-2026-000002'"],
    "ordering.other_lines_are_charged_under_their_sheet": [A_LINE_CHARGE],
    "ordering.other_lines_are_charged_up_to_their_quantity": [A_LINE_CHARGE],
    "ordering.quotations_are_their_lines": ["UPDATE billing_quotation SET total_fen = total_fen + 1"],
    "ordering.reservations_are_of_the_same_parties": [
        "UPDATE billing_commissionsheet SET organisation_id = (SELECT id FROM instruments_organisation WHERE kind = 'government')"
    ],
    "ordering.sheets_in_force_are_signed_by_both": ["DELETE FROM billing_commissionsignature WHERE side = 'lab'"],
    "programmes.hold_as_documents_and_ends_say": [
        "UPDATE billing_programmeversion SET valid = daterange(lower(valid), upper(valid) - 1) WHERE published_at IS NOT NULL"
    ],
    "registry.catalogue_is_what_a_rebuild_makes": ["UPDATE instruments_catalogueentry SET price_from_fen = price_from_fen + 1"],
    "settlement.every_agreed_session_has_one_charge": ["DELETE FROM billing_charge"],
    "settlement.charges_add_up": [
        without("charge_adds_up", "billing_charge"),
        "UPDATE billing_charge SET payable_now_fen = payable_now_fen + 1",
    ],
    "settlement.quotes_add_up": [
        without("quote_adds_up", "billing_quote"),
        "UPDATE billing_quote SET final_cost_fen = final_cost_fen - 1",
    ],
    "settlement.awards_are_the_charges_subsidy": ["UPDATE billing_award SET total_fen = total_fen + 100"],
    "settlement.payers_share_the_whole_award": ["UPDATE billing_award SET payers = '[]'"],
    "settlement.awards_stay_with_their_parties": [
        "UPDATE billing_award SET payee_id = (SELECT id FROM instruments_organisation WHERE kind = 'government')"
    ],
    "settlement.statements_are_their_lines": ["UPDATE billing_statement SET total_fen = total_fen + 1"],
    "settlement.numbers_have_no_gap": ["UPDATE billing_statement SET number = 'JS-2026-000002'"],
    "settlement.rendered_statements_have_both_files": ["UPDATE billing_statement SET render_state = 'done'"],
}


def test_nothing_is_wrong_after_a_days_work(days_work: DaysWork) -> None:
    findings = {name: invariant() for name, invariant in invariants.registered().items()}
    assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}
    silent = {name for name, finding in findings.items() if not finding.checked}
    assert silent == {
        "booking.assistance_follows_bookings",
        "booking.busy_changes_say_what_is_taken",
        "booking.changes_are_a_chain",
        "booking.downtimes_take_their_own_time",
        "booking.entered_with_a_yes",
        "booking.policies_follow_layers",
        "booking.followed_times_have_an_event",
        "booking.places_are_given_once",
        "booking.reversals_mirror_events",
        "booking.groups_are_of_one_customer",
        "booking.series_hold_together",
        "booking.runs_are_of_their_instrument",
        "booking.wishes_and_disputes_follow_states",
        "booking.colleagues_have_agreed",
        "booking.imported_ones_say_where_from",
        "fees.cards_paid_and_got_back_what_fees_say",
        "fees.never_more_falls_away_than_there_is",
        "fees.only_for_time_that_was_left",
        "fees.waived_by_somebody_else",
        "fees.what_falls_away_was_used",
        "settlement.bookingfees_add_up",
        "cards.a_booking_is_held_on_its_own_card",
        "cards.a_slip_says_what_was_charged",
        "cards.every_card_has_an_account",
        "cards.slips_have_no_gap",
        "settlement.rendered_statements_have_both_files",
        "bills.rendered_bills_have_both_files",
        "papers.have_the_files_that_were_made_for_them",
        "bills.rendered_creditnotes_have_both_files",
        "bills.no_more_is_given_up_than_is_owed",
        "bills.the_ledger_says_what_was_given_up",
        *(name for name in BREAKS if name.startswith("claims.")),
        "month.drafts_are_their_lines",
        "month.issued_as_drafted",
        "month.released_by_another_above_the_threshold",
        "month.closed_months_took_nothing_later",
        "month.what_is_held_back_stands_on_nothing",
        "prepaid.the_ledger_says_what_is_kept",
        "prepaid.what_was_taken_for_bills_pays_them",
        "prepaid.what_waits_for_a_bill_is_not_billed_yet",
        "dunning.steps_come_in_their_days",
        "payments.events_are_handled",
        "payments.paid_attempts_brought_their_money",
        "ledger.closed_accounts_are_empty",
        "counted.what_stands_was_promised_or_given",
        "payments.by_hand_are_what_another_person_confirmed",
        "vouchers.are_used_in_their_days_by_their_firm",
        "receipts.receipt_numbers_have_no_gap",
        "receipts.accountstatement_numbers_have_no_gap",
        "receipts.rendered_receipts_have_both_files",
        "receipts.rendered_accountstatements_have_both_files",
        "invoices.a_bill_has_one_that_lives",
        "invoices.red_ones_within_their_blue_one",
        "invoices.are_of_the_owner_of_their_bill",
        "invoices.a_statement_has_one_that_lives",
        "invoices.are_of_the_payee_of_their_statement",
        "vouchers.each_is_worth_what_was_granted",
        "vouchers.a_quota_gave_what_its_vouchers_are_worth",
        "vouchers.homes_pay_what_was_drawn_on_theirs",
        "openings.were_posted",
        "ordering.other_lines_are_charged_under_their_sheet",
        "ordering.other_lines_are_charged_up_to_their_quantity",
        "books.the_chain_holds",
    }


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_a_row_broken_behind_the_guards_is_found(name: str, behind_the_guards: Any) -> None:
    assert violations(name) == ()
    for statement in BREAKS[name]:
        behind_the_guards.execute(statement)
    assert violations(name) != ()


def test_every_invariant_has_a_test_that_breaks_it() -> None:
    assert set(BREAKS) | {"kernel.files_unchanged"} == set(invariants.registered())


@pytest.mark.parametrize(
    ("organisation", "last_day", "said"),
    [
        ("r.organisation_id", "'2026-12-31'", 0),
        ("r.organisation_id", "'2026-10-31'", 1),
        ("r.organisation_id + 1", "'2026-12-31'", 1),
    ],
)
def test_a_voucher_is_used_in_its_days_and_by_its_firm_alone(
    organisation: str, last_day: str, said: int, behind_the_guards: Any
) -> None:
    for statement in used_voucher(organisation, last_day):
        behind_the_guards.execute(statement)
    found = violations("vouchers.are_used_in_their_days_by_their_firm")
    assert len(found) == said
    assert all("voucher V-1" in each for each in found)


@pytest.mark.parametrize(
    ("table", "number", "at"),
    [
        ("billing_bill", "ZD-2026-000002", "issued_at"),
        ("billing_creditnote", "HZ-2026-000002", "issued_at"),
        ("billing_statement", "JS-2026-000002", "issued_at"),
        ("billing_quotation", "BJ-2026-000002", "sent_at"),
    ],
)
def test_a_paper_of_an_earlier_day_than_the_one_numbered_before_it_is_found(
    table: str, number: str, at: str, behind_the_guards: Any
) -> None:
    behind_the_guards.execute(ANOTHER.format(table, f"'number', '{number}', '{at}', r.{at}"))
    assert violations("papers.dates_follow_numbers") == ()
    behind_the_guards.execute(f"UPDATE {table} SET {at} = {at} - interval '1 day' WHERE id > 100000")
    (found,) = violations("papers.dates_follow_numbers")
    assert number in found


def test_an_illegal_step_in_the_history_is_found(behind_the_guards: Any) -> None:
    behind_the_guards.execute(
        "UPDATE booking_reservationtransition SET action = 'reject', to_state = 'agreed' WHERE to_state = 'approved'"
    )
    behind_the_guards.execute("UPDATE booking_reservationtransition SET from_state = 'agreed' WHERE to_state = 'in_use'")
    found = violations("booking.states_are_replays")
    assert len(found) == 2
    assert "not legal here" in found[0]


def test_a_changed_or_lost_file_is_found(db: None, now: Any, tmp_path: Any, settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    stored = files.store(b"licence", file_name="a.pdf", media_type="application/pdf", user_id=None, now=now)
    assert violations("kernel.files_unchanged") == ()
    (tmp_path / stored.path).write_bytes(b"licencf")
    assert violations("kernel.files_unchanged") == (f"file {stored.path} is not what was stored",)
    default_storage.delete(stored.path)
    assert violations("kernel.files_unchanged") == (f"file {stored.path} is missing",)


def test_the_command_prints_each_invariant_with_its_count(days_work: DaysWork) -> None:
    out = StringIO()
    call_command("check_invariants", stdout=out)
    lines = [line for line in out.getvalue().splitlines() if "checked" in line]
    assert len(lines) == len(invariants.registered())
    assert all(line.endswith("ok") for line in lines)


def test_the_command_ends_with_code_1_and_a_line_for_each_violation(behind_the_guards: Any) -> None:
    for statement in BREAKS["settlement.numbers_have_no_gap"]:
        behind_the_guards.execute(statement)
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_invariants", stdout=out, stderr=err)
    assert ended.value.code == 1
    assert "series JS-2026-: last number given 1; 1 statements, numbered 2 to 2" in out.getvalue()
    assert "papers.row_differs" in out.getvalue()  # its paper prints another number
    assert "2 violations" in err.getvalue()
