from django.db import migrations

# The table of django.core.cache's database backend (rate limits of the log-in live in it).
ADD = """
CREATE TABLE kernel_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE INDEX kernel_cache_expires ON kernel_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [migrations.RunSQL(ADD, "DROP TABLE kernel_cache;")]
