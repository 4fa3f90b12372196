"""What whoever books says to programmes that ask: kind of service, way of settlement, rate."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0083_doubts_about_sessions'),
    ]

    operations = [
        migrations.AddField(
            model_name='reservation',
            name='rate',
            field=models.CharField(blank=True, db_default='', default='', max_length=8),
        ),
        migrations.AddField(
            model_name='reservation',
            name='service_kind',
            field=models.CharField(blank=True, db_default='', default='', max_length=30),
        ),
        migrations.AddField(
            model_name='reservation',
            name='settlement',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
        migrations.AddField(
            model_name='samplejob',
            name='rate',
            field=models.CharField(blank=True, db_default='', default='', max_length=8),
        ),
        migrations.AddField(
            model_name='samplejob',
            name='service_kind',
            field=models.CharField(blank=True, db_default='', default='', max_length=30),
        ),
        migrations.AddField(
            model_name='samplejob',
            name='settlement',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
    ]
