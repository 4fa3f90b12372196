from django.db import migrations

from booking.migrations._sql import NUMBERS_OF_POLICIES


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0067_busy_changes'),
        ('instruments', '0108_techniques_side_by_side'),
    ]

    operations = [
        migrations.RunSQL(NUMBERS_OF_POLICIES, migrations.RunSQL.noop),
        migrations.RemoveIndex(
            model_name='instrumentpolicy',
            name='policy_for_finding',
        ),
    ]
