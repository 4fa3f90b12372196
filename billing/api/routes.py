"""The addresses of prices, programmes, quotes, charges and statements under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, re_path
from rest_framework.routers import BaseRouter

from billing.api import (
    applying,
    bill_proposals,
    bills,
    cards,
    change_look,
    claim_declarations,
    claim_evidence,
    claim_papers,
    claims,
    dunning,
    figures,
    firms,
    hand_payments,
    invoices,
    ledger,
    month,
    office_deputies,
    office_work,
    orders,
    owner_incomes,
    prepaid,
    programme_drafts,
    programme_ends,
    receipts,
    rechecks,
    rule_trials,
    sample_jobs,
    samples,
    series,
    service_records,
    session_extras,
    statement_proposals,
    swap,
    times,
    together,
    views,
)
from config.kernel.api.routes import ID
from config.kernel.api.views import ApiView

CODE = r"(?P<code>[A-Za-z0-9._-]{1,40})"
_programmes, _statements = views.ProgrammeView, views.StatementView


def register_cards(router: BaseRouter) -> None:
    """Add the viewsets of fund cards and internal slips to ``router``."""
    router.register("fund-cards", cards.FundCardView, basename="api_fund_card")
    router.register("internal-slips", cards.SlipView, basename="api_internal_slip")


def _orders() -> list[URLPattern]:
    """Quotations and commission sheets."""
    quotation, commission = orders.QuotationView, orders.CommissionView
    lab = [_post(quotation, "quotations", action, f"api_quotation_{action}") for action in ("send", "withdraw")]
    customer = [
        _post(orders.CustomerQuotationView, "quotations", action, f"api_quotation_{action}") for action in ("accept", "decline")
    ]
    both = [
        _post(commission, "commission-sheets", action, f"api_commission_{action}")
        for action in ("issue", "sign", "cancel", "finish", "link", "unlink", "charge")
    ]
    return [
        re_path(rf"^enquiries/{ID}/quotations/$", quotation.as_view({"post": "draft"}), name="api_quotation_draft"),
        re_path(r"^quotations/$", quotation.as_view({"get": "list"}), name="api_quotations"),
        re_path(rf"^quotations/{ID}/$", quotation.as_view({"get": "retrieve", "put": "update"}), name="api_quotation"),
        re_path(rf"^quotations/{ID}/pdf/$", quotation.as_view({"get": "pdf"}), name="api_quotation_pdf"),
        *lab,
        *customer,
        re_path(r"^commission-sheets/$", commission.as_view({"get": "list"}), name="api_commissions"),
        re_path(rf"^commission-sheets/{ID}/$", commission.as_view({"get": "retrieve", "put": "update"}), name="api_commission"),
        *both,
        re_path(rf"^commission-sheets/{ID}/scan/$", orders.ScanView.as_view({"post": "scan"}), name="api_commission_scan"),
        re_path(
            rf"^commission-sheets/{ID}/scan/(?P<side>customer|lab)/$",
            commission.as_view({"get": "read_scan"}),
            name="api_commission_read_scan",
        ),
        re_path(
            rf"^commission-sheets/{ID}/pdf/(?P<copy>issued|signed)/$",
            commission.as_view({"get": "pdf"}),
            name="api_commission_pdf",
        ),
    ]


def _programmes_in_writing() -> list[URLPattern]:
    """Drafts of programmes, and trials."""
    draft, trial = programme_drafts.DraftView, programme_drafts.TrialView
    return [
        re_path(r"^programme-drafts/$", draft.as_view({"get": "list", "post": "create"}), name="api_programme_drafts"),
        re_path(rf"^programme-drafts/{ID}/$", draft.as_view({"get": "retrieve", "put": "update"}), name="api_programme_draft"),
        *(
            re_path(
                rf"^programme-drafts/{ID}/{action.replace('_', '-')}/$",
                draft.as_view({"post": action}),
                name=f"api_programme_draft_{action}",
            )
            for action in ("move_years", "submit", "take_back", "send_back", "approve", "drop")
        ),
        re_path(r"^programme-trials/$", trial.as_view({"get": "list", "post": "create"}), name="api_programme_trials"),
        re_path(rf"^programme-trials/{ID}/$", trial.as_view({"get": "retrieve"}), name="api_programme_trial"),
        _post(trial, "programme-trials", "cancel", "api_programme_trial_cancel"),
        _post(trial, "programme-trials", "resume", "api_programme_trial_resume"),
    ]


def _post(view: type[ApiView], place: str, action: str, name: str) -> URLPattern:
    return re_path(rf"^{place}/{ID}/{action}/$", view.as_view({"post": action}), name=name)


def _series() -> list[URLPattern]:
    """Times that come again, several instruments at once, and what a lab's rules would say to somebody."""
    view, place = series.SeriesView, "reservation-series"
    group = together.GroupView
    return [
        re_path(r"^reservation-groups/$", group.as_view({"post": "create"}), name="api_group_create"),
        re_path(r"^reservation-groups/report/$", group.as_view({"post": "report"}), name="api_group_report"),
        re_path(rf"^reservation-groups/{ID}/$", group.as_view({"get": "retrieve"}), name="api_group"),
        re_path(
            rf"^instruments/{ID}/booking-rules/trial/$",
            rule_trials.RuleTrialView.as_view({"get": "retrieve"}),
            name="api_instrument_booking_rules_trial",
        ),
        re_path(
            rf"^instruments/{ID}/booking-rules/trial/by-email/$",
            rule_trials.RuleTrialView.as_view({"post": "by_email"}),
            name="api_instrument_booking_rules_trial_by_email",
        ),
        re_path(rf"^{place}/$", view.as_view({"post": "create"}), name="api_series_create"),
        re_path(rf"^{place}/report/$", view.as_view({"post": "report"}), name="api_series_report"),
        re_path(rf"^{place}/{ID}/$", view.as_view({"get": "retrieve"}), name="api_series"),
        re_path(rf"^{place}/{ID}/change-report/$", view.as_view({"post": "change_report"}), name="api_series_change_report"),
        re_path(rf"^{place}/{ID}/change/$", view.as_view({"post": "change"}), name="api_series_change"),
    ]


def _sample_jobs() -> list[URLPattern]:
    """Samples sent to a lab."""
    job, lab, place = sample_jobs.SampleJobView, sample_jobs.LabSampleJobView, "sample-jobs"
    acts = {"cancel": "cancel", "accept-quote": "accept_quote", "parcels": "parcel", "object": "object_to", "close": "close"}
    acts["commission"] = "commission"
    lab_acts = {"accept": "accept", "refuse": "refuse", "steps": "step", "remains": "remains", "extras": "propose"}
    lab_acts |= {"close-out/confirm": "confirm_grade", "take-back": "take_back"}
    return [
        re_path(rf"^{place}/$", job.as_view({"get": "list", "post": "create"}), name="api_sample_jobs"),
        re_path(rf"^{place}/{ID}/$", job.as_view({"get": "retrieve"}), name="api_sample_job"),
        *(_act(job, place, path, action) for path, action in acts.items()),
        *(_act(lab, place, path, action) for path, action in lab_acts.items()),
        re_path(
            rf"^{place}/{ID}/report/$", sample_jobs.SampleReportView.as_view({"post": "report"}), name="api_sample_job_report"
        ),
        re_path(rf"^{place}/{ID}/close-out/$", lab.as_view({"put": "close_out"}), name="api_sample_job_close_out"),
        _post(job, "sample-extras", "agree", "api_sample_extra_agree"),
        _post(job, "sample-extras", "decline", "api_sample_extra_decline"),
        _post(lab, "sample-extras", "withdraw", "api_sample_extra_withdraw"),
        re_path(rf"^sample-reports/{ID}/$", job.as_view({"get": "file"}), name="api_sample_report_file"),
        re_path(r"^samples/(?P<code>[^/]{1,40})/$", job.as_view({"get": "find"}), name="api_sample_find"),
    ]


def _act(view: type[ApiView], place: str, path: str, action: str) -> URLPattern:
    return re_path(rf"^{place}/{ID}/{path}/$", view.as_view({"post": action}), name=f"api_sample_job_{action}")


def _limited_money() -> list[URLPattern]:
    """Facts of firms, vouchers and the accounts behind programmes."""
    places: list[tuple[str, str, type[ApiView], dict[str, str]]] = [
        ("firm-declarations", "api_firm_declaration", firms.DeclarationView, {"decide": "decide"}),
        ("owner-incomes", "api_owner_income", owner_incomes.IncomeView, {"decide": "decide"}),
        ("vouchers", "api_voucher", firms.VoucherView, {"return": "give_back"}),
        ("voucher-announcements", "api_voucher_announcement", applying.AnnouncementView, {}),
        (
            "voucher-applications",
            "api_voucher_application",
            firms.ApplicationView,
            {"review": "review", "issue": "issue", "refuse": "refuse", "withdraw": "withdraw"},
        ),
        (
            "programme-accounts",
            "api_programme_account",
            firms.AccountView,
            {"top-up": "top_up", "suspend": "suspend", "close": "close"},
        ),
        ("programme-top-ups", "api_programme_top_up", firms.AddedMoneyView, {"decide": "decide"}),
    ]
    figure, end = figures.FigureView, programme_ends.EndView
    found = [
        re_path(r"^programme-figures/$", figure.as_view({"get": "list", "post": "propose"}), name="api_programme_figures"),
        re_path(rf"^programme-figures/{ID}/$", figure.as_view({"get": "retrieve"}), name="api_programme_figure"),
        _post(figure, "programme-figures", "decide", "api_programme_figure_decide"),
        re_path(r"^programme-ends/$", end.as_view({"get": "list", "post": "propose"}), name="api_programme_ends"),
        re_path(rf"^programme-ends/{ID}/$", end.as_view({"get": "retrieve"}), name="api_programme_end"),
        _post(end, "programme-ends", "decide", "api_programme_end_decide"),
        re_path(
            rf"^voucher-announcements/{ID}/applications/$",
            applying.ApplyView.as_view({"post": "apply"}),
            name="api_voucher_announcement_apply",
        ),
        re_path(
            rf"^organisations/{ID}/owner-incomes/$",
            owner_incomes.IncomeDeclareView.as_view({"post": "declare"}),
            name="api_organisation_income_declare",
        ),
        re_path(rf"^owner-incomes/{ID}/file/$", owner_incomes.IncomeView.as_view({"get": "file"}), name="api_owner_income_file"),
        re_path(
            rf"^organisations/{ID}/firm-declarations/$",
            applying.DeclareView.as_view({"post": "declare"}),
            name="api_organisation_declare",
        ),
    ]
    for place, name, view, acts in places:
        found += [
            re_path(rf"^{place}/$", view.as_view({"get": "list"}), name=f"{name}s"),
            re_path(rf"^{place}/{ID}/$", view.as_view({"get": "retrieve"}), name=name),
            *(
                re_path(rf"^{place}/{ID}/{path}/$", view.as_view({"post": action}), name=f"{name}_{action}")
                for path, action in acts.items()
            ),
        ]
    return found


def _statement_proposals() -> list[URLPattern]:
    """Settlement statements that two people issue by hand."""
    proposal = statement_proposals.StatementProposalView
    return [
        re_path(r"^statement-proposals/$", proposal.as_view({"get": "list", "post": "create"}), name="api_statement_proposals"),
        re_path(rf"^statement-proposals/{ID}/$", proposal.as_view({"get": "retrieve"}), name="api_statement_proposal"),
        _post(proposal, "statement-proposals", "issue", "api_statement_proposal_issue"),
        _post(proposal, "statement-proposals", "decline", "api_statement_proposal_decline"),
    ]


def _bills() -> list[URLPattern]:
    """Bills, credit notes, and the money that comes in for them."""
    bill, payment, proposal = bills.BillView, bills.PaymentView, bill_proposals.BillProposalView
    by_hand = hand_payments.HandPaymentView
    kind = r"(?P<kind>pdf|xlsx|csv|json|html)"
    return [
        re_path(r"^bills/$", bill.as_view({"get": "list", "post": "create"}), name="api_bills"),
        re_path(rf"^bills/{ID}/$", bill.as_view({"get": "retrieve"}), name="api_bill"),
        re_path(rf"^bills/{ID}/{kind}/$", bill.as_view({"get": "download"}), name="api_bill_download"),
        _post(bill, "bills", "void", "api_bill_void"),
        *(
            re_path(rf"^bills/{ID}/write-off/{path}$", bill.as_view({"post": action}), name=f"api_bill_{action}")
            for path, action in (
                ("", "propose_write_off"),
                ("agree/", "write_off"),
                ("decline/", "decline_write_off"),
                ("take-back/", "take_back"),
            )
        ),
        re_path(rf"^bills/{ID}/credit-notes/$", bill.as_view({"post": "credit"}), name="api_bill_credit"),
        re_path(rf"^credit-notes/{ID}/{kind}/$", bill.as_view({"get": "download_credit"}), name="api_credit_note_download"),
        re_path(r"^bill-proposals/$", proposal.as_view({"get": "list", "post": "create"}), name="api_bill_proposals"),
        re_path(rf"^bill-proposals/{ID}/$", proposal.as_view({"get": "retrieve"}), name="api_bill_proposal"),
        _post(proposal, "bill-proposals", "issue", "api_bill_proposal_issue"),
        _post(proposal, "bill-proposals", "decline", "api_bill_proposal_decline"),
        re_path(r"^payments/$", payment.as_view({"get": "list"}), name="api_payments"),
        re_path(r"^payments/certain/$", payment.as_view({"get": "certain", "post": "give_certain"}), name="api_payments_certain"),
        re_path(rf"^payments/{ID}/$", payment.as_view({"get": "retrieve"}), name="api_payment"),
        re_path(rf"^payments/{ID}/allocations/$", payment.as_view({"post": "give"}), name="api_payment_give"),
        re_path(rf"^payments/{ID}/refunds/$", payment.as_view({"post": "refund"}), name="api_payment_refund"),
        _post(bills.AllocationView, "allocations", "undo", "api_allocation_undo"),
        re_path(r"^hand-payments/$", by_hand.as_view({"get": "list", "post": "create"}), name="api_hand_payments"),
        re_path(rf"^hand-payments/{ID}/confirm/$", by_hand.as_view({"post": "confirm"}), name="api_hand_payment_confirm"),
        re_path(rf"^hand-payments/{ID}/end/$", by_hand.as_view({"post": "end"}), name="api_hand_payment_end"),
        re_path(rf"^hand-payments/{ID}/file/$", by_hand.as_view({"get": "file"}), name="api_hand_payment_file"),
        re_path(r"^bank-statements/$", bills.BankStatementView.as_view({"post": "create"}), name="api_bank_statements"),
    ]


def _claims() -> list[URLPattern]:
    """Claims for public money, their batches and the lists on which they are paid."""
    batch, claim, paid = claims.ClaimBatchView, claims.ClaimView, claims.PaymentListView
    deputy, evidence = office_deputies.OfficeDeputyView, claim_evidence.ClaimEvidenceView
    on_batch = {
        "gather": "gather",
        "close": "close",
        "pass-clean": "pass_clean",
        "publicise": "publicise",
        "approve": "approve_all",
        "payment-lists": "make_list",
    }
    on_claim = {
        "submit": "submit",
        "withdraw": "withdraw",
        "pass": "pass_on",
        "send-back": "send_back",
        "reject": "reject",
        "lines": "line",
        "invoices": "invoice",
    }
    return [
        re_path(r"^claim-batches/$", batch.as_view({"get": "list", "post": "create"}), name="api_claim_batches"),
        re_path(rf"^claim-batches/{ID}/$", batch.as_view({"get": "retrieve"}), name="api_claim_batch"),
        *(
            re_path(rf"^claim-batches/{ID}/{path}/$", batch.as_view({"post": action}), name=f"api_claim_batch_{action}")
            for path, action in on_batch.items()
        ),
        re_path(r"^claims/$", claim.as_view({"get": "list"}), name="api_claims"),
        re_path(rf"^claims/{ID}/$", claim.as_view({"get": "retrieve"}), name="api_claim"),
        *(
            re_path(rf"^claims/{ID}/{path}/$", claim.as_view({"post": action}), name=f"api_claim_{action}")
            for path, action in on_claim.items()
        ),
        re_path(rf"^claims/{ID}/evidence/$", evidence.as_view({"get": "list", "post": "create"}), name="api_claim_evidence"),
        re_path(
            rf"^claims/{ID}/declarations/$",
            claim_declarations.ClaimDeclarationView.as_view({"get": "list", "post": "create"}),
            name="api_claim_declarations",
        ),
        re_path(rf"^claim-evidence/{ID}/file/$", evidence.as_view({"get": "download"}), name="api_claim_evidence_file"),
        *_claim_papers(),
        re_path(r"^payment-lists/$", paid.as_view({"get": "list"}), name="api_payment_lists"),
        re_path(rf"^payment-lists/{ID}/$", paid.as_view({"get": "retrieve"}), name="api_payment_list"),
        re_path(rf"^payment-lists/{ID}/sign/$", paid.as_view({"post": "sign"}), name="api_payment_list_sign"),
        re_path(rf"^payment-lists/{ID}/cancel/$", paid.as_view({"post": "cancel"}), name="api_payment_list_cancel"),
        re_path(
            rf"^payment-lists/{ID}/(?P<kind>pdf|xlsx|csv|json|html)/$",
            paid.as_view({"get": "download"}),
            name="api_payment_list_download",
        ),
        re_path(rf"^payment-lists/{ID}/payouts/$", paid.as_view({"post": "record_in_full"}), name="api_payment_list_payouts"),
        re_path(
            rf"^payment-lists/{ID}/answer/$",
            claims.TreasuryAnswerView.as_view({"post": "create"}),
            name="api_payment_list_answer",
        ),
        re_path(rf"^payment-lines/{ID}/payouts/$", paid.as_view({"post": "record"}), name="api_payment_line_record"),
        re_path(r"^office-deputies/$", deputy.as_view({"get": "list", "post": "create"}), name="api_office_deputies"),
        re_path(rf"^office-deputies/{ID}/end/$", deputy.as_view({"post": "end"}), name="api_office_deputy_end"),
        re_path(r"^office-work/$", office_work.OfficeWorkView.as_view({"get": "list"}), name="api_office_work"),
    ]


def _claim_papers() -> list[URLPattern]:
    """Redemption forms and claw-back notices, samples for the re-check."""
    kind = r"(?P<kind>pdf|xlsx|csv|json|html)"
    papers: tuple[tuple[str, str, type[ApiView]], ...] = (
        ("redemption-forms", "api_redemption_form", claim_papers.RedemptionFormView),
        ("claw-backs", "api_clawback", claim_papers.ClawbackView),
    )
    sample, item = rechecks.RecheckSampleView, rechecks.RecheckItemView
    found = [
        re_path(r"^recheck-samples/$", sample.as_view({"get": "list", "post": "create"}), name="api_recheck_samples"),
        re_path(rf"^recheck-samples/{ID}/$", sample.as_view({"get": "retrieve"}), name="api_recheck_sample"),
        re_path(rf"^recheck-samples/{ID}/items/$", sample.as_view({"get": "items"}), name="api_recheck_items"),
        _post(item, "recheck-items", "find", "api_recheck_item_find"),
        _post(item, "recheck-items", "answer", "api_recheck_item_answer"),
    ]
    back, bank, over = claim_papers.RepaymentView, claim_papers.RepaymentListView, claim_papers.SurplusView
    found += [
        re_path(rf"^claw-backs/{ID}/repayments/$", back.as_view({"get": "list", "post": "create"}), name="api_repayments"),
        _post(back, "repayments", "confirm", "api_repayment_confirm"),
        _post(back, "repayments", "end", "api_repayment_end"),
        re_path(rf"^repayments/{ID}/refunds/$", over.as_view({"get": "list", "post": "create"}), name="api_surplus_refunds"),
        re_path(rf"^repayments/{ID}/move/$", over.as_view({"post": "move"}), name="api_surplus_move"),
        _post(over, "surplus-refunds", "confirm", "api_surplus_refund_confirm"),
        _post(over, "surplus-refunds", "end", "api_surplus_refund_end"),
        re_path(r"^repayment-lists/$", bank.as_view({"post": "create"}), name="api_repayment_lists"),
    ]
    for place, name, view in papers:
        found += [
            re_path(rf"^{place}/$", view.as_view({"get": "list"}), name=f"{name}s"),
            re_path(rf"^{place}/{ID}/{kind}/$", view.as_view({"get": "download"}), name=f"{name}_download"),
        ]
    return found


def _invoices() -> list[URLPattern]:
    """VAT invoices: asked for with a bill or a settlement statement, recorded, taken in as a table."""
    view = invoices.InvoiceView
    return [
        re_path(r"^invoices/$", view.as_view({"get": "list", "post": "create"}), name="api_invoices"),
        re_path(rf"^invoices/{ID}/file/$", view.as_view({"get": "file"}), name="api_invoice_file"),
        re_path(r"^invoice-tables/$", invoices.InvoiceTableView.as_view({"post": "create"}), name="api_invoice_tables"),
        re_path(rf"^bills/{ID}/invoice-requests/$", invoices.InvoiceAskView.as_view({"post": "ask"}), name="api_invoice_ask"),
        re_path(
            rf"^statements/{ID}/invoice-requests/$",
            invoices.SoldInvoiceAskView.as_view({"post": "ask"}),
            name="api_sold_invoice_ask",
        ),
    ]


def _month() -> list[URLPattern]:
    """A month of finance: its board, drafts, lines that are left out, closing, archives."""
    run, draft, line, made = month.MonthRunView, month.MonthDraftView, month.MonthLineView, month.MonthExportView
    return [
        re_path(r"^month-board/$", month.BoardView.as_view({"get": "retrieve"}), name="api_month_board"),
        re_path(r"^month-runs/$", run.as_view({"post": "create"}), name="api_month_runs"),
        re_path(r"^month-runs/dry-run/$", run.as_view({"post": "dry_run"}), name="api_month_dry_run"),
        re_path(rf"^month-runs/{ID}/$", run.as_view({"get": "retrieve"}), name="api_month_run"),
        re_path(rf"^month-runs/{ID}/drafts/$", run.as_view({"get": "drafts"}), name="api_month_run_drafts"),
        *(
            re_path(
                rf"^month-runs/{ID}/{action.replace('_', '-')}/$", run.as_view({"post": action}), name=f"api_month_run_{action}"
            )
            for action in ("hand_over", "send_back", "release", "issue_again")
        ),
        re_path(rf"^month-drafts/{ID}/$", draft.as_view({"get": "retrieve"}), name="api_month_draft"),
        re_path(rf"^month-drafts/{ID}/lines/$", draft.as_view({"get": "lines"}), name="api_month_draft_lines"),
        *(
            re_path(
                rf"^month-lines/{ID}/{action.replace('_', '-')}/$",
                line.as_view({"post": action}),
                name=f"api_month_line_{action}",
            )
            for action in ("exclude", "postpone", "take_in")
        ),
        re_path(r"^month-closings/$", month.MonthClosingView.as_view({"post": "create"}), name="api_month_closings"),
        re_path(r"^month-exports/$", made.as_view({"post": "create"}), name="api_month_exports"),
        re_path(rf"^month-exports/{ID}/$", made.as_view({"get": "retrieve"}), name="api_month_export"),
        re_path(rf"^month-exports/{ID}/file/$", made.as_view({"get": "file"}), name="api_month_export_file"),
        _post(made, "month-exports", "cancel", "api_month_export_cancel"),
        _post(made, "month-exports", "resume", "api_month_export_resume"),
    ]


def _money_ahead() -> list[URLPattern]:
    """Prepaid money, spending limits, purchase-order numbers."""
    money, terms, limit = prepaid.PrepaidView, prepaid.PrepaidTermsView, prepaid.SpendingLimitView
    number, of_job = (
        view.as_view({"get": "retrieve", "put": "update"}) for view in (prepaid.OrderNumberView, prepaid.JobOrderNumberView)
    )
    return [
        re_path(r"^prepaid-balances/$", money.as_view({"get": "balances"}), name="api_prepaid_balances"),
        re_path(r"^prepaid-entries/$", money.as_view({"get": "list"}), name="api_prepaid_entries"),
        re_path(r"^prepaid-terms/$", terms.as_view({"get": "list", "post": "create"}), name="api_prepaid_terms"),
        re_path(r"^prepaid-withdrawals/$", money.as_view({"post": "withdraw"}), name="api_prepaid_withdraw"),
        re_path(r"^prepaid-deposits/$", money.as_view({"post": "pay"}), name="api_prepaid_pay"),
        re_path(rf"^payments/{ID}/deposits/$", money.as_view({"post": "deposit"}), name="api_payment_deposit"),
        re_path(rf"^reservations/{ID}/order-number/$", number, name="api_reservation_order_number"),
        re_path(rf"^sample-jobs/{ID}/order-number/$", of_job, name="api_sample_job_order_number"),
        re_path(r"^spending-limits/$", limit.as_view({"get": "list", "post": "create"}), name="api_spending_limits"),
        _post(limit, "spending-limits", "change", "api_spending_limit_change"),
        _post(limit, "spending-limits", "close", "api_spending_limit_close"),
    ]


def _books() -> list[URLPattern]:
    """Unpaid bills, receipts and statements of account, the ledger."""
    dispute, account = dunning.DisputeView, ledger.LedgerAccountView
    kind = r"(?P<kind>pdf|xlsx|csv|json|html)"
    found = [
        re_path(r"^overdue-bills/$", dunning.OverdueView.as_view({"get": "list"}), name="api_overdue_bills"),
        re_path(rf"^bills/{ID}/disputes/$", dispute.as_view({"post": "dispute"}), name="api_bill_dispute"),
        re_path(rf"^bills/{ID}/disputes/answer/$", dispute.as_view({"post": "answer"}), name="api_bill_dispute_answer"),
        re_path(r"^dunning-exemptions/$", dunning.ExemptionView.as_view({"post": "create"}), name="api_dunning_exemptions"),
        re_path(
            rf"^organisations/{ID}/account-codes/$",
            ledger.AccountCodesView.as_view({"get": "retrieve", "put": "update"}),
            name="api_account_codes",
        ),
        re_path(r"^ledger-accounts/$", account.as_view({"get": "list"}), name="api_ledger_accounts"),
        re_path(rf"^ledger-accounts/{ID}/$", account.as_view({"get": "retrieve"}), name="api_ledger_account"),
        re_path(rf"^ledger-accounts/{ID}/postings/$", account.as_view({"get": "postings"}), name="api_ledger_account_postings"),
    ]
    papers = (
        ("receipts", "api_receipt", receipts.ReceiptView),
        ("account-statements", "api_account_statement", receipts.AccountStatementView),
    )
    for place, name, view in papers:
        found += [
            re_path(rf"^{place}/$", view.as_view({"get": "list", "post": "create"}), name=f"{name}s"),
            re_path(rf"^{place}/{ID}/$", view.as_view({"get": "retrieve"}), name=name),
            re_path(rf"^{place}/{ID}/{kind}/$", view.as_view({"get": "download"}), name=f"{name}_download"),
        ]
    return found


urlpatterns: list[URLPattern] = [
    re_path(
        rf"^research-groups/{ID}/fund-cards/$",
        cards.FundCardView.as_view({"post": "open"}),
        name="api_research_group_cards",
    ),
    re_path(
        rf"^reservations/{ID}/extras/$",
        session_extras.SessionExtraView.as_view({"get": "list", "post": "create"}),
        name="api_reservation_extras",
    ),
    _post(session_extras.SessionExtraView, "session-extras", "agree", "api_session_extra_agree"),
    _post(session_extras.SessionExtraView, "session-extras", "decline", "api_session_extra_decline"),
    _post(session_extras.SessionExtraView, "session-extras", "withdraw", "api_session_extra_withdraw"),
    re_path(r"^find-a-time/$", times.TimesView.as_view({"get": "list"}), name="api_find_a_time"),
    re_path(r"^quotes/preview/$", views.PreviewView.as_view({"post": "create"}), name="api_quote_preview"),
    re_path(
        rf"^reservations/{ID}/accept-quote/$",
        views.AcceptQuoteView.as_view({"post": "accept_quote"}),
        name="api_reservation_accept_quote",
    ),
    re_path(
        rf"^organisations/{ID}/service-records/$",
        service_records.ServiceRecordsView.as_view({"get": "retrieve"}),
        name="api_service_records",
    ),
    re_path(
        rf"^reservations/{ID}/changes/look/$",
        change_look.ChangeLookView.as_view({"post": "create"}),
        name="api_reservation_changes_look",
    ),
    re_path(rf"^reservations/{ID}/swap/look/$", swap.SwapLookView.as_view({"post": "create"}), name="api_reservation_swap_look"),
    re_path(rf"^reservations/{ID}/quote/$", views.QuoteView.as_view({"get": "retrieve"}), name="api_reservation_quote"),
    re_path(rf"^reservations/{ID}/fee/$", views.FeeView.as_view({"get": "retrieve"}), name="api_reservation_fee"),
    re_path(rf"^reservations/{ID}/fee/waive/$", views.FeeView.as_view({"post": "waive"}), name="api_reservation_fee_waive"),
    re_path(
        rf"^instruments/{ID}/price/$", views.PriceView.as_view({"get": "retrieve", "post": "create"}), name="api_instrument_price"
    ),
    re_path(rf"^resources/{ID}/quote/$", samples.SampleQuoteView.as_view({"post": "create"}), name="api_resource_quote"),
    re_path(
        rf"^resources/{ID}/price/$",
        samples.TestPriceView.as_view({"get": "retrieve", "post": "create"}),
        name="api_resource_price",
    ),
    re_path(r"^programmes/$", _programmes.as_view({"get": "list"}), name="api_programmes"),
    re_path(r"^programmes/evaluate/$", _programmes.as_view({"post": "evaluate"}), name="api_programme_evaluate"),
    re_path(rf"^programmes/{CODE}/$", _programmes.as_view({"get": "retrieve"}), name="api_programme"),
    re_path(
        r"^charges/(?P<reservation>[0-9]{1,18})/$",
        views.ChargeView.as_view({"get": "retrieve"}),
        name="api_charge",
    ),
    re_path(r"^statements/$", _statements.as_view({"get": "list", "post": "create"}), name="api_statements"),
    re_path(rf"^statements/{ID}/$", _statements.as_view({"get": "retrieve"}), name="api_statement"),
    re_path(
        rf"^statements/{ID}/(?P<kind>pdf|xlsx|csv|json|html)/$",
        _statements.as_view({"get": "download"}),
        name="api_statement_download",
    ),
    *_statement_proposals(),
    *_limited_money(),
    *_programmes_in_writing(),
    *_bills(),
    *_claims(),
    *_invoices(),
    *_month(),
    *_money_ahead(),
    *_books(),
    *_orders(),
    *_series(),
    *_sample_jobs(),
]
