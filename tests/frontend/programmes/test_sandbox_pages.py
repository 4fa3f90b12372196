"""Officers try a programme on past services on pages, and look at budgets."""

from __future__ import annotations

import csv
import io
from datetime import date

import pgtrigger
import pytest
from openpyxl import load_workbook

from billing.sandbox.models import SandboxRun
from billing.sandbox.services import running
from billing.sandbox.services.running import Asked
from billing.subsidy import drafts
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.forecast import forecast, window_of
from tests.billing.claims.test_batch_rules import afterwards
from tests.billing.sandbox.test_real_batches import both_served
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, desk, published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import programme_document, slot_of
from tests.frontend.acting import query_count, words

__all__ = ["desk", "published"]
PAGE = "/programmes/sandbox/"


@pytest.fixture
def sessions(charged, programmes):
    charged(9, 12)
    charged(13, 15)
    charged(13, 16, day=1, who="he")


@pytest.fixture
def asked(cast, programmes):
    changed = programme_document("DEMO-QH-V") | {"rate": {"type": "flat", "rate": "0.5", "clause": "5"}}
    draft = drafts.start(cast.actor("chen"), changed, cast.now)
    return {
        "what": f"draft:{draft.pk}", "against": str(programmes["DEMO-QH-V"].pk), "first_on": "2026-11-01",
        "last_on": "2026-12-31", "budget": "1,000", "rate_step": "10", "cap_step": "20",
    }  # fmt: skip


@pytest.fixture
def done(as_, cast, sessions, asked):
    as_("chen").post(PAGE, asked)
    run = SandboxRun.objects.get()
    running.work(run.pk, cast.now)
    return f"{PAGE}{run.pk}/"


def test_the_list_names_what_was_tried_and_the_draft_it_stands_in(as_, programmes, asked):
    client = as_("chen")
    assert client.post(PAGE, asked).status_code == 302
    version = programmes["DEMO-QH-V"]
    assert client.post(PAGE, asked | {"what": f"version:{version.pk}"}).status_code == 302
    said, label = words(client.get(PAGE)), version.label
    of_version, of_draft = SandboxRun.objects.order_by("-pk")
    assert f"DEMO-QH-V · {label} · {of_draft.pk} Draft {of_draft.draft_id} " in said
    assert f"DEMO-QH-V · {label} · {of_version.pk} " in said and said.count("Draft ") == 1


def test_an_officer_asks_watches_and_reads_what_came_out(as_, cast, sessions, asked):
    client = as_("chen")
    address = client.post(PAGE, asked)["Location"]
    assert "It begins as soon as the worker is free" in words(client.get(address))
    assert client.get(address + "progress/").status_code == 200
    running.work(SandboxRun.objects.get().pk, cast.now)
    assert client.get(address + "progress/").headers["HX-Refresh"] == "true"
    text = words(client.get(address))
    for part in (
        "Cost ¥1,000.00", "version in force: ¥800.00", "Left of the budget ¥0.00", "2 of 3", "micro", "Xining", "Kunlun Institute",
        "Who wins and who loses against the version in force", "Main rate a step lower", "Size of the firm",
    ):  # fmt: skip
        assert part in text, part
    assert '<polyline class="plot-line plot-line-0"' in client.get(address).content.decode()


def test_what_came_out_is_taken_along(as_, done):
    client = as_("chen")
    book = load_workbook(io.BytesIO(client.get(done + "result.xlsx").content))
    assert book.worksheets[0]["D2"].value == 1000
    content = client.get(done + "result.csv?table=sizes").content
    head, first, *_others = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert head[0] == "Size or kind" and first == ["micro", "2", "2", "100", "2000", "1000", "800"]
    assert client.get(done + "result.csv?table=nonsense").status_code == 404


def test_the_parts_are_named_on_the_page_in_the_plots_and_in_the_files(as_, cast, desk):
    desk.issued(400_00)
    life, work = Life(cast), Work(cast, make_item(cast))
    life.whole(slot_of(9, 11))
    work.close(work.reported(3))
    version = ProgrammeVersion.objects.get(programme__code=CODE)
    run = running.start(cast.actor("chen"), Asked(date(2026, 11, 1), date(2026, 12, 31), version_id=version.pk), cast.now)
    running.work(run.pk, cast.now)
    client, page = as_("chen"), f"{PAGE}{run.pk}/"
    text = words(client.get(page))
    for part in (
        "Sessions on instruments 1 1 100.0% ¥800.00 ¥320.00", "Commissioned tests 1 1 100.0% ¥240.00 ¥80.00",
        "What each part costs in each month",
        "As tried 1 1 ¥400.00 2 ¥400.00 ¥0.00", "Vouchers count as they were issued",
    ):  # fmt: skip
        assert part in text, part
    assert 'plot-line-2"' in client.get(page).content.decode()
    rows = list(csv.reader(io.StringIO(client.get(page + "result.csv?table=months").content.decode("utf-8-sig"))))
    assert rows[0] == [
        "Month",
        "Services",
        "Get something",
        "Cost",
        "Spent so far",
        "Of it commissioned tests",
        "Drawn on vouchers",
    ]
    assert rows[1][3:] == ["400", "400", "80", "400"]
    book = load_workbook(io.BytesIO(client.get(page + "result.xlsx").content))
    assert {"By what was done", "Vouchers"} <= {sheet.title.partition(" ")[2] for sheet in book.worksheets}


def test_an_officer_says_whose_vouchers_stand_behind_a_new_code(as_, cast, desk):
    desk.issued(400_00)
    Life(cast).whole(slot_of(9, 11))
    version = ProgrammeVersion.objects.get(programme__code=CODE)
    draft = drafts.start(cast.actor("chen"), version.document | {"code": "DEMO-QH-NEW"}, cast.now)
    client = as_("chen")
    assert "With the vouchers of (optional) A new code has no vouchers yet." in words(client.get(PAGE))
    form = {
        "what": f"draft:{draft.pk}", "against": "", "first_on": "2026-11-01", "last_on": "2026-12-31", "budget": "",
        "rate_step": "10", "cap_step": "20", "vouchers_of": str(version.programme_id),
    }  # fmt: skip
    address = client.post(PAGE, form)["Location"]
    running.work(SandboxRun.objects.get().pk, cast.now)
    text = words(client.get(address))
    assert f"With the vouchers of {CODE}" in text and f"It was tried with the vouchers of {CODE} in place of its own" in text
    refused = client.post(PAGE, form | {"rate_step": "0"})
    assert f'<option value="{version.programme_id}" selected>{CODE}</option>' in refused.content.decode()
    assert client.post(PAGE, form | {"vouchers_of": "0"}).status_code == 404


def test_without_vouchers_nobody_is_asked_whose(as_, asked):
    assert "With the vouchers of" not in words(as_("chen").get(PAGE))


def test_what_came_out_before_parts_were_told_apart_is_read_still(as_, cast, done):
    run = SandboxRun.objects.get()
    result = {name: value for name, value in run.result.items() if name not in ("parts", "vouchers", "batches")}
    result["months"] = [{k: v for k, v in each.items() if k not in ("tests_fen", "drawn_fen")} for each in result["months"]]
    for name in ("homes_fen", "cut_fen"):
        del result["totals"]["tried"][name]
    with pgtrigger.ignore("billing.SandboxRun:sandbox_run_ended"):
        SandboxRun.objects.update(result=result)
    text = words(as_("chen").get(done))
    assert (
        "Vouchers are not simulated" in text and "By what was done" not in text and "Not tried: rules over a whole batch" in text
    )
    assert as_("chen").get(done + "result.xlsx").status_code == 200


def test_what_the_rules_over_a_batch_cut_is_named_in_a_tile_the_tables_and_the_files(as_, cast):
    version = both_served(cast, afterwards("DEMO-AFTER"))
    asked = Asked(date(2026, 11, 1), date(2026, 12, 31), version_id=version.pk, against_id=version.pk)
    run = running.start(cast.actor("chen"), asked, cast.now)
    running.work(run.pk, cast.now)
    client, page = as_("chen"), f"{PAGE}{run.pk}/"
    text = words(client.get(page))
    for part in (
        "Cost ¥733.33", "Cut by the rules over a batch ¥266.67 of ¥1,000.00 asked for",
        "As tried: one batch of the whole period, because its windows",
        "whole period As tried 2 ¥1,000.00 1 ¥266.67 ¥733.33", "Cut over batches",
    ):  # fmt: skip
        assert part in text, part
    assert "Not tried: rules over a whole batch" not in text
    rows = list(csv.reader(io.StringIO(client.get(page + "result.csv?table=batches").content.decode("utf-8-sig"))))
    assert rows[1] == ["whole period", "As tried", "2", "1000", "1", "266.67", "733.33"]


def test_nothing_is_taken_along_before_it_is_done(as_, sessions, asked):
    address = as_("chen").post(PAGE, asked)["Location"]
    assert as_("chen").get(address + "result.xlsx").status_code == 404


def test_it_is_stopped(as_, sessions, asked):
    client = as_("chen")
    address = client.post(PAGE, asked)["Location"]
    client.post(address + "cancel/")
    assert "It was stopped" in words(client.get(address))


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"first_on": "yesterday"}, "Give the first and the last day"),
        ({"first_on": "2026-12-31", "last_on": "2026-01-01"}, "The last day lies before the first"),
        ({"budget": "a lot"}, "Give the budget in yuan"),
        ({"rate_step": "0"}, "Give a step between 1 and 50"),
        ({"cap_step": "x" * 900}, "Give a step between 1 and 50"),
        ({"what": ""}, "Choose a draft or a version"),
    ],
)
def test_what_cannot_be_read_is_said_and_kept(as_, sessions, asked, changes, said):
    answer = as_("chen").post(PAGE, asked | changes)
    assert answer.status_code == 422 and said in words(answer)
    typed = changes.get("budget") or changes.get("rate_step")
    assert not typed or f'value="{typed}"' in answer.content.decode()


@pytest.mark.parametrize("what", ["draft:999999", "draft:x", "version:0", "version:99999999999999999999", "x:1"])
def test_what_is_not_there_cannot_be_tried(as_, sessions, asked, what):
    assert as_("chen").post(PAGE, asked | {"what": what}).status_code in (404, 422)


def test_others_do_not_see_it(as_, done):
    for who in ("lin", "wang", "zhou"):
        assert as_(who).get(done).status_code == 404 and as_(who).get(PAGE).status_code == 403
    assert as_("qian").get(done).status_code == 200
    assert as_("qian").post(done + "cancel/").status_code == 403


def test_the_page_of_a_result_takes_few_queries(as_, done):
    assert query_count(as_("chen"), done) <= 7


# --- Budgets ------------------------------------------------------------------------------------------------------------
def test_the_budget_page_shows_what_is_held_spent_left_and_where_it_leads(as_, programmes, approved, charged):
    charged(9, 12)
    approved(13, 15)
    text = words(as_("sun").get("/programmes/budgets/"))
    for part in (
        "Paid out or due ¥480.00",
        "Held for bookings ¥320.00",
        "Left ¥1,999,200.00",
        "At this pace it lasts",
        "2026-11 ¥480.00",
    ):
        assert part in text, part


def test_only_who_runs_programmes_sees_the_budgets_together(as_, programmes):
    for who in ("lin", "wang", "zhou"):
        assert as_(who).get("/programmes/budgets/").status_code == 403
    for who in ("chen", "qian", "wu"):
        assert as_(who).get("/programmes/budgets/").status_code == 200


def test_the_forecast_goes_on_at_the_pace_of_the_last_days():
    usual = {
        "granted_fen": 1000_00,
        "posted_fen": 300_00,
        "held_fen": 50_00,
        "recent_fen": 90_00,
        "window_days": 90,
        "today": date(2026, 10, 2),
    }
    made = forecast(**usual, last_day=date(2027, 12, 31))
    assert (made.until, made.used_fen, made.short_on) == (date(2026, 12, 31), 350_00 + 90_00, None)
    assert forecast(**usual, last_day=date(2026, 10, 12)).used_fen == 350_00 + 10_00
    short = forecast(**usual | {"recent_fen": 900_00}, last_day=date(2027, 12, 31))
    assert (short.used_fen, short.short_on) == (350_00 + 900_00, date(2026, 12, 7))
    assert forecast(**usual | {"granted_fen": 350_00}, last_day=date(2027, 12, 31)).short_on == date(2026, 10, 2)
    assert forecast(**usual | {"recent_fen": 0}, last_day=date(2020, 1, 1)).used_fen == 350_00
    assert (window_of(date(2026, 10, 2), date(2026, 10, 2)), window_of(date(2026, 10, 2), date(2020, 1, 1))) == (1, 90)
