"""The guarded client: what it refuses to read, what it reads, and that it never takes long."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from typing import Any

import pytest
import requests

from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from config.kernel.services import outbound
from tests.kernel.services.neighbour import Neighbour, neighbour, says

PUBLIC = "93.184.216.34"
SECRET = b"BEGIN:VCALENDAR secret of the private network"

#: Forms of one and the same wish: to be let in where only the server itself may go. ``{port}`` is a listening loopback port.
BYPASSES = [
    "http://127.0.0.1:{port}/", "http://127.0.0.1/", "http://127.0.0.1.:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/",
    "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0x7f.0x0.0x0.0x1:{port}/", "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/", "http://0177.0.0.01:{port}/", "http://00000177.0.0.1/", "http://127.0.0.0x1/", "http://0/",
    "http://0.0.0.0:{port}/", "http://127.255.255.254/", "http://localhost:{port}/", "http://LOCALHOST/", "http://localhost./",
    "http://foo.localhost/", "http://[::1]:{port}/", "http://[0:0:0:0:0:0:0:1]/", "http://[::]/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[0:0:0:0:0:ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://[2001:0:7f00:1::]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fc00::1]/",
    "http://[fd12:3456::1]/", "http://[fec0::1]/", "http://[ff02::1]/", "http://[::ffff:a9fe:a9fe]/", "http://[::1%25lo]/",
    "http://169.254.169.254/latest/meta-data/", "http://2852039166/", "http://0xa9fea9fe/", "http://0251.0376.0251.0376/",
    "http://169.254.43518/", "http://metadata.google.internal/", "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/",
    "http://100.64.0.1/", "http://192.0.0.8/", "http://198.18.0.1/", "http://224.0.0.1/", "http://240.0.0.1/",
    "http://255.255.255.255/", "http://\u2460\u2461\u2466.0.0.1/", "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
    "http://127\u30020\u30020\u30021/", "http://%31%32%37.0.0.1/", "http://user@127.0.0.1/", "http://93.184.216.34@127.0.0.1/",
    "http://93.184.216.34:80@127.0.0.1:{port}/", "http://127.0.0.1#@93.184.216.34/", "http://127.0.0.1?@93.184.216.34/",
    "http://93.184.216.34\\@127.0.0.1/", "http:\\\\127.0.0.1/", "http://127.0.0.1\t:{port}/", " http://127.0.0.1/",
    "http://93.184.216.34:22/", "http://93.184.216.34:6379/", "http://93.184.216.34:99999/", "http://93.184.216.34:0x50/",
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_", "ftp://127.0.0.1/", "dict://127.0.0.1:11211/", "data:text/calendar,BEGIN",
    "javascript:alert(1)", "//127.0.0.1/", "127.0.0.1", "http:///calendar", "http://", "", "https://" + "a" * 2000,
    "http://bad\x00host/", "http://[::1/", "http://[gggg::1]/", "webcal://127.0.0.1/x.ics",
]  # fmt: skip


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses to which anything connects, none of which is really reached unless it is loopback."""
    reached: list[str] = []
    really = socket.socket.connect

    def connect(sock: socket.socket, where: Any) -> None:
        reached.append(str(where[0]))
        if not ip_address(where[0]).is_loopback:
            raise ConnectionRefusedError
        really(sock, where)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return reached


@pytest.fixture(scope="module")
def inside() -> Iterator[Neighbour]:
    """A server on the private network whose answers nobody outside may have."""
    with neighbour(says(SECRET)) as server:
        yield server


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Look-ups give these addresses one after the other, the last for good; returns the names that were asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: Any, *rest: Any, **named: Any) -> list[Any]:
        found = [host] if host[0].isdigit() else answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        kind = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(kind[ip_address(one).version], socket.SOCK_STREAM, 6, "", (one, port or 0)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def code_of(address: str) -> str:
    with pytest.raises(Refusal) as refused:
        outbound.fetch(address)
    assert refused.value.reasons[0].field == "address"
    sentence = reason_sentence(refused.value.reasons[0])
    assert sentence != refused.value.reasons[0].code and "%(" not in sentence
    return refused.value.reasons[0].code


def test_there_are_sixty_forms_and_more():
    assert len(set(BYPASSES)) >= 60


@pytest.mark.parametrize("form", BYPASSES, ids=range(len(BYPASSES)))
def test_no_form_of_an_address_reaches_a_private_network(form, inside, connects):
    inside.asked.clear()
    code_of(form.format(port=inside.port))
    assert inside.asked == [] and connects == []


REACH_IT_UNGUARDED = ["http://127.1:{port}/", "http://2130706433:{port}/", "http://localhost:{port}/", "http://0:{port}/"]


@pytest.mark.parametrize("form", REACH_IT_UNGUARDED)
def test_without_the_guard_the_same_forms_do_reach_it(form, inside):
    """Negative control: the server is there, and an ordinary client is let in."""
    session = requests.Session()
    session.trust_env = False
    assert session.get(form.format(port=inside.port), timeout=5).content == SECRET


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["10.2.3.4"], ["::1"], ["fd00::1"], [PUBLIC, "192.168.0.5"], ["192.168.0.5", PUBLIC], ["::ffff:10.0.0.1"]],
)
def test_a_name_with_any_private_address_is_refused(monkeypatch, connects, found):
    names(monkeypatch, found)
    assert code_of("http://calendar.lab.example/x.ics") == "outbound.not_public"
    assert connects == []


def test_a_name_that_answers_differently_the_second_time_is_refused(monkeypatch, connects):
    asked = names(monkeypatch, [PUBLIC], ["127.0.0.1"])
    assert code_of("http://rebinding.example/x.ics") == "outbound.not_public"
    assert len(asked) == 2 and connects == []


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch, connects):
    """A third look-up would answer with the private address; there is none."""
    asked = names(monkeypatch, [PUBLIC], [PUBLIC], ["127.0.0.1"])
    assert code_of("http://rebinding.example/x.ics") == "outbound.no_answer"
    assert [host for host in asked if host == "rebinding.example"] == ["rebinding.example"] * 2
    assert connects == [PUBLIC]


def test_an_unknown_name_is_said_to_be_unknown(monkeypatch):
    def unknown(*words: Any, **named: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert code_of("https://nowhere.example/") == "outbound.unknown_host"


@pytest.mark.parametrize("address", ["https://93.184.216.34/x.ics", "http://[2606:2800:220:1::1]/", "webcal://a.example/b",
                                     "https://\u5b9e\u9a8c\u5ba4.\u4e2d\u56fd/\u65e5\u5386.ics", "http://a_b.example:443/"])  # fmt: skip
def test_public_addresses_are_let_through(address):
    assert not outbound.destination(address).allowed


# --- A server that the installation names -----------------------------------------------------------------------------
@pytest.fixture
def near(settings: Any) -> Iterator[Neighbour]:
    with neighbour() as server:
        settings.OUTBOUND_ALLOW = frozenset({("127.0.0.1", server.port)})
        yield server


def test_a_named_server_is_read(near, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    near.reply = says(b"BEGIN:VCALENDAR", ETag='"one"', Last_Modified="Mon, 23 Nov 2026 01:00:00 GMT", Set_Cookie="a=b")
    got = outbound.fetch(near.url("/a?b=c"))
    assert got == outbound.Fetched(b"BEGIN:VCALENDAR", '"one"', "Mon, 23 Nov 2026 01:00:00 GMT")
    outbound.fetch(near.url())
    (path, headers), (_, again) = near.asked
    assert path == "/a?b=c" and headers["user-agent"] == outbound.USER_AGENT and "cookie" not in again
    assert headers["accept-encoding"] == "identity"


def test_another_port_of_a_named_server_is_refused(near, inside):
    assert code_of(inside.url()) in {"outbound.not_public", "outbound.port"}


def test_an_unchanged_file_is_not_sent_again(near):
    near.reply = says(b"", 304)
    assert outbound.fetch(near.url(), etag='"one"', last_modified="Mon, 23 Nov 2026 01:00:00 GMT").content is None
    assert near.asked[0][1]["if-none-match"] == '"one"'
    assert near.asked[0][1]["if-modified-since"] == "Mon, 23 Nov 2026 01:00:00 GMT"


def test_a_304_that_nobody_asked_for_is_a_fault(near):
    near.reply = says(b"", 304)
    assert code_of(near.url()) == "outbound.redirect"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(near, inside, status):
    inside.asked.clear()
    near.reply = says(b"", status, Location=inside.url())
    assert code_of(near.url()) == "outbound.redirect"
    assert inside.asked == []


@pytest.mark.parametrize(("reply", "code"), [
    (says(b"gone", 404), "outbound.status"),
    (says(b"", 500), "outbound.status"),
    (says(b"\x1f\x8b", Content_Encoding="gzip"), "outbound.broken_off"),
    (says(b"short", Content_Length="500"), "outbound.broken_off"),
    (says(b"x" * (outbound.MAX_BYTES + 1)), "outbound.too_big"),
])  # fmt: skip
def test_bad_answers_have_a_reason(near, reply, code):
    near.reply = reply
    assert code_of(near.url()) == code


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Chunk after chunk, without an end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        handler.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def test_an_endless_answer_is_cut_off(near):
    near.reply = endless
    began = time.monotonic()
    assert code_of(near.url()) == "outbound.too_big"
    assert time.monotonic() - began < 5


def dripping(head: bytes) -> Any:
    """After ``head`` one byte now and then, each in time for a limit on single waits."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(head)
        for _ in range(400):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    return reply


@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"],
    ids=["status", "headers", "body", "body-with-length"],
)
def test_a_dripping_answer_ends_in_time(near, monkeypatch, head):
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.4)
    near.reply = dripping(head)
    began = time.monotonic()
    assert code_of(near.url()) == "outbound.too_slow"
    assert time.monotonic() - began < 2


def test_a_silent_server_ends_in_time(near, monkeypatch):
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.3)
    near.reply = lambda handler: time.sleep(1)
    assert code_of(near.url()) == "outbound.too_slow"


def test_a_closed_port_is_said_not_to_answer(settings):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings.OUTBOUND_ALLOW = frozenset({("127.0.0.1", port)})
    assert code_of(f"http://127.0.0.1:{port}/") == "outbound.no_answer"


@pytest.mark.parametrize("etag", ['"a\0b"', '"\x7f"', '"' + "x" * 200 + '"', '"\xe9"'])
def test_a_mark_that_cannot_be_sent_back_is_forgotten(near, etag):
    near.reply = says(b"BEGIN:VCALENDAR", ETag=etag)
    assert outbound.fetch(near.url()).etag == ""


def test_an_address_that_grows_too_long_when_written_in_full_is_refused():
    address = "https://h/" + "a" * (outbound.MAX_LENGTH - len("https://h/"))
    assert code_of(address) == "outbound.unreadable"
