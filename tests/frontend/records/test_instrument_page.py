"""The public page of an instrument: what a visitor reads, what crawlers and cameras get, and what it costs to make."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
import segno
from django.urls import reverse
from lxml import etree

from booking.services import ratings
from instruments.models import DataSet, Instrument, Organisation, Resource, TestItem
from instruments.services import instrument_details, instrument_files, problems, registry
from tests.frontend.acting import query_count, words

pytestmark = pytest.mark.django_db

HOSTILE = {
    "name": "<script>alert(1)</script>",
    "functions": "<img src=x onerror=alert(1)> & Phases\nof salts",
    "technical_indicators": "0.0001 degrees",
    "keywords": ["<b>salt</b>", "盐湖"],
    "access_terms": "Everybody\n<i>may</i>",
    "nation_code": "DE",
    "training_needed": True,
}


@pytest.fixture
def page(cast):
    return reverse("instrument_detail", args=[cast.xrd.pk])


@pytest.fixture
def rich(cast, now):
    wang = cast.actor("wang")
    registry.update_instrument(wang, cast.xrd.pk, HOSTILE, now)
    for number in range(3):
        instrument_files.add_document(wang, cast.xrd.pk, b"%PDF-1.4", f"Manual {number} <b>", now)
    return cast.xrd


def test_a_visitor_reads_everything_in_the_order_of_the_questions(as_, page, rich, programmes):
    text = words(as_().get(page)).partition("Free times and booking")[2].partition("Contact and facts")[2]
    order = ("Training is needed first", "What it can do", "0.0001 degrees", "Sharing, terms",
             "Free times", "Price and subsidy", "For example", "You pay now", "Booking rules", "Documents", "How much it is used",
             "Ratings", "Report a problem", "Contact and facts", "Germany (DE)")  # fmt: skip
    at = 0
    for part in order:
        assert part in text[at:], f"{part} does not come after what was there before"
        at = text.index(part, at)


def test_hostile_texts_stay_texts(as_, page, rich):
    html = as_().get(page).content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; Phases<br>of salts" in html
    assert "Manual 0 &lt;b&gt;" in html


def test_the_page_takes_few_queries_however_much_there_is(cast, as_, page, rich, programmes, charged, now):
    wang = cast.actor("wang")

    def add(number: int) -> None:
        instrument_files.add_document(wang, cast.xrd.pk, b"%PDF-1.4", f"More {number}", now)
        ratings.rate(cast.actor("lin"), charged(8 + 2 * number, 9 + 2 * number), 4, "fine", now)
        problems.report(cast.actor("lin"), cast.xrd.pk, f"hum {number}", now)
        resource = Resource.objects.create(
            kind="test_item", organisation=cast.lab, name=f"Li {number}", published=True, created_at=now, updated_at=now
        )
        TestItem.objects.create(resource=resource).instruments.add(cast.xrd)

    add(0)
    few = query_count(as_(), page)
    assert few < 25
    for number in range(1, 4):
        add(number)
    assert query_count(as_(), page) <= few


def test_what_is_measured_with_it_and_what_it_supported_is_shown_when_published(cast, as_, page, now):
    common = {"organisation": cast.lab, "created_at": now, "updated_at": now}
    item = Resource.objects.create(kind="test_item", name="Li in brine", published=True, **common)
    TestItem.objects.create(resource=item, method="ICP-OES", turnaround_days=3).instruments.add(cast.xrd)
    for published in (True, False):
        data = Resource.objects.create(kind="dataset", name=f"Brine data {published}", published=published, **common)
        DataSet.objects.create(resource=data).instruments.add(cast.xrd)
    text = words(as_().get(page))
    for shown in ("Li in brine", "ICP-OES", "3 workdays", "Brine data True"):
        assert shown in text
    assert "Brine data False" not in text


@pytest.mark.parametrize(
    ("status", "meaning"),
    [("occasionally_faulty", "fails now and then"), ("under_repair", "being repaired"), ("retired", "not used any more")],
)
def test_the_state_says_what_it_means_for_booking(cast, as_, page, now, status, meaning):
    registry.set_status(cast.actor("wang"), cast.xrd.pk, status, now)
    assert meaning in words(as_().get(page))


def test_people_outside_are_warned_about_customs_and_colleagues_are_not(cast, as_, page, now):
    registry.update_instrument(cast.actor("wang"), cast.xrd.pk, {"customs_supervised": True}, now)
    warning = "Customs permission for sharing is not recorded"
    assert warning in words(as_().get(page))
    assert warning in words(as_("lin").get(page))
    assert warning not in words(as_("wang").get(page))
    instrument_details.set_customs(cast.actor("wang"), cast.xrd.pk, {"may_share": True}, now)
    assert warning not in words(as_("lin").get(page))


def test_the_lab_is_warned_about_customs_where_it_decides(cast, as_, ask, now):
    registry.update_instrument(cast.actor("wang"), cast.xrd.pk, {"customs_supervised": True}, now)
    detail = reverse("reservation_detail", args=[ask(9, 12)])
    assert "customs permission for sharing is not recorded" in words(as_("wang").get(detail))
    assert "customs permission" not in words(as_("lin").get(detail))


def test_grey_time_says_why_in_a_sentence_that_can_be_opened(cast, as_, page, approved):
    approved(9, 12)
    html = as_().get(page).content.decode()
    grey = re.findall(r'<li class="slot-gap"><details class="why"><summary>(.*?)</summary><p>(.*?)</p>', html)
    assert grey
    assert all(sentence.strip() for _summary, sentence in grey)
    assert any("Taken" in summary and "booked this time" in sentence for summary, sentence in grey)
    assert any("notice: the earliest start now is" in sentence for _summary, sentence in grey)


# --- For crawlers -----------------------------------------------------------------------------------------------------
def test_search_engines_find_one_address_both_languages_and_a_summary(cast, as_, page, now, settings):
    registry.update_instrument(cast.actor("wang"), cast.xrd.pk, {"description_en": 'Phases "of" salts ' * 30}, now)
    html = as_().get(page, {"week": "2026-11-30"}).content.decode()
    tree = etree.HTML(html)
    assert tree.xpath("//link[@rel='canonical']/@href") == [settings.PUBLIC_URL + page]
    alternates = dict(
        zip(tree.xpath("//link[@rel='alternate']/@hreflang"), tree.xpath("//link[@rel='alternate']/@href"), strict=True)
    )
    assert alternates == {
        "zh-Hans": f"{settings.PUBLIC_URL}{page}?lang=zh-hans",
        "en": f"{settings.PUBLIC_URL}{page}?lang=en",
        "x-default": settings.PUBLIC_URL + page,
    }
    (summary,) = tree.xpath("//meta[@name='description']/@content")
    assert 'Phases "of" salts' in summary
    assert len(summary) <= 160
    assert tree.xpath("//meta[@property='og:url']/@content") == [settings.PUBLIC_URL + page]
    assert not tree.xpath("//meta[@name='robots']")


def test_the_address_names_the_language_for_this_page_alone(cast, as_, page, settings):
    visitor = as_()
    assert 'lang="zh-CN"' in visitor.get(page, {"lang": "zh-hans"}).content.decode()
    answer = visitor.get(page, {"lang": "en"})
    assert f'rel="canonical" href="{settings.PUBLIC_URL}{page}?lang=en"' in answer.content.decode()
    assert 'lang="en"' in visitor.get(page).content.decode()
    assert visitor.get(page, {"lang": "<script>"}).status_code == 200
    member = as_("lin")
    assert 'lang="zh-CN"' in member.get(page, {"lang": "zh-hans"}).content.decode()


def test_an_unchanged_page_is_not_sent_again_and_a_changed_one_is(cast, as_, page, now):
    visitor = as_()
    first = visitor.get(page)
    assert first["Cache-Control"] == "private, no-cache"
    again = visitor.get(page, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    registry.update_instrument(cast.actor("wang"), cast.xrd.pk, {"functions": "New"}, now)
    assert visitor.get(page, headers={"If-None-Match": first["ETag"]}).status_code == 200
    assert "ETag" not in as_("lin").get(page)
    assert visitor.head(page).status_code == 200


def test_the_site_map_names_what_everybody_may_see_and_nothing_else(cast, as_, settings, now):
    hidden = registry.create_instrument(cast.actor("wang"), cast.site.pk, registry.InstrumentFields("Secret"), now)
    registry.set_published(cast.actor("wang"), hidden.pk, False, now)
    index = etree.fromstring(as_("wang").get(reverse("sitemap")).content)
    (part,) = [text for text in index.itertext() if text.strip()]
    answer = as_("wang").get(part.removeprefix(settings.PUBLIC_URL))
    assert answer["Content-Type"] == "application/xml"
    places = [text for text in etree.fromstring(answer.content).itertext() if text.startswith("http")]
    assert settings.PUBLIC_URL + reverse("instrument_detail", args=[cast.xrd.pk]) in places
    assert not [place for place in places if place.endswith(f"/{hidden.pk}/")]
    assert as_().get(reverse("sitemap_page", args=[7])).status_code == 404
    assert f"Sitemap: {settings.PUBLIC_URL}/sitemap.xml" in as_().get("/robots.txt").content.decode()
    Organisation.objects.filter(pk=cast.lab.pk).update(status="suspended")
    assert as_().get(reverse("instrument_detail", args=[cast.xrd.pk])).status_code == 404


# --- On the spot ------------------------------------------------------------------------------------------------------
def test_the_code_leads_to_the_page(cast, as_, page, settings):
    answer = as_().get(reverse("instrument_qr", args=[cast.xrd.pk]))
    assert (answer["Content-Type"], answer["Content-Security-Policy"]) == ("image/svg+xml", "default-src 'none'; sandbox")
    expected = BytesIO()
    segno.make(settings.PUBLIC_URL + page, error="m", micro=False).save(
        expected, kind="svg", scale=8, border=4, dark="#000", light="#fff", svgns=True, omitsize=False
    )
    assert answer.content == expected.getvalue()
    assert modules(answer.content) == [
        bytes(row) for row in segno.make(settings.PUBLIC_URL + page, error="m", micro=False).matrix
    ]
    label = words(as_().get(reverse("instrument_label", args=[cast.xrd.pk])))
    assert settings.PUBLIC_URL + page in label


def modules(svg):
    """The dark and light fields that the drawing's strokes cover, read back from the path."""
    path = re.search(rb'class="qrline"[^>]* d="([^"]+)"', svg)[1].decode()
    size = int(re.search(rb'd="M0 0h(\d+)', svg)[1])
    dark, x, y = set(), 0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path.replace("m", " m").replace("h", " h")):
        values = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "h":
            dark |= {(x + step, int(y)) for step in range(int(values[0]))}
            x += int(values[0])
        else:
            x, y = (int(values[0]), values[1]) if command == "M" else (x + int(values[0]), y + values[1])
    inner = range(4, size - 4)
    return [bytes((column, row) in dark for column in inner) for row in inner]


def test_a_document_is_a_download_that_no_browser_runs(cast, as_, rich, now):
    document = rich.documents.first()
    address = reverse("instrument_document", args=[rich.pk, document.pk])
    answer = as_().get(address)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert as_().get(reverse("instrument_document", args=[rich.pk + 1, document.pk])).status_code == 404
    instrument_files.remove_document(cast.actor("wang"), document.pk, now)
    assert as_().get(address).status_code == 404
    Instrument.objects.filter(pk=rich.pk).update(published=False)
    assert as_().get(reverse("instrument_document", args=[rich.pk, rich.documents.last().pk])).status_code == 404


@pytest.mark.parametrize("path", [
    "/instruments/{pk}/photo/aaaaaaaaaaaa%00.webp", "/instruments/{pk}/photo/%27%27%27%27%27%27%27%27%27%27%27%27.webp",
    "/sitemap-99999999999999999999.xml", "/sitemap-0.xml", "/sitemap-2.xml",
])  # fmt: skip
def test_addresses_that_nobody_gave_out_are_not_there(client, cast, path):
    assert client.get(path.format(pk=cast.xrd.pk)).status_code == 404
