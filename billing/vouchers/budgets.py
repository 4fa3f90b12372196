"""The quotas of vouchers as those see them who run them: allocated, given out, spent, left to give out, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, Sum

from billing.ledger.models import Account
from billing.subsidy.budgets import READERS, last_months, moved_by_month
from billing.subsidy.rules.forecast import WINDOW_DAYS, Forecast, forecast, window_of
from billing.vouchers.models import VoucherQuota
from billing.vouchers.rules.backing import VOUCHER
from config.kernel.access import Actor, visible_to


@dataclass(frozen=True, slots=True)
class QuotaBudget:
    """One quota of a published announcement, in fen. ``given_fen`` stands on its vouchers or was spent from them, ``spent_fen`` of that is
    spent; what comes back from a voucher can be given out again. ``months`` are the last twelve local months with what was spent in
    each; the forecast is of what will have been given out by the end of the year or of the vouchers."""

    quota: VoucherQuota
    granted_fen: int
    given_fen: int
    spent_fen: int
    months: tuple[tuple[str, int], ...]
    forecast: Forecast

    @property
    def waiting_fen(self) -> int:
        """Given out and not spent."""
        return self.given_fen - self.spent_fen

    @property
    def left_fen(self) -> int:
        return self.granted_fen - self.given_fen


def quota_budgets(actor: Actor, now: datetime) -> list[QuotaBudget]:
    """Every quota of every published announcement, what ends last first; three queries. Raises Forbidden."""
    actor.require(*READERS)
    today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    rows = visible_to(VoucherQuota.objects.filter(account__isnull=False), actor)
    quotas = list(rows.select_related("announcement__programme", "account").order_by("-announcement__last_on", "pk"))
    since = now - timedelta(days=WINDOW_DAYS)
    purses = Account.objects.filter(kind=VOUCHER, returns_to__in=[each.account_id for each in quotas])
    sums = purses.values_list("returns_to").annotate(
        granted=Sum("granted_fen"),
        posted=Sum("posted_fen"),
        lately=Sum("granted_fen", filter=Q(created_at__gt=since), default=0),
    )
    given = {pk: (granted, posted, lately) for pk, granted, posted, lately in sums}
    of_quota = {pk: quota for pk, quota in purses.values_list("pk", "returns_to") if quota is not None} if given else {}
    moved = moved_by_month(of_quota, today)
    return [_budget(each, given.get(each.account_id, (0, 0, 0)), moved.get(each.account_id or 0, {}), today) for each in quotas]


def _budget(quota: VoucherQuota, given: tuple[int, int, int], moved: Mapping[str, tuple[int, int]], today: date) -> QuotaBudget:
    account, (given_fen, spent_fen, recent_fen) = quota.account, given
    assert account is not None
    began = account.created_at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    return QuotaBudget(
        quota=quota,
        granted_fen=account.granted_fen + given_fen,
        given_fen=given_fen,
        spent_fen=spent_fen,
        months=tuple((month, moved.get(month, (0, 0))[0]) for month in last_months(today)),
        forecast=forecast(
            granted_fen=account.granted_fen + given_fen,
            posted_fen=given_fen,
            held_fen=0,
            recent_fen=recent_fen,
            window_days=window_of(today, min(began, today)),
            today=today,
            last_day=quota.announcement.last_on,
        ),
    )
