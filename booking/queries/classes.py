"""Which classes of instruments a lab has said something about."""

from __future__ import annotations

#: Of the given classes those for which a lab has rules, a course or a licence; a list of classes that began them is not taken back.
NAMED = " UNION ".join(
    f"SELECT rpad(class_code, 6, '0') FROM booking_{table}"  # noqa: S608  (our own names)
    " WHERE class_code <> '' AND rpad(class_code, 6, '0') = ANY(%(codes)s)"
    for table in ("policylayer", "coursescope", "licence")
)
