"""kill -9 of the worker while it sends a mail: what arrives, how often, and what is written down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.core.mail.utils import DNS_NAME
from django.db import connection
from django.utils import timezone

from instruments.models import Delivery
from instruments.services import notice_delivery
from instruments.services.notices import News, person, tell
from tests.concurrency.world import World
from tests.databases import CommittedDatabase
from tests.smtp import Sink, serving

START_SECONDS = 60


@contextmanager
def worker(database: CommittedDatabase, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A worker for mail in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JISHI_", "DATABASE_URL", "DJANGO_"))}
    with tempfile.TemporaryDirectory(prefix="jishi-mail-") as home:
        mail = {"JISHI_SMTP_HOST": "127.0.0.1", "JISHI_SMTP_PORT": str(port), "JISHI_SMTP_STARTTLS": "0"}
        environment = {**kept, "JISHI_HOME": home, "DATABASE_URL": database.url, **mail}
        program = [sys.executable, "-m", "tests.concurrency.mail_worker"]
        process = subprocess.Popen(program, cwd=settings.BASE_DIR, env=environment, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[tuple[Sink, int]]:
    """A mail server, and this process set up to use it too."""
    monkeypatch.setattr(DNS_NAME, "_fqdn", "localhost", raising=False)
    with serving() as (sink, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
        yield sink, port


def tell_lin(world: World) -> Delivery:
    lin = world.cast.users["lin"]
    tell(News("organisation.verified", {"organisation": "Kunlun"}), person(lin.pk), timezone.now())
    return Delivery.objects.get(user=lin)


def killed(database: CommittedDatabase, port: int, hook: Callable[[Callable[[], None]], None]) -> None:
    """Run a worker until the mail server, through what ``hook`` sets up, kills it."""
    died = threading.Event()
    with worker(database, port) as process:

        def kill() -> None:
            process.send_signal(signal.SIGKILL)
            process.wait()
            died.set()

        hook(kill)
        assert died.wait(START_SECONDS), "the worker sent nothing"


def taken_up_again(one: Delivery) -> str:
    """What the job does when it is found stalled and run again: nothing before the lease is over, then another attempt."""
    assert notice_delivery.deliver(one.pk, timezone.now()) == ""
    return notice_delivery.deliver(one.pk, timezone.now() + notice_delivery.LEASE)


def test_a_worker_killed_before_the_server_has_the_mail_sends_it_once(
    world: World, committed_db: CommittedDatabase, mail: tuple[Sink, int]
) -> None:
    sink, port = mail
    one = tell_lin(world)

    def at_the_address(kill: Callable[[], None]) -> None:
        sink.before = kill

    killed(committed_db, port, at_the_address)
    one.refresh_from_db()
    assert (one.state, sink.taken) == ("sending", [])
    sink.before = None
    assert taken_up_again(one) == "sent"
    assert len(sink.taken) == 1
    assert notice_delivery.deliver(one.pk, timezone.now() + 2 * notice_delivery.LEASE) == ""
    assert len(sink.taken) == 1


def test_a_worker_killed_between_the_servers_yes_and_our_record_sends_twice_under_one_message_id_and_records_once(
    world: World, committed_db: CommittedDatabase, mail: tuple[Sink, int]
) -> None:
    """The gap that SMTP leaves open: the server has the mail, and we do not know."""
    sink, port = mail
    one = tell_lin(world)

    def with_the_mail(kill: Callable[[], None]) -> None:
        sink.after = lambda message: kill()

    killed(committed_db, port, with_the_mail)
    one.refresh_from_db()
    assert (one.state, one.sent_at, len(sink.taken)) == ("sending", None, 1)
    sink.after = None
    assert taken_up_again(one) == "sent"
    first, second = (message["Message-ID"] for message in sink.taken)
    assert first == second == one.message_id
    assert Delivery.objects.filter(state="sent").count() == 1


def test_a_job_that_is_run_again_after_the_record_sends_nothing(
    world: World, committed_db: CommittedDatabase, mail: tuple[Sink, int]
) -> None:
    sink, _port = mail
    one = tell_lin(world)
    assert notice_delivery.deliver(one.pk, timezone.now()) == "sent"
    with connection.cursor() as cursor:  # the worker died before the queue heard of it
        cursor.execute("UPDATE procrastinate_jobs SET status = 'todo' WHERE task_name = 'notices.deliver'")
    assert notice_delivery.deliver(one.pk, timezone.now() + notice_delivery.LEASE) == ""
    assert len(sink.taken) == 1


@pytest.mark.proof
def test_fifty_workers_killed_at_both_moments_lose_nothing_and_record_each_mail_once(
    world: World, committed_db: CommittedDatabase, mail: tuple[Sink, int]
) -> None:
    sink, port = mail
    lin = world.cast.users["lin"]
    for place in range(50):
        tell(News("organisation.verified", {"organisation": f"Kunlun {place}"}), person(lin.pk), timezone.now())

        def hook(kill: Callable[[], None], place: int = place) -> None:
            sink.before, sink.after = (kill, None) if place % 2 else (None, lambda message: kill())

        killed(committed_db, port, hook)
        sink.before = sink.after = None
        one = Delivery.objects.latest("pk")
        assert taken_up_again(one) == "sent"
    assert Delivery.objects.filter(state="sent").count() == 50
    seen = [message["Message-ID"] for message in sink.taken]
    assert len(set(seen)) == 50 and len(seen) == 75  # every second one was known to the server already
