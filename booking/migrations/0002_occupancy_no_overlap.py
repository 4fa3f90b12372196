from django.db import migrations

from booking.migrations._sql import NO_OVERLAP, OVERLAP_AGAIN


class Migration(migrations.Migration):
    dependencies = [("booking", "0001_initial")]
    operations = [migrations.RunSQL(NO_OVERLAP, OVERLAP_AGAIN)]
