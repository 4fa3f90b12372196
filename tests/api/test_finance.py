"""Finance over the API: prepaid money, limits, reminders, receipts, the ledger and a month's drafts, by the services of the pages."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from billing.api import month_shapes
from tests.api.conftest import codes
from tests.billing.bills.conftest import DECEMBER
from tests.billing.payments.conftest import begins_with_month, bill, month, take

__all__ = ["begins_with_month", "bill", "month", "take"]


def test_prepaid_money_limits_reminders_receipts_and_the_ledger(cast, api, bill, take, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    issued, (payment,) = bill(), take("2026-12-01,2000.00,,Gaoyuan,1,fees,1")
    sides = {"owner": cast.lab.pk, "customer": cast.firm.pk}
    li, zhao, he, reader = (api(who, *scopes) for who, *scopes in (
        ("li", "read", "settle"), ("zhao", "read", "settle"), ("he", "read", "settle"), ("li", "read")))  # fmt: skip
    deposit = {"customer": cast.firm.pk, "amount_fen": 300_00}
    assert reader.post(f"payments/{payment.pk}/deposits/", deposit).status_code == 403
    assert he.post(f"payments/{payment.pk}/deposits/", deposit).status_code == 404
    assert li.post(f"payments/{payment.pk}/deposits/", deposit).status_code == 201
    assert codes(li.post(f"payments/{payment.pk}/deposits/", {**deposit, "amount_fen": 9000_00})) == {"refund.amount"}
    for who, count in ((li, 1), (zhao, 1), (he, 0)):
        found = who.get("prepaid-balances/").json()["results"]
        assert found == [{**sides, "there_fen": 300_00, "held_fen": 0, "left_fen": 300_00}] * count
    back = li.post("prepaid-withdrawals/", {**sides, "amount_fen": 100_00, "reason": "too much"})
    assert back.json() == {"payments": [payment.pk]}
    kinds = [(each["kind"], each["amount_fen"]) for each in zhao.get("prepaid-entries/").json()["results"]]
    assert kinds == [("withdraw", -100_00), ("deposit", 300_00)] and he.get("prepaid-entries/").json()["results"] == []
    assert li.post("prepaid-terms/", {**sides, "asks": True, "reason": "late before"}).status_code == 201
    assert [each["asks"] for each in zhao.get("prepaid-terms/").json()["results"]] == [True]
    assert codes(zhao.post("prepaid-deposits/", {**sides, "amount_fen": 100_00, "back_url": "https://a.example/"})) == {
        "checkout.off"
    }

    days = {"valid_from": "2026-12-01", "valid_until": "2026-12-31"}
    asked = {"organisation": cast.firm.pk, "project": "Salt", "limit_fen": 500_00, **days}
    limit = zhao.post("spending-limits/", asked).json()["id"]
    assert he.post(f"spending-limits/{limit}/change/", {"limit_fen": 1}).status_code == 404
    assert zhao.post(f"spending-limits/{limit}/change/", {"limit_fen": 600_00}).status_code == 200
    assert [each["left_fen"] for each in zhao.get("spending-limits/").json()["results"]] == [600_00]
    assert zhao.post(f"spending-limits/{limit}/close/").status_code == 200

    assert li.post(f"payments/{payment.pk}/allocations/", {"bill": issued.pk, "amount_fen": 80_00}).status_code == 201
    made = li.post("receipts/", {"payment": payment.pk, "customer": cast.firm.pk}).json()["id"]
    assert codes(li.post("receipts/", {"payment": payment.pk, "customer": cast.firm.pk})) == {"receipt.nothing_new"}
    detail = zhao.get(f"receipts/{made}/").json()
    assert (detail["total_fen"], detail["content"]["number"]) == (80_00, detail["number"])
    assert zhao.get(f"receipts/{made}/csv/")["Content-Type"].startswith("text/csv")
    assert he.get(f"receipts/{made}/").status_code == he.get(f"receipts/{made}/json/").status_code == 404
    period = {"first_on": "2026-11-01", "last_on": "2026-12-01"}
    assert zhao.post("account-statements/", {**sides, **period}).status_code == 201
    assert he.post("account-statements/", {**sides, **period}).status_code == 404
    assert len(li.get("account-statements/").json()["results"]) == 1

    (owed,) = li.get("ledger-accounts/", kind="receivable", organisation=cast.firm.pk).json()["results"]
    assert (owed["closing_fen"], owed["debit_fen"], owed["credit_fen"]) == (1000_00, 1080_00, 80_00)
    posted = li.get(f"ledger-accounts/{owed['id']}/postings/").json()["results"]
    assert [each["amount_fen"] for each in posted] == [1080_00, 80_00]
    assert zhao.get("ledger-accounts/").status_code == he.get(f"ledger-accounts/{owed['id']}/").status_code == 403

    monkeypatch.setattr(timezone, "now", lambda: DECEMBER + timedelta(days=32))
    (late,) = zhao.get("overdue-bills/").json()["results"]
    assert (late["bill"], late["open_fen"], late["blocked"], late["disputed"]) == (issued.pk, 1000_00, False, False)
    assert he.post(f"bills/{issued.pk}/disputes/", {"reason": "x"}).status_code == 404
    assert zhao.post(f"bills/{issued.pk}/disputes/", {"reason": "an hour too much"}).status_code == 201
    assert li.post(f"bills/{issued.pk}/disputes/answer/", {"reason": "measured"}).status_code == 200
    assert codes(zhao.post(f"bills/{issued.pk}/disputes/", {"reason": "again"})) == {"dunning.disputed_before"}
    until = {"until_on": "2027-01-31", "reason": "a letter"}
    assert li.post("dunning-exemptions/", {**sides, **until}).status_code == 201
    assert li.get("overdue-bills/").json()["results"][0]["exempt_until"] == "2027-01-31"


def test_a_month_from_its_board_to_drafts_that_are_handed_over(cast, api, month, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    li, zhao = api("li", "read", "settle"), api("zhao", "read", "settle")
    asked = {"series": f"bills:{cast.lab.pk}", "month": "2026-11"}
    assert zhao.get("month-board/", **asked).status_code == 403
    assert li.get("month-board/", series=f"bills:{cast.other_firm.pk}", month="2026-11").status_code == 404
    office = {"series": f"statements:{cast.office.pk}", "month": "2026-11"}
    assert api("qian", "read", "settle").get("month-board/", **office).json()["series"] == office["series"]
    assert li.get("month-board/", **office).status_code == 404
    board = li.get("month-board/", **asked).json()
    agreed = next(each for each in board["stages"] if each["code"] == "agreed")
    dry = li.post("month-runs/dry-run/", asked, key=None).json()
    assert dry["sums"]["total_fen"] == agreed["amount_fen"] == sum(each["total_fen"] for each in dry["drafts"]) > 0
    with monkeypatch.context() as patch:
        patch.setattr(month_shapes, "MOST_DRAFTS", 1)
        bounded = li.post("month-runs/dry-run/", asked, key=None).json()
    largest = max(dry["drafts"], key=lambda each: each["total_fen"])
    assert (bounded["drafts"], bounded["draft_count"]) == ([largest], len(dry["drafts"])) and bounded["draft_count"] > 1
    assert all(each["holds"] for each in dry["identities"]) and li.get("month-board/", **asked).json()["run"] is None
    assert codes(li.post("month-runs/", {**asked, "expected_sha256": "0" * 64})) == {"month.figures_differ"}
    run = li.post("month-runs/", {**asked, "expected_sha256": dry["sha256"]}).json()
    assert run["new"] and li.post("month-runs/", asked).json() == {"id": run["id"], "new": False}
    drafts = li.get(f"month-runs/{run['id']}/drafts/").json()["results"]
    assert {each["party"] for each in drafts} == {cast.firm.pk, cast.other_firm.pk}
    (first, *_) = li.get(f"month-drafts/{drafts[0]['id']}/lines/").json()["results"]
    assert li.post(f"month-lines/{first['id']}/exclude/", {"reason": "to be looked at"}).status_code == 200
    found = li.get(f"month-runs/{run['id']}/").json()
    assert (found["held_lines"], found["held_fen"]) == (1, first["amount_fen"])
    assert li.post(f"month-lines/{first['id']}/take-in/").status_code == 200
    assert li.post(f"month-runs/{run['id']}/hand-over/").status_code == 200
    assert codes(li.post(f"month-lines/{first['id']}/postpone/", {"reason": "later"})) == {"month.not_open"}
    assert li.post(f"month-runs/{run['id']}/send-back/", {"reason": "one line is wrong"}).status_code == 200
    assert zhao.get(f"month-runs/{run['id']}/").status_code == zhao.get(f"month-drafts/{drafts[0]['id']}/").status_code == 404
    assert codes(li.post("month-exports/", asked)) == {"export.nothing"}
