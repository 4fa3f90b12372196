"""The page of code lists: what there is, and a newer list that is looked at line by line before it holds."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.kernel.errors import Refusal
from frontend.views.imports import _start_form
from instruments.models import Code, CodeLoad, ImportRun
from instruments.queries import codes
from instruments.queries.codes import ListState
from instruments.services import import_runs, registry
from instruments.services.code_lists import load_codes
from instruments.services.import_runs import Asked

pytestmark = pytest.mark.django_db
PAGE = "code_list"
LIST = "code,parent,name_zh\n010000,,Analysis\n010100,010000,Electron\n010101,010100,Microscope\n"
NEWER = (
    LIST.replace("010101,010100,Microscope", "010102,010100,Scanner").replace("Electron", "Electrons")
    + "other,,x\n010000,,Again\n"
)


def hand_over(client: Any, text: str, valid_from: str = "2026-11-23", scheme: str = "nrii") -> Any:
    body = {"scheme": scheme, "file": SimpleUploadedFile("classes.csv", text.encode()), "valid_from": valid_from}
    return client.post(reverse(PAGE), body)


def work(cast: Any) -> ImportRun:
    run = ImportRun.objects.latest("pk")
    import_runs.work(run.pk, cast.now)
    codes.forget()
    return ImportRun.objects.get(pk=run.pk)


def taken_in(client: Any, cast: Any, text: str, valid_from: str = "2026-11-23") -> ImportRun:
    hand_over(client, text, valid_from)
    run = work(cast)
    client.post(reverse("import_confirm", args=[run.pk]))
    return work(cast)


def test_the_operator_takes_in_a_list_after_looking_at_each_line(cast: Any, as_: Any) -> None:
    zhou = as_("zhou")
    assert b"Comes with the platform" in zhou.get(reverse(PAGE)).content
    address = hand_over(zhou, LIST)["Location"]
    assert work(cast).counts["created"] == 3
    page = zhou.get(address).content.decode()
    assert "Microscope" in page and "Confirm and write" in page and "Each row names its owner" not in page
    assert not Code.objects.exists()
    assert taken_in(zhou, cast, LIST).state == "done"
    assert codes.name_of("nrii", "010101", date(2026, 11, 23), "en") == "Microscope"
    assert b"Taken in" in zhou.get(reverse(PAGE)).content
    assert reverse(PAGE) in zhou.get(reverse("organisation_list")).content.decode()
    hand_over(zhou, LIST, "2026-12-01")
    again = work(cast)
    assert again.counts["unchanged"] == 3
    assert b"There is nothing to write" in zhou.get(reverse("import_run", args=[again.pk])).content


def test_a_newer_list_says_what_begins_ends_and_is_called_otherwise_and_which_lines_count_nothing(cast: Any, as_: Any) -> None:
    zhou = as_("zhou")
    taken_in(zhou, cast, LIST)
    run = taken_in(zhou, cast, NEWER, "2026-12-01")
    rows = {(row.line, row.fate, row.inner_id): row.reasons for row in run.rows.all()}
    assert set(rows) == {
        (0, "updated", "010101"), (2, "unchanged", "010000"), (3, "updated", "010100"), (4, "created", "010102"),
        (5, "skipped", ""), (6, "repeated", ""),
    }  # fmt: skip
    changed = {key[2]: [(one["field"], one["params"]) for one in told] for key, told in rows.items() if key[1] == "updated"}
    assert changed["010101"] == [("valid_to", {"was": "", "becomes": "2026-12-01"})]
    assert changed["010100"] == [("name", {"was": "Electron", "becomes": "Electrons"})]
    page = zhou.get(reverse("import_run", args=[run.pk])).content.decode()
    for shown in ("Holds until before", "Left out", "gives no code of the list", "stands on an earlier line"):
        assert shown in page
    report = b"".join(zhou.get(reverse("import_report", args=[run.pk])).streaming_content).decode("utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in report] == ["Line", "", "2", "3", "4", "5", "6"]
    before, after = date(2026, 11, 30), date(2026, 12, 1)
    assert [codes.name_of("nrii", "010100", on, "en") for on in (before, after)] == ["Electron", "Electrons"]
    assert Code.objects.get(code="010101").valid_to == after
    zhous = cast.actor("zhou")
    stands = {on: {one.scheme: one for one in codes.list_states(zhous, on)} for on in (before, after)}
    assert stands[before]["nrii"] == ListState("nrii", taken_in=True, holding=3, ended=0, newest_on=after)
    assert stands[after]["nrii"] == ListState("nrii", taken_in=True, holding=3, ended=2, newest_on=after)
    assert stands[after]["iso3166"] == ListState("iso3166", taken_in=False, holding=250, ended=0, newest_on=None)
    again = hand_over(zhou, NEWER.replace("Electrons", "TEM"), "2026-12-01")["Location"]
    corrected = work(cast).rows.get(inner_id="010100")
    told = ("updated", {"was": "Electrons", "becomes": "TEM"})
    assert (corrected.fate, corrected.reasons[0]["params"]) == told and "Electrons" in zhou.get(again).content.decode()


def test_what_another_list_changed_since_the_preview_is_looked_at_anew(cast: Any, as_: Any) -> None:
    zhou = as_("zhou")
    taken_in(zhou, cast, LIST)
    hand_over(zhou, NEWER, "2026-12-01")
    run = work(cast)
    load_codes(cast.actor("zhou"), "nrii", LIST.replace("Electron", "Ions").encode(), date(2026, 12, 1), cast.now)
    zhou.post(reverse("import_confirm", args=[run.pk]))
    run = work(cast)
    assert (run.state, run.changed_since) == ("preview", True)
    assert Code.objects.filter(name="Ions").exists() and not Code.objects.filter(name="Electrons").exists()


def test_a_list_without_a_day_holds_from_today_and_is_nobodys_but_the_platforms(cast: Any) -> None:
    zhou, today = cast.actor("zhou"), timezone.localdate(cast.now)
    import_runs.start(zhou, Asked("codes", "nrii", None), LIST.encode(), "x.csv", cast.now)
    import_runs.confirm(zhou, work(cast).pk, cast.now)
    assert work(cast).state == "done"
    import_runs.start(zhou, Asked("codes", "nrii", None), NEWER.encode(), "x.csv", cast.now)
    assert work(cast).rows.get(inner_id="010101").reasons[0]["params"]["becomes"] == today.isoformat()
    for who in ("zhou", "wang"):
        with pytest.raises(Refusal):
            import_runs.start(cast.actor(who), Asked("codes", "nrii", cast.lab.pk), LIST.encode(), "x.csv", cast.now)


def test_an_older_list_and_what_is_none_are_refused_in_words_and_another_day_can_be_given(cast: Any, as_: Any) -> None:
    zhou = as_("zhou")
    taken_in(zhou, cast, LIST)
    taken_in(zhou, cast, NEWER, "2026-12-01")
    page = hand_over(zhou, LIST, "2026-11-25")["Location"]
    assert work(cast).state == "failed"
    assert "A list that holds from" in zhou.get(page).content.decode()
    again = {"field_0": "valid_from", "value_0": "2026-12-05"}
    zhou.post(reverse("import_read_again", args=[ImportRun.objects.latest("pk").pk]), again)
    assert work(cast).state == "preview"
    zhou.post(reverse("import_read_again", args=[ImportRun.objects.latest("pk").pk]), again | {"value_0": "soon"})
    assert work(cast).state == "failed"
    assert hand_over(zhou, LIST, "never").status_code == hand_over(zhou, LIST, scheme="colours").status_code == 422
    hand_over(zhou, "a,b\n1,2\n")
    assert "must name the columns" in zhou.get(reverse("import_run", args=[work(cast).pk])).content.decode()


def test_lists_are_the_operators_and_not_among_what_an_owner_hands_over(cast: Any, as_: Any) -> None:
    for who in ("wang", "lin"):
        assert as_(who).get(reverse(PAGE)).status_code == hand_over(as_(who), LIST).status_code == 403
    offered = dict(_start_form(cast.actor("zhou")).fields["form"].choices)
    assert offered and not [form for form in offered if form.startswith("codes")]


def test_a_list_that_came_in_by_mistake_is_taken_back_with_a_reason(cast: Any, as_: Any) -> None:
    zhou = as_("zhou")
    assert "Take back" not in zhou.get(reverse(PAGE)).content.decode()
    taken_in(zhou, cast, LIST)
    load = CodeLoad.objects.get()
    address = reverse("code_list_take_back", args=[load.pk])
    page = zhou.get(reverse(PAGE)).content.decode()
    assert f'href="{address}"' in page and "classes.csv" in page
    asked = zhou.get(address).content.decode()
    assert "Codes that began with classes.csv: 3; that ended: 0." in asked
    assert zhou.post(address, {"reason": ""}).status_code == 422
    registry.update_instrument(cast.actor("wang"), cast.xrd.pk, {"class_code": "010101"}, cast.now)
    refused = zhou.post(address, {"reason": "the wrong file"})
    assert (refused.status_code, Code.objects.count()) == (409, 3)
    assert "would lose their names: 010101" in refused.content.decode()
    registry.update_instrument(cast.actor("wang"), cast.xrd.pk, {"class_code": "01"}, cast.now)
    assert zhou.post(address, {"reason": "the wrong file"})["Location"] == reverse(PAGE)
    assert not Code.objects.exists()
    assert "Take back" not in zhou.get(reverse(PAGE)).content.decode()
    assert zhou.post(address, {"reason": "twice"}).status_code == 409
    assert as_("wang").get(address).status_code == 403


def test_the_page_costs_the_same_statements_with_every_list_taken_in(cast: Any, as_: Any) -> None:
    zhou = as_("zhou")

    def statements() -> int:
        zhou.get(reverse(PAGE))
        with CaptureQueriesContext(connection) as captured:
            zhou.get(reverse(PAGE))
        return len(captured)

    none = statements()
    load_codes(cast.actor("zhou"), "nrii", LIST.encode(), date(2026, 11, 1), cast.now)
    load_codes(cast.actor("zhou"), "gbt13745", b"code,name_zh\n150,Chemistry\n", date(2026, 11, 1), cast.now)
    assert statements() == none
