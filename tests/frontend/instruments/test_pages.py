"""The pages of instruments: finding, looking, keeping; what each person sees of them."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from instruments.models import Instrument
from instruments.queries import calendar_of, hours_on
from instruments.services import registry
from instruments.services.registry import InstrumentFields

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english(client: Client, settings: Any, tmp_path: Any) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    }


@pytest.fixture
def furnace(cast: Any) -> Instrument:
    fields = InstrumentFields("Tube furnace", class_code="12", status="under_repair")
    return registry.create_instrument(cast.actor("wang"), cast.site.pk, fields, cast.now)


def text(response: Any) -> str:
    return response.content.decode()


def form_of(instrument: Instrument, **changes: Any) -> dict[str, Any]:
    typed = {
        "name": instrument.name,
        "class_code": instrument.class_code,
        "site": instrument.site_id,
        "status": instrument.status,
        "service_modes": instrument.service_modes,
        "published": "on",
    }
    return typed | changes


def test_anybody_finds_instruments_and_the_address_keeps_what_was_chosen(client: Client, cast: Any, furnace: Instrument) -> None:
    page = client.get(reverse("instrument_list"), {"q": "furnace", "sort": "name"})
    assert page.status_code == 200
    assert "Tube furnace" in text(page)
    assert "X-ray diffractometer" not in text(page)
    assert 'href="?q=furnace&amp;sort=name&amp;training=no"' in text(page)
    assert "Add an instrument" not in text(page)


def test_htmx_gets_only_the_list(client: Client, cast: Any) -> None:
    piece = client.get(reverse("instrument_list"), headers={"HX-Request": "true"})
    assert text(piece).lstrip().startswith('<div class="browse')
    assert "<html" not in text(piece)
    assert "HX-Request" in piece["Vary"]


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=99999999999999999999",
        "owner=x",
        "class_code=zz",
        "region_code=63",
        "status=%00",
        "sort=evil",
        "q=%27%22<script>",
        "q=" + "a" * 5000,
        "service_mode=x",
    ],
)
def test_no_query_breaks_the_list(client: Client, cast: Any, query: str) -> None:
    page = client.get(f"{reverse('instrument_list')}?{query}")
    assert page.status_code == 200
    assert "<script>alert" not in text(page)
    assert '"<script>' not in text(page)


def test_nothing_found_offers_what_helps(client: Client, cast: Any, furnace: Instrument) -> None:
    page = text(client.get(reverse("instrument_list"), {"q": "furnace", "status": "normal"}))
    assert "Nothing fits all of this" in page
    assert 'href="?q=furnace"' in page


def test_the_page_of_an_instrument_says_what_it_is_and_when_it_is_open(client: Client, cast: Any) -> None:
    Instrument.objects.filter(pk=cast.xrd.pk).update(
        name="=cmd()", description="<b>Powder</b>", contact_email="lab@example.org", original_value_fen=123_456_00
    )
    page = text(client.get(reverse("instrument_detail", args=[cast.xrd.pk])))
    for shown in (
        "=cmd()",
        "&lt;b&gt;Powder&lt;/b&gt;",
        "Kunlun Institute",
        "08:00–20:00",
        "lab@example.org",
        "¥123,456.00",
        "Analytical instruments",
    ):
        assert shown in page
    assert "Edit" not in page


def test_a_draft_is_not_found_by_others_and_marked_for_its_lab(client: Client, cast: Any, furnace: Instrument) -> None:
    registry.set_published(cast.actor("wang"), furnace.pk, False, cast.now)
    address = reverse("instrument_detail", args=[furnace.pk])
    assert client.get(address).status_code == 404
    client.force_login(cast.users["wang"])
    assert "Draft" in text(client.get(address))


@pytest.mark.parametrize("name", ["instrument_edit", "instrument_hours"])
def test_only_the_lab_keeps_its_instruments(client: Client, cast: Any, name: str) -> None:
    address = reverse(name, args=[cast.xrd.pk])
    assert client.get(address).status_code == 302
    for person, status in (("lin", 403), ("li", 403), ("wang", 200), ("zhou", 200)):
        client.force_login(cast.users[person])
        assert client.get(address).status_code == status, person


def test_the_lab_edits_and_every_mistake_stands_at_its_field(client: Client, cast: Any) -> None:
    client.force_login(cast.users["wang"])
    address = reverse("instrument_edit", args=[cast.xrd.pk])
    bad = client.post(address, form_of(cast.xrd, name="N" * 1000, original_value="-5", site=""))
    assert bad.status_code == 422
    for problem in ("at most 300", "must not be negative", "Choose a place"):
        assert problem in text(bad)
    hidden = client.post(address, form_of(cast.xrd, name="XRD\u202egpj"))
    assert "turn the writing direction" in text(hidden)
    good = client.post(address, form_of(cast.xrd, name="XRD two", original_value="1,200.50", new_place="North campus"))
    assert good.status_code == 302
    changed = Instrument.objects.select_related("site").get(pk=cast.xrd.pk)
    assert (changed.name, changed.original_value_fen, changed.site.name) == ("XRD two", 120_050, "North campus")
    assert changed.class_code == "010301"


def test_a_new_place_that_exists_is_told_and_nothing_is_half_saved(client: Client, cast: Any) -> None:
    client.force_login(cast.users["wang"])
    answer = client.post(reverse("instrument_edit", args=[cast.xrd.pk]), form_of(cast.xrd, name="Changed", new_place="Xining"))
    assert answer.status_code == 422
    assert "There is a place called Xining already" in text(answer)
    assert Instrument.objects.get(pk=cast.xrd.pk).name == "X-ray diffractometer"


def test_the_lab_adds_an_instrument_and_goes_on_to_its_hours(client: Client, cast: Any) -> None:
    client.force_login(cast.users["wang"])
    answer = client.post(reverse("instrument_create"), {"name": "New lathe", "site": cast.site.pk, "status": "normal"})
    created = Instrument.objects.get(name="New lathe")
    assert answer["Location"] == reverse("instrument_hours", args=[created.pk])
    client.force_login(cast.users["lin"])
    assert client.get(reverse("instrument_create")).status_code == 403


def test_a_photo_is_shown_to_those_who_see_the_instrument(client: Client, cast: Any) -> None:
    client.force_login(cast.users["wang"])
    out = BytesIO()
    Image.new("RGB", (30, 20), "teal").save(out, "PNG")
    out.seek(0)
    out.name = "photo.png"
    answer = client.post(reverse("instrument_photo_set", args=[cast.xrd.pk]), {"file": out})
    assert answer.status_code == 302
    photo = Instrument.objects.select_related("photo").get(pk=cast.xrd.pk).photo
    address = reverse("instrument_photo", args=[cast.xrd.pk, photo.sha256[:16]])
    client.logout()
    shown = client.get(address)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
    assert client.get(reverse("instrument_photo", args=[cast.xrd.pk, "0" * 16])).status_code == 404
    Instrument.objects.filter(pk=cast.xrd.pk).update(published=False)
    assert client.get(address).status_code == 404
    client.force_login(cast.users["wang"])
    bad = client.post(reverse("instrument_photo_set", args=[cast.xrd.pk]), {"file": BytesIO(b"<svg/>")})
    assert bad.status_code == 422


def test_the_week_is_set_and_shown(client: Client, cast: Any) -> None:
    client.force_login(cast.users["wang"])
    address = reverse("instrument_hours", args=[cast.xrd.pk])
    assert 'value="08:00"' in text(client.get(address))
    half = client.post(address, {"valid_from": "2026-12-01", "day0_0_opens": "09:00"})
    assert half.status_code == 422
    assert "Fill in both times" in text(half)
    crossing = {"day0_0_opens": "09:00", "day0_0_closes": "12:00", "day0_1_opens": "11:00", "day0_1_closes": "13:00"}
    overlap = client.post(address, {"valid_from": "2026-12-01", **crossing})
    assert overlap.status_code == 422
    assert "Two windows overlap at 11:00" in text(overlap)
    saved = client.post(address, {"valid_from": "2026-12-01", "day0_0_opens": "09:00", "day0_0_closes": "12:00"})
    assert saved.status_code == 302
    windows = hours_on(calendar_of(cast.xrd), datetime.fromisoformat("2026-12-07").date())
    assert [(one.weekday, f"{one.opens:%H:%M}", f"{one.closes:%H:%M}") for one in windows] == [(0, "09:00", "12:00")]


def test_a_closure_is_planned_and_taken_back(client: Client, cast: Any) -> None:
    client.force_login(cast.users["wang"])
    address = reverse("instrument_close", args=[cast.xrd.pk])
    wrong = client.post(address, {"starts_local": "2099-12-02T09:00", "ends_local": "2099-12-01T09:00"})
    assert wrong.status_code == 422
    assert "The end must be after the start" in text(wrong)
    span = {"starts_local": "2099-12-01T09:00", "ends_local": "2099-12-02T18:00", "reason": "Annual service"}
    assert client.post(address, span).status_code == 302
    assert "Annual service" in text(client.get(reverse("instrument_detail", args=[cast.xrd.pk])))
    entry = next(one for one in calendar_of(cast.xrd) if one.reason)
    undo = reverse("instrument_reopen", args=[cast.xrd.pk, entry.id])
    assert client.get(undo).status_code == 405
    assert client.post(undo).status_code == 302
    assert client.post(undo).status_code == 404


def test_the_list_and_the_page_cost_the_same_queries_however_much_there_is(
    client: Client, cast: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        registry.create_instrument(cast.actor("wang"), cast.site.pk, InstrumentFields(f"Lathe {number}"), cast.now)
    client.get(reverse("instrument_list"))  # once in a process the names of codes are read
    with django_assert_max_num_queries(10):  # three of them for the next free times, one for those being calculated
        client.get(reverse("instrument_list"))
