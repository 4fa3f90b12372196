"""Calendar files as tests write them."""

from __future__ import annotations

BODY = "DTSTART:20261124T080000Z\nDTEND:20261124T090000Z"


def event(*lines: str, uid: str = "a", title: str = "Busy elsewhere", body: str = BODY) -> str:
    """One VEVENT; without ``uid`` or ``title`` the property is left out."""
    named = [f"UID:{uid}"] * bool(uid) + [f"SUMMARY:{title}"] * bool(title)
    return "\n".join(["BEGIN:VEVENT", *named, *[body] * bool(body), *lines, "END:VEVENT"])


def calendar(*parts: str) -> bytes:
    """A file of these parts."""
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *"\n".join(parts).split("\n"), "END:VCALENDAR", ""]).encode()


def timed(start: str, end: str, **named: str) -> str:
    """An event from ``20261124T080000Z`` to another such time."""
    return event(body=f"DTSTART:{start}\nDTEND:{end}", **named)
