from django.db import migrations, models

KINDS = [
    "late",
    "left_early",
    "overtime",
    "booked_over",
    "no_show",
    "no_feedback",
    "late_cancel",
    "manual",
    "used",
    "licence",
]


class Migration(migrations.Migration):
    dependencies = [("booking", "0085_credit_gained")]

    operations = [
        migrations.RemoveConstraint("creditevent", "credit_event_kind_known"),
        migrations.AddConstraint(
            "creditevent",
            models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="credit_event_kind_known"),
        ),
    ]
