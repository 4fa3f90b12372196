"""Pools whose document leaves the figure to the budget were opened with nil, as if nil had been set. Where nothing was added since and nothing
drawn, they have no figure."""

from django.db import migrations


def _without_figure(document):
    for part in (document, *document.get("sides", ())):
        for cap in part.get("caps", ()):
            limit = cap["limit"]
            if cap["per"] == "pool" and isinstance(limit, dict) and limit.get("configured") and "default" not in limit:
                yield cap["id"]


def take_nil_away(apps, schema_editor):
    versions = apps.get_model("billing", "ProgrammeVersion").objects.filter(published_at__isnull=False)
    accounts = apps.get_model("billing", "Account").objects
    for version in versions.select_related("programme"):
        keys = [f"pool:{version.programme.code}:{version.label}:{cap_id}" for cap_id in _without_figure(version.document)]
        if keys:
            accounts.filter(key__in=keys, limited=True, granted_fen=0, held_fen=0, posted_fen=0).update(limited=False)


class Migration(migrations.Migration):
    dependencies = [("billing", "0265_a_part_is_given_up")]
    operations = [migrations.RunPython(take_nil_away, migrations.RunPython.noop)]
