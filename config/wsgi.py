"""The application for gunicorn. It refuses to load while a start-up check fails."""

import os

from config.loading import loading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

with loading():
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    import pypinyin  # noqa: F401  (heavy and needed by every search: the serving processes share this one)

    from config.readiness import refuse_unless_ready  # (needs the applications)

    refuse_unless_ready()
