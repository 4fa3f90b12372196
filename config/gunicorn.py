"""The application server, for the demo and for production: ``gunicorn -c config/gunicorn.py config.wsgi``.

One process per worker and no threads: the database is the only place where requests meet. The application is loaded once, before
the workers are forked, so that a failed start-up check stops the whole server with its reason.
"""

from __future__ import annotations

import os

from config import access_log, env

wsgi_app = "config.wsgi:application"
bind = env.text("JISHI_BIND", "127.0.0.1:8000")
workers = env.integer("JISHI_WEB_WORKERS", 2, 1, 64)
worker_class = "sync"
preload_app = True
timeout = env.integer("JISHI_WEB_TIMEOUT_SECONDS", 30, 5, 300)
graceful_timeout = 8
keepalive = 2
max_requests = 20000
max_requests_jitter = 2000
umask = 0o027
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  (a place in memory for the workers' sign of life)
loglevel = "warning"
accesslog = env.text("JISHI_ACCESS_LOG", "") or None
logger_class = access_log.AccessLogger
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms'  # no query strings: they may hold tokens
forwarded_allow_ips = env.text("JISHI_PROXY_ADDRESSES", "127.0.0.1,::1")
