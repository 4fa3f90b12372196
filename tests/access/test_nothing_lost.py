"""Whatever is refused, what was entered stands in the form again, on the page of the list that was shown, and every link of that page
leads somewhere: each form that the world's pages show is filled in and sent. Its own form refuses some of it, and no service that it
comes to writes: each refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from config.kernel.errors import Refusal
from frontend import context
from frontend.views import payments
from tests.access import shown_forms
from tests.access.shown_forms import Answer, Shown, beyond, refused
from tests.access.world import World

pytestmark = pytest.mark.django_db

#: Role -> the pages (with the kind of object where a page is of one) that show it forms which no role above is shown.
LOOKED_AT: dict[str, tuple[str, ...]] = {
    "lab_manager": (
        "account_settings", "approval_inbox", "approval_settings", "assistant_detail assistant", "channel_address", "channel_code",
        "closure_import_detail closure_import", "colleague_list", "commission_detail commission:draft",
        "commission_detail commission:issued", "commission_detail commission:signed", "commission_edit commission:draft",
        "course_create", "course_detail course", "course_edit course", "course_session course_session", "credit_lab",
        "credit_rules", "downtime_detail downtime", "enquiry_detail enquiry", "enquiry_inbox", "facility_ending hidden", "feed_create",
        "group_list",
        "import_list", "import_run import", "import_run import:mapping", "instrument_calendars hidden",
        "instrument_assistants hidden",
        "instrument_closure_import hidden", "instrument_create", "instrument_customers hidden", "instrument_detail hidden",
        "instrument_edit hidden", "instrument_exception hidden", "instrument_files hidden", "instrument_hours hidden",
        "instrument_licence instrument", "instrument_maintenance hidden", "instrument_occurrences closure:again",
        "instrument_season hidden", "licence_list", "mail_log", "notice_list", "notice_settings",
        "notice_unsubscribe notice_token", "paper_check", "place_edit site", "policy_edit owner", "price_draft instrument",
        "price_review instrument", "price_show instrument", "problem_list", "problem_report instrument",
        "quotation_create enquiry", "quotation_detail quotation", "quotation_detail quotation:draft",
        "quotation_edit quotation:draft", "reservation_cancel reservation:requested",
        "reservation_detail reservation:adjusting", "reservation_detail reservation:disputed",
        "reservation_detail reservation:in_use", "reservation_detail reservation:moving",
        "reservation_detail reservation:over", "reservation_detail reservation:requested",
        "reservation_suggest reservation:requested", "reservation_swap reservation:requested", "resource_create",
        "resource_detail draft_resource", "resource_edit draft_resource", "resource_price test_item",
        "resource_request_detail resource_request:approved", "resource_request_detail resource_request:requested",
        "resource_review resource_change", "resource_sheet_start", "review_detail change", "sample_at sample_code",
        "sample_job sample_job", "sample_job sample_job:accepted", "sample_job sample_job:reported",
        "sample_job sample_job:tested", "sample_scan", "saved_search_unsubscribe saved_search_token", "search",
        "session_devices", "session_enter", "session_labels", "session_problems", "sessions_today", "sheet_start",
        "token_create", "training_list", "wait_join hidden",
    ),
    "firm_admin": (
        "application_create announcement", "application_detail application", "bill_detail bill", "colleague_list",
        "enquiry_create", "feed_list", "firm_declare organisation", "fund_card_create research_group", "fund_card_edit card",
        "group_create organisation", "group_detail research_group", "group_edit research_group", "member_edit member",
        "need_create", "organisation_detail organisation", "organisation_edit organisation",
        "organisation_invite organisation", "organisation_verify organisation", "prepaid_list", "quotation_detail quotation",
        "receipt_list", "reservation_detail reservation:agreed", "reservation_detail reservation:carded",
        "reservation_detail reservation:disputed", "reservation_detail reservation:moving",
        "reservation_detail reservation:over", "reservation_detail reservation:requested",
        "reservation_detail reservation:waiting", "reservation_swap reservation:requested",
        "resource_request_create resource", "resource_request_detail resource_request:delivered",
        "resource_request_detail resource_request:requested", "sample_create test_item", "sample_job sample_job:accepted",
        "sample_job sample_job:reported", "saved_search_list", "time_alert_list", "token_list", "voucher_detail voucher",
        "webhook_create organisation", "webhook_detail webhook",
    ),
    "owner_finance": (
        "bill_credit bill_line", "bill_invoice bill", "bill_proposal bill_proposal", "invoice_import", "month_board",
        "month_run month_run",
        "payment_detail payment", "payment_import", "hand_payment_enter", "prepaid_list", "provider_news",
        "reservation_detail reservation:disputed", "reservation_detail reservation:graded",
    ),
    "operator": (
        "code_list", "code_list_take_back code_load", "credit_lists", "declaration_decide declaration", "ledger_check",
        "organisation_suspend organisation", "person_erase", "person_mentions", "person_retention", "provider_news",
        "resource_review resource_change",
        "review_detail change", "verification_decide verification", "zone_create", "zone_edit zone",
    ),
    "finance": (
        "account_close account", "account_last_day account", "account_suspend account", "account_top_up account",
        "application_detail application", "claim_batch_list", "claim_detail claim", "deputy_list", "opening_load",
        "organisation_detail organisation", "payout_list_detail payout_list",
        "statement_proposal statement_proposal", "top_up_decide top_up", "figure_ask figure_version", "figure_decide figure",
    ),
    "programme_officer": (
        "announcement_create", "application_detail application", "partner_create", "partner_edit partner",
        "partner_import partner", "programme_draft draft", "programme_draft_edit draft", "programme_draft_text draft",
        "programme_drafts", "programme_trials", "version_end figure_version", "version_end_decide version_end", "voucher_recognise",
    ),
    "inspector": (
        "recheck_detail recheck_sample", "recheck_list",
    ),
    "researcher": (
        "instrument_licence instrument", "leader_inbox", "my_record", "wait_list",
    ),
}  # fmt: skip
#: ``make test`` looks at each second of those pages, ``make proof`` at all pages there are.
IN_TURN = 2
#: Further roles, who are shown nothing that one of those is not.
OTHERS = ("outsider", "foreign")


def faults_of(world: World, role: str, pages: tuple[str, ...] | None, seen: set[object]) -> list[str]:
    """What is wrong with the answers to forms that were not seen yet, with the page of each; ``pages`` None: all that the role may look
    at."""
    faults, looked = [], set()
    for key, (place, shown) in shown_forms.forms_for(world, role, pages).items():
        if key not in seen:
            seen.add(key)
            answer = refused(world, shown)
            faults += said(shown, place, answer)
            faults += [] if answer.by_service else said(shown, place, refused(world, shown, sums=True))
            if shown.paged and place not in looked:
                looked.add(place)
                faults += faults_beyond(world, shown, place)
    return faults


def said(shown: Shown, place: str, answer: Answer) -> list[str]:
    """What is wrong with an answer, in words."""
    about = f"{shown.route} as {shown.role} on {place}"
    faults = [f"{about} loses {sorted(answer.lost)}"] if answer.lost else []
    return faults + ([f"{about} leads nowhere by {sorted(answer.astray)}"] if answer.astray else [])


def faults_beyond(world: World, shown: Shown, place: str, *, keeps_query: bool = True) -> list[str]:
    """The same for what stands on the second page of a list, were there one row on each."""
    faults = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Paginator, "per_page", property(lambda self: 1, lambda self, number: None), raising=False)
        for each, at in list(beyond(world, shown)):
            sent = each if keeps_query else replace(each, action=each.action.partition("?")[0])
            answer = refused(world, sent)
            faults += said(sent, place, answer)
            faults += [f"{each.route} on {place} shows {answer.at} instead of {at}"] if answer.at and answer.at != at else []
    return faults


def test_what_was_entered_stands_in_the_form_again_when_it_is_refused(world: World) -> None:
    seen: set[object] = set()
    assert [fault for role, pages in LOOKED_AT.items() for fault in faults_of(world, role, pages[::IN_TURN], seen)] == []
    assert len(seen) > 100


@pytest.mark.proof
def test_no_role_is_shown_a_form_that_was_not_looked_at_and_none_loses_anything(world: World) -> None:
    usual: set[object] = set()
    for role, pages in LOOKED_AT.items():
        usual |= shown_forms.forms_for(world, role, pages).keys()
    seen: set[object] = set()
    assert [fault for role in (*LOOKED_AT, *OTHERS) for fault in faults_of(world, role, None, seen)] == []
    assert seen - usual == set(), "name the page in LOOKED_AT"


def test_links_of_a_page_that_stands_at_the_address_of_its_form_would_be_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: no page says where it can be opened, and a form of the second page does not say that it was there."""
    forms = shown_forms.forms_for(world, "lab_manager", ("licence_list", "problem_list"))
    place, shown = next(found for found in forms.values() if found[1].route == "licence_grant")
    beyond_it = " ".join(faults_beyond(world, shown, place, keeps_query=False))
    assert "licence_act" in beyond_it and "loses" in beyond_it and "instead of" in beyond_it
    monkeypatch.setattr(context, "page_url", lambda request: "")
    problem = next(each for _place, each in forms.values() if each.route == "problem_handle")
    assert {"?show=all", "/problems/"} & refused(world, problem).astray == {"?show=all"}


def test_a_page_that_only_says_why_would_be_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a refusal that leads back to a list, as some did."""

    shown = payments.detail_response

    def back(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
        return redirect("payment_list") if refusal else shown(request, pk)

    monkeypatch.setattr(payments, "detail_response", back)
    faults = faults_of(world, "owner_finance", ("payment_detail payment",), set())
    assert any("payment_refund" in fault and "kept" in fault for fault in faults)
