"""What every serializer of ours has in common."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer):
    """Explicit fields only: an unknown field is an error that names it, never silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            unknown = sorted(set(data) - writable)
            if unknown:
                raise serializers.ValidationError(
                    {name: serializers.ErrorDetail("Unknown or read-only field.", code="unknown") for name in unknown}
                )
        return super().to_internal_value(data)
