"""Identifiers that stay: DOI and CSTR, how they are written, and under which address they are found."""

from __future__ import annotations

import re
from collections.abc import Iterable

from config.kernel.errors import Reason, Refusal
from instruments.rules.names import clean_name

LENGTH = 200
_DOI_STARTS = ("https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "http://dx.doi.org/", "doi:")
_CSTR_STARTS = ("https://cstr.cn/", "http://cstr.cn/", "cstr:")
#: ISO 26324: a registrant below 10, a slash, and what the registrant likes.
_DOI = re.compile(r"10\.[0-9]{4,9}(\.[0-9]+)*/\S+")
#: GB/T 32843: the registrar (five digits), the kind of resource (two), and the registrar's own name of it.
_CSTR = re.compile(r"[0-9]{5}\.[0-9]{2}\.\S+")
_INVALID = frozenset({"instrument.doi_invalid", "instrument.cstr_invalid"})


def bare_doi(text: str) -> str:
    """A DOI without the address of a resolver."""
    return _without(text, _DOI_STARTS)


def bare_cstr(text: str) -> str:
    """A CSTR identifier without the address of a resolver and without its label."""
    return _without(text, _CSTR_STARTS)


def doi_url(text: str) -> str:
    """Where a DOI leads; nothing for what is none."""
    bare = bare_doi(text)
    return f"https://doi.org/{bare}" if _DOI.fullmatch(bare) else ""


def cstr_url(text: str) -> str:
    """Where a CSTR identifier leads; nothing for what is none."""
    bare = bare_cstr(text)
    return f"https://cstr.cn/{bare}" if _CSTR.fullmatch(bare) else ""


def clean_doi(value: str, field: str) -> str:
    """A DOI as it is written, or nothing. Raises Refusal ``instrument.doi_invalid``, ``name.*``."""
    text = _line(value, field)
    if text and not _DOI.fullmatch(bare_doi(text)):
        raise Refusal.of("instrument.doi_invalid", field, text=text)
    return text


def clean_cstr(value: str, field: str) -> str:
    """A CSTR identifier as it is written, or nothing. Raises Refusal ``instrument.cstr_invalid``, ``name.*``."""
    text = _line(value, field)
    if text and not _CSTR.fullmatch(bare_cstr(text)):
        raise Refusal.of("instrument.cstr_invalid", field, text=text)
    return text


def kept_ids(stored: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """What is stored (DOI, CSTR) as fields and texts, for ``without_kept``."""
    return frozenset((field, text) for pair in stored for field, text in zip(("doi", "cstr"), pair, strict=True))


def without_kept(reasons: Iterable[Reason], kept: frozenset[tuple[str, str]]) -> tuple[Reason, ...]:
    """The reasons, without those against identifiers that are ``kept``: what was stored before they were checked stays."""
    return apart_kept(reasons, kept)[0]


def apart_kept(reasons: Iterable[Reason], kept: frozenset[tuple[str, str]]) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """As ``without_kept``, and notes for the row of a list that says such an identifier: it is not written anew."""
    left: list[Reason] = []
    notes: list[Reason] = []
    for one in reasons:
        if one.code in _INVALID and (one.field, one.params["text"]) in kept:
            notes.append(Reason("import.identifier_not_written", dict(one.params), one.field))
        else:
            left.append(one)
    return tuple(left), tuple(notes)


def _line(value: str, field: str) -> str:
    text = " ".join(value.split())
    return clean_name(text, LENGTH, field) if text else ""


def _without(text: str, starts: tuple[str, ...]) -> str:
    start = next((one for one in starts if text.lower().startswith(one)), "")
    return text[len(start) :].strip()
