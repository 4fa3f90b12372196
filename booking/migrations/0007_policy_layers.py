import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SAID = (
    "granularity_minutes", "min_minutes", "max_minutes", "notice_minutes", "horizon_days", "buffer_before_minutes",
    "buffer_after_minutes", "approval_required", "pending_blocks", "cancel_notice_minutes", "no_show_grace_minutes",
)  # fmt: skip


def policies_become_layers(apps, schema_editor):
    """What an instrument's policy said so far was said for that instrument."""
    policies = apps.get_model("booking", "InstrumentPolicy").objects.select_related("instrument").order_by("pk")
    layers = apps.get_model("booking", "PolicyLayer").objects
    rows = []
    for policy in policies.iterator(chunk_size=1000):
        rows.append(
            layers.model(
                organisation_id=policy.instrument.organisation_id,
                instrument_id=policy.instrument_id,
                said={name: getattr(policy, name) for name in SAID},
                changed_at=policy.instrument.updated_at,
            )
        )
        if len(rows) == 1000:
            layers.bulk_create(rows)
            rows = []
    layers.bulk_create(rows)


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0006_time_alerts"),
        ("instruments", "0011_import_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("instrumentpolicy", "rules", models.JSONField(blank=True, default=dict)),
        migrations.CreateModel(
            name="PolicyLayer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("class_code", models.CharField(blank=True, max_length=6)),
                ("said", models.JSONField(default=dict)),
                ("changed_at", models.DateTimeField()),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "instrument",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="policy_layer",
                        to="instruments.instrument",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="policy_layers", to="instruments.organisation"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("instrument__isnull", True)),
                        fields=("organisation", "class_code"),
                        name="policy_layer_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("instrument__isnull", True), ("class_code", ""), _connector="OR"),
                        name="policy_layer_for_one_thing",
                    ),
                ]
            },
        ),
        migrations.RunPython(policies_become_layers, migrations.RunPython.noop),
    ]
