import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: As ``instruments.rules.facets.class_path`` has it: a code without the noughts that fill it up, and the wider ones before it.
FILL = """
UPDATE instruments_catalogueentry e
   SET facets = ARRAY(SELECT value
                        FROM (SELECT unnest(e.facets) AS value
                              UNION SELECT 'c:' || left(e.class_code, n) FROM unnest(ARRAY[4, 6]) AS n
                                     WHERE substr(e.class_code, n - 1, 2) NOT IN ('', '0', '00')) AS each
                       ORDER BY value COLLATE "C")
 WHERE substr(e.class_code, 3) !~ '^0*$'
"""


class Migration(migrations.Migration):
    """What is in a finer class is found by that too; a code list that is taken in can be taken back."""

    dependencies = [
        ('instruments', '0100_former_codes_and_calendars'),
    ]

    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='CodeLoad',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scheme', models.CharField(choices=[('nrii', 'Instrument Class'), ('gbt13745', 'Subject'), ('iso3166', 'Nation'), ('gbt2260', 'Division'), ('panet', 'Technique')], max_length=20)),
                ('valid_from', models.DateField()),
                ('file_name', models.CharField(blank=True, max_length=200)),
                ('sha256', models.CharField(max_length=64)),
                ('begun', models.JSONField(default=list)),
                ('ended', models.JSONField(default=list)),
                ('before', models.JSONField(default=list)),
                ('loaded_at', models.DateTimeField()),
                ('taken_back_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('loaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('taken_back_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['scheme', '-id'], name='code_load_newest')],
            },
        ),
    ]
