"""The kind of service of a test that is no ordinary one."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('instruments', '0108_techniques_side_by_side'),
    ]

    operations = [
        migrations.AddField(
            model_name='testitem',
            name='service_kind',
            field=models.CharField(blank=True, db_default='', default='', max_length=30),
        ),
    ]
