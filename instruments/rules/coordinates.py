"""Where on earth something stands, in decimal degrees (WGS 84)."""

from __future__ import annotations

import unicodedata
from decimal import Decimal, InvalidOperation

from config.kernel.errors import Reason, Refusal

LATITUDE, LONGITUDE = "latitude", "longitude"
_LIMITS = {LATITUDE: 90, LONGITUDE: 180}
#: A tenth of a metre.
_PLACES = Decimal("0.000001")
_LONGEST = 30


def coordinates(latitude: str, longitude: str) -> tuple[Decimal | None, Decimal | None]:
    """Both as typed, in degrees (south and west with a minus), or two empty texts for neither.

    Raises Refusal ``place.coordinate_unreadable``, ``place.coordinate_range``, ``place.coordinate_missing`` with every reason.
    """
    typed = {LATITUDE: _plain(latitude), LONGITUDE: _plain(longitude)}
    if not any(typed.values()):
        return None, None
    found: dict[str, Decimal] = {}
    reasons = []
    for field, text in typed.items():
        if not text:
            reasons.append(Reason("place.coordinate_missing", {}, field))
            continue
        try:
            found[field] = _degrees(text, field)
        except Refusal as refusal:
            reasons += refusal.reasons
    Refusal.raise_any(reasons)
    return found[LATITUDE], found[LONGITUDE]


def _degrees(text: str, field: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if len(text) > _LONGEST or not number.is_finite():
        raise Refusal.of("place.coordinate_unreadable", field, text=text[:_LONGEST])
    limit = _LIMITS[field]
    if not -limit <= number <= limit:
        raise Refusal.of("place.coordinate_range", field, limit=limit)
    return number.quantize(_PLACES)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\u2212", "-").strip()
