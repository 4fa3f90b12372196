"""Reading request bodies: everything that is not plain, unambiguous JSON of a bearable size is refused here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MOST_NESTED = 45
"""More than a programme document may have, whose own check then names the place."""


class TooLarge(APIException):
    """The body is longer than ``settings.DATA_UPLOAD_MAX_MEMORY_SIZE``."""

    status_code = 413
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """JSON in UTF-8 without duplicate keys, NaN, lone surrogates or more than ``MOST_NESTED`` levels."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(_("The request is larger than %(limit)s bytes. Send less.") % {"limit": limit})
        try:
            data = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
            if b"\\u" in body:
                json.dumps(data, ensure_ascii=False).encode("utf-8")
            if body.count(b"{") + body.count(b"[") > MOST_NESTED:
                _refuse_deep(data)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not JSON that can be read: %(fault)s.") % {"fault": _fault(error)}) from error
        return data


class _Refused(ValueError):
    """A fault of ours, whose text may be shown."""


def _fault(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, line {error.lineno}, column {error.colno}"
    if isinstance(error, RecursionError):
        return _TOO_DEEP
    if isinstance(error, UnicodeError):
        return "it is not UTF-8"
    return str(error) if isinstance(error, _Refused) else "a number has too many digits"


_TOO_DEEP = f"more than {MOST_NESTED} levels are nested"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("a key stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise _Refused(f"{name} is not JSON")


def _refuse_deep(data: Any) -> None:
    level = [data]
    for _depth in range(MOST_NESTED):
        level = [child for each in level for child in _children(each)]
        if not level:
            return
    raise _Refused(_TOO_DEEP)


def _children(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in inner if isinstance(each, (dict, list))]
