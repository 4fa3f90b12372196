from django.db import migrations

ADD = """
ALTER TABLE billing_programmeversion ADD CONSTRAINT programme_version_no_overlap EXCLUDE USING gist
    (int8range(programme_id, programme_id, '[]') WITH &&, valid WITH &&) WHERE (published_at IS NOT NULL);
"""
REMOVE = "ALTER TABLE billing_programmeversion DROP CONSTRAINT programme_version_no_overlap;"


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_initial")]
    operations = [migrations.RunSQL(ADD, REMOVE)]
