import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0062_keepings"),
    ]

    operations = [
        migrations.AddField(
            model_name="reservationtransition",
            name="passed_over",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60), null=True, size=None
            ),
        ),
    ]
