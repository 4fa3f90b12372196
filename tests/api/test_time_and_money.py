from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import timezone
from psycopg.types.range import TimestamptzRange

from billing.ledger.models import Account
from billing.pricing import services as pricing
from billing.pricing.models import PriceVersion
from billing.settlement.models import Charge, Quote
from billing.settlement.services import assessing
from booking.models import Occupancy, Reservation
from booking.services import consents, maintenance, policies, transitions
from config.kernel.models import AuditEntry
from config.kernel.time_range import TimeRange
from instruments.rules.entries import HolidayRule
from instruments.services import opening_hours
from instruments.services.opening_hours import AudienceHours, OnceOrAgain
from tests.api.conftest import codes
from tests.billing.settlement.test_chosen_addons import publish_with_addons
from tests.conftest import PRICE


# --- Free time -------------------------------------------------------------------------------------------------------
def test_the_slots_of_a_week_carry_the_offset_of_the_site_and_say_why_not(api, booked, cast):
    booked(9, 11)
    answer = (
        api()
        .client.get(f"/api/v1/instruments/{cast.xrd.pk}/slots/?from=2026-11-25&days=2", headers={"Accept-Language": "en"})
        .json()
    )
    assert answer["time_zone"] == "Asia/Shanghai" and [day["date"] for day in answer["days"]] == ["2026-11-25", "2026-11-26"]
    slots = {slot["starts_at"]: slot for slot in answer["days"][0]["slots"]}
    assert slots["2026-11-25T08:30:00+08:00"]["code"] == "booking.gap_too_short" or slots["2026-11-25T08:30:00+08:00"]["free"]
    taken, free = slots["2026-11-25T09:00:00+08:00"], slots["2026-11-25T11:00:00+08:00"]
    assert (taken["free"], taken["code"], taken["reason"]) == (False, "booking.taken", "Taken")
    assert (free["free"], free["code"], free["reason"]) == (True, "", "")
    assert len(answer["days"][0]["slots"]) == 24


def test_slots_that_cannot_be_had_yet_say_when(api, cast):
    today = api().client.get(f"/api/v1/instruments/{cast.xrd.pk}/slots/?days=1", headers={"Accept-Language": "en"}).json()
    soon = next(slot for slot in today["days"][0]["slots"] if slot["code"] == "booking.too_soon")
    assert "120 minutes' notice" in soon["reason"] and "%(" not in soon["reason"]


@pytest.mark.parametrize("query", ["days=0", "days=32", "days=x", "from=2026-13-01", "from=1999-12-31", "first=2026-11-25"])
def test_a_week_that_cannot_be_meant_is_refused(api, cast, query):
    assert api().client.get(f"/api/v1/instruments/{cast.xrd.pk}/slots/?{query}").status_code == 400


def test_an_instrument_that_is_not_published_has_no_slots_for_strangers(api, cast):
    cast.xrd.published = False
    cast.xrd.save()
    hidden, missing = api("he").get(f"instruments/{cast.xrd.pk}/slots/"), api("he").get("instruments/999999/slots/")
    assert hidden.status_code == missing.status_code == 404 and hidden.json() == missing.json()
    assert api("wang").get(f"instruments/{cast.xrd.pk}/slots/").status_code == 200


# --- The day feed ----------------------------------------------------------------------------------------------------
def test_the_feed_names_customers_only_to_those_who_may_know(api, booked, cast, slot):
    reservation = booked(9, 11)
    maintenance.block(cast.actor("wang"), cast.xrd.pk, slot(14, 15), "service", cast.now)
    mine = api("lin").get("feed/", date="2026-11-25").json()
    assert mine["date"] == "2026-11-25" and mine["time_zone"] == "Asia/Shanghai"
    assert [(row["kind"], row["reservation"], row["customer"]) for row in mine["results"]] == [
        ("reservation", reservation, "Gaoyuan Lithium"),
        ("maintenance", None, ""),
    ]
    theirs = api("he").get("feed/", date="2026-11-25").json()["results"]
    assert [(row["reservation"], row["state"], row["customer"]) for row in theirs] == [(None, "", ""), (None, "", "")]
    assert theirs[0]["starts_at"] == "2026-11-25T09:00:00+08:00"


def test_the_feed_costs_four_queries_however_full_the_day_is(api, cast, django_assert_num_queries):
    client = api("lin", "read")
    fill_day(cast, 50)
    with django_assert_num_queries(4):
        assert len(client.get("feed/", date="2026-11-25").json()["results"]) == 50
    fill_day(cast, 500, first=50)
    with django_assert_num_queries(4):
        assert len(client.get("feed/", date="2026-11-25").json()["results"]) == 550


def fill_day(cast, count: int, first: int = 0) -> None:
    start, minute = datetime(2026, 11, 24, 17, tzinfo=UTC), timedelta(minutes=1)
    common = {"instrument": cast.xrd, "organisation": cast.firm, "requested_by": cast.users["lin"], "created_at": cast.now}
    rows = Reservation.objects.bulk_create(
        Reservation(
            starts_at=start + number * minute,
            ends_at=start + (number + 1) * minute,
            state="approved",
            service_mode="self_operated",
            **common,
        )
        for number in range(first, first + count)
    )
    Occupancy.objects.bulk_create(
        Occupancy(calendar_id=cast.xrd.calendar_id, during=TimestamptzRange(row.starts_at, row.ends_at), source="reservation",
                  reservation=row)
        for row in rows
    )  # fmt: skip


@pytest.mark.parametrize("query", ["", "date=", "date=2026-11-25T00:00", "date=25.11.2026", "date=9999-12-31"])
def test_a_feed_needs_its_day(api, query):
    assert api("lin").client.get(f"/api/v1/feed/?{query}").status_code == 400


# --- Quotes ----------------------------------------------------------------------------------------------------------
def test_a_preview_has_the_four_numbers_every_step_and_writes_nothing(api, asked, programmes):
    body = {name: asked(9, 12)[name] for name in ("instrument", "organisation", "starts_at", "ends_at")}
    lin = api("lin", "read")
    before = AuditEntry.objects.count(), Account.objects.count()
    quote = lin.post("quotes/preview/", body, key=None).json()
    assert quote["gross_fen"] == 1200_00
    assert quote["payable_now_fen"] == quote["gross_fen"] - quote["deducted_fen"]
    assert quote["final_cost_fen"] == quote["payable_now_fen"] - quote["refunded_fen"] < quote["gross_fen"]
    award = next(outcome for outcome in quote["outcomes"] if outcome["awarded"])
    assert award["total_fen"] == sum(line["amount_fen"] for line in award["payers"]) == quote["deducted_fen"]
    for step in [*quote["steps"], *award["steps"]]:
        assert step["sentence"] and "%(" not in step["sentence"] and step["sentence"] != step["code"]
    assert all(step["clause_text"] for step in award["steps"] if step["clause"])
    refused = next(outcome for outcome in quote["outcomes"] if not outcome["awarded"])
    assert refused["reasons"] and refused["total_fen"] == 0
    assert quote["caps_left"]
    assert (AuditEntry.objects.count(), Account.objects.count()) == before and not Quote.objects.exists()


def test_a_preview_for_a_colleague_needs_their_consent_and_asks_their_limits(api, asked, cast, programmes, monkeypatch):
    body = {name: asked(9, 12)[name] for name in ("instrument", "organisation", "starts_at", "ends_at")}
    body["for_person"] = cast.users["zhao"].pk
    refused = api("lin", "read").post("quotes/preview/", body, key=None)
    assert refused.status_code == 422
    assert [(each["code"], each["field"]) for each in refused.json()["errors"]] == [("consent.missing", "for_person")]
    consents.give(cast.actor("zhao"), cast.firm.pk, cast.users["lin"].pk, date(2026, 12, 20), cast.now)
    looked = []
    prepare = assessing.prepare
    monkeypatch.setattr(assessing, "prepare", lambda *args, **kw: looked.append(kw["person_id"]) or prepare(*args, **kw))
    assert api("lin", "read").post("quotes/preview/", body, key=None).status_code == 200
    assert looked == [cast.users["zhao"].pk]


def test_lines_and_tax_are_fields_of_a_preview(api, asked, cast):
    document = PRICE | {"format": 2, "setup": dict.fromkeys(PRICE["rates"], "50"), "tax": {"rate": "0.06", "included": False}}
    on = date(2026, 11, 23)
    PriceVersion.objects.create(instrument=cast.xrd, effective_from=on, document=document, published_at=cast.now)
    body = {name: asked()[name] for name in ("instrument", "organisation", "starts_at", "ends_at")}
    quote = api("lin").post("quotes/preview/", body).json()
    time, setup, tax = quote["lines"]
    assert (time["kind"], time["unit"], time["yuan_per_unit"], time["quantity"]) == ("time", "hour", "400.00", None)
    assert (setup["kind"], setup["words"], setup["unit"], setup["yuan_per_unit"], setup["seconds"]) == (
        "setup", "Setting up", "", "", None,
    )  # fmt: skip
    assert quote["tax"] == {"rate": "0.06", "amount_fen": tax["amount_fen"], "included": False}
    assert sum(line["amount_fen"] for line in quote["lines"]) == quote["gross_fen"]


def test_a_preview_for_a_foreign_firm_is_as_one_for_no_firm(api, asked, cast):
    def preview(organisation: int):
        return api("he").post("quotes/preview/", {**body, "organisation": organisation})

    body = {name: asked()[name] for name in ("instrument", "starts_at", "ends_at")}
    foreign, missing = preview(cast.firm.pk), preview(10**9)
    assert foreign.status_code == missing.status_code == 403 and foreign.json() == missing.json()


def test_a_preview_of_a_century_is_refused_quickly(api, asked):
    """The longest range that can be written must not keep the server busy."""
    body = {name: asked()[name] for name in ("instrument", "organisation")}
    began = datetime.now(UTC)
    century = {"starts_at": "2000-01-01T00:00:00Z", "ends_at": "2100-12-31T00:00:00Z"}
    for answer in (api("lin").post("quotes/preview/", {**body, **century}), api("lin").post("reservations/", asked(**century))):
        assert answer.status_code == 422 and codes(answer) == {"booking.range_too_long"}
    assert datetime.now(UTC) - began < timedelta(seconds=1)


# --- Prices and programmes -------------------------------------------------------------------------------------------
def test_a_price_is_public(api, cast):
    price = api().get(f"instruments/{cast.xrd.pk}/price/").json()
    assert price["on"] == "2026-11-23" and price["bands"][0]["yuan_per_hour"]["firm_sme"] == "400.00"
    none = api().get(f"instruments/{cast.xrd.pk}/price/", on="2024-12-31")
    assert none.status_code == 404 and codes(none) == {"price.none"}


def test_programmes_are_public_with_their_document_and_what_is_left(api, programmes):
    listed = {each["code"]: each for each in api().get("programmes/").json()["results"]}
    assert set(listed) == {"DEMO-QH-A", "DEMO-QH-V"} and listed["DEMO-QH-V"]["mode"] == "deducted_now"
    detail = api().get("programmes/DEMO-QH-V/").json()
    assert detail["document"]["clauses"] and detail["versions"] == [{"version": detail["version"], "state": "current"}]
    for pool in detail["pools"]:
        assert pool["left_fen"] == pool["granted_fen"] - pool["held_fen"] - pool["spent_fen"]
    assert detail["pools"]
    assert api().get("programmes/NONE/").status_code == api().get("programmes/DEMO-QH-V/", version="0").status_code == 404


def test_a_draft_is_seen_by_officials_only(api, cast, db):
    from billing.subsidy import services
    from tests.conftest import programme_document

    services.draft_version(cast.actor("chen"), programme_document("SH-VOUCHER"), cast.now)
    for who in (None, "lin", "wang"):
        assert api(who).get("programmes/").json()["results"] == []
        assert api(who).get("programmes/SH-VOUCHER/").status_code == 404
        assert api(who).post("programmes/evaluate/", {"programme": "SH-VOUCHER", "facts": {}}).status_code == 404
    assert api("chen").get("programmes/SH-VOUCHER/").json()["state"] == "draft"


@pytest.mark.parametrize("code", ["DEMO-QH-A", "DEMO-QH-V", "SH-VOUCHER", "HE-LF"])
def test_every_worked_example_comes_out_over_the_api(api, cast, code):
    from billing.ledger.rules.money import parse_yuan
    from billing.subsidy import services
    from tests.conftest import programme_document

    document = programme_document(code)
    services.publish_version(cast.actor("sun"), services.draft_version(cast.actor("chen"), document, cast.now), cast.now)
    for example in document["examples"]:
        balances = {
            cap: {
                "limit_fen": parse_yuan(each["limit"]) if "limit" in each else None,
                "used_fen": parse_yuan(each.get("used", 0)),
            }
            for cap, each in example.get("balances", {}).items()
        }
        body = {"programme": code, "facts": example["facts"], "balances": balances}
        outcome = api().post("programmes/evaluate/", body, key=None).json()
        expected = example["expect"]
        if "refused" in expected:
            assert sorted(reason["code"] for reason in outcome["reasons"]) == sorted(expected["refused"])
        if "total" in expected:
            assert outcome["total_fen"] == parse_yuan(expected["total"]), example["title"]


def test_faults_of_facts_are_named_by_their_path(api, programmes):
    body = {"programme": "DEMO-QH-A", "facts": {"applicant": {"size": "huge"}, "amounts": {"fee": 1.5}, "x": 1}}
    refused = api().post("programmes/evaluate/", body)
    assert refused.status_code == 400
    assert {"facts.applicant.size", "facts.amounts.fee", "facts.x"} == {error["field"] for error in refused.json()["errors"]}
    unknown = api().post("programmes/evaluate/", {"programme": "DEMO-QH-A", "facts": {}, "balances": {"nope": {}}})
    assert unknown.status_code == 400 and unknown.json()["errors"][0]["field"] == "balances.nope"


# --- Charges ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def charged(api, booked, programmes, slot, monkeypatch) -> int:
    """A reservation that was used and charged; the clock stands at its end."""
    reservation, lab, during = booked(9, 12), api("wang", "manage"), slot(9, 12)
    lab.post(f"reservations/{reservation}/approve/")
    monkeypatch.setattr(timezone, "now", lambda: during.starts_at)
    lab.post(f"reservations/{reservation}/check-in/")
    monkeypatch.setattr(timezone, "now", lambda: during.ends_at)
    lab.post(f"reservations/{reservation}/check-out/")
    api("lin").post(f"reservations/{reservation}/agree/")
    return reservation


def test_a_charge_shows_what_was_frozen(api, charged, cast):
    charge = Charge.objects.get()
    shown = api("lin", "read").get(f"charges/{charged}/").json()
    for name in ("gross_fen", "deducted_fen", "refunded_fen", "payable_now_fen", "final_cost_fen"):
        assert shown[name] == getattr(charge, name)
    assert shown["reservation"] == charged and shown["inputs_sha256"] == charge.inputs_sha256
    assert any(outcome["awarded"] for outcome in shown["outcomes"]) and shown["steps"][-1]["sentence"]
    assert {"programme": "DEMO-QH-V", "left_fen": 59_520_00}.items() <= shown["caps_left"][0].items()
    assert shown["tax"] is None and [line["amount_fen"] for line in shown["lines"]] == [charge.gross_fen]
    foreign, missing = api("he", "read").get(f"charges/{charged}/"), api("he", "read").get("charges/99999/")
    assert foreign.status_code == missing.status_code == 404 and foreign.json() == missing.json()


def test_what_a_booking_was_promised_explains_itself_before_it_is_used(api, booked, programmes, cast):
    reservation = booked(9, 12)
    address = f"reservations/{reservation}/quote/"
    asked = api("lin", "read").get(address).json()
    assert (asked["revision"], asked["held_at"]) == (1, None) and asked["accepted_at"]
    api("wang", "manage").post(f"reservations/{reservation}/approve/")
    held, quote = api("lin", "read").get(address).json(), Quote.objects.latest("revision")
    for name in ("gross_fen", "deducted_fen", "refunded_fen", "payable_now_fen", "final_cost_fen"):
        assert held[name] == getattr(quote, name)
    assert held["held_at"] and held["inputs_sha256"] == quote.inputs_sha256
    assert any(outcome["awarded"] for outcome in held["outcomes"]) and held["steps"][-1]["sentence"]
    foreign, missing = api("he", "read").get(address), api("he", "read").get("reservations/99999/quote/")
    assert foreign.status_code == missing.status_code == 404 and foreign.json() == missing.json()


# --- Statements ------------------------------------------------------------------------------------------------------
@pytest.fixture
def december(charged, monkeypatch) -> None:
    """The month of the session is over."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 12, 2, 2, tzinfo=UTC))


def statement_body(cast, programmes, **changes):
    return {"programme_version": programmes["DEMO-QH-V"].pk, "payee": cast.lab.pk, "month": "2026-11", **changes}


def test_a_statement_is_issued_once_for_its_key_and_read_by_its_payee(api, cast, programmes, december):
    finance, body = api("qian", "read", "settle"), statement_body(cast, programmes)
    first = finance.post("statements/", body, key="nov")
    again = finance.post("statements/", body, key="nov")
    assert first.status_code == 201 and again.status_code == 200 and again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    issued = finance.get(f"statements/{first.json()['id']}/").json()
    assert issued["total_fen"] == Charge.objects.get().deducted_fen and issued["render_state"] == "queued"
    second = finance.post("statements/", body)
    assert second.status_code == 422 and codes(second) == {"statement.nothing_to_issue"}
    assert api("li", "read").get(f"statements/{issued['id']}/").json()["content"]["number"] == issued["number"]
    assert [row["id"] for row in api("li", "read").get("statements/", month="2026-11").json()["results"]] == [issued["id"]]
    assert api("li", "read").get("statements/", month="2026-10").json()["results"] == []
    waiting = api("li", "read").get(f"statements/{issued['id']}/pdf/")
    assert waiting.status_code == 422 and codes(waiting) == {"statement.not_ready"}
    foreign, missing = api("he", "read").get(f"statements/{issued['id']}/"), api("he", "read").get("statements/99999/")
    assert foreign.status_code == missing.status_code == 404 and foreign.json() == missing.json()
    assert api("he", "read").get(f"statements/{issued['id']}/pdf/").status_code == 404


def test_only_finance_issues_and_only_what_it_looked_at(api, cast, programmes, december):
    for who in ("lin", "zhao", "wang", "li", "chen", "wu", "zhou"):
        assert api(who, "settle").post("statements/", statement_body(cast, programmes)).status_code == 403
    surprised = statement_body(cast, programmes, expected={"line_count": 2, "total_fen": 1})
    refused = api("qian", "settle").post("statements/", surprised)
    assert refused.status_code == 409 and codes(refused) == {"statement.figures_differ"}
    assert api("qian", "settle").post("statements/", statement_body(cast, programmes, month="2026-13")).status_code == 400
    early = api("qian", "settle").post("statements/", statement_body(cast, programmes, month="2026-12"))
    assert early.status_code == 422 and codes(early) == {"statement.period_not_over"}


def test_the_documents_come_back_byte_for_byte_as_attachments(api, cast, programmes, december, tmp_path, settings):
    from django.core.files.storage import storages

    from billing.settlement.models import Statement
    from tests.handed_out import give

    issued = api("qian", "settle").post("statements/", statement_body(cast, programmes)).json()
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": {"location": str(tmp_path)}}}
    assert storages
    give(Statement.objects.get(pk=issued["id"]), b"%PDF-x", cast.now, "pdf", name="s.pdf")
    answer = api("li", "read").client.get(f"/api/v1/statements/{issued['id']}/pdf/")
    assert answer.content == b"%PDF-x" and answer["Content-Disposition"] == 'attachment; filename="s.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]


def test_a_range_of_the_wrong_order_is_a_fault_of_its_end(api, asked, slot):
    during: TimeRange = slot(9, 11)
    turned = asked(starts_at=during.ends_at.isoformat(), ends_at=during.starts_at.isoformat())
    refused = api("lin").post("reservations/", turned)
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "ends_at"


def test_the_slots_say_what_closes_the_rest_of_the_day(cast, api, slot):
    window = OnceOrAgain(datetime.fromisoformat("2026-11-25T08:00"), datetime.fromisoformat("2026-11-25T12:00"), "Helium")
    opening_hours.close(cast.actor("wang"), cast.xrd.pk, window, cast.now)
    (day,) = api("lin").get(f"instruments/{cast.xrd.pk}/slots/", **{"from": "2026-11-25", "days": 1}).json()["days"]
    assert [(one["starts_at"][11:16], one["cause"]) for one in day["closed"]] == [
        ("00:00", "hours"), ("08:00", "closure"), ("20:00", "hours"),
    ]  # fmt: skip
    assert day["slots"][0]["starts_at"] == "2026-11-25T12:00:00+08:00"


def test_opening_is_that_of_the_callers_organisations_and_managers_read_the_rules(cast, api):
    nights = AudienceHours(["firm"], True, range(7), time(20), time(22), date(2026, 11, 23), reason="Evenings")
    opening_hours.set_audience_hours(cast.actor("wang"), cast.xrd.pk, nights, cast.now)
    opening_hours.set_holidays(cast.actor("wang"), cast.xrd.pk, HolidayRule(closed=True, makeup_weekday=0), cast.now)
    address = f"instruments/{cast.xrd.pk}/"
    window = {"starts_at": "2026-11-25T00:00:00+08:00", "ends_at": "2026-11-26T00:00:00+08:00"}
    ends = {who: api(who).get(f"{address}opening/", **window).json()["open"][0]["ends_at"] for who in ("lin", "wang")}
    assert ends == {"lin": "2026-11-25T14:00:00Z", "wang": "2026-11-25T12:00:00Z"}
    assert api("lin").get(f"{address}calendar/").status_code == 403
    rules = api("wang").get(f"{address}calendar/").json()
    assert rules["holidays"] == {"closed": True, "makeup_weekday": 0, "applies": True, "published": True}
    assert [(one["kind"], one["priority"], one["audiences"], one["reason"]) for one in rules["entries"]] == [
        ("opening", 9, [], ""), ("opening", 6, ["firm"], "Evenings"),
    ]  # fmt: skip
    assert rules["entries"][1]["repeats"]["weekdays"] == [0, 1, 2, 3, 4, 5, 6]


# --- Fees for unused time ----------------------------------------------------------------------------------------------
def test_the_fee_is_told_in_price_and_quote_asked_for_with_the_cancellation_and_read_afterwards(
    api, booked, cast, now, monkeypatch
):
    fees = {"fees": {"late_cancel": {"share": "0.5", "at_most": "100"}}}
    pricing.publish_price(cast.actor("li"), cast.xrd, PRICE | fees, now.date(), now, now.date())
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), {"cancel_notice_minutes": 3 * 1440}, now)
    lin = api("lin")
    price = lin.get(f"instruments/{cast.xrd.pk}/price/").json()["fees"]
    assert price == [{"kind": "late_cancel", "share": "0.5", "at_least_fen": 0, "at_most_fen": 100_00}]
    reservation = booked(9, 11)
    transitions.approve(cast.actor("wang"), reservation, now)
    told = lin.get(f"reservations/{reservation}/fee/").json()
    assert (told["if_cancelled"]["late"], told["if_cancelled"]["fee_fen"], told["fee"]) == (True, 100_00, None)
    promised = {"later_fee_fen": 100_00, "notice_minutes": 3 * 1440, "why_free": None, "may_pay": True}
    assert {name: told["if_cancelled"][name] for name in promised} == promised
    by_lab = api("wang").get(f"reservations/{reservation}/fee/").json()["if_cancelled"]
    assert (by_lab["fee_fen"], by_lab["why_free"]) == (0, "by_lab")
    started = Reservation.objects.get(pk=reservation).starts_at
    monkeypatch.setattr(timezone, "now", lambda: started)
    assert api("lin", "read").get(f"reservations/{reservation}/fee/").json()["if_cancelled"] is None
    monkeypatch.setattr(timezone, "now", lambda: now)
    cancel = f"reservations/{reservation}/cancel/"
    refused = lin.post(cancel, {"expected_fee_fen": 0})
    assert (refused.status_code, codes(refused)) == (409, {"billing.fee_differs"})
    assert lin.post(cancel, {"expected_fee_fen": 100_00}).json()["state"] == "cancelled"
    after = lin.get(f"reservations/{reservation}/fee/").json()
    assert after["if_cancelled"] is None
    assert (after["fee"]["kind"], after["fee"]["left_fen"], after["fee"]["reliefs"]) == ("late_cancel", 100_00, [])
    assert api("he").get(f"reservations/{reservation}/fee/").status_code == 404
    waived = api("wang").post(f"reservations/{reservation}/fee/waive/", {"amount_fen": 40_00, "reason": "Was ill"})
    assert (waived.status_code, waived.json()["to_pay_fen"]) == (200, 60_00)
    assert [(one["cause"], one["reason"]) for one in waived.json()["reliefs"]] == [("waived", "Was ill")]
    assert lin.post(f"reservations/{reservation}/fee/waive/", {"amount_fen": 1, "reason": "No"}).status_code == 403


def test_add_ons_are_quoted_beside_the_figures_and_booked_with_the_time(api, asked, cast, programmes):
    publish_with_addons(cast)
    lin = api("lin", "book", "read")
    chosen = [{"addon": "cell", "quantity": 2}]
    wanted = asked(9, 12)
    body = {name: wanted[name] for name in ("instrument", "organisation", "starts_at", "ends_at")}
    quote = lin.post("quotes/preview/", {**body, "addons": chosen}, key=None).json()
    assert quote["addons"] == [
        {"addon": "cell", "name": "样品池", "name_en": "Sample cell", "rate_fen": 15_00, "quantity": 2, "amount_fen": 30_00}
    ]
    assert quote["addons_fen"] == 30_00
    assert codes(lin.post("quotes/preview/", {**body, "addons": [{"addon": "tube", "quantity": 1}]})) == {"extras.addon_unknown"}
    differs = lin.post("reservations/", {**wanted, "addons": chosen, "expected_addons_fen": 1})
    assert differs.status_code == 409 and codes(differs) == {"extras.chosen_differ"}
    made = lin.post("reservations/", {**wanted, "addons": chosen, "expected_addons_fen": 30_00})
    assert made.status_code == 201
    [row] = lin.get(f"reservations/{made.json()['id']}/extras/").json()
    assert (row["addon"], row["quantity"], row["chosen"], row["state"]) == ("cell", 2, True, "agreed")
