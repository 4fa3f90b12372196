from django.db import migrations

# What the rows of the registry tell. Prices, subsidies and techniques are known to code alone: the nightly rebuild adds them, or
# ``manage.py rebuild_search`` at once.
FILL = """
INSERT INTO instruments_catalogueentry
       (kind, instrument_id, organisation_id, calendar_id, name, name_en, name_pinyin, search, facets, behind, class_code, region_code,
        zones, technique_codes, service_modes, status, public, public_at, bookable, training_needed, approval_needed, price_unit,
        subsidy_eligible, updated_at)
SELECT 'instrument', i.id, i.organisation_id, i.calendar_id, i.name, i.name_en, i.name_pinyin, i.search,
       ARRAY(SELECT value FROM (SELECT DISTINCT value FROM unnest(
               ARRAY['k:instrument', 'o:' || i.organisation_id, 'x:' || i.status, CASE WHEN i.training_needed THEN 'n:yes' ELSE 'n:no' END]
               || CASE WHEN i.class_code <> '' THEN ARRAY['c:' || left(i.class_code, 2)] ELSE '{}' END
               || CASE WHEN length(s.region_code) = 6
                       THEN ARRAY['r:' || left(s.region_code, 2) || '0000', 'r:' || left(s.region_code, 4) || '00',
                                  'r:' || s.region_code] ELSE '{}' END
               || CASE WHEN opening.found AND i.status IN ('normal', 'occasionally_faulty') THEN ARRAY['b:yes'] ELSE '{}' END
               || ARRAY(SELECT 'm:' || jsonb_array_elements_text(i.service_modes))
               || ARRAY(SELECT 'z:' || jsonb_array_elements_text(o.policy_zones))
             ) AS value) each ORDER BY value COLLATE "C"),
       '{}', i.class_code, s.region_code, ARRAY(SELECT jsonb_array_elements_text(o.policy_zones)), '{}',
       ARRAY(SELECT jsonb_array_elements_text(i.service_modes)), i.status,
       i.published AND o.status <> 'suspended', CASE WHEN i.published AND o.status <> 'suspended' THEN i.updated_at END,
       opening.found AND i.status IN ('normal', 'occasionally_faulty'), i.training_needed, true, '', false, i.updated_at
  FROM instruments_instrument i
  JOIN instruments_organisation o ON o.id = i.organisation_id
  JOIN instruments_site s ON s.id = i.site_id
 CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM instruments_calendarentry e
                                     WHERE e.calendar_id = i.calendar_id AND e.kind = 'opening') AS found) opening
    ON CONFLICT (instrument_id) DO NOTHING;
"""


class Migration(migrations.Migration):
    """Every instrument that is there has its entry in the catalogue."""

    dependencies = [
        ('instruments', '0007_search'),
    ]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
