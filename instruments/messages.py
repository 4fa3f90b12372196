"""The sentences for refusals about people, organisations, instruments and imports."""
