"""Files that come with a message: known by their content, few and small, and only ever given out as a download."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from booking.models import EnquiryAttachment, EnquiryMessage
from booking.rules.enquiries import MOST_ATTACHMENTS
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.models import StoredFile
from config.kernel.services import files
from instruments.services import uploads
from instruments.services.resource_requests import file_name

_ZIP = b"PK\x03\x04"
_OFFICE = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_TEXTS = {".csv": "text/csv", ".txt": "text/plain"}
ACCEPTED = ".pdf,.png,.jpg,.jpeg,.csv,.txt,.xlsx,.docx"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it was handed in."""

    content: bytes
    name: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Clean:
    """A file as it is kept."""

    content: bytes
    media_type: str
    name: str


def attachments_of(files: Iterable[UploadedFile[Any]]) -> list[Attachment]:
    """Uploaded files as they are handed in, no more of each than it takes to see that it is too big."""
    return [Attachment(uploads.received(each), each.name or "") for each in files]


def checked(attachments: Sequence[Attachment]) -> list[Clean]:
    """The files as they are kept: pictures drawn anew, everything else as it is.

    Raises Refusal ``enquiry.too_many_files``, ``enquiry.file_type`` and ``upload.*`` on field ``attachments``.
    """
    if len(attachments) > MOST_ATTACHMENTS:
        raise Refusal.of("enquiry.too_many_files", "attachments", most=MOST_ATTACHMENTS)
    return [_checked(each) for each in attachments]


def attach(actor: Actor, message: EnquiryMessage, attachments: Sequence[Clean], now: datetime) -> None:
    """Store checked files with a message that was just written."""
    for position, each in enumerate(attachments, start=1):
        stored = files.store(each.content, file_name=each.name, media_type=each.media_type, user_id=actor.user_id, now=now)
        EnquiryAttachment.objects.create(message=message, file=stored, position=position)


def attached_file(actor: Actor, attachment_id: int) -> tuple[StoredFile, bytes]:
    """A file of a thread that the actor reads. Raises NotFound, Refusal ``files.*``."""
    found = get_visible(EnquiryAttachment.objects.select_related("file"), actor, pk=attachment_id)
    return found.file, files.read(found.file)


def _checked(given: Attachment) -> Clean:
    name = file_name(given.name)
    ending = f".{name.rpartition('.')[2].lower()}" if "." in name else ""
    try:
        uploads.refuse_size(given.content)
        if ending in _OFFICE and given.content.startswith(_ZIP):
            return Clean(given.content, _OFFICE[ending], name)
        if ending in _TEXTS and _is_text(given.content):
            return Clean(given.content, _TEXTS[ending], name)
        clean = uploads.clean_document(given.content)
    except Refusal as refusal:
        raise _placed(refusal, name) from refusal
    stem = name[: -len(ending)] if ending else name
    return Clean(clean.content, clean.media_type, f"{stem}.{clean.extension}")


def _placed(refusal: Refusal, name: str) -> Refusal:
    """The reason at the field of the form, with the file's name where the type is not known."""
    reason = refusal.reasons[0]
    if reason.code == "upload.unknown_type":
        return Refusal.of("enquiry.file_type", "attachments", name=name[:80])
    return Refusal.of(reason.code, "attachments", **reason.params)


def _is_text(content: bytes) -> bool:
    """UTF-8 or GB 18030, without what no text holds."""
    if b"\x00" in content:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False
