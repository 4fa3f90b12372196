"""The worker for mail as a program of its own, which does not ask the network for this machine's name (that may take seconds)."""

from __future__ import annotations

import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.core.mail.utils import DNS_NAME
    from django.core.management import call_command

    DNS_NAME._fqdn = "localhost"
    call_command("procrastinate", "worker", "--queues", "mail", "--concurrency", "1")


if __name__ == "__main__":
    main()
