from django.db import migrations, models

MEANS = [("lab", "Lab"), ("phone", "Phone"), ("device", "Device"), ("afterwards", "Afterwards"), ("next", "Next")]
DOUBTS = [("overlaps", "overlaps"), ("ended_by_next", "ended_by_next"), ("long_over", "long_over")]


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0072_enquiries_about_bookings"),
    ]

    operations = [
        migrations.AddField(
            model_name="usagesession",
            name="doubt",
            field=models.CharField(blank=True, choices=DOUBTS, db_default="", default="", max_length=16),
        ),
        migrations.AlterField(
            model_name="usagesession",
            name="ended_by_means",
            field=models.CharField(blank=True, choices=MEANS, max_length=12),
        ),
        migrations.AlterField(
            model_name="usagesession",
            name="started_by_means",
            field=models.CharField(choices=MEANS, default="lab", max_length=12),
        ),
    ]
