from django.db import migrations

from billing.migrations._sql import NO_OVERLAP, OVERLAP_AGAIN


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_initial")]
    operations = [migrations.RunSQL(NO_OVERLAP, OVERLAP_AGAIN)]
