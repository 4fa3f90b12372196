"""gunicorn's log of requests, without the keys that stand in addresses."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from config.log_scrubbing import scrub


class AccessLogger(Logger):
    """Paths and referrers hold no keys."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return {name: scrub(value) if isinstance(value, str) else value for name, value in found.items()}
