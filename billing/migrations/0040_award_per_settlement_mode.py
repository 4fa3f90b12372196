from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0021_waived_fees'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='award',
            name='award_once',
        ),
        migrations.AddConstraint(
            model_name='award',
            constraint=models.UniqueConstraint(fields=('charge', 'programme_version', 'mode'), name='award_once'),
        ),
    ]
