"""The pages of imports, of completeness and of policy zones, with and without JavaScript."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from booking.models import Reservation
from booking.services import usage_review
from frontend.import_forms import ReadingForm
from frontend.presenters.imports import run_view
from instruments.models import ImportRun, Instrument, PolicyZone, SavedMapping
from instruments.rules.reading_options import ReadingOptions
from instruments.services import import_kinds, import_runs

pytestmark = pytest.mark.django_db
LIST = b"inner_id,name,model\nA1,SEM,S4800\nA2,=cmd(),D8\n"


def hand_over(client: Any, content: bytes, form: str = "instruments:csv", owner: Any = None, **more: Any) -> Any:
    body = {"file": SimpleUploadedFile("list.csv", content), "form": form, "owner": owner, **more}
    return client.post(reverse("import_list"), body)


def read(cast: Any) -> ImportRun:
    run = ImportRun.objects.latest("pk")
    import_runs.work(run.pk, cast.now)
    return ImportRun.objects.get(pk=run.pk)


def test_from_the_file_to_the_report_without_javascript(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    assert b"No file yet" in wang.get(reverse("import_list")).content
    answer = hand_over(wang, LIST, owner=cast.lab.pk)
    page = wang.get(answer["Location"])
    assert b"The file is being read" in page.content
    run = read(cast)
    page = wang.get(answer["Location"])
    assert b"Confirm and write" in page.content
    assert b"SEM" in page.content
    assert b"SEM" not in wang.get(answer["Location"] + "?fate=refused").content
    wang.post(reverse("import_confirm", args=[run.pk]))
    import_runs.work(run.pk, cast.now)
    assert b"Written: 2 new, 0 changed." in wang.get(answer["Location"]).content
    report = b"".join(wang.get(reverse("import_report", args=[run.pk])).streaming_content).decode("utf-8-sig")
    assert report.splitlines()[0] == "Line,What becomes of it,Number,Name,Owner,Field,Was,Becomes,Why"
    assert "'=cmd()" in report
    assert wang.get(reverse("import_file", args=[run.pk])).content == LIST
    assert Instrument.objects.filter(inner_id__in=["A1", "A2"]).count() == 2


def test_the_page_asks_for_the_owners_once(cast: Any, as_: Any) -> None:
    zhou = as_("zhou")
    with CaptureQueriesContext(connection) as asked:
        zhou.get(reverse("import_list"))
    listed = [one["sql"] for one in asked if 'ORDER BY "instruments_organisation"."name_pinyin"' in one["sql"]]
    assert len(listed) == 1


def test_large_changes_of_prices_are_ticked_one_by_one(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    head = b"test_item,condition,unit_price,test_code\n"
    for content, yes in ((b"XRD,,100,A\nSEM,,100,B\n", []), (b"XRD,,300,A\nSEM,,20,B\n", ["2", "3"])):
        answer = hand_over(wang, head + content, "test_items:price_list", cast.lab.pk)
        run = read(cast)
        page = wang.get(answer["Location"]).content.decode()
        if yes:
            assert "100.00 for a sample becomes 300.00 for a sample" in page and page.count('name="yes"') == 2
            refused = wang.post(reverse("import_confirm", args=[run.pk]), {"yes": ["2", "\u00b2", "9" * 30]}, follow=True)
            assert "not confirmed yet: 1" in refused.content.decode()
            assert ImportRun.objects.get(pk=run.pk).state == "preview"
        wang.post(reverse("import_confirm", args=[run.pk]), {"yes": yes})
        import_runs.work(run.pk, cast.now)
        assert ImportRun.objects.get(pk=run.pk).state == "done"


def test_rows_that_name_nothing_are_left_out_counted_and_shown(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    hand_over(wang, b"test_item,condition,unit_price,test_code\nXRD,,100,A\n/,,0,\n", "test_items:price_list", cast.lab.pk)
    run = read(cast)
    address = reverse("import_run", args=[run.pk])
    page = wang.get(address).content.decode()
    assert page.count("Left out") == 2  # the count and the row
    assert "XRD" not in wang.get(f"{address}?fate=skipped").content.decode()
    assert run_view(run).total == 2
    hand_over(wang, LIST, owner=cast.lab.pk)
    assert "Left out" not in wang.get(reverse("import_run", args=[read(cast).pk])).content.decode()


def test_htmx_asks_for_progress_until_there_is_something_to_look_at(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    hand_over(wang, LIST, owner=cast.lab.pk)
    run = ImportRun.objects.latest("pk")
    url = reverse("import_progress", args=[run.pk])
    piece = wang.get(url, headers={"HX-Request": "true"})
    assert piece.content.lstrip().startswith(b'<div id="import-progress"')
    assert wang.get(url).status_code == 302
    read(cast)
    done = wang.get(url, headers={"HX-Request": "true"})
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")


def test_refused_rows_stand_with_their_field_and_can_be_downloaded_alone(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    hand_over(wang, b"inner_id,name,region_code\nA1,SEM,639999\nA2,XRD,630104\n", owner=cast.lab.pk)
    run = read(cast)
    page = wang.get(reverse("import_run", args=[run.pk])).content.decode()
    assert "One row is refused" in page
    assert "There is no division 639999" in page
    assert "Confirm and write" not in page
    report = b"".join(wang.get(reverse("import_report", args=[run.pk]) + "?fate=refused").streaming_content).decode()
    assert len(report.splitlines()) == 2
    answer = wang.post(reverse("import_confirm", args=[run.pk]), follow=True)
    assert b"1 rows are refused" in answer.content


def test_columns_of_an_unknown_list_are_chosen_once(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    hand_over(wang, b"Asset ID,Equipment,Odd\n7,SEM,x\n", "instruments:new", cast.lab.pk)
    run = read(cast)
    page = wang.get(reverse("import_run", args=[run.pk])).content.decode()
    assert '<option value="inner_id" selected>' in page
    assert "organisation.name" not in page
    url = reverse("import_columns", args=[run.pk])
    wrong = wang.post(url, {"column_0": "name", "column_1": "name", "save_as": "Ours"})
    assert wrong.status_code == 422
    assert b"is chosen for more than one column" in wrong.content
    assert b'value="Ours"' in wrong.content
    wang.post(url, {"column_0": "inner_id", "column_1": "name", "column_2": "", "save_as": "Ours"})
    assert read(cast).state == "preview"
    listed = wang.get(reverse("import_list")).content.decode()
    assert "A list with a saved mapping" in listed
    mapping = SavedMapping.objects.get()
    hand_over(wang, b"Asset ID,Equipment,Odd\n8,XRD,x\n", "instruments:saved", cast.lab.pk, mapping=mapping.pk)
    assert read(cast).counts["created"] == 1
    wang.post(reverse("mapping_forget", args=[mapping.pk]))
    assert not SavedMapping.objects.exists()


def test_a_mapping_goes_out_as_a_file_and_comes_in_again(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    document = {
        "fields": {"name": {"column": "Equipment", "before": " ("}, "status": {"column": "On", "values": {"y": "normal"}}}
    }
    add = reverse("mapping_add")
    wrong = {"mapping-map": SimpleUploadedFile("m.json", b"{"), "mapping-name": "Ours", "mapping-owner": cast.lab.pk}
    answer = wang.post(add, wrong)
    assert answer.status_code == 422
    assert b"The map m.json is not readable JSON" in answer.content and b'value="Ours"' in answer.content
    sent = SimpleUploadedFile("m.json", json.dumps(document).encode())
    page = wang.post(add, wrong | {"mapping-map": sent}, follow=True).content.decode()
    mapping = SavedMapping.objects.get()
    address = reverse("mapping_file", args=[mapping.pk])
    assert "The mapping is saved" in page and address in page
    assert mapping.document == document == json.loads(wang.get(address).content)
    assert as_("lin").get(address).status_code == 404
    assert wang.post(add, wrong | {"mapping-map": sent, "mapping-owner": "everybody"}).status_code == 422


def test_what_is_wrong_with_the_form_is_said_and_kept(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    for body in ({}, {"form": "nothing:csv", "owner": cast.lab.pk}, {"form": "instruments:csv", "owner": 999_999}):
        answer = wang.post(reverse("import_list"), body)
        assert answer.status_code == 422
        assert b"Please correct this" in answer.content
    assert hand_over(wang, b"", owner=cast.lab.pk).status_code == 422
    assert not ImportRun.objects.exists()


def test_a_value_without_its_field_or_two_for_one_are_not_dropped_silently() -> None:
    kind = import_kinds.kind_of("instruments")
    field = kind.constants[0]
    typed = {"field_0": field, "value_0": "a", "field_1": field, "value_1": "b", "field_2": "", "value_2": "c"}
    form = ReadingForm(kind, {}, ReadingOptions(), typed)
    assert not form.is_valid() and set(form.errors) == {"field_1", "field_2"}
    assert ReadingForm(kind, {}, ReadingOptions(), {"field_0": field, "value_0": "a"}).is_valid()
    assert ReadingForm(kind, {}, ReadingOptions(), {"field_0": field, "value_0": "", "field_1": field, "value_1": "b"}).is_valid()


def test_an_import_is_given_up_on_the_page(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    hand_over(wang, LIST, owner=cast.lab.pk)
    run = read(cast)
    page = wang.post(reverse("import_cancel", args=[run.pk]), follow=True).content
    assert b"Nothing was written." in page
    again = wang.post(reverse("import_cancel", args=[run.pk]), follow=True).content
    assert b"has moved on" in again


def test_what_the_worker_left_lying_offers_to_go_on_or_to_give_up(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    hand_over(wang, LIST, owner=cast.lab.pk)
    run = read(cast)
    page, piece = reverse("import_run", args=[run.pk]), reverse("import_progress", args=[run.pk])
    wang.post(reverse("import_confirm", args=[run.pk]))
    for place in (page, piece):
        shown = wang.get(place, headers={"HX-Request": "true"} if place == piece else {}).content
        assert b"The rows are being written" in shown and b"Go on with it" not in shown
    assert b"still at work" in wang.post(reverse("import_go_on", args=[run.pk]), follow=True).content
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name = 'instruments.import_run'")
    for place in (page, piece):
        shown = wang.get(place, headers={"HX-Request": "true"} if place == piece else {}).content
        assert b"has left it lying. Nothing was written." in shown and b"every 2s" not in shown
        assert (
            reverse("import_go_on", args=[run.pk]).encode() in shown and reverse("import_cancel", args=[run.pk]).encode() in shown
        )
    assert b"The rows are being written" in wang.post(reverse("import_go_on", args=[run.pk]), follow=True).content
    import_runs.work(run.pk, cast.now)
    assert b"Written: 2 new, 0 changed." in wang.get(page).content


def test_a_page_of_ten_thousand_rows_asks_as_little_as_one_of_ten(
    cast: Any, as_: Any, django_assert_max_num_queries: Any
) -> None:
    wang = as_("wang")
    rows = b"\n".join(b"N%d,SEM %d" % (number, number) for number in range(300))
    hand_over(wang, b"inner_id,name\n" + rows, owner=cast.lab.pk)
    run = read(cast)
    with django_assert_max_num_queries(12):
        page = wang.get(reverse("import_run", args=[run.pk]) + "?page=2").content.decode()
    assert page.count('data-label="What becomes of it"') == 50


def test_the_meter_stands_on_the_list_and_the_page_says_what_to_do(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    listed = wang.get(reverse("instrument_list")).content.decode()
    url = reverse("organisation_completeness", args=[cast.lab.pk])
    assert f'hx-get="{url}"' in listed
    page = wang.get(url).content.decode()
    assert "0 of 1 instruments are complete" in page
    assert "Main functions" in page
    assert reverse("instrument_edit", args=[cast.xrd.pk]) in page
    piece = wang.get(url, headers={"HX-Request": "true"}).content.decode()
    assert piece.startswith('<div class="meter-line">')
    assert "<html" not in piece
    assert wang.get(reverse("organisation_national_record", args=[cast.lab.pk])).content.startswith(b"PK")
    assert url not in as_("lin").get(reverse("instrument_list")).content.decode()


def test_the_operator_keeps_zones(cast: Any, as_: Any) -> None:
    zhou = as_("zhou")
    assert b"No zones yet" in zhou.get(reverse("zone_list")).content
    body = {"slug": "high-tech", "name": "High-tech Zone", "region_code": "630105", "valid_from": "2026-01-01"}
    wrong = zhou.post(reverse("zone_create"), body | {"slug": "High Tech", "region_code": "639999"})
    assert wrong.status_code == 422
    assert b"There is no division 639999" in wrong.content
    zhou.post(reverse("zone_create"), body)
    zone = PolicyZone.objects.get()
    zhou.post(reverse("zone_edit", args=[zone.pk]), {"name": "High-tech Zone", "valid_to": "2027-01-01"})
    zone.refresh_from_db()
    assert (zone.slug, str(zone.valid_to), zone.region_code) == ("high-tech", "2027-01-01", "")
    assert reverse("zone_list") in zhou.get(reverse("organisation_list")).content.decode()


def test_a_list_of_bookings_is_taken_back_on_its_page_unless_something_hangs_on_it(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    rows = b"E-mail,Instrument,Start,End\nlin@example.org,X-ray diffractometer,2026-10-25 09:00,2026-10-25 11:00\n"
    page = hand_over(wang, rows, "bookings:booking_list", cast.lab.pk)["Location"]
    run = read(cast)
    assert b"Take this import back" not in wang.get(page).content
    wang.post(reverse("import_confirm", args=[run.pk]))
    import_runs.work(run.pk, cast.now)
    assert b"Take this import back" in wang.get(page).content
    assert b"Take this import back" not in as_("zhou").get(page).content
    reservation = Reservation.objects.get()
    shown = as_("lin").get(reverse("reservation_detail", args=[reservation.pk])).content
    assert b"Taken over from the lab's own list" in shown
    assert b"it was brought over from the lab&#x27;s list, and nothing is charged" in shown
    undo = reverse("import_undo", args=[run.pk])
    usage_review.agree(cast.actor("lin"), reservation.pk, cast.now)
    wang.post(undo)
    import_runs.work(run.pk, cast.now)
    refused = wang.get(page).content
    assert b"None is as it came any more" in refused and b"Take this import back" in refused


def test_an_import_that_was_taken_back_says_so(cast: Any, as_: Any) -> None:
    wang = as_("wang")
    rows = b"E-mail,Instrument,Start,End\nlin@example.org,X-ray diffractometer,2026-10-25 09:00,2026-10-25 11:00\n"
    page = hand_over(wang, rows, "bookings:booking_list", cast.lab.pk)["Location"]
    run = read(cast)
    wang.post(reverse("import_confirm", args=[run.pk]))
    import_runs.work(run.pk, cast.now)
    assert wang.post(reverse("import_undo", args=[run.pk])).status_code == 302
    assert b"The import is being taken back" in wang.get(page).content
    import_runs.work(run.pk, cast.now)
    assert b"This import was taken back: one booking is cancelled." in wang.get(page).content
    assert wang.post(reverse("import_undo", args=[run.pk])).status_code == 409
