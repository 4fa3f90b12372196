from django.db import migrations


class Migration(migrations.Migration):
    """The search words stand in the catalogue alone."""

    dependencies = [
        ('instruments', '0008_catalogue_filled'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='instrument',
            name='instrument_search',
        ),
        migrations.RemoveIndex(
            model_name='resource',
            name='resource_search',
        ),
        migrations.RemoveField(
            model_name='instrument',
            name='search',
        ),
        migrations.RemoveField(
            model_name='resource',
            name='search',
        ),
    ]
