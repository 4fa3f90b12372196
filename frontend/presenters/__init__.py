"""What services and queries answer, turned into rows that templates only print."""
