"""Fields that say no early: whole numbers that fit, texts that are texts, instants with an offset, days of our time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

BIGGEST = 2**63 - 1
FIRST_YEAR, LAST_YEAR = 2000, 2100


class WholeNumber(serializers.IntegerField):
    """A JSON number without fraction, from ``min_value`` (default 0) to what the database keeps."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": BIGGEST, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return int(data)


class Id(WholeNumber):
    """The number of an object."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, **kwargs})


class IdParameter(serializers.IntegerField):
    """The number of an object in a query string, where everything is text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": BIGGEST, **kwargs})


class Text(serializers.CharField):
    """A JSON text; a number is not silently written out."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Instant(serializers.DateTimeField):
    """ISO 8601 with an offset, between 2000 and 2100; read as an aware datetime in UTC."""

    default_error_messages = {
        "invalid": _("Give date and time as in 2026-11-25T09:00:00+08:00."),
        "naive": _("The offset from UTC is missing. Write it behind the time, as in 2026-11-25T09:00:00+08:00."),
        "out_of_range": _("The year must lie between 2000 and 2100."),
    }

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not value.isascii() or len(value) > 40:
            self.fail("invalid")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail("invalid")
        if moment.tzinfo is None:
            self.fail("naive")
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            self.fail("out_of_range")
        return moment.astimezone(UTC)


class Day(serializers.DateField):
    """A day between 2000 and 2100, as ``YYYY-MM-DD``."""

    default_error_messages = {
        "invalid": _("Give the day as in 2026-11-25."),
        "out_of_range": _("The year must lie between 2000 and 2100."),
    }

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or len(value) != 10 or not value.isascii():
            self.fail("invalid")
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail("invalid")
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fail("out_of_range")
        return day
