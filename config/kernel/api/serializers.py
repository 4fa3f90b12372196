"""What every serializer of ours has in common."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework import serializers


class StrictSerializer(serializers.Serializer):
    """Explicit fields only: an unknown field is an error that names it, never silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            unknown = sorted(set(data) - writable)
            if unknown:
                raise serializers.ValidationError(
                    {name: serializers.ErrorDetail(_("Unknown or read-only field."), code="unknown") for name in unknown}
                )
        return super().to_internal_value(data)


class NoFields(StrictSerializer):
    """An action that needs nothing but its address: the body is empty or an empty object."""


class NoParameters(StrictSerializer):
    """A query string that must be empty."""


class PageParameters(StrictSerializer):
    """Which page of a list."""

    page = serializers.CharField(max_length=20, required=False, help_text="A page number within the result.")
    page_size = serializers.IntegerField(min_value=1, max_value=200, required=False, help_text="How many on a page, 200 at most.")


def given_once(query: QueryDict) -> dict[str, str]:
    """The query string as a mapping. Raises ValidationError for a parameter that stands there twice."""
    repeated = sorted(name for name, values in query.lists() if len(values) != 1)
    if repeated:
        raise serializers.ValidationError(
            {name: serializers.ErrorDetail(_("Give this once."), code="repeated") for name in repeated}
        )
    return {name: values[0] for name, values in query.lists()}
