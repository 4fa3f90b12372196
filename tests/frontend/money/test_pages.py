"""The pages of firms' facts, vouchers, accounts and the self-test: what they say, what they do, and how many queries they take."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.firms.models import CreditListing, FirmDeclaration
from billing.firms.services import declaring
from billing.firms.services.declaring import Declaration
from billing.ledger.models import Account
from billing.ledger.top_up_models import TopUp
from billing.vouchers.models import Voucher, VoucherApplication
from billing.vouchers.services import announcing, applying
from billing.vouchers.services.applying import Application
from instruments.models import Organisation, PolicyZone
from tests.billing.firms.conftest import USCC
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, PDF, TERMS
from tests.conftest import Cast, slot_of, voucher_document


def visitor() -> Client:
    """A visitor who reads English."""
    return Client(headers={"accept-language": "en"})


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch, now: Any) -> None:
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: now)


@pytest.fixture
def as_(cast: Cast) -> Any:
    def client(name: str) -> Client:
        found = Client()
        found.force_login(cast.users[name])
        return found

    return client


@pytest.fixture
def announced(cast: Cast) -> Any:
    from billing.subsidy import services

    version = services.draft_version(cast.actor("chen"), voucher_document(CODE), cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)
    PolicyZone.objects.create(slug="east", name="East")
    made = announcing.draft(cast.actor("chen"), CODE, TERMS, cast.now)
    return announcing.publish(cast.actor("sun"), made.pk, cast.now)


def pdf(name: str = "scan.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, PDF)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_a_firm_declares_and_the_operator_accepts_on_pages(cast, as_):
    address = reverse("firm_declare", args=[cast.firm.pk, "figures"])
    wrong = as_("zhao").post(address, {"year": 2030, "staff": 400, "file": pdf()})
    assert wrong.status_code == 422
    assert "one that is over" in text(wrong)
    sent = as_("zhao").post(address, {"year": 2025, "staff": 400, "revenue_yuan": "50000000.50", "file": pdf()})
    assert sent.status_code == 302
    made = FirmDeclaration.objects.get()
    assert made.content["revenue_fen"] == 50_000_000_50
    assert "Gaoyuan" in text(as_("zhou").get(reverse("declaration_queue")))
    page = as_("zhou").get(reverse("declaration_decide", args=[made.pk]))
    assert "staff 400" in text(page)
    done = as_("zhou").post(reverse("declaration_decide", args=[made.pk]), {"decision": "accept", "confirmed": "on"})
    assert done.status_code == 302
    shown = text(as_("lin").get(reverse("firm_facts", args=[cast.firm.pk])))
    assert "medium-sized" in shown


def test_a_lab_declares_a_label_on_its_page_and_nothing_of_a_firms(cast, as_):
    client, address = as_("wang"), reverse("firm_facts", args=[cast.lab.pk])
    assert address in client.get(reverse("organisation_detail", args=[cast.lab.pk])).content.decode()
    page = text(client.get(address, headers={"accept-language": "en"}))
    assert "What programmes look at of a provider" in page and "Size class" not in page and "Wallet" not in page
    form = reverse("firm_declare", args=[cast.lab.pk, "label"])
    assert client.get(reverse("firm_declare", args=[cast.lab.pk, "figures"])).status_code == 404
    assert as_("zhao").get(form).status_code == 404
    typed = {"label": "high_tech", "level": "national", "number": "GR1", "valid_from": "2026-01-01", "file": pdf()}
    assert client.post(form, typed).status_code == 302
    made = FirmDeclaration.objects.get()
    declaring.decide(cast.actor("zhou"), made.pk, True, "", cast.now)
    assert "GR1" in text(client.get(address))
    over_api = client.get("/api/v1/firm-declarations/").json()
    assert [each["id"] for each in over_api["results"]] == [made.pk]


def test_the_page_of_facts_takes_as_many_queries_however_much_was_declared(cast, as_):
    client, address = as_("zhao"), reverse("firm_facts", args=[cast.firm.pk])

    def asked() -> int:
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    def declare(year: int) -> None:
        declaring.declare(cast.actor("zhao"), cast.firm.pk, Declaration("figures", {"year": year, "staff": 1}, PDF), cast.now)

    declare(2020)
    few = asked()
    for year in range(2021, 2026):
        declare(year)
    assert asked() == few


def test_a_credit_list_with_faults_comes_back_with_every_row(cast, as_):
    table = SimpleUploadedFile("list.csv", f"uscc,name,from,to\n{USCC['firm']},Gaoyuan,soon,\n".encode())
    answer = as_("zhou").post(reverse("credit_lists"), {"list_code": "serious_default", "source": "Notice 3", "file": table})
    assert answer.status_code == 422
    assert "Row 2, column “from”: “soon” cannot be read." in text(answer)
    assert not CreditListing.objects.exists()


def test_a_voucher_goes_from_application_to_wallet_on_pages(cast, as_, announced):
    quota = announced.quotas.order_by("pk")[0]
    typed = {"organisation": cast.firm.pk, "quota": quota.pk, "asked_yuan": "1200", "purpose": "Cathode tests", "file": pdf()}
    sent = as_("zhao").post(reverse("application_create", args=[announced.pk]), typed)
    assert sent.status_code == 302
    row = VoucherApplication.objects.get()
    assert "Cathode tests" in text(as_("chen").get(reverse("application_detail", args=[row.pk])))
    as_("chen").post(reverse("application_review", args=[row.pk]), {"recommended_yuan": "1000.00"})
    assert "somebody else issues" in text(as_("chen").get(reverse("application_detail", args=[row.pk])))
    as_("qian").post(reverse("application_issue", args=[row.pk]))
    made = Voucher.objects.get()
    wallet = text(as_("lin").get(reverse("wallet", args=[cast.firm.pk])))
    assert made.number in wallet
    assert "1,000.00" in wallet
    assert as_("he").get(reverse("wallet", args=[cast.firm.pk])).status_code == 404
    page = text(as_("zhao").get(reverse("voucher_detail", args=[made.pk])))
    assert "Voucher issued" in page
    assert as_("zhao").post(reverse("voucher_return", args=[made.pk])).status_code == 302
    assert "Given back" in text(as_("zhao").get(reverse("wallet", args=[cast.firm.pk])))


def test_an_area_is_told_by_the_name_of_its_zone(cast, as_, announced):
    PolicyZone.objects.filter(slug="east").update(name="东部园区", name_en="Eastern park")
    for address in (reverse("announcement_list"), reverse("announcement_detail", args=[announced.pk])):
        page = text(visitor().get(address))
        assert "Eastern park" in page and "东部园区" not in page
        assert "东部园区" in text(Client(headers={"accept-language": "zh-hans"}).get(address))


def test_the_self_test_says_what_is_given_against_a_voucher_only(announced):
    asked = {"kind": "firm", "region": "630104", "service": "instrument_use", "amount_yuan": "1000"}
    page = text(visitor().get(reverse("eligibility"), asked))
    assert "Given against a voucher only" in page and reverse("announcement_list") in page


def test_the_wallet_says_what_bookings_keep(cast, as_, announced):
    quota = announced.quotas.order_by("pk")[0]
    row = applying.apply(cast.actor("zhao"), announced.pk, cast.firm.pk, Application(quota.pk, 500_00, "Tests", PDF), cast.now)
    applying.review(cast.actor("chen"), row.pk, 500_00, "", cast.now)
    applying.issue(cast.actor("sun"), row.pk, cast.now)
    address = reverse("wallet", args=[cast.firm.pk])
    assert "kept for bookings" not in text(as_("lin").get(address, headers={"accept-language": "en"}))
    life = Life(cast)
    life.approve(life.ask(slot_of(9, 10)))
    page = text(as_("lin").get(address, headers={"accept-language": "en"}))
    assert "¥340.00 of ¥500.00 left" in page and "¥160.00 kept for bookings" in page


def test_a_bad_application_loses_nothing_that_was_typed(cast, as_, announced):
    quota = announced.quotas.order_by("pk")[1]
    typed = {"organisation": cast.firm.pk, "quota": quota.pk, "asked_yuan": "9000", "purpose": "Cathode tests", "file": pdf()}
    answer = as_("zhao").post(reverse("application_create", args=[announced.pk]), typed)
    assert answer.status_code == 422
    shown = text(answer)
    assert "not registered in this area" in shown
    assert "The amount lies between ¥0.01 and ¥5,000.00." in shown
    assert "Cathode tests" in shown


def test_who_lies_in_none_of_the_areas_is_told_so_before_asking(cast, as_, announced):
    address, apply = reverse("announcement_detail", args=[announced.pk]), reverse("application_create", args=[announced.pk])
    here = text(as_("zhao").get(address))
    assert apply in here and "in none of the areas" not in here
    Organisation.objects.filter(pk=cast.firm.pk).update(region_code="110105")
    elsewhere = text(as_("zhao").get(address))
    assert "in none of the areas" in elsewhere and apply not in elsewhere
    assert "in none of the areas" not in text(as_("lin").get(address))


def test_announcements_are_public_and_drafts_are_not(cast, announced):
    draft = announcing.draft(cast.actor("chen"), CODE, TERMS, cast.now)
    assert "Innovation vouchers of November" in text(visitor().get(reverse("announcement_list")))
    assert visitor().get(reverse("announcement_detail", args=[announced.pk])).status_code == 200
    assert visitor().get(reverse("announcement_detail", args=[draft.pk])).status_code == 404


def test_an_officer_announces_with_areas_typed_line_by_line(cast, as_, announced):
    typed = {
        "programme": f"{CODE}|voucher",
        "title": "Start-up vouchers",
        "opens_on": "2026-12-01",
        "closes_on": "2026-12-31",
        "face_yuan": "500",
        "life_days": "90",
        "last_on": "2027-06-30",
        "areas": "6301: 50,000\neast：20000.50\n*: 1",
    }
    sent = as_("chen").post(reverse("announcement_create"), typed)
    assert sent.status_code == 302
    page = text(as_("sun").get(sent["Location"]))
    assert "Start-up vouchers" in page
    assert "20,000.50" in page
    wrong = as_("chen").post(reverse("announcement_create"), typed | {"areas": "anything"})
    assert "“anything” is not an area, a colon and an amount." in text(wrong)


def test_finance_tops_up_suspends_and_closes_with_a_reason(cast, as_, programmes):
    pool = Account.objects.get(key__startswith="pool:DEMO-QH-V")
    before = pool.granted_fen
    assert as_("qian").post(reverse("account_top_up", args=[pool.pk]), {"amount_yuan": "5", "reason": ""}).status_code == 422
    as_("qian").post(reverse("account_top_up", args=[pool.pk]), {"amount_yuan": "5.01", "reason": "Notice 8"})
    asked = TopUp.objects.get()
    page = text(as_("chen").get(reverse("account_detail", args=[pool.pk])))
    assert "Waits for a second person" in page and "Notice 8" in page
    decide = reverse("top_up_decide", args=[asked.pk])
    assert decide not in text(as_("wu").get(reverse("account_detail", args=[pool.pk])))
    assert "Somebody else has to add it" in text(as_("qian").post(decide, {"decision": "add"}))
    assert as_("chen").post(decide, {"decision": "refuse", "reason": ""}).status_code == 422
    assert "¥5.01" in text(as_("chen").get(decide))
    assert as_("chen").post(decide, {"decision": "add"}).status_code == 302
    as_("qian").post(reverse("account_suspend", args=[pool.pk]), {"reason": "Audit"})
    as_("qian").post(reverse("account_last_day", args=[pool.pk]), {"last_day": "2026-12-31", "reason": "Year end"})
    pool.refresh_from_db()
    assert (pool.granted_fen, pool.state, pool.ends_on) == (before + 5_01, "suspended", date(2026, 12, 31))
    page = text(as_("wu").get(reverse("account_detail", args=[pool.pk])))
    assert "Topped up" in page
    assert reverse("account_close", args=[pool.pk]) not in page
    assert "DEMO-QH-V" in text(as_("wu").get(reverse("account_list")))


def test_the_self_test_says_what_programmes_would_pay_and_what_is_missing(programmes):
    asked = {
        "kind": "firm",
        "staff": "12",
        "revenue_yuan": "1000000",
        "region": "630104",
        "service": "instrument_use",
        "amount_yuan": "1000",
    }
    shown = text(visitor().get(reverse("eligibility"), asked))
    assert "1 programme would pay" in shown
    assert "400.00" in shown  # 40 % of the voucher programme
    assert "Size class: micro." in shown
    assert "The programme is for firms of these sizes" in shown or "None of the" in shown
    large = text(visitor().get(reverse("eligibility"), asked | {"staff": "5000", "revenue_yuan": "9000000000"}))
    assert "500.00" in large  # the other programme, for larger firms


def test_the_self_test_asks_what_programmes_look_at_and_says_what_it_cannot_tell(cast, programmes):
    from tests.billing.rules.builders import programme_document
    from tests.programmes import put_in_force

    gate = {
        "type": "condition",
        "clause": "1",
        "says": {"zh": "研究", "en": "Research"},
        "when": {"fact": "service.purpose", "is": "research"},
    }
    validity = {"first_day": "2026-01-01", "last_day": "2027-12-31", "clause": "1"}
    asked = {"kind": "firm", "region": "630104", "service": "instrument_use", "amount_yuan": "1000"}
    address = reverse("eligibility")
    assert 'name="purpose"' not in visitor().get(address, asked).content.decode()
    example = {"title": "x", "facts": {"service": {"service_on": "2026-06-10", "purpose": "research"}, "amounts": {"fee": 2}}}
    document = programme_document(gates=[gate], validity=validity, examples=[example | {"expect": {"total": 1}}])
    put_in_force(cast.actor("chen"), cast.actor("sun"), document, cast.now)
    page = visitor().get(address, asked)
    assert 'name="purpose"' in page.content.decode() and 'name="samples"' not in page.content.decode()
    assert "Cannot be told here" in text(page) and "It depends on: what the service was for." in text(page)
    zh = visitor().get(address, asked, headers={"accept-language": "zh-hans"}).content.decode()
    assert "此处无法判断" in zh and "取决于：" in zh
    told = visitor().get(address, asked | {"purpose": "research"})
    assert "It depends on: what the service was for" not in text(told) and "500.00" in text(told)
    refused = text(visitor().get(address, asked | {"purpose": "teaching"}))
    assert "It depends on: what the service was for" not in refused and "No subsidy" in refused
    assert visitor().get(address, asked | {"purpose": "nonsense"}).status_code == 422


def test_the_self_test_tells_what_is_wrong_at_its_field(db):
    answer = visitor().get(reverse("eligibility"), {"kind": "firm", "amount_yuan": "0", "service": "instrument_use"})
    assert answer.status_code == 422
    assert "more than 0" in text(answer)
    assert visitor().get(reverse("eligibility")).status_code == 200


def test_the_self_test_decides_as_a_booking_does(cast, programmes):
    from billing.firms.rules.self_test import Answers, tried
    from billing.subsidy.services import in_force
    from tests.billing.services.conftest import Life
    from tests.conftest import slot_of

    worked = Life(cast)
    quote = worked.quote(worked.ask(slot_of(9, 11)))
    programme = in_force(programmes["DEMO-QH-V"].pk).programme
    answers = Answers("firm", None, 18, 2_000_000_00, "630104", frozenset(), (), "instrument_use", 800_00, date(2026, 11, 25))
    (outcome,) = tried([programme], answers)
    assert outcome.total_fen == quote.deducted_fen == 320_00


def test_opening_balances_are_loaded_on_their_page(cast, as_, programmes):
    from instruments.models import OrganisationIdentifier

    OrganisationIdentifier.objects.create(organisation=cast.firm, scheme="uscc", value=USCC["firm"])
    table = SimpleUploadedFile("t.csv", f"uscc,programme,cap,year,amount\n{USCC['firm']},DEMO-QH-V,firm-year,2026,100\n".encode())
    typed = {"what": "balances", "reason": "Paid by the city", "file": table, "evidence": pdf()}
    assert as_("qian").post(reverse("opening_load"), typed).status_code == 302
    assert Account.objects.get(kind="firm_year").posted_fen == 100_00


def test_partner_regions_are_kept_by_officers_and_read_by_everybody(cast, as_):
    typed = {
        "region_code": "310000",
        "platform_id": "CN-310000",
        "name": "上海市",
        "mode": "redeem",
        "valid_from": "2026-01-01",
        "basis": "A 7",
    }
    assert as_("chen").post(reverse("partner_create"), typed).status_code == 302
    assert "CN-310000" in text(visitor().get(reverse("partner_list")))


def test_the_api_reads_vouchers_and_decides(cast, as_, announced):
    quota = announced.quotas.order_by("pk")[0]
    row = applying.apply(cast.actor("zhao"), announced.pk, cast.firm.pk, Application(quota.pk, 1_000_00, "x", PDF), cast.now)
    chen, qian, lin = as_("chen"), as_("qian"), as_("lin")
    body = {"content_type": "application/json"}
    place = f"/api/v1/voucher-applications/{row.pk}/"
    assert chen.post(place + "review/", {"recommended_fen": 2_000_00}, **body).status_code in (409, 422)
    assert chen.post(place + "review/", {"recommended_fen": 900_00}, **body).json()["state"] == "reviewed"
    issued = qian.post(place + "issue/", {}, **body)
    assert (issued.status_code, issued.json()["left_fen"]) == (201, 900_00)
    assert lin.get("/api/v1/vouchers/").json()["results"][0]["number"] == issued.json()["number"]
    assert qian.get("/api/v1/programme-accounts/").status_code == 200
    assert lin.get("/api/v1/programme-accounts/").status_code == 403


def test_a_firm_declares_and_applies_over_the_api(cast, as_, announced):
    zhao, lin = as_("zhao"), as_("lin")
    [seen] = visitor().get("/api/v1/voucher-announcements/").json()["results"]
    assert (seen["id"], seen["state"]) == (announced.pk, "current")
    place = f"/api/v1/voucher-announcements/{announced.pk}/applications/"
    asked = {"organisation": cast.firm.pk, "quota": seen["quotas"][0]["id"], "asked_fen": 1_000_00, "purpose": "Cathode tests"}
    wrong = zhao.post(place, {**asked, "asked_fen": 10**9, "file": SimpleUploadedFile("x.pdf", b"")})
    assert wrong.status_code == 422, wrong.content
    assert {each["field"] for each in wrong.json()["errors"]} == {"asked_fen"}
    empty = zhao.post(place, {**asked, "file": SimpleUploadedFile("x.pdf", b"")})
    assert {each["field"] for each in empty.json()["errors"]} == {"file"}
    assert lin.post(place, {**asked, "file": pdf()}).status_code == 403
    made = zhao.post(place, {**asked, "file": pdf()})
    assert (made.status_code, made.json()["state"], made.json()["asked_fen"]) == (201, "applied", 1_000_00)
    assert zhao.post(place, {**asked, "file": pdf()}).status_code == 409

    declare = f"/api/v1/organisations/{cast.firm.pk}/firm-declarations/"
    label = {"kind": "label", "label": "high_tech", "level": "national", "number": "GR1", "valid_from": "2026-01-01"}
    foreign = zhao.post(declare, {**label, "staff": 3, "file": pdf()})
    assert foreign.status_code == 400 and [each["field"] for each in foreign.json()["errors"]] == ["staff"]
    late = zhao.post(declare, {**label, "valid_to": "2025-01-01", "file": pdf()})
    assert late.status_code == 422 and [each["field"] for each in late.json()["errors"]] == ["valid_to"]
    declared = zhao.post(declare, {**label, "file": pdf()})
    assert (declared.status_code, declared.json()["state"], declared.json()["content"]["label"]) == (201, "open", "high_tech")
    figures = {"kind": "figures", "year": 2025, "staff": 7, "revenue_fen": 1_000_000_00, "file": pdf()}
    assert zhao.post(declare, figures).json()["content"]["revenue_fen"] == 1_000_000_00
    place_of = {
        "kind": "place",
        "region_code": "630104",
        "policy_zones": ["east", "west"],
        "valid_from": "2026-01-01",
        "file": pdf(),
    }
    assert zhao.post(declare, place_of).json()["content"]["policy_zones"] == ["east", "west"]
    other = f"/api/v1/organisations/{cast.other_firm.pk}/firm-declarations/"
    assert zhao.post(other, {**label, "file": pdf()}).status_code in (403, 404)


def test_a_refused_review_keeps_what_was_typed(cast, as_, announced):
    given = Application(announced.quotas.order_by("pk")[0].pk, 1_000_00, "Cathode tests", PDF)
    row = applying.apply(cast.actor("zhao"), announced.pk, cast.firm.pk, given, cast.now)
    place = reverse("application_review", args=[row.pk])
    too_much = as_("chen").post(place, {"recommended_yuan": "2000", "note": "Sound plan"})
    assert too_much.status_code == 422 and "Sound plan" in text(too_much)
    assert as_("chen").post(place, {"recommended_yuan": "1000", "note": ""}).status_code == 302
    too_late = as_("chen").post(place, {"recommended_yuan": "1000", "note": "Sound plan"})
    assert too_late.status_code == 409 and "Sound plan" in text(too_late)


def test_who_keeps_partner_regions_finds_the_way_to_their_vouchers(as_, announced):
    assert reverse("voucher_recognise") in text(as_("chen").get(reverse("partner_list")))
    assert reverse("voucher_recognise") not in text(visitor().get(reverse("partner_list")))
