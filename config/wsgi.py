"""The application for gunicorn. It refuses to load while a start-up check fails."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

import pypinyin  # noqa: E402, F401  (heavy and needed by every search: the serving processes share this one)

from config.readiness import refuse_unless_ready  # noqa: E402  (needs the applications)

refuse_unless_ready()

# What was loaded stays: it is not looked through for garbage again, and workers that are forked share its memory.
gc.collect()
gc.freeze()
