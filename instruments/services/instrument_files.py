"""Pictures and documents of an instrument: added, put in order, taken away and put back. They are shown at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet

from config.kernel.access import Actor, get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.models import Instrument, InstrumentDocument, InstrumentImage
from instruments.rules.names import clean_name
from instruments.rules.registry_values import clean_text
from instruments.services import uploads
from instruments.services.instrument_changes import managed_instrument

MOST_IMAGES = 12
MOST_DOCUMENTS = 20
CAPTION_LENGTH = TITLE_LENGTH = 200
_OUT_OF_THE_WAY = 100_000


# --- Pictures ---------------------------------------------------------------------------------------------------------
@whole
def add_image(actor: Actor, instrument_id: int, content: bytes, caption: str, now: datetime) -> InstrumentImage:
    """A further picture, after the others.

    Raises NotFound, Forbidden, Refusal ``instrument.too_many_images``, ``upload.*`` (``file``), ``name.*`` (``caption``).
    """
    instrument = managed_instrument(actor, instrument_id)
    text = clean_text(caption, CAPTION_LENGTH, "caption")
    if _shown_images(instrument).count() >= MOST_IMAGES:
        raise Refusal.of("instrument.too_many_images", "file", maximum=MOST_IMAGES)
    stored = _store(actor, uploads.drawn_picture(content), f"instrument-{instrument.pk}.webp", "image/webp", now)
    image = InstrumentImage.objects.create(
        instrument=instrument, file=stored, caption=text, position=_last_position(instrument) + 1
    )
    _record(actor, "instrument.image_add", instrument, now, after={"image": image.pk, "caption": text, "sha256": stored.sha256})
    return image


@whole
def set_caption(actor: Actor, image_id: int, caption: str, now: datetime) -> InstrumentImage:
    """Say what a picture shows. Raises NotFound, Forbidden, Refusal ``name.*`` (``caption``)."""
    image, instrument = _image(actor, image_id)
    text = clean_text(caption, CAPTION_LENGTH, "caption")
    before, image.caption = image.caption, text
    image.save(update_fields=["caption"])
    _record(actor, "instrument.image_caption", instrument, now, {"caption": before}, {"image": image.pk, "caption": text})
    return image


@whole
def move_image(actor: Actor, image_id: int, steps: int, now: datetime) -> InstrumentImage:
    """Put a picture ``steps`` places later (earlier when negative), as far as there are places. Raises NotFound, Forbidden."""
    image, instrument = _image(actor, image_id)
    order = list(_shown_images(instrument).values_list("pk", flat=True))
    before = order.index(image.pk)
    order.insert(min(max(0, before + steps), len(order) - 1), order.pop(before))
    _renumber(instrument, order)
    _record(actor, "instrument.image_move", instrument, now, {"place": before + 1}, {"place": order.index(image.pk) + 1})
    return image


@whole
def remove_image(actor: Actor, image_id: int, now: datetime) -> InstrumentImage:
    """Take a picture away; ``restore_image`` puts it back. Raises NotFound, Forbidden."""
    image, instrument = _image(actor, image_id)
    image.removed_at = now
    image.save(update_fields=["removed_at"])
    _record(actor, "instrument.image_remove", instrument, now, {"image": image.pk, "caption": image.caption})
    return image


@whole
def restore_image(actor: Actor, image_id: int, now: datetime) -> InstrumentImage:
    """Put a picture back where it was. Raises NotFound, Forbidden, Refusal ``instrument.too_many_images``."""
    image, instrument = _image(actor, image_id, removed=True)
    order = list(_shown_images(instrument).values_list("pk", "position"))
    if len(order) >= MOST_IMAGES:
        raise Refusal.of("instrument.too_many_images", "file", maximum=MOST_IMAGES)
    place = sum(position < image.position for _pk, position in order)
    InstrumentImage.objects.filter(pk=image.pk).update(position=_OUT_OF_THE_WAY * 2 + image.pk, removed_at=None)
    keys = [pk for pk, _position in order]
    _renumber(instrument, [*keys[:place], image.pk, *keys[place:]])
    _record(actor, "instrument.image_restore", instrument, now, after={"image": image.pk, "caption": image.caption})
    return image


def _image(actor: Actor, image_id: int, *, removed: bool = False) -> tuple[InstrumentImage, Instrument]:
    found = get_visible(InstrumentImage.objects.all(), actor, pk=image_id)
    instrument = managed_instrument(actor, found.instrument_id)
    image = InstrumentImage.objects.select_for_update().get(pk=found.pk)
    if (image.removed_at is not None) != removed:
        raise NotFound.of("access.not_found", model="image")
    return image, instrument


def _shown_images(instrument: Instrument) -> QuerySet[InstrumentImage]:
    return InstrumentImage.objects.filter(instrument=instrument, removed_at=None).order_by("position")


def _last_position(instrument: Instrument) -> int:
    last: int | None = InstrumentImage.objects.filter(instrument=instrument).aggregate(last=Max("position"))["last"]
    return last or 0


def _renumber(instrument: Instrument, order: Sequence[int]) -> None:
    """Write the positions 1, 2, ... in this order; first out of the way, because no two may be the same at any moment."""
    images = {image.pk: image for image in _shown_images(instrument)}
    for offset in (_OUT_OF_THE_WAY, 0):
        for place, pk in enumerate(order, start=1):
            images[pk].position = place + offset
            images[pk].save(update_fields=["position"])


# --- Documents --------------------------------------------------------------------------------------------------------
@whole
def add_document(actor: Actor, instrument_id: int, content: bytes, title: str, now: datetime) -> InstrumentDocument:
    """A PDF or a picture for everybody who sees the instrument.

    Raises NotFound, Forbidden, Refusal ``instrument.too_many_documents``, ``upload.*`` (``file``), ``name.*`` (``title``).
    """
    instrument = managed_instrument(actor, instrument_id)
    text = clean_name(title, TITLE_LENGTH, "title")
    if InstrumentDocument.objects.filter(instrument=instrument, removed_at=None).count() >= MOST_DOCUMENTS:
        raise Refusal.of("instrument.too_many_documents", "file", maximum=MOST_DOCUMENTS)
    clean = uploads.clean_document(content)
    name = f"instrument-{instrument.pk}-document.{clean.extension}"
    stored = _store(actor, clean.content, name, clean.media_type, now)
    document = InstrumentDocument.objects.create(
        instrument=instrument, file=stored, title=text, added_at=now, added_by_id=actor.user_id
    )
    after = {"document": document.pk, "title": text, "sha256": stored.sha256}
    _record(actor, "instrument.document_add", instrument, now, after=after)
    return document


@whole
def remove_document(actor: Actor, document_id: int, now: datetime) -> InstrumentDocument:
    """Take a document away; ``restore_document`` puts it back. Raises NotFound, Forbidden."""
    document, instrument = _document(actor, document_id)
    document.removed_at = now
    document.save(update_fields=["removed_at"])
    _record(actor, "instrument.document_remove", instrument, now, {"document": document.pk, "title": document.title})
    return document


@whole
def restore_document(actor: Actor, document_id: int, now: datetime) -> InstrumentDocument:
    """Put a document back. Raises NotFound, Forbidden, Refusal ``instrument.too_many_documents``."""
    document, instrument = _document(actor, document_id, removed=True)
    if InstrumentDocument.objects.filter(instrument=instrument, removed_at=None).count() >= MOST_DOCUMENTS:
        raise Refusal.of("instrument.too_many_documents", "file", maximum=MOST_DOCUMENTS)
    document.removed_at = None
    document.save(update_fields=["removed_at"])
    _record(actor, "instrument.document_restore", instrument, now, after={"document": document.pk, "title": document.title})
    return document


def _document(actor: Actor, document_id: int, *, removed: bool = False) -> tuple[InstrumentDocument, Instrument]:
    found = get_visible(InstrumentDocument.objects.all(), actor, pk=document_id)
    instrument = managed_instrument(actor, found.instrument_id)
    document = InstrumentDocument.objects.select_for_update().get(pk=found.pk)
    if (document.removed_at is not None) != removed:
        raise NotFound.of("access.not_found", model="document")
    return document, instrument


def _store(actor: Actor, content: bytes, name: str, media_type: str, now: datetime) -> StoredFile:
    return files.store(content, file_name=name, media_type=media_type, user_id=actor.user_id, now=now)


def _record(
    actor: Actor,
    action: str,
    instrument: Instrument,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Audit, and the instrument is newer: what is cached of its page is not right any more."""
    instrument.updated_at = now
    instrument.save(update_fields=["updated_at"])
    audit.record(actor, action, instrument, now, before=before, after=after)
