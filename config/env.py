"""Settings come from the environment only, through strict readers that stop the start on a bad value."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str | None = None) -> str:
    """The variable's text; without a default, a missing or empty one stops the start."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} must be set")
    return default


def boolean(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be one of {sorted(_TRUE | _FALSE)}, not {value!r}")


def integer(name: str, default: int, minimum: int, maximum: int) -> int:
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}") from None
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name} must be between {minimum} and {maximum}, not {number}")
    return number


def choice(name: str, default: str, allowed: frozenset[str]) -> str:
    value = os.environ.get(name, "").strip() or default
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {sorted(allowed)}, not {value!r}")
    return value


def listing(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def secret(name: str) -> str:
    """A key that nobody can guess: at least 50 characters, at least ten different ones, and not one made for development."""
    value = text(name)
    if len(value) < 50 or len(set(value)) < 10 or value.startswith(("demo-only-", "django-insecure-")):
        raise ImproperlyConfigured(
            f"{name} must be at least 50 random characters: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"
        )
    return value


def hosts(name: str, default: str | None) -> list[str]:
    """Host names, separated by commas; ``*`` is refused, and without a default at least one is needed."""
    found = listing(name, default or "")
    if not found:
        raise ImproperlyConfigured(f"{name} must name the hosts that are served, separated by commas")
    if "*" in found or any("/" in host for host in found):
        raise ImproperlyConfigured(f"{name} must name hosts alone, for example jishi.example.cn, not {','.join(found)!r}")
    return found


def destinations(name: str) -> frozenset[tuple[str, int]]:
    """Named servers as (host, port): ``calendar.lab.example`` stands for ports 80 and 443, ``10.2.0.7:8443`` for one port."""
    found: set[tuple[str, int]] = set()
    for entry in listing(name):
        host, _, port = entry.rpartition(":") if re.search(r":\d+$", entry) else (entry, "", "")
        if not re.fullmatch(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]", host) or (port and not 1 <= int(port) <= 65535):
            raise ImproperlyConfigured(
                f"{name} must name hosts, with a port or without, for example calendar.lab.example,10.2.0.7:8443, not {entry!r}"
            )
        found |= {(_host(host), int(each)) for each in ([port] if port else ["80", "443"])}
    return frozenset(found)


def _host(given: str) -> str:
    """As requests name it: an address in its shortest form (``fd00:0::7`` is ``fd00::7``), a name in small letters."""
    plain = given.strip("[]").lower()
    try:
        return str(ip_address(plain))
    except ValueError:
        return plain


def receivers(name: str, *, plain: bool) -> frozenset[tuple[str, str, int]]:
    """Named servers as (scheme, host, port): ``https://hooks.lab.example``, ``https://10.2.0.7:8443``; http only where ``plain``."""
    found: set[tuple[str, str, int]] = set()
    for entry in listing(name):
        matched = re.fullmatch(r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?", entry)
        if not matched or (matched[3] and not 1 <= int(matched[3]) <= 65535):
            raise ImproperlyConfigured(
                f"{name} must name servers like https://hooks.lab.example,https://10.2.0.7:8443, not {entry!r}"
            )
        scheme, host, port = matched.groups()
        if scheme == "http" and not plain:
            raise ImproperlyConfigured(f"{name} must name servers with https:// while JISHI_TLS is on, not {entry!r}")
        found.add((scheme, _host(host), int(port or {"http": 80, "https": 443}[scheme])))
    return frozenset(found)


def adapters(name: str, default: str) -> dict[str, str]:
    """``sms=our_adapters.ShortMessages,wechat_work=our_adapters.WorkAccount``: short name -> dotted path."""
    found: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text(name, default).split(","))):
        if not re.fullmatch(r"[a-z][a-z0-9_]{1,28}=[A-Za-z_][\w.]*\.\w+", entry) or entry.startswith("email="):
            raise ImproperlyConfigured(f"{name} must name adapters like sms=our_adapters.ShortMessages, not {entry!r}")
        short, _, path = entry.partition("=")
        found[short] = path
    return found


def web_address(name: str, default: str | None, *, tls: bool) -> str:
    """``https://host[:port]`` without a path; http is allowed only where ``tls`` is off."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(f"{name} must look like https://jishi.example.cn, not {value!r}")
    if tls and parts.scheme != "https":
        raise ImproperlyConfigured(f"{name} must start with https:// while JISHI_TLS is on, not {value!r}")
    return value


def rate(name: str, default: str, pattern: str) -> str:
    """A limit such as ``600/min``; ``pattern`` is the form that its reader understands."""
    value = os.environ.get(name, "").strip() or default
    if not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name} must look like {default}, not {value!r}")
    return value


def database(url: str) -> dict[str, object]:
    """Django's settings for ``postgresql://user:password@host:port/name?sslmode=...``."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must start with postgresql://")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL must name a database")
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured("DATABASE_URL has a port that is not a number") from None
    options: dict[str, str] = {}
    host = unquote(parts.hostname or "")
    for pair in filter(None, parts.query.split("&")):
        key, _, value = pair.partition("=")
        if key == "host":
            host = unquote(value)
        elif key in {"sslmode", "sslrootcert", "connect_timeout", "target_session_attrs"}:
            options[key] = unquote(value)
        else:
            raise ImproperlyConfigured(f"DATABASE_URL has an unknown option {key!r}")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        "OPTIONS": options,
    }


def home(base_dir: Path) -> Path:
    """Where the embedded database and the files live: ``JISHI_HOME``, else ``var/`` or, as root, a folder of this checkout's own
    under ``/var/lib/jishi`` (there PostgreSQL runs as a system user, who cannot reach a checkout in a private home)."""
    configured = os.environ.get("JISHI_HOME", "").strip()
    if configured:
        folder = Path(configured).resolve()
        if folder.exists() and not folder.is_dir():
            raise ImproperlyConfigured(f"JISHI_HOME must be a folder, not {configured!r}")
        return folder
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/jishi") / str(base_dir).strip("/").replace("/", "-")
    return base_dir / "var"


def stripe(*, key: str, webhook_secrets: list[str], account: str, payee: str, api_base: str) -> dict[str, Any] | None:
    """Payments online through Stripe; None, which is the usual, without a key. Half of the settings stops the start.

    ``webhook_secrets``: one, or two while one replaces the other. ``account``: its id. ``payee``: the unified code of the institution
    whose account it is. ``api_base``: another server than Stripe's, empty for Stripe's.
    """
    if not key:
        if webhook_secrets or account or payee or api_base:
            raise ImproperlyConfigured("JISHI_STRIPE_KEY must be set with the other JISHI_STRIPE_ settings, or none of them")
        return None
    if not re.fullmatch(r"(sk|rk)_(test|live)_[A-Za-z0-9]{16,200}", key):
        raise ImproperlyConfigured("JISHI_STRIPE_KEY must be a secret or restricted key, like sk_test_... or rk_live_...")
    if not 1 <= len(webhook_secrets) <= 2 or not all(
        re.fullmatch(r"whsec_[A-Za-z0-9+/=_-]{16,200}", each) for each in webhook_secrets
    ):
        raise ImproperlyConfigured("JISHI_STRIPE_WEBHOOK_SECRETS must be one secret like whsec_..., or two, separated by a comma")
    if not re.fullmatch(r"acct_[A-Za-z0-9]{4,100}", account):
        raise ImproperlyConfigured(f"JISHI_STRIPE_ACCOUNT must look like acct_..., not {account!r}")
    if not re.fullmatch(r"[0-9A-HJ-NPQRTUWXY]{18}", payee):
        raise ImproperlyConfigured(f"JISHI_STRIPE_PAYEE must be a unified social credit code of 18 characters, not {payee!r}")
    if api_base and not re.fullmatch(r"https://[A-Za-z0-9.:-]+|http://127\.0\.0\.1:[0-9]{1,5}", api_base):
        raise ImproperlyConfigured(f"JISHI_STRIPE_API must look like https://host, not {api_base!r}")
    return {
        "key": key,
        "live": "_live_" in key,
        "webhook_secrets": tuple(webhook_secrets),
        "account": account,
        "payee": payee,
        "api_base": api_base,
    }
