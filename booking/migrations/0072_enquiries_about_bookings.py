import django.db.models.deletion
from django.db import migrations, models

ABOUT = ("instrument", "resource", "resource_request", "need", "reservation", "sample_job")


def _about_one_thing():
    condition = models.Q()
    for chosen in ABOUT:
        condition |= models.Q(**{f"{name}__isnull": name != chosen for name in ABOUT})
    return condition


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0071_sample_jobs_closed_out"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="enquiry", name="enquiry_about_one_thing"),
        migrations.AddField(
            model_name="enquiry",
            name="reservation",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="enquiries", to="booking.reservation"
            ),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="sample_job",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="enquiries", to="booking.samplejob"
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(condition=_about_one_thing(), name="enquiry_about_one_thing"),
        ),
    ]
