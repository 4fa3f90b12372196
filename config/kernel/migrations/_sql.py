"""What only SQL can say about the tables of the kernel, for the migrations that say it."""

# The table of django.core.cache's database backend (rate limits of the log-in live in it).
CACHE_TABLE = """
CREATE TABLE kernel_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE INDEX kernel_cache_expires ON kernel_cache (expires);
"""
NO_CACHE_TABLE = "DROP TABLE kernel_cache;"
