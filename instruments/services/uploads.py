"""Files that people hand in: known by their content, never by their name or by what the browser says."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import IO

from django.conf import settings
from PIL import Image

from config.kernel.errors import Refusal

MAX_PIXELS = 50_000_000
PICTURE_MAX_PIXELS = 1600
_PDF = b"%PDF-"
_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"#!")
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class CleanFile:
    content: bytes
    media_type: str
    extension: str


def received(file: IO[bytes]) -> bytes:
    """The bytes of an uploaded file, no more of them than it takes to see that it is too big."""
    return file.read(settings.MAX_UPLOAD_BYTES + 1)


def clean_document(content: bytes) -> CleanFile:
    """A PDF as it is, a JPEG or PNG drawn anew (without metadata or anything appended).

    Raises Refusal on field ``file``: ``upload.empty``, ``upload.too_big`` (megabytes), ``upload.unknown_type``,
    ``upload.unreadable_image``, ``upload.too_many_pixels`` (megapixels).
    """
    refuse_size(content)
    if content.startswith(_PDF):
        return CleanFile(content, "application/pdf", "pdf")
    return _drawn_anew(content)


def clean_image(content: bytes) -> CleanFile:
    """A JPEG or PNG drawn anew. Raises as ``clean_document`` does; a PDF is ``upload.unknown_type``."""
    refuse_size(content)
    return _drawn_anew(content)


def check_delivery(content: bytes) -> None:
    """Data that one side hands to the other: kept as it is and only ever given out as a download.

    Raises Refusal on field ``file``: ``upload.empty``, ``upload.too_big``, ``resource_request.file_is_program``.
    """
    refuse_size(content)
    if content.startswith(_PROGRAMS):
        raise Refusal.of("resource_request.file_is_program", field="file")


def drawn_picture(content: bytes) -> bytes:
    """A picture for a page: WebP of at most 1600 pixels a side without metadata. Raises as ``clean_image`` does."""
    with Image.open(BytesIO(clean_image(content).content)) as image:
        image.thumbnail((PICTURE_MAX_PIXELS, PICTURE_MAX_PIXELS))
        out = BytesIO()
        image.save(out, "WEBP", quality=82)
    return out.getvalue()


def refuse_size(content: bytes) -> None:
    """Raise Refusal ``upload.empty`` or ``upload.too_big`` (megabytes) on field ``file``."""
    if not content:
        raise Refusal.of("upload.empty", field="file")
    if len(content) > settings.MAX_UPLOAD_BYTES:
        raise Refusal.of("upload.too_big", field="file", megabytes=settings.MAX_UPLOAD_BYTES // 1024**2)


def _upright(image: Image.Image) -> Image.Image:
    """The picture turned as its metadata says; the rest of the metadata is neither read nor written, so it may be damaged."""
    turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    return image if turn is None else image.transpose(turn)


def _drawn_anew(content: bytes) -> CleanFile:
    kind = "JPEG" if content.startswith(_JPEG) else "PNG" if content.startswith(_PNG) else ""
    if not kind:
        raise Refusal.of("upload.unknown_type", field="file")
    try:
        with Image.open(BytesIO(content), formats=[kind]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Refusal.of("upload.too_many_pixels", field="file", megapixels=MAX_PIXELS // 1_000_000)
            plain = _upright(image).convert("RGB" if kind == "JPEG" else "RGBA")
    except Refusal:
        raise
    except Exception:  # what a decoder meets in a damaged file ends in OSError, ValueError, SyntaxError, but struct.error too
        raise Refusal.of("upload.unreadable_image", field="file") from None
    plain.info = {}
    out = BytesIO()
    if kind == "JPEG":
        plain.save(out, "JPEG", quality=90)
        return CleanFile(out.getvalue(), "image/jpeg", "jpg")
    plain.save(out, "PNG")
    return CleanFile(out.getvalue(), "image/png", "png")
