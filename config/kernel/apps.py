"""The kernel's tables: idempotency, audit trail, stored files, tokens, heartbeats."""

from django.apps import AppConfig


class KernelApp(AppConfig):
    name = "config.kernel"
    label = "kernel"
