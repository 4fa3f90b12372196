"""How a person wants to be told."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext, override

from config.kernel.access import Actor
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.tokens import digest
from config.kernel.services.transactions import whole
from instruments.models import ChannelAddress, Delivery, NoticeSettings, User
from instruments.notice_events import events, goes_at_once, groups
from instruments.rules.notice_times import Digest
from instruments.services import channels, notices
from instruments.services.people import one_at_a_time

CODE_VALID = timedelta(minutes=15)
CODE_EVERY = timedelta(minutes=1)
MOST_CODES = 10
"""To one person in a day, whatever addresses were given and forgotten meanwhile."""
MOST_TRIES = 5
CODE_EVENT = "account.code"
_SALT = "instruments.notices.unsubscribe"
_VALID_FOR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the page asks: channels by group, and by event where one goes another way than its group; and the rhythm of mail (see
    ``NoticeSettings``)."""

    channels: Mapping[str, Sequence[str]]
    digest: str = "immediately"
    digest_hour: int = 8
    digest_weekday: int = 0
    quiet_from: time | None = None
    quiet_until: time | None = None
    time_zone: str = "Asia/Shanghai"


@whole
def save_settings(actor: Actor, wishes: Wishes, now: datetime) -> NoticeSettings:
    """Keep the wishes; what waits to be sent moves to its new time.

    Raises Forbidden for nobody, Refusal ``notice_settings.channel_unknown``, ``.digest_unknown``, ``.quiet_both``, ``.quiet_all_day``,
    ``.zone_unknown``.
    """
    user_id = one_at_a_time(actor)
    Refusal.raise_any(list(_faults(wishes, user_id)))
    before = NoticeSettings.objects.filter(user_id=user_id).first()
    values = {
        "channels": {code: sorted(set(names)) for code, names in wishes.channels.items()},
        "digest": wishes.digest,
        "digest_hour": wishes.digest_hour,
        "digest_weekday": wishes.digest_weekday,
        "quiet_from": wishes.quiet_from,
        "quiet_until": wishes.quiet_until,
        "time_zone": wishes.time_zone,
    }
    saved, _made = NoticeSettings.objects.update_or_create(user_id=user_id, defaults=values)
    audit.record(actor, "notice_settings.save", saved, now, before=_plain(before), after=_plain(saved))
    _replan(saved, now)
    return saved


def unsubscribe_token(user_id: int, group_codes: Sequence[str]) -> str:
    """What the link in a mail carries: whoever has the mail may end such mails, without logging in."""
    return signing.dumps([user_id, list(group_codes)], salt=_SALT)


def of_token(token: str) -> tuple[User, tuple[str, ...]]:
    """(person, groups) of a link. Raises NotFound for a wrong or old one."""
    try:
        user_id, codes = signing.loads(token, salt=_SALT, max_age=_VALID_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        raise NotFound.of("access.not_found", model="notice_settings") from None
    user = User.objects.filter(pk=user_id).select_related("notice_settings").first()
    if user is None:
        raise NotFound.of("access.not_found", model="notice_settings")
    return user, tuple(code for code in codes if code in groups())


@whole
def unsubscribe(token: str, actor: Actor, now: datetime) -> tuple[str, ...]:
    """End the mails of the link's groups; again does nothing. Returns the groups. Raises NotFound."""
    user, codes = of_token(token)
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    kept = NoticeSettings.objects.filter(pk=user.pk).first() or NoticeSettings(user=user, time_zone=settings.TIME_ZONE)
    before = _plain(kept)
    for code in codes:
        single = [name for name in kept.channels if name in events() and events()[name].group == code]
        kept.channels |= {
            each: [name for name in notices.wanted_channels(kept, code, each) if name != notices.EMAIL]
            for each in (code, *single)
        }
    if _plain(kept) != before:
        kept.save()
        audit.record(actor, "notice_settings.unsubscribe", kept, now, before=before, after=_plain(kept))
    return codes


# --- Addresses of other channels --------------------------------------------------------------------------------------
@whole
def give_address(actor: Actor, channel: str, address: str, now: datetime) -> ChannelAddress:
    """Send a code to an address of the person's own; the channel may be used when it comes back.

    Raises Forbidden, Refusal ``channel.unknown``, ``channel.address_unreadable``, ``channel.too_soon``, ``channel.too_many``.
    """
    user_id = one_at_a_time(actor)
    adapter = channels.channels().get(channel)
    if adapter is None:
        raise Refusal.of("channel.unknown", "channel")
    clean = adapter.checked(address)
    _require_few_codes(user_id, now)
    code = f"{secrets.randbelow(1_000_000):06d}"
    values: dict[str, Any] = {
        "address": clean, "code_sha256": digest(code), "code_sent_at": now, "tries": 0, "verified_at": None,
    }  # fmt: skip
    saved, _made = ChannelAddress.objects.update_or_create(user_id=user_id, channel=channel, defaults=values)
    audit.record(actor, "channel_address.give", saved, now, after={"channel": channel})
    with override(User.objects.get(pk=user_id).language):
        text = gettext("Your code for Jishi: %(code)s. It is valid for 15 minutes.") % {"code": code}
    made = Delivery.objects.create(
        user_id=user_id, event=CODE_EVENT, channel=channel, address=clean, content={"title": text, "text": ""},
        created_at=now, due_at=now,
    )  # fmt: skip
    notices.defer_deliveries([(made.pk, now)], now)
    return saved


def confirm_address(actor: Actor, channel: str, code: str, now: datetime) -> ChannelAddress:
    """The code came back: the address is the person's. Raises NotFound, Refusal ``channel.code_wrong``, ``channel.code_over``."""
    saved = _try_code(actor, channel, code, now)
    if isinstance(saved, Refusal):  # a wrong try is counted, and counting must not be undone
        raise saved
    return saved


@whole
def _try_code(actor: Actor, channel: str, code: str, now: datetime) -> ChannelAddress | Refusal:
    user_id = one_at_a_time(actor)
    saved = ChannelAddress.objects.filter(user_id=user_id, channel=channel).first()
    if saved is None:
        raise NotFound.of("access.not_found", model="channel_address")
    if saved.verified_at is not None:
        return saved
    if not saved.code_sha256 or saved.code_sent_at + CODE_VALID < now or saved.tries >= MOST_TRIES:
        return Refusal.of("channel.code_over", "code")
    saved.tries += 1
    if not hmac.compare_digest(saved.code_sha256, digest("".join(code.split()))):
        saved.save(update_fields=["tries"])
        return Refusal.of("channel.code_wrong", "code", left=MOST_TRIES - saved.tries)
    saved.verified_at, saved.code_sha256 = now, ""
    saved.save(update_fields=["verified_at", "code_sha256", "tries"])
    audit.record(actor, "channel_address.confirm", saved, now, after={"channel": channel})
    return saved


@whole
def forget_address(actor: Actor, channel: str, now: datetime) -> None:
    """Reach the person there no more; nothing when there is none. Raises Forbidden for nobody."""
    for saved in ChannelAddress.objects.filter(user_id=one_at_a_time(actor), channel=channel):
        audit.record(actor, "channel_address.forget", saved, now, before={"channel": channel})
        saved.delete()


def _require_few_codes(user_id: int, now: datetime) -> None:
    """Counted by what was sent, which outlives the address: each code costs money and may annoy a stranger."""
    sent = Delivery.objects.filter(user_id=user_id, event=CODE_EVENT)
    if sent.filter(created_at__gt=now - CODE_EVERY).exists():
        raise Refusal.of("channel.too_soon", "address")
    if sent.filter(created_at__gt=now - timedelta(days=1)).count() >= MOST_CODES:
        raise Refusal.of("channel.too_many", "address", most=MOST_CODES)


def _faults(wishes: Wishes, user_id: int) -> list[Reason]:
    verified = ChannelAddress.objects.filter(user_id=user_id).exclude(verified_at=None).values_list("channel", flat=True)
    known = {notices.EMAIL, *(set(verified) & set(channels.channels()))}
    reasons = []
    if not set(wishes.channels) <= {*groups(), *events()} or any(not set(names) <= known for names in wishes.channels.values()):
        reasons.append(Reason("notice_settings.channel_unknown", {}, "channels"))
    if wishes.digest not in set(Digest) or wishes.digest_hour not in range(24) or wishes.digest_weekday not in range(7):
        reasons.append(Reason("notice_settings.digest_unknown", {}, "digest"))
    if (wishes.quiet_from is None) != (wishes.quiet_until is None):
        reasons.append(Reason("notice_settings.quiet_both", {}, "quiet_until" if wishes.quiet_from else "quiet_from"))
    elif wishes.quiet_from is not None and wishes.quiet_from == wishes.quiet_until:
        reasons.append(Reason("notice_settings.quiet_all_day", {}, "quiet_until"))
    if wishes.time_zone not in available_timezones():
        reasons.append(Reason("notice_settings.zone_unknown", {}, "time_zone"))
    return reasons


def _replan(saved: NoticeSettings, now: datetime) -> None:
    """What waits for a digest or for the end of quiet hours goes when the new wishes say."""
    rhythm = notices.rhythm_of(saved)
    waiting = Delivery.objects.select_for_update(no_key=True).filter(
        user_id=saved.pk, state="waiting", attempts=0, due_at__gt=now, notice__isnull=False
    )
    moved = []
    for one in waiting.select_related("notice").order_by("pk"):
        if one.notice is not None:
            one.digest, one.due_at = notices.planned(rhythm, one.channel, goes_at_once(one.notice.event), now)
            moved.append(one)
    Delivery.objects.bulk_update(moved, ["digest", "due_at"])
    notices.defer_deliveries([(one.pk, one.due_at) for one in moved], now)


def _plain(row: NoticeSettings | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {
        "channels": dict(row.channels), "digest": row.digest, "digest_hour": row.digest_hour,
        "digest_weekday": row.digest_weekday, "quiet_from": _clock(row.quiet_from), "quiet_until": _clock(row.quiet_until),
        "time_zone": row.time_zone,
    }  # fmt: skip


def _clock(value: time | None) -> str:
    return "" if value is None else value.isoformat()
