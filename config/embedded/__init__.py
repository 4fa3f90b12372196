"""A Django database backend over a private PostgreSQL that is started when the first connection needs it.

Used when no ``DATABASE_URL`` is given. It listens on a local socket only and keeps its data under ``JISHI_HOME``.
"""
