"""What a group's leader, the requester and the lab are told about spending, in the transaction of the change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from booking.models import LeaderApproval, Reservation, ReservationSeries
from booking.rules.samples import JobState
from booking.rules.spending import LeaderState
from booking.rules.states import ReservationState
from booking.services import notices, sample_news
from config.kernel.services.silence import is_silent
from instruments.models import FundCard
from instruments.services.notices import News, person, settle, tell

ASKED = "reservation.leader_asked"
ASKED_OF_SERIES = "series.leader_asked"


def asked(reservation: Reservation, card: FundCard, amount_fen: int, now: datetime) -> None:
    """The leader has something to answer; what was asked before about the same booking is not asked any more."""
    settled(reservation, now)
    if is_silent() or notices.is_told_together():
        return
    params = notices.params_of(reservation) | {
        "amount_fen": amount_fen,
        "card": card.number,
        "person": str(reservation.requested_by),
    }
    news = News(ASKED, params, reverse("leader_inbox"), reservation)
    tell(news, person(card.group.leader_id), now)


def asked_of_series(series: ReservationSeries, waiting: Sequence[LeaderApproval], now: datetime) -> None:
    """The leader has several times of a series to answer, and hears of them once; ``waiting`` (at least one) come with card, group and
    reservation."""
    card = waiting[0].card
    settle(series, (ASKED_OF_SERIES,), now)
    if is_silent() or card is None:
        return
    times = [row.reservation for row in waiting if row.reservation is not None]
    first, last = min(times, key=lambda one: one.starts_at), max(times, key=lambda one: one.ends_at)
    params = notices.params_of(first) | {
        "ends_at": notices.params_of(last)["ends_at"],
        "count": len(times),
        "amount_fen": sum(row.asked_fen for row in waiting),
        "card": card.number,
        "person": str(first.requested_by),
    }
    tell(News(ASKED_OF_SERIES, params, reverse("leader_inbox"), series), person(card.group.leader_id), now)


def settled(reservation: Reservation, now: datetime) -> None:
    """Nobody waits for the leader any more; nor about the series, once none of its times waits."""
    settle(reservation, (ASKED,), now)
    if reservation.series_id is None:
        return
    waiting = LeaderApproval.objects.filter(reservation__series_id=reservation.series_id, state=LeaderState.WAITING)
    if not waiting.filter(reservation__state=ReservationState.REQUESTED).exclude(reservation=reservation).exists():
        settle(ReservationSeries(pk=reservation.series_id), (ASKED_OF_SERIES,), now)


def ask_new_leader(group_id: int, now: datetime) -> None:
    """Who leads a group now hears of what waits for its leader, and who led it before is not asked any more. Part of the transaction
    that changes the leader."""
    rows = LeaderApproval.objects.filter(state=LeaderState.WAITING).select_related(
        *(f"{about}__fund_card__group__leader" for about in ("reservation", "sample_job")),
        "reservation__instrument__site",
        "reservation__instrument__organisation",
        "reservation__organisation",
        "reservation__requested_by",
        *(f"sample_job__{name}" for name in ("resource", "lab", "organisation", "requested_by")),
    )
    of_group = Q(reservation__fund_card__group_id=group_id, reservation__state=ReservationState.REQUESTED)
    of_group |= Q(sample_job__fund_card__group_id=group_id, sample_job__state=JobState.ASKED)
    by_series: dict[int, list[LeaderApproval]] = defaultdict(list)
    for row in rows.filter(of_group).order_by("pk"):
        booked, job, card = row.reservation, row.sample_job, row.card
        if card is None:
            continue
        if booked is not None and booked.series_id is not None:
            by_series[booked.series_id].append(row)
            settle(booked, (ASKED,), now)
        elif booked is not None:
            asked(booked, card, row.asked_fen, now)
        elif job is not None:
            who = str(job.requested_by)
            sample_news.tell_leader(job, card.group.leader_id, now, amount_fen=row.asked_fen, card=card.number, person=who)
    for series_id, waiting in by_series.items():
        asked_of_series(ReservationSeries(pk=series_id), waiting, now)


def agreed(reservation: Reservation, now: datetime) -> None:
    """The requester hears it, and the lab has a request to answer now."""
    notices.defer(reservation, "leader_agreed", now)
    notices.defer(reservation, "requested", now)


def declined(reservation: Reservation, reason: str, now: datetime) -> None:
    """The requester hears it; the lab's inbox loses what it may have seen already."""
    notices.defer(reservation, "leader_declined", now, reason=reason)
