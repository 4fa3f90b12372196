"""Fields that the registry's shapes have in common."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from instruments.queries.divisions import is_division
from instruments.queries.techniques import known_techniques


class Division(serializers.RegexField):
    """The six digits of a division (GB/T 2260) that there is, in a query string; empty for none."""

    default_error_messages = {"unknown": _("There is no division %(code)s. Use a six-digit code of the list, like 630104.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^([1-9][0-9]{5})?$", **{"required": False, "allow_blank": True, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        code = str(super().to_internal_value(data))
        if code and not is_division(code):
            raise serializers.ValidationError(self.error_messages["unknown"] % {"code": code}, code="unknown")
        return code


class Technique(serializers.CharField):
    """The code of a technique that is known here, in a query string; empty for none."""

    default_error_messages = {"unknown": _("There is no technique %(code)s. The codes are those of the facet “technique”.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 100, "required": False, "allow_blank": True, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        code = str(super().to_internal_value(data))
        if code and code not in known_techniques():
            raise serializers.ValidationError(self.error_messages["unknown"] % {"code": code}, code="unknown")
        return code
