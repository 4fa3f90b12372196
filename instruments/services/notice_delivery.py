"""Sending deliveries, and writing down how it went. Runs in jobs, the sending itself outside any transaction.

An attempt has three steps: claim (committed), send, record (committed). A worker that dies

* before it handed the message over: after the lease another attempt sends it, once;
* after the record: the next run of the job finds it sent, and sends nothing;
* between the provider's yes and our record: it is sent again. No protocol of mail closes this gap. Both copies bear the same
  Message-ID (``Message.id`` on other channels), by which mail programs and providers tell; the delivery is recorded once.

Nothing raises on a message that cannot be sent: it is tried again (``notice_times.MAIL_DELAYS``), then it ends as failed, where the
mail log shows it. A job's arguments are the number of the delivery, so that no log of jobs holds a text or an address.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import translation

from config.kernel.services import transactions
from instruments.models import ChannelAddress, Delivery, DeliveryState, Notice, User
from instruments.notice_events import words_of
from instruments.rules.notice_times import MAIL_DELAYS, after_quiet, retry_at
from instruments.services import channels, notice_mail, notices
from instruments.services.channels import Message, Undeliverable
from instruments.services.notice_mail import message_id
from instruments.services.settling import is_settled

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
"""How long an attempt may take before another one takes it for lost. A mail server has 20 seconds for each step."""
MOST_TOGETHER = 200
"""In one digest."""
_OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes out together: several notices of one person on one channel, or one delivery."""

    rows: tuple[Delivery, ...]
    message_id: str

    @property
    def first(self) -> Delivery:
        return self.rows[0]


def deliver(delivery_id: int, now: datetime) -> str:
    """Make one attempt when one is due; returns the state that it came to, or nothing. Safe to repeat."""
    batch = claim(delivery_id, now)
    if batch is None:
        return ""
    try:
        send(batch)
    except Undeliverable as error:
        return record(batch, DeliveryState.FAILED, _said(error), now)
    except Exception as error:  # whatever a mail server or an adapter does, the message stays in our hands
        again = retry_at(MAIL_DELAYS, batch.first.attempts, now)
        if again is None:
            logger.error("delivery %s is given up after %s attempts: %s", batch.first.pk, batch.first.attempts, _said(error))
        return record(batch, DeliveryState.WAITING if again else DeliveryState.FAILED, _said(error), now, again)
    return record(batch, DeliveryState.SENT, "", now)


def sweep(now: datetime) -> int:
    """Queue again what is overdue although nothing works on it: its job was lost for good. Returns how many. Safe to repeat."""
    late = Delivery.objects.filter(state__in=_OPEN, due_at__lt=now - 3 * LEASE).order_by("pk")
    return sum(notices.queue_once(pk) for pk in list(late.values_list("pk", flat=True)[:1000]))


def claim(delivery_id: int, now: datetime) -> Batch | None:
    """What is to be sent now, noted as being sent; None when there is nothing, or another worker has it."""
    return transactions.run(lambda: _claim(delivery_id, now))


def _claim(delivery_id: int, now: datetime) -> Batch | None:
    """Every job locks its whole set in one order; what was read before the locks is looked at again behind them."""
    seen = Delivery.objects.filter(pk=delivery_id).first()
    if seen is None or seen.state not in _OPEN or seen.due_at > now:
        return None
    locked = _locked({seen.pk, *_with_it(seen, now)})
    found = next((one for one in locked if one.pk == delivery_id), None)
    if found is None or found.state not in _OPEN or found.due_at > now:
        return None
    if found.state == DeliveryState.SENDING and found.claimed_at is not None and found.claimed_at + LEASE > now:
        notices.defer_deliveries([(found.pk, found.claimed_at + LEASE)], now)
        return None
    if (found.message_id, found.digest) != (seen.message_id, seen.digest):  # it belongs to another set by now
        notices.defer_deliveries([(found.pk, now)], now)
        return None
    rows = [one for one in locked if one.pk == found.pk or _goes_with(one, found, now)]
    wanted = [one for one in rows if _still_wanted(one)]
    dropped = [one.pk for one in rows if one not in wanted]
    Delivery.objects.filter(pk__in=dropped).update(state=DeliveryState.DROPPED, content=None)
    if not wanted or _held_by_quiet_hours(wanted, now):
        return None
    identity = found.message_id or message_id(wanted[0].pk)
    for one in wanted:
        one.state, one.claimed_at, one.attempts, one.message_id = DeliveryState.SENDING, now, one.attempts + 1, identity
        one.address = address_of(one)
    Delivery.objects.bulk_update(wanted, ["state", "claimed_at", "attempts", "message_id", "address"])
    return Batch(tuple(wanted), identity)


def _with_it(found: Delivery, now: datetime) -> list[int]:
    """A digest takes along what else is due; what went out (perhaps) once goes out again with just the same."""
    if found.message_id:
        rows = Delivery.objects.filter(message_id=found.message_id, state__in=_OPEN)
    elif found.digest and found.user_id is not None:
        rows = Delivery.objects.filter(
            user_id=found.user_id, channel=found.channel, digest=True, state=DeliveryState.WAITING, due_at__lte=now, message_id=""
        )
    else:
        return []
    return list(rows.exclude(pk=found.pk).order_by("pk").values_list("pk", flat=True)[: MOST_TOGETHER - 1])


def _locked(ids: Collection[int]) -> list[Delivery]:
    """In the order of their numbers, so that jobs of one digest wait for each other and never in a circle."""
    rows = Delivery.objects.select_related("notice", "user__notice_settings").select_for_update(of=("self",), no_key=True)
    return list(rows.filter(pk__in=ids).order_by("pk"))


def _goes_with(one: Delivery, found: Delivery, now: datetime) -> bool:
    """``_with_it`` asked of a row that is locked by now."""
    if one.message_id != found.message_id or one.state not in _OPEN:
        return False
    return bool(found.message_id) or (one.digest and one.state == DeliveryState.WAITING and one.due_at <= now)


def _held_by_quiet_hours(wanted: Sequence[Delivery], now: datetime) -> bool:
    """Whether it is quiet now for the person: it goes when that ends, however it came to be late. Ready texts were just asked for."""
    first = wanted[0]
    if first.notice is None or first.user is None:
        return False
    moment = after_quiet(now, notices.rhythm_of(notices.settings_of(first.user)))
    if moment <= now:
        return False
    ids = [one.pk for one in wanted]
    Delivery.objects.filter(pk__in=ids).update(state=DeliveryState.WAITING, claimed_at=None, due_at=moment)
    notices.defer_deliveries([(first.pk, moment)], now)
    return True


def _still_wanted(one: Delivery) -> bool:
    """The person may still log in, has not switched it off meanwhile, and nobody has dealt with it; what belongs to no notice goes in
    any case."""
    if one.notice is None:
        return True
    user = one.user
    if user is None or not user.is_active or is_settled(one.notice):
        return False
    wanted = notices.wanted_channels(notices.settings_of(user), one.notice.group, one.notice.event)
    return one.channel in wanted and bool(address_of(one))


def address_of(one: Delivery) -> str:
    """Where it goes now; nothing when the person has no address there. What belongs to no notice goes where it was asked for."""
    if one.user is None or one.notice_id is None:
        return one.address
    if one.channel == notices.EMAIL:
        return one.user.email
    known = ChannelAddress.objects.filter(user=one.user, channel=one.channel).exclude(verified_at=None).first()
    return known.address if known else ""


def send(batch: Batch) -> None:
    """Hand it to the mail server or the adapter. Raises Undeliverable, or whatever those raise."""
    first = batch.first
    if first.notice is None:
        ready = first.content or {}
        if first.channel == notices.EMAIL:
            notice_mail.send_ready(ready["title"], ready["text"], first.address, batch.message_id)
        else:
            message = Message(batch.message_id, first.address, _language(first.user), ready["title"], ready["text"], "")
            _adapter(first.channel).send(message)
        return
    told = [one.notice for one in batch.rows if one.notice is not None]
    if first.user is None:
        raise Undeliverable("nobody")
    if first.channel == notices.EMAIL:
        notice_mail.send_notices(told, first.user, batch.message_id)
    else:
        _adapter(first.channel).send(_message(told, first.user, first.address, batch.message_id))


def _message(told: Sequence[Notice], person: User, address: str, identity: str) -> Message:
    with translation.override(person.language):
        words = words_of(told[0].event, told[0].params)
    return Message(identity, address, person.language, words.title, "\n".join(words.lines), notice_mail.link(told[0].path))


def _adapter(name: str) -> channels.Channel:
    adapter = channels.channels().get(name)
    if adapter is None:
        raise Undeliverable("the channel is not there any more")
    return adapter


def _language(person: User | None) -> str:
    return person.language if person else translation.get_language() or ""


def record(batch: Batch, state: DeliveryState, error: str, now: datetime, again: datetime | None = None) -> str:
    """Write the outcome where the attempt is still ours, else nothing; what was sent keeps no text."""
    return transactions.run(lambda: _record(batch, state, error, now, again))


def _record(batch: Batch, state: DeliveryState, error: str, now: datetime, again: datetime | None) -> str:
    mine = Delivery.objects.filter(
        pk__in=[one.pk for one in batch.rows], state=DeliveryState.SENDING, claimed_at=batch.first.claimed_at
    )
    values: dict[str, object] = {"state": state, "error": error, "claimed_at": None}
    if state == DeliveryState.SENT:
        values |= {"sent_at": now, "content": None}
    if again is not None:
        values["due_at"] = again
    if not mine.update(**values):  # taken for lost, and another worker has it now
        return ""
    if again is not None:
        notices.defer_deliveries([(batch.first.pk, again)], now)
    return state.value


def _said(error: Exception) -> str:
    """What the log may keep: the kind of fault and, of a mail server, its code; never its text, which may quote the message."""
    if isinstance(error, Undeliverable):
        return str(error)[:300]
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
