from django.db import migrations, models

KINDS = ["late", "left_early", "overtime", "no_show", "no_feedback", "late_cancel", "manual", "used", "licence"]


class Migration(migrations.Migration):
    dependencies = [("booking", "0077_said_to_programmes")]

    operations = [
        migrations.RemoveConstraint("creditevent", "credit_event_kind_known"),
        migrations.AddConstraint(
            "creditevent",
            models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="credit_event_kind_known"),
        ),
    ]
