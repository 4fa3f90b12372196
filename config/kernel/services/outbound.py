"""The one door to an address that somebody typed: a guarded GET, and a guarded POST of which only the status is read.

Guards: http and https on their usual ports; no user name in the address; every address that the host's name stands for must be
public, and the connection goes to exactly the one that was checked (no second look-up that could answer otherwise); no redirect, no
cookie, no proxy of the environment; what is read is bounded in bytes and in time, however slowly the other side drips.
Servers that the installation names itself may lie on a private network: those of ``JISHI_OUTBOUND_ALLOW`` to be read, those of
``JISHI_WEBHOOK_ALLOW`` to be posted to. Neither list opens a door of the other: what may be read takes no orders.

Call it from a job, never inside a transaction.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import idna
import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES, InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from config.kernel.errors import Refusal

MAX_BYTES = 2 * 1024 * 1024
TOTAL_SECONDS = 15.0
STEP_SECONDS = 5.0
"""How long one connect or one wait for bytes may take."""
MAX_LENGTH = 1000
PORTS = {"http": 80, "https": 443}
USER_AGENT = "Jishi-Calendar-Reader/1"
SENDER_AGENT = "Jishi-Webhook/1"
_CHUNK = 64 * 1024
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NUMERIC = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Destination:
    """A checked address: ``host`` in ASCII and lower case, ``allowed`` when the installation names it for this use."""

    url: str
    host: str
    port: int
    allowed: bool


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back. ``content`` is None when the server says that nothing changed since the validators were given."""

    content: bytes | None
    etag: str = ""
    last_modified: str = ""


def destination(address: str) -> Destination:
    """The address when its form may be read at all; names are not looked up here.

    Raises Refusal on field ``address``: ``outbound.unreadable``, ``outbound.scheme``, ``outbound.user_name``, ``outbound.port``,
    ``outbound.not_public``.
    """
    return _checked(address, lambda _scheme, host, port: (host, port) in settings.OUTBOUND_ALLOW)


def receiver(address: str) -> Destination:
    """The address when it may be posted to: https, or a server that the installation names with its scheme.

    Raises Refusal as ``destination``, and ``outbound.https_only``.
    """
    target = _checked(address, lambda *server: server in settings.WEBHOOK_ALLOW)
    if not target.url.startswith("https://") and not target.allowed:
        raise Refusal.of("outbound.https_only", "address")
    return target


def host_in(address: str) -> str:
    """The host as it stands in an address that was checked once, whatever is allowed today; nothing where there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _checked(address: str, is_named: Callable[[str, str, int], bool]) -> Destination:
    parts = _parts(address)
    host = _host(parts)
    try:
        port = parts.port or PORTS[parts.scheme]
    except ValueError:
        raise Refusal.of("outbound.port", "address") from None
    shown = f"[{host}]" if ":" in host else host
    path = parts.path or "/"
    url = f"{parts.scheme}://{shown}:{port}{path}" + (f"?{parts.query}" if parts.query else "")
    if len(url) > MAX_LENGTH:
        raise Refusal.of("outbound.unreadable", "address")
    if is_named(parts.scheme, host, port):
        return Destination(url, host, port, True)
    if port != PORTS[parts.scheme] and port not in PORTS.values():
        raise Refusal.of("outbound.port", "address")
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or _is_private_literal(host):
        raise Refusal.of("outbound.not_public", "address", host=host)
    return Destination(url, host, port, False)


def fetch(address: str, *, etag: str = "", last_modified: str = "", accept: str = "text/calendar, text/plain;q=0.5") -> Fetched:
    """Read the address once, within ``MAX_BYTES`` and ``TOTAL_SECONDS``.

    Raises Refusal as ``destination`` and ``outbound.unknown_host``, ``outbound.no_answer``, ``outbound.certificate``,
    ``outbound.redirect``, ``outbound.status`` (status), ``outbound.too_big`` (megabytes), ``outbound.too_slow`` (seconds),
    ``outbound.broken_off``.
    """
    target = destination(address)
    if not target.allowed:
        _require_public_name(target)
    headers = {"Accept": accept, "Accept-Encoding": "identity"}
    headers |= {name: value for name, value in (("If-None-Match", etag), ("If-Modified-Since", last_modified)) if value}
    with _deadline(TOTAL_SECONDS) as deadline, _session(target, deadline) as session:
        try:
            return _read(session, target, headers, deadline)
        except Refusal:
            raise
        except InvalidIPAddress:
            raise Refusal.of("outbound.not_public", "address", host=target.host) from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise _fault(error, target, deadline) from error


def post(address: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Hand ``body`` over once, within ``TOTAL_SECONDS``; returns the status of the answer, whose text is not read.

    Raises Refusal as ``receiver`` and ``fetch``, except that no status is one: whoever calls decides which are failures.
    """
    target = receiver(address)
    if not target.allowed:
        _require_public_name(target)
    with _deadline(TOTAL_SECONDS) as deadline, _session(target, deadline, SENDER_AGENT) as session:
        try:
            with session.post(target.url, data=body, headers=dict(headers), stream=True) as response:
                if deadline.passed:
                    raise TimeoutError
                return response.status_code
        except InvalidIPAddress:
            raise Refusal.of("outbound.not_public", "address", host=target.host) from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise _fault(error, target, deadline) from error


def is_public(address: Address) -> bool:
    """Whether anybody on the internet would reach this address: no private, local, reserved, multicast or translated one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in net for net in EXTRA_BLOCKED_NET_RANGES)


# --- The address ------------------------------------------------------------------------------------------------------
def _parts(address: str) -> SplitResult:
    if not address or len(address) > MAX_LENGTH or not address.isprintable() or re.search(r"[\s\\]", address):
        raise Refusal.of("outbound.unreadable", "address")
    try:
        parts = urlsplit(address)
    except ValueError:
        raise Refusal.of("outbound.unreadable", "address") from None
    if parts.scheme == "webcal":  # what calendar programs call https
        parts = parts._replace(scheme="https")
    if parts.scheme not in PORTS:
        raise Refusal.of("outbound.scheme", "address")
    if "@" in parts.netloc:
        raise Refusal.of("outbound.user_name", "address")
    return parts


def _host(parts: SplitResult) -> str:
    """The host in the form in which it is looked up. A number in another guise (127.1, 0x7f000001, 2130706433) is no name."""
    given = (parts.hostname or "").rstrip(".")
    if ":" in given:
        if "%" in given or not (literal := _literal(given)):
            raise Refusal.of("outbound.unreadable", "address")
        return str(literal)
    try:
        host = idna.encode(given, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        host = given if re.fullmatch(r"[a-z0-9._-]+", given) else ""
    if not host or len(host) > 253:
        raise Refusal.of("outbound.unreadable", "address")
    if _NUMERIC.fullmatch(host.rpartition(".")[2]) and not _literal(host):
        raise Refusal.of("outbound.unreadable", "address")
    return host


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_private_literal(host: str) -> bool:
    literal = _literal(host)
    return literal is not None and not is_public(literal)


def _require_public_name(target: Destination) -> None:
    """Every address of the name must be public, not only the one that would be taken."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refusal.of("outbound.unknown_host", "address", host=target.host) from None
    for *_, where in found:
        if not is_public(ipaddress.ip_address(str(where[0]).partition("%")[0])):
            raise Refusal.of("outbound.not_public", "address", host=target.host)


# --- The connection ---------------------------------------------------------------------------------------------------
class _Deadline:
    """Shuts every socket it was shown once the time is over, in whatever state the connection is."""

    def __init__(self) -> None:
        self.passed = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    def watch(self, sock: socket.socket) -> None:
        """A second handle is kept: TLS takes the first one over, and shutting either ends the connection."""
        with self._lock:
            self._sockets.append(sock.dup())

    def pass_(self) -> None:
        with self._lock:
            self.passed = True
            for sock in self._sockets:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:  # closed by the other side already
                    continue

    def close(self) -> None:
        with self._lock:
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()


@contextmanager
def _deadline(seconds: float) -> Iterator[_Deadline]:
    deadline = _Deadline()
    timer = threading.Timer(seconds, deadline.pass_)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
        deadline.close()


def _pools(deadline: _Deadline) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools whose sockets the deadline knows."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            deadline.watch(sock)
            return sock

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            deadline.watch(sock)
            return sock

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _PinnedAdapter(IPFilterAdapter):
    """Connects to the address that the library looked up and checked, after a stricter look at the same address."""

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(request, verify, cert)
        pinned = ipaddress.ip_address(host_params["host"].strip("[]"))
        if not is_public(pinned):
            raise InvalidIPAddress(pinned)
        return host_params, pool_kwargs


@contextmanager
def _session(target: Destination, deadline: _Deadline, agent: str = USER_AGENT) -> Iterator[HTTPSession]:
    config = Config(
        ip_filter_enable=not target.allowed,
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(STEP_SECONDS, STEP_SECONDS),
        user_agent_override=agent,
    )
    with HTTPSession(config) as session:
        session.trust_env = False
        for scheme in PORTS:
            adapter = HTTPAdapter() if target.allowed else _PinnedAdapter(is_https_proto=scheme == "https")
            adapter.poolmanager.pool_classes_by_scheme = _pools(deadline)
            session.mount(f"{scheme}://", adapter)
        yield session


def _read(session: HTTPSession, target: Destination, headers: Mapping[str, str], deadline: _Deadline) -> Fetched:
    with session.get(target.url, headers=headers, stream=True) as response:
        asked = "If-None-Match" in headers or "If-Modified-Since" in headers
        if response.status_code == 304 and asked:
            return Fetched(None)
        if 300 <= response.status_code < 400:
            raise Refusal.of("outbound.redirect", "address", host=target.host)
        if response.status_code != 200:
            raise Refusal.of("outbound.status", "address", host=target.host, status=response.status_code)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Refusal.of("outbound.broken_off", "address", host=target.host)
        content = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=False):  # one wait each, so that a slow drip meets the deadline
            content += chunk
            if len(content) > MAX_BYTES:
                raise Refusal.of("outbound.too_big", "address", host=target.host, megabytes=MAX_BYTES // 1024**2)
        if deadline.passed:
            raise TimeoutError
        validators = {name: _validator(response.headers.get(name, "")) for name in ("ETag", "Last-Modified")}
        return Fetched(bytes(content), validators["ETag"], validators["Last-Modified"])


def _validator(value: str) -> str:
    """What is sent back the next time; nothing where it is none that a server may send."""
    return value if len(value) <= 200 and value.isascii() and value.isprintable() else ""


def _fault(error: Exception, target: Destination, deadline: _Deadline) -> Refusal:
    if deadline.passed or isinstance(error, (requests.Timeout, TimeoutError)):
        return Refusal.of("outbound.too_slow", "address", host=target.host, seconds=int(TOTAL_SECONDS))
    if isinstance(error, requests.exceptions.SSLError):
        return Refusal.of("outbound.certificate", "address", host=target.host)
    if isinstance(error, requests.ConnectionError):
        return Refusal.of("outbound.no_answer", "address", host=target.host)
    return Refusal.of("outbound.broken_off", "address", host=target.host)
