"""Start-up checks: refuse to serve when a guard, a secret or a required part is missing."""
