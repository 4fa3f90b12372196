
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('instruments', '0040_resource_reviews'),
    ]

    operations = [
        migrations.AlterField(
            model_name='testitem',
            name='price_unit',
            field=models.CharField(choices=[('sample', 'Sample'), ('element', 'Element'), ('test', 'Test'), ('hour', 'Hour'), ('day', 'Day'), ('batch', 'Batch'), ('half_day', 'Half Day'), ('run', 'Run'), ('consumable', 'Consumable'), ('operator_hour', 'Operator Hour')], default='sample', max_length=20),
        ),
    ]
