"""Background work of the registry; everything here is safe to repeat."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from config.kernel.models import Heartbeat
from config.kernel.services.heartbeat import beat
from instruments.services import catalogue, search_alerts, vocabulary
from instruments.services.catalogue_jobs import TASK, ask_for_rebuild

ALERT_EVERY = timedelta(hours=20)


@app.task(name=TASK, lock=TASK, retry=RetryStrategy(max_attempts=4, exponential_wait=10))
def rebuild_catalogue() -> None:
    """Make every entry anew; what does not differ is not written."""
    now = timezone.now()
    beat("instruments.catalogue", now, written=catalogue.rebuild(now))


@app.periodic(cron="0 0 * * *")
@app.task(name="instruments.alert_searches", queueing_lock="instruments.alert_searches")
def alert_searches(timestamp: int) -> None:
    """Once a day, in the morning in China: what is new of the searches that people keep."""
    now = timezone.now()
    searches, mails = search_alerts.alert_due(now, every=ALERT_EVERY)
    beat("instruments.alert_searches", now, searches=searches, mails=mails)


@app.periodic(cron="*/10 * * * *")
@app.task(name="instruments.keep_vocabulary", queueing_lock="instruments.keep_vocabulary", lock=TASK)
def keep_vocabulary(timestamp: int) -> None:
    """Make suggestions and counts anew when the catalogue has changed since the last time."""
    last = Heartbeat.objects.filter(name="instruments.vocabulary").first()
    mark = vocabulary.catalogue_mark()
    if last is None or last.detail.get("mark") != mark:
        beat("instruments.vocabulary", timezone.now(), mark=mark, terms=vocabulary.rebuild_vocabulary())


@app.periodic(cron="5 16 * * *")
@app.task(name="instruments.roll_catalogue", queueing_lock="instruments.roll_catalogue")
def roll_catalogue(timestamp: int) -> None:
    """Shortly after midnight in China prices and programmes come into force or end."""
    ask_for_rebuild()
