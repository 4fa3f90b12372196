import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0086_credit_booked_over'),
        ('instruments', '0113_kind_of_test'),
    ]

    operations = [
        migrations.CreateModel(
            name='SessionFault',
            fields=[
                ('problem', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='instruments.instrumentproblem')),
                ('reservation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='faults', to='booking.reservation')),
            ],
        ),
    ]
