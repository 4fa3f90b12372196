"""Jobs that a job queues come with its transaction or not at all, as those of a request do.

The library's worker queues them over connections of its own: there a mail's job would be seen before the mail, and outlive a transaction
that was undone.
"""

from __future__ import annotations

from procrastinate import App
from procrastinate.connector import BaseConnector
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector


class _WorkerConnector(PsycopgConnector):
    """Takes and finishes jobs over the worker's own connections; what a task queues goes over Django's."""

    def __init__(self, queues_over: DjangoConnector) -> None:
        super().__init__(kwargs=connector_params(queues_over.alias))
        self._queues_over = queues_over

    def get_sync_connector(self) -> BaseConnector:
        return self._queues_over


class JobConnector(DjangoConnector):
    """The library's connector but for what the worker gets."""

    def get_worker_connector(self) -> PsycopgConnector:
        return _WorkerConnector(self)


def use(app: App) -> None:
    """Called when the library's app is ready (``PROCRASTINATE_ON_APP_READY``)."""
    app.connector = app.job_manager.connector = JobConnector()
