"""Series that somebody may see, with the reservations that are left of them."""

from __future__ import annotations

from dataclasses import dataclass

from booking.models import Reservation, ReservationSeries
from config.kernel.access import Actor, get_visible, visible_to


@dataclass(frozen=True, slots=True)
class SeriesDetail:
    """A series and its reservations in order."""

    series: ReservationSeries
    reservations: list[Reservation]


def series_detail(actor: Actor, series_id: int) -> SeriesDetail:
    """Two queries however long it is. Raises NotFound."""
    rows = ReservationSeries.objects.select_related(
        "instrument__site", "instrument__organisation", "organisation", "requested_by"
    )
    series = get_visible(rows, actor, pk=series_id)
    parts = visible_to(Reservation.objects.filter(series=series), actor).order_by("ordinal")
    return SeriesDetail(series, list(parts.select_related("instrument__site", "instrument__organisation", "organisation")))
