"""The one door through which people are told what happened.

``tell`` writes, in the caller's transaction, a notice for each person, a delivery for each further channel that the person wants, and
the jobs that send them; and, for institutions, a delivery for each webhook that asked for the event. A transaction that is undone
tells nobody. Nothing is sent here: ``instruments.services.notice_delivery`` does that, from jobs.

Two statements for all people together; the organisations' webhooks are looked for in one of them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import BigIntegerField, JSONField, Model, Q
from django.db.models.expressions import RawSQL
from procrastinate.contrib.django import app

from config.kernel.access import Actor, Role, visible_to
from config.kernel.services.jobs import defer_once
from config.kernel.services.silence import is_silent
from config.kernel.services.transactions import whole
from config.kernel.statements import planned_once
from instruments.models import Delivery, Notice, NoticeSettings, User
from instruments.notice_events import Event, event_of, goes_at_once, groups
from instruments.rules.notice_times import Digest, Rhythm, due_at
from instruments.services import webhooks
from instruments.services.settling import settle as settle

TASK, QUEUE = "notices.deliver", "mail"
EMAIL = "email"


@dataclass(frozen=True, slots=True)
class News:
    """What is told. ``params`` are JSON-able values for the event's sentences, never keys or passwords; ``path`` a page of the
    platform; ``lab_id`` the lab whose matter it is (its managers find the mails in their log). ``webhooks``: organisation id -> what
    its webhooks hear, JSON-able, explicit fields.
    """

    event: str
    params: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    about: Model | None = None
    lab_id: int | None = None
    webhooks: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


def person(*user_ids: int | None) -> Q:
    """These people."""
    return Q(pk__in=[pk for pk in user_ids if pk is not None])


# By hand, as almost every booking asks it: the ORM takes longer to word a subquery than the database to answer it.
#: What such a statement gives; named once, as a field takes longer to make than the rest of the condition.
ID = BigIntegerField()
_HOLDERS = "SELECT m.user_id FROM instruments_membership m WHERE m.role = %s AND (%s::bigint IS NULL OR m.organisation_id = %s)"


def holders(role: Role, organisation_id: int | None = None) -> Q:
    """Who has the role, in one organisation or anywhere."""
    return Q(pk__in=RawSQL(_HOLDERS, [role, organisation_id, organisation_id], ID))  # noqa: S611  (constants only; values are bound)


def tell(news: News, to: Q, now: datetime) -> int:
    """Tell the people of ``to`` (``person``, ``holders``, joined with ``|``) who may still log in; returns how many were told.

    Call it inside the transaction of the change.
    """
    if is_silent():
        return 0
    event = event_of(news.event)
    people = _told(to)
    told, hooks = _write(news, event, people, now) if people else (0, None)
    webhooks.queue(news.event, news.webhooks, now, hooks)
    return told


_SETTINGS = tuple(field.attname for field in NoticeSettings._meta.concrete_fields)
_DOCUMENTS = frozenset(field.attname for field in NoticeSettings._meta.concrete_fields if isinstance(field, JSONField))
_PEOPLE = f"""
SELECT u.id, {", ".join(f"s.{name}" for name in _SETTINGS)}
  FROM instruments_user u LEFT JOIN {NoticeSettings._meta.db_table} s ON s.user_id = u.id
 WHERE u.is_active AND {{}} ORDER BY u.id
"""  # noqa: S608  (names of our own fields)


def _told(to: Q) -> list[User]:
    """Those of ``to`` who may still log in, with what is needed to tell them. Worded by hand where it can be, as every booking tells its
    customer or the lab: the ORM takes longer to word it than the database to answer."""
    worded = _worded(to)
    if worded is None:
        return list(User.objects.filter(to, is_active=True).select_related("notice_settings").order_by("pk"))
    condition, values = worded
    with planned_once() as cursor:
        cursor.execute(_PEOPLE.format(condition), values)
        return [_person_of(row) for row in cursor.fetchall()]


def _worded(to: Q) -> tuple[str, list[Any]] | None:
    """A condition with its values, of people by id alone: those named, and those of a statement (``holders``), however they are joined.
    None for any other."""
    found = [_worded(each) if isinstance(each, Q) else _worded_ids(each) for each in to.children]
    if not found or to.connector not in (Q.AND, Q.OR):
        return None
    parts, values = [], []
    for each in found:
        if each is None:
            return None
        parts.append(each[0])
        values += each[1]
    text = f" {to.connector} ".join(parts)
    return f"{'NOT ' if to.negated else ''}({text})", values


def _worded_ids(leaf: Any) -> tuple[str, list[Any]] | None:
    name, wanted = leaf if isinstance(leaf, tuple) else ("", None)
    if name == "pk__in" and isinstance(wanted, list):
        return "u.id = ANY(%s::bigint[])", [wanted]
    if name == "pk__in" and isinstance(wanted, RawSQL):
        return f"u.id IN ({wanted.sql})", list(wanted.params)
    return None


def _person_of(row: Sequence[Any]) -> User:
    pk, *values = row
    user = User.from_db("default", ["id"], [pk])
    chosen = None
    if values[0] is not None:
        pairs = zip(_SETTINGS, values, strict=True)
        read = [json.loads(value) if name in _DOCUMENTS and isinstance(value, str) else value for name, value in pairs]
        chosen = NoticeSettings.from_db("default", _SETTINGS, read)
    User._meta.get_field("notice_settings").set_cached_value(user, chosen)
    return user


def mail_to(address: str, event: str, subject: str, text: str, now: datetime) -> None:
    """Queue a ready text for an address that may be nobody's: links to log in, invitations. It is kept until it was sent, no longer.

    Call it inside the transaction of the change.
    """
    if is_silent():
        return
    made = Delivery.objects.create(
        event=event, channel=EMAIL, address=address, content={"title": subject, "text": text}, created_at=now, due_at=now
    )
    defer_deliveries([(made.pk, now)], now)


def defer_deliveries(planned: Iterable[tuple[int, datetime]], now: datetime) -> None:
    """Queue the jobs of deliveries (id, when), those of one moment in one statement."""
    by_moment: dict[datetime | None, list[int]] = defaultdict(list)
    for pk, moment in planned:
        by_moment[moment if moment > now else None].append(pk)
    for when, ids in by_moment.items():
        job = app.configure_task(TASK, queue=QUEUE, **({} if when is None else {"schedule_at": when}))
        job.batch_defer(*({"delivery_id": pk} for pk in ids))


def queue_once(delivery_id: int) -> bool:
    """Queue an attempt unless this has done so and it still waits."""
    return defer_once(TASK, f"{TASK}:{delivery_id}", queue=QUEUE, delivery_id=delivery_id)


@whole
def mark_read(actor: Actor, notice_ids: Iterable[int] | None, now: datetime) -> int:
    """Mark the actor's notices (None: all of them) as read; returns how many were unread. Foreign ones are passed over."""
    rows = visible_to(Notice.objects.filter(read_at=None), actor)
    if notice_ids is not None:
        rows = rows.filter(pk__in=list(notice_ids))
    return rows.update(read_at=now)


# --- How a person wants it --------------------------------------------------------------------------------------------
def settings_of(user: User) -> NoticeSettings | None:
    """The person's row; None while the defaults hold."""
    return getattr(user, "notice_settings", None)


def wanted_channels(chosen: NoticeSettings | None, group: str, event: str = "") -> tuple[str, ...]:
    """The channels besides the notice in the platform: what the person said of the event, else of its group, else what is usual."""
    kept = chosen.channels if chosen else {}
    found = kept.get(event, kept.get(group))
    return tuple(found) if found is not None else groups()[group].channels


def rhythm_of(chosen: NoticeSettings | None) -> Rhythm:
    """When the person wants mail."""
    if chosen is None:
        return Rhythm(ZoneInfo(settings.TIME_ZONE))
    return Rhythm(
        ZoneInfo(chosen.time_zone),
        Digest(chosen.digest),
        chosen.digest_hour,
        chosen.digest_weekday,
        chosen.quiet_from,
        chosen.quiet_until,
    )


#: Notices, deliveries and the jobs that send them, by the library's own function, which its own ``defer`` calls: as a statement of its own
#: it took longer than the rest.
_WRITE = f"""
WITH told AS (
    INSERT INTO instruments_notice
        (user_id, event, "group", needs_action, params, path, object_type, object_id, lab_id, created_at)
    SELECT person, %(event)s, %(group)s, %(needs_action)s, %(params)s::jsonb, %(path)s, %(object_type)s, %(object_id)s, %(lab)s::bigint,
           %(now)s
    FROM unnest(%(people)s::bigint[]) AS person
    RETURNING id, user_id
), delivery AS (
    INSERT INTO instruments_delivery
        (notice_id, user_id, event, channel, address, digest, state, attempts, error, message_id, created_at, due_at)
    SELECT told.id, told.user_id, %(event)s, wanted.channel, '', wanted.digest, 'waiting', 0, '', '', %(now)s, wanted.due_at
    FROM told JOIN jsonb_to_recordset(%(wanted)s::jsonb) AS wanted(user_id bigint, channel text, digest boolean, due_at timestamptz)
        USING (user_id)
    ORDER BY told.id
    RETURNING id, due_at
), job AS (
    SELECT procrastinate_defer_jobs_v1(array_agg(
               ROW('{QUEUE}', '{TASK}', 0, NULL, NULL, jsonb_build_object('delivery_id', id),
                   CASE WHEN due_at > %(now)s THEN due_at END)::procrastinate_job_to_defer_v1 ORDER BY id)) AS ids
    FROM delivery
)
SELECT (SELECT count(*) FROM told), (SELECT cardinality(ids) FROM job),
       coalesce((SELECT jsonb_agg(jsonb_build_array(id, organisation_id)) FROM ({webhooks.ASKED_FOR}) hook), '[]')
"""  # noqa: S608  (constants only; values are bound)


def _write(news: News, event: Event, people: list[User], now: datetime) -> tuple[int, list[tuple[int, int]]]:
    """How many were told, and the webhooks (id, organisation) that hear of it."""
    wanted = [one for person_ in people for one in _wanted(news.event, person_, now)]
    about = news.about
    values: dict[str, Any] = {
        "event": news.event,
        "group": event.group,
        "needs_action": event.needs_action,
        "params": json.dumps(dict(news.params)),
        "path": news.path,
        "object_type": about._meta.label_lower if about is not None else "",
        "object_id": str(about.pk) if about is not None else "",
        "lab": news.lab_id,
        "now": now,
        "people": [person_.pk for person_ in people],
        "wanted": json.dumps(wanted),
        **webhooks.asked_for(news.event, news.webhooks),
    }
    with planned_once() as cursor:
        cursor.execute(_WRITE, values)
        told, _jobs, hooks = cursor.fetchone()
    return int(told), [(pk, of) for pk, of in (json.loads(hooks) if isinstance(hooks, str) else hooks)]


def planned(rhythm: Rhythm, channel: str, at_once: bool, now: datetime) -> tuple[bool, datetime]:
    """(whether it goes with a digest, when). A digest is for mail that can wait; quiet hours are for all channels."""
    if channel == EMAIL and rhythm.digest is not Digest.IMMEDIATELY and not at_once:
        return True, due_at(now, rhythm)
    return False, due_at(now, replace(rhythm, digest=Digest.IMMEDIATELY))


def _wanted(code: str, person_: User, now: datetime) -> Iterable[dict[str, Any]]:
    """What goes out besides the notice in the platform."""
    chosen = settings_of(person_)
    rhythm = rhythm_of(chosen)
    for channel in wanted_channels(chosen, event_of(code).group, code):
        digest, moment = planned(rhythm, channel, goes_at_once(code), now)
        yield {"user_id": person_.pk, "channel": channel, "digest": digest, "due_at": moment.isoformat()}
