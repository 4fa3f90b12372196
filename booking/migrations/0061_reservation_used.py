from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0060_assistants"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(
                    ("state", "completed"),
                    ("state", "adjusting"),
                    ("state", "adjustment_refused"),
                    ("state", "disputed"),
                    ("state", "agreed"),
                    _connector="OR",
                ),
                fields=["organisation", "instrument"],
                name="reservation_used",
            ),
        ),
    ]
