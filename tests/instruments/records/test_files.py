"""Pictures and documents: drawn anew, kept in order, taken away and put back, known by their content."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.services import files
from instruments.models import InstrumentImage
from instruments.queries import records
from instruments.services import instrument_files as service

pytestmark = pytest.mark.django_db


@pytest.fixture
def shown(cast, wang):
    return lambda: [image.caption for image in records.attached_to(wang, cast.xrd).images]


@pytest.fixture
def three(cast, wang, picture, now):
    return [service.add_image(wang, cast.xrd.pk, picture(), caption, now) for caption in ("one", "two", "three")]


def test_a_picture_is_drawn_anew_without_what_it_carried(cast, wang, now):
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    Image.new("RGB", (4000, 100), "teal").save(out, "JPEG", exif=exif)
    image = service.add_image(wang, cast.xrd.pk, out.getvalue() + b"<script>", "Inside", now)
    content = files.read(image.file)
    assert content[:4] == b"RIFF"
    assert b"secret" not in content
    assert b"script" not in content
    assert max(Image.open(io.BytesIO(content)).size) == 1600


def test_pictures_move_within_their_order_and_not_beyond(wang, three, shown, now):
    service.move_image(wang, three[2].pk, -1, now)
    assert shown() == ["one", "three", "two"]
    service.move_image(wang, three[0].pk, -1, now)
    service.move_image(wang, three[0].pk, 99, now)
    assert shown() == ["three", "two", "one"]
    assert list(InstrumentImage.objects.order_by("position").values_list("position", flat=True)) == [1, 2, 3]


def test_a_picture_that_was_taken_away_comes_back_to_its_place(cast, wang, three, shown, now):
    service.remove_image(wang, three[1].pk, now)
    assert shown() == ["one", "three"]
    with pytest.raises(NotFound):
        service.set_caption(wang, three[1].pk, "ghost", now)
    with pytest.raises(NotFound):
        service.remove_image(cast.actor("lin"), three[1].pk, now)
    service.restore_image(wang, three[1].pk, now)
    assert shown() == ["one", "two", "three"]
    with pytest.raises(NotFound):
        service.restore_image(wang, three[1].pk, now)


def test_there_is_an_end_to_pictures_and_documents(cast, wang, picture, now, monkeypatch):
    monkeypatch.setattr(service, "MOST_IMAGES", 1)
    monkeypatch.setattr(service, "MOST_DOCUMENTS", 1)
    service.add_image(wang, cast.xrd.pk, picture(), "", now)
    service.add_document(wang, cast.xrd.pk, b"%PDF-1.4", "Manual", now)
    with pytest.raises(Refusal, match=r"instrument\.too_many_images"):
        service.add_image(wang, cast.xrd.pk, picture(), "", now)
    with pytest.raises(Refusal, match=r"instrument\.too_many_documents"):
        service.add_document(wang, cast.xrd.pk, b"%PDF-1.4", "Form", now)


@pytest.mark.parametrize(
    "content", [b"", b"<svg onload=alert(1)>", b"MZ\x90\x00", b"PK\x03\x04", b"<html>", b"\x89PNG\r\n\x1a\nbroken", b"GIF89a"]
)
def test_anything_but_a_pdf_or_a_picture_is_refused_by_its_content(cast, wang, now, content):
    with pytest.raises(Refusal, match=r"upload\."):
        service.add_document(wang, cast.xrd.pk, content, "Manual.pdf", now)
    with pytest.raises(Refusal, match=r"upload\."):
        service.add_image(wang, cast.xrd.pk, content, "", now)
    with pytest.raises(Refusal, match=r"upload\."):
        service.add_image(wang, cast.xrd.pk, b"%PDF-1.4", "", now)


def test_documents_are_taken_away_and_put_back(cast, wang, now):
    document = service.add_document(wang, cast.xrd.pk, b"%PDF-1.4 text", "Manual", now)
    service.remove_document(wang, document.pk, now)
    with pytest.raises(NotFound):
        records.document_for(cast.actor("lin"), cast.xrd.pk, document.pk)
    service.restore_document(wang, document.pk, now)
    assert records.document_for(cast.actor("lin"), cast.xrd.pk, document.pk).title == "Manual"


@pytest.mark.parametrize("person", ["lin", "li", "he"])
def test_others_look_and_do_not_touch(cast, three, picture, now, person):
    actor = cast.actor(person)
    for act in (
        lambda: service.add_image(actor, cast.xrd.pk, picture(), "", now),
        lambda: service.move_image(actor, three[0].pk, 1, now),
        lambda: service.remove_image(actor, three[0].pk, now),
        lambda: service.add_document(actor, cast.xrd.pk, b"%PDF-1.4", "x", now),
    ):
        with pytest.raises(Forbidden):
            act()
