"""Keeping a record through the pages: the form, drafts and reviews, pictures, tables, problems, ratings."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook
from PIL import Image

from booking.models import SessionRating
from instruments.models import (
    CustomsRecord,
    Instrument,
    InstrumentChange,
    InstrumentFunding,
    InstrumentImage,
    InstrumentProblem,
    InstrumentSheet,
    Organisation,
)
from instruments.services import registry
from tests.frontend.acting import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def edit_page(cast):
    return reverse("instrument_edit", args=[cast.xrd.pk])


@pytest.fixture
def typed(cast):
    """``typed(functions="x")``: what the form sends, as it would be sent when only that was changed."""

    def make(**changes):
        stored = Instrument.objects.get(pk=cast.xrd.pk)
        return {
            "name": stored.name,
            "class_code": stored.class_code,
            "site": stored.site_id,
            "status": stored.status,
            "service_modes": stored.service_modes,
            "published": "on",
            "revision": stored.updated_at.isoformat(),
        } | changes

    return make


@pytest.fixture
def reviewed(cast):
    Organisation.objects.filter(pk=cast.lab.pk).update(reviews_needed=True)


def picture():
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    return SimpleUploadedFile("p.png", out.getvalue())


def test_the_form_holds_every_field_of_the_record_and_saves_it(cast, as_, edit_page, typed):
    html = as_("wang").get(edit_page).content.decode()
    for name in (
        "technical_indicators",
        "customs_hs_code",
        "funding_central",
        "effect_2",
        "nation_code",
        "doi",
        "contact_postal_code",
    ):
        assert f'name="{name}"' in html, name
    sent = typed(
        functions="Phases\r\n of salts",
        keywords="salt\r\nlithium",
        nation_code="DE",
        imported="yes",
        customs_supervised="yes",
        customs_declaration_number="310120190718654321",
        customs_may_share="no",
        original_value="1,650,000",
        funding_central="100000.5",
        funding_own="-",
        purchased_on="2019-05-07",
        training_needed="on",
    )
    assert as_("wang").post(edit_page, sent).status_code == 302
    stored = Instrument.objects.get(pk=cast.xrd.pk)
    assert (stored.functions, stored.keywords, stored.nation_code, stored.imported) == (
        "Phases\nof salts",
        ["salt", "lithium"],
        "DE",
        True,
    )
    assert CustomsRecord.objects.get().may_share is False
    assert dict(InstrumentFunding.objects.values_list("source", "amount_fen")) == {"central": 10_000_050, "own": None}
    again = as_("wang").get(edit_page).content.decode()
    for shown in ('value="310120190718654321"', 'value="1650000.00"', 'value="100000.50"', 'value="2019-05-07"', "salt\nlithium"):
        assert shown in again, shown


def test_a_text_of_exactly_the_allowed_length_is_taken_with_the_line_breaks_of_a_browser(cast, as_, edit_page, typed):
    longest = "\r\n".join(["x" * 99] * 9)
    assert len(longest.replace("\r\n", "\n")) == 899
    assert as_("wang").post(edit_page, typed(functions=longest)).status_code == 302


def test_every_mistake_stands_at_its_field_and_what_was_typed_is_kept(as_, edit_page, typed):
    sent = typed(customs_hs_code="abc", funding_own="much", nation_code="XX", service_url="javascript:alert(1)", functions="kept")
    answer = as_("wang").post(edit_page, sent)
    text = words(answer)
    assert answer.status_code == 422
    assert "kept" in answer.content.decode()
    assert "much is not an amount" in text
    mended = typed(customs_hs_code="abc", service_url="javascript:alert(1)")
    text = words(as_("wang").post(edit_page, mended))
    assert "is not a web address" in text


def test_customs_mistakes_are_told_at_their_field(as_, edit_page, typed):
    answer = as_("wang").post(edit_page, typed(customs_hs_code="abc"))
    assert answer.status_code == 422
    assert 'href="#id_customs_hs_code"' in answer.content.decode()


def test_somebody_elses_change_is_not_overwritten_unseen_but_after_looking(cast, as_, edit_page, typed, clock):
    sent = typed(functions="Mine")
    clock.now = clock.now.replace(hour=3)
    registry.update_instrument(cast.actor("wang"), cast.xrd.pk, {"model": "Theirs"}, clock.now)
    answer = as_("wang").post(edit_page, sent)
    assert answer.status_code == 409
    assert "Somebody else changed this instrument" in words(answer)
    assert "Mine" in answer.content.decode()
    fresh = Instrument.objects.get(pk=cast.xrd.pk).updated_at.isoformat()
    assert f'name="revision" value="{fresh}"' in answer.content.decode()
    assert as_("wang").post(edit_page, sent | {"revision": fresh}).status_code == 302


def test_from_the_draft_to_the_published_page(cast, as_, edit_page, typed, reviewed):
    wang, zhou = as_("wang"), as_("zhou")
    answer = wang.post(edit_page, typed(functions="Phases of <b>salts</b>"))
    change = InstrumentChange.objects.get()
    assert answer["Location"] == reverse("review_detail", args=[change.pk])
    page = answer["Location"]
    assert "<ins>Phases of &lt;b&gt;salts&lt;/b&gt;</ins>" in wang.get(page).content.decode()
    assert zhou.get(page).status_code == 200
    assert "Decision" not in words(zhou.get(page))
    wang.post(reverse("review_act", args=[change.pk]), {"action": "submit"})
    assert "X-ray diffractometer" in words(zhou.get(reverse("review_queue")))
    html = zhou.get(page).content.decode()
    mark = html.split('name="mark" value="')[1].split('"')[0]
    decide = reverse("review_decide", args=[change.pk])
    refused = zhou.post(decide, {"decision": "refuse", "mark": mark, "reason": ""})
    assert refused.status_code == 422
    assert "Give a reason" in words(refused)
    assert zhou.post(decide, {"decision": "accept", "mark": "stale"}).status_code == 409
    assert zhou.post(decide, {"decision": "accept", "mark": mark}).status_code == 302
    assert "Phases of &lt;b&gt;salts&lt;/b&gt;" in as_().get(reverse("instrument_detail", args=[cast.xrd.pk])).content.decode()
    history = words(wang.get(reverse("instrument_history", args=[cast.xrd.pk])))
    assert history.index("Change accepted") < history.index("Change handed in") < history.index("Change drafted")


def test_a_visible_difference_marks_words_that_went_and_came(cast, as_, edit_page, typed, reviewed, now):
    registry.update_instrument(cast.actor("zhou"), cast.xrd.pk, {"functions": "Resolution 1.0 nm"}, now)
    answer = as_("wang").post(edit_page, typed(functions="Resolution 0.8 nm"))
    html = as_("zhou").get(answer["Location"]).content.decode()
    assert "Resolution <del>1.0</del><ins>0.8</ins> nm" in html


def test_a_clash_is_shown_and_accepted_only_knowingly(cast, as_, edit_page, typed, reviewed, clock):
    as_("wang").post(edit_page, typed(functions="Mine"))
    change = InstrumentChange.objects.get()
    as_("wang").post(reverse("review_act", args=[change.pk]), {"action": "submit"})
    clock.now = clock.now.replace(hour=3)
    registry.update_instrument(cast.actor("zhou"), cast.xrd.pk, {"functions": "The operator's"}, clock.now)
    page = as_("zhou").get(reverse("review_detail", args=[change.pk]))
    assert "changed meanwhile" in words(page)
    assert "Stands there now: The operator" in words(page)
    mark = page.content.decode().split('name="mark" value="')[1].split('"')[0]
    decide = reverse("review_decide", args=[change.pk])
    assert as_("zhou").post(decide, {"decision": "accept", "mark": mark}).status_code == 409
    assert as_("zhou").post(decide, {"decision": "accept", "mark": mark, "overwrite": "yes"}).status_code == 302


def test_a_new_instrument_is_handed_in_for_publication(cast, as_, reviewed):
    answer = as_("wang").post(
        reverse("instrument_create"),
        {"name": "New lathe", "site": cast.site.pk, "status": "normal", "published": "on"},
        follow=True,
    )
    assert "Nobody else sees it yet" in words(answer)
    made = Instrument.objects.get(name="New lathe")
    page = reverse("instrument_detail", args=[made.pk])
    assert as_().get(page).status_code == 404
    assert "Hand in for publication" in words(as_("wang").get(page))
    as_("wang").post(reverse("instrument_publish", args=[made.pk]))
    assert "shown to everybody" in words(as_("zhou").get(reverse("review_detail", args=[InstrumentChange.objects.get().pk])))


def test_pictures_are_added_moved_and_undone(cast, as_):
    wang, files = as_("wang"), reverse("instrument_files", args=[cast.xrd.pk])
    for caption in ("one", "two"):
        assert (
            wang.post(reverse("instrument_picture_add", args=[cast.xrd.pk]), {"file": picture(), "caption": caption}).status_code
            == 302
        )
    first, second = InstrumentImage.objects.order_by("position")
    act = reverse("instrument_picture_act", args=[cast.xrd.pk, second.pk])
    wang.post(act, {"action": "earlier"})
    assert list(InstrumentImage.objects.order_by("position").values_list("caption", flat=True)) == ["two", "one"]
    shown = as_().get(reverse("instrument_photo", args=[cast.xrd.pk, first.file.sha256[:16]]))
    assert shown["Content-Type"] == "image/webp"
    answer = wang.post(act, {"action": "remove"}, follow=True)
    assert "Put it back" in words(answer)
    assert answer.request["PATH_INFO"] == files
    wang.post(act, {"action": "restore"})
    assert InstrumentImage.objects.filter(removed_at=None).count() == 2
    assert wang.post(act, {"action": "explode"}).status_code == 404
    bad = wang.post(
        reverse("instrument_document_add", args=[cast.xrd.pk]), {"file": SimpleUploadedFile("x.pdf", b"<svg/>"), "title": "X"}
    )
    assert bad.status_code == 422


def test_a_table_goes_out_and_comes_back(cast, as_):
    wang = as_("wang")
    assert "Edit in a table" in words(wang.get(reverse("instrument_list")))
    answer = wang.get(reverse("sheet_download", args=[cast.lab.pk]), {"columns": ["functions", "nonsense"]})
    assert answer["Content-Disposition"].startswith("attachment")
    book = load_workbook(io.BytesIO(answer.content))
    place = next(cell.column for cell in book.worksheets[0][1] if cell.value == "functions")
    book.worksheets[0].cell(3, place).value = "Phases"
    out = io.BytesIO()
    book.save(out)
    upload = reverse("sheet_upload", args=[cast.lab.pk])
    preview = wang.post(upload, {"file": SimpleUploadedFile("t.xlsx", out.getvalue())})
    page = wang.get(preview["Location"])
    assert "1 row changes in 1 cells" in words(page)
    assert "<ins>Phases</ins>" in page.content.decode()
    done = wang.post(reverse("sheet_apply", args=[InstrumentSheet.objects.get().pk]), follow=True)
    assert "1 instruments are changed" in words(done)
    assert Instrument.objects.get(pk=cast.xrd.pk).functions == "Phases"
    for content, status in ((b"", 422), (b"junk", 422), (b"PK\x03\x04", 422)):
        assert wang.post(upload, {"file": SimpleUploadedFile("t.xlsx", content)}).status_code == status
    assert as_("lin").get(reverse("sheet_start")).status_code == 403


def test_a_problem_is_reported_and_answered(cast, as_):
    report = reverse("problem_report", args=[cast.xrd.pk])
    assert "/accounts/login/" in as_().get(report)["Location"]
    assert as_("lin").post(report, {"text": " "}).status_code == 422
    assert as_("lin").post(report, {"text": "It <b>hums</b>", "file": picture()}).status_code == 302
    problem = InstrumentProblem.objects.get()
    listed = as_("wang").get(reverse("problem_list"))
    assert "It &lt;b&gt;hums&lt;/b&gt;" in listed.content.decode()
    assert as_("wang").get(reverse("problem_photo", args=[problem.pk]))["Content-Type"] == "image/webp"
    handle = reverse("problem_handle", args=[problem.pk])
    assert as_("wang").post(handle, {"state": "nonsense"}).status_code == 422
    assert as_("wang").post(handle, {"state": "solved", "answer": "Fixed", "instrument_status": "normal"}).status_code == 302
    assert "No problem is open" in words(as_("wang").get(reverse("problem_list")))
    assert "Fixed" in words(as_("wang").get(reverse("problem_list"), {"show": "all"}))


def test_a_session_is_rated_answered_and_hidden(cast, as_, charged):
    pk = charged(9, 12)
    booking, page = reverse("reservation_detail", args=[pk]), reverse("instrument_detail", args=[cast.xrd.pk])
    assert "How was it?" in words(as_("lin").get(booking))
    assert "How was it?" not in words(as_("wang").get(booking))
    bad = as_("lin").post(reverse("rating_give", args=[pk]), {"stars": "9"})
    assert bad.status_code == 422
    as_("lin").post(reverse("rating_give", args=[pk]), {"stars": "4", "comment": "Good <i>data</i>"})
    assert "How was it?" not in words(as_("lin").get(booking))
    text = words(as_().get(page))
    assert "4.0 of 5, 1 rating" in text
    assert "Lin" not in text
    rating = SessionRating.objects.get()
    as_("wang").post(reverse("rating_answer", args=[rating.pk]), {"answer": "Thank you"})
    assert "The lab answers: Thank you" in words(as_().get(page))
    as_("zhou").post(reverse("rating_hide", args=[rating.pk]), {"reason": "Names somebody"})
    assert "Good" not in words(as_().get(page))
    assert "Hidden by the operator: Names somebody" in words(as_("lin").get(booking))


def test_the_operator_says_whose_changes_are_looked_at(cast, as_):
    page, post = reverse("organisation_detail", args=[cast.lab.pk]), reverse("organisation_reviews", args=[cast.lab.pk])
    assert "Changes of its instruments" in words(as_("zhou").get(page))
    assert "Changes of its instruments" not in words(as_("wang").get(page))
    for value, stored in (("yes", True), ("no", False), ("", None)):
        as_("zhou").post(post, {"reviews": value})
        assert Organisation.objects.get(pk=cast.lab.pk).reviews_needed is stored
