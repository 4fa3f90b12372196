from django.db import migrations

from config.kernel.migrations._sql import CACHE_TABLE, NO_CACHE_TABLE


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [migrations.RunSQL(CACHE_TABLE, NO_CACHE_TABLE)]
