from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0060_assistants"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("state__in", ["completed", "adjusting", "adjustment_refused", "disputed", "agreed"])),
                fields=["organisation", "instrument"],
                name="reservation_used",
            ),
        ),
    ]
