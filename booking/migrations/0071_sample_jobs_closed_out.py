import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0068_policies_in_the_catalogue"),
    ]

    operations = [
        migrations.AddField(
            model_name="closeout",
            name="sample_job",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="close_out", to="booking.samplejob"
            ),
        ),
        migrations.AddField(
            model_name="sessionrating",
            name="sample_job",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="rating", to="booking.samplejob"
            ),
        ),
        migrations.AlterField(
            model_name="closeout",
            name="reservation",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="close_out", to="booking.reservation"
            ),
        ),
        migrations.AlterField(
            model_name="sessionrating",
            name="instrument",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="ratings", to="instruments.instrument"
            ),
        ),
        migrations.AlterField(
            model_name="sessionrating",
            name="reservation",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="rating", to="booking.reservation"
            ),
        ),
        migrations.AddConstraint(
            model_name="closeout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reservation__isnull", False), ("sample_job__isnull", True)),
                    models.Q(
                        ("report_due_on", None),
                        ("reported_on", None),
                        ("reservation__isnull", True),
                        ("retests", 0),
                        ("sample_job__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="close_out_of_one_service",
            ),
        ),
        migrations.AddConstraint(
            model_name="sessionrating",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("instrument__isnull", False), ("reservation__isnull", False), ("sample_job__isnull", True)),
                    models.Q(("instrument__isnull", True), ("reservation__isnull", True), ("sample_job__isnull", False)),
                    _connector="OR",
                ),
                name="rating_of_one_service",
            ),
        ),
    ]
