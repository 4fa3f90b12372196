"""Rules that were stored as they were typed are stored as they are read: readers of before let pass what those of today refuse."""

from __future__ import annotations

from typing import Any

from django.db import migrations

TIMES = ("peak", "unlimited", "licensed_times")
USUAL = {"late_minutes": 15, "early_minutes": 30, "overtime_minutes": 15}


def rules_as_read(apps: Any, _schema_editor: Any) -> None:
    _rewrite(apps.get_model("booking", "PolicyLayer"), "said", _layer)
    _rewrite(apps.get_model("booking", "InstrumentPolicy"), "rules", _times)
    _rewrite(apps.get_model("booking", "CreditRules"), "document", _credit)


def _rewrite(model: Any, name: str, read: Any) -> None:
    for row in model.objects.order_by("pk").iterator():
        before = getattr(row, name)
        after = read(before)
        if after != before or str(after) != str(before):  # true and 1.0 are like 1, and not the same
            setattr(row, name, after)
            row.save(update_fields=[name])


def _layer(said: Any) -> Any:
    kept = _times(said)
    if not isinstance(kept, dict):
        return kept
    if isinstance(kept.get("quotas"), list):
        kept["quotas"] = [_quota(one) for one in kept["quotas"]]
    return kept


def _times(said: Any) -> Any:
    if not isinstance(said, dict):
        return said
    return {
        name: [_week_time(one) for one in value] if name in TIMES and isinstance(value, list) else value
        for name, value in said.items()
    }


def _week_time(one: Any) -> dict[str, Any]:
    return {
        "weekdays": sorted(int(day) for day in one["weekdays"]),
        "from_minute": int(one["from_minute"]),
        "until_minute": int(one["until_minute"]),
    }


def _quota(one: Any) -> dict[str, Any]:
    words = {name: one[name] for name in ("subject", "measure", "period")}
    return {**words, "most": int(one["most"]), "peak_only": bool(one.get("peak_only", False))}


def _credit(document: Any) -> Any:
    if not isinstance(document, dict):
        return document
    points, rows = document.get("points"), document.get("thresholds")
    return {
        "start_points": document["start_points"],
        "points": points if isinstance(points, dict) else {},
        "thresholds": [
            {"below": one["below"], "kind": one["kind"], "days": one.get("days")} for one in (rows if isinstance(rows, list) else [])
        ],
        "window_days": document.get("window_days"),
        **{name: document.get(name, usual) for name, usual in USUAL.items()},
    }


class Migration(migrations.Migration):
    dependencies = [('booking', '0017_series')]
    operations = [migrations.RunPython(rules_as_read, migrations.RunPython.noop, elidable=True)]
