"""What only SQL can say about the tables of money, for the migrations that say it."""

NO_OVERLAP = """
ALTER TABLE billing_programmeversion ADD CONSTRAINT programme_version_no_overlap EXCLUDE USING gist
    (int8range(programme_id, programme_id, '[]') WITH &&, valid WITH &&) WHERE (published_at IS NOT NULL);
"""
OVERLAP_AGAIN = "ALTER TABLE billing_programmeversion DROP CONSTRAINT programme_version_no_overlap;"
