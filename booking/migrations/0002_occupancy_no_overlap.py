from django.db import migrations

ADD = """
ALTER TABLE booking_occupancy ADD CONSTRAINT occupancy_no_overlap EXCLUDE USING gist
    (int8range(calendar_id, calendar_id, '[]') WITH &&, during WITH &&) WHERE (blocking);
ALTER TABLE booking_occupancy ADD CONSTRAINT occupancy_half_open CHECK
    (lower_inc(during) AND NOT upper_inc(during) AND NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during));
"""
REMOVE = """
ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap;
ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_half_open;
"""


class Migration(migrations.Migration):
    dependencies = [("booking", "0001_initial")]
    operations = [migrations.RunSQL(ADD, REMOVE)]
