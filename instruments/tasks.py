"""Background work of the registry; everything here is safe to repeat."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from config.kernel.models import Heartbeat
from config.kernel.services.heartbeat import beat
from instruments.queries import codes
from instruments.services import (
    catalogue,
    import_runs,
    notice_delivery,
    notice_log,
    notices,
    search_alerts,
    vocabulary,
    webhook_delivery,
    webhooks,
)
from instruments.services.catalogue_jobs import TASK, ask_for_rebuild

ALERT_EVERY = timedelta(hours=20)
_ATTEMPTS = 4


@app.task(name=TASK, lock=TASK, retry=RetryStrategy(max_attempts=4, exponential_wait=10))
def rebuild_catalogue() -> None:
    """Make every entry anew, with the code lists as they are now; what does not differ is not written."""
    codes.forget()
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
    codes.forget()
    last = Heartbeat.objects.filter(name="instruments.vocabulary").first()
    mark = vocabulary.catalogue_mark()
    if last is None or last.detail.get("mark") != mark:
        beat("instruments.vocabulary", timezone.now(), mark=mark, terms=vocabulary.rebuild_vocabulary())


@app.periodic(cron="5 16 * * *")
@app.task(name="instruments.roll_catalogue", queueing_lock="instruments.roll_catalogue")
def roll_catalogue(timestamp: int) -> None:
    """Shortly after midnight in China prices and programmes come into force or end."""
    ask_for_rebuild()


@app.task(
    name=import_runs.TASK,
    queue=import_runs.QUEUE,
    retry=RetryStrategy(max_attempts=_ATTEMPTS, exponential_wait=4),
    pass_context=True,
)
def import_run(context: JobContext, run_id: int) -> None:
    """Read, write or take back a file that somebody handed over; nothing when that is done. The last attempt that fails says so."""
    try:
        import_runs.work(run_id, timezone.now())
    except Exception:
        if context.job is not None and context.job.attempts + 1 >= _ATTEMPTS:
            import_runs.give_up(run_id, timezone.now())
        raise


@app.task(name=notices.TASK, queue=notices.QUEUE)
def deliver_notice(delivery_id: int) -> None:
    """Make one attempt to deliver; it queues its next attempt itself."""
    notice_delivery.deliver(delivery_id, timezone.now())


@app.task(name=webhooks.TASK, queue=webhooks.QUEUE, lock=webhooks.LOCK)
def deliver_webhook(delivery_id: int) -> None:
    """Make one attempt to deliver; it queues its next attempt itself."""
    webhook_delivery.deliver(delivery_id, timezone.now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="notices.sweep", queueing_lock="notices.sweep")
def sweep_notices(timestamp: int) -> None:
    """What is overdue although no job is left for it."""
    now = timezone.now()
    beat("notices.sweep", now, deliveries=notice_delivery.sweep(now))


@app.periodic(cron="* * * * *")
@app.task(name="notices.webhooks_due", queueing_lock="notices.webhooks_due")
def webhooks_due(timestamp: int) -> None:
    """Webhooks whose next attempt is due."""
    now = timezone.now()
    beat("notices.webhooks_due", now, queued=webhook_delivery.queue_due(now))


@app.periodic(cron="40 17 * * *")
@app.task(name="notices.prune", queueing_lock="notices.prune")
def prune_notices(timestamp: int) -> None:
    """Once a day: notices and logs that are old enough go."""
    now = timezone.now()
    beat("notices.prune", now, **notice_log.prune(now))
