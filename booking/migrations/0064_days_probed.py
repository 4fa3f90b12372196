from django.db import migrations

from booking.migrations._sql import KEY_ALONE, KEY_WITH_ANSWER


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0063_passed_over"),
    ]

    operations = [migrations.RunSQL(KEY_WITH_ANSWER, KEY_ALONE)]
