"""An archive whose bytes follow from what is in it: sorted, dated alike, not compressed again, with a manifest of hashes.

Nothing is compressed, because what goes in is compressed already and another version of the library would compress otherwise.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MANIFEST = "manifest.json"
FORMAT = 1
_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Archive:
    """``content`` are the bytes of the ZIP, ``sha256`` their hash."""

    content: bytes
    sha256: str


def canonical(document: Any) -> bytes:
    """JSON that people can read, always the same for the same."""
    return (json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def packed(files: Mapping[str, bytes], about: Mapping[str, Any]) -> Archive:
    """``files`` by their paths in the archive, and ``manifest.json``: ``about``, the SHA-256 and size of every file, and how many they are.

    Raises ValueError for a path that leads out of the archive or is the manifest's own.
    """
    entries = []
    for path in sorted(files):
        if path == MANIFEST or path.startswith("/") or ".." in path.split("/") or "\\" in path:
            raise ValueError(f"not a path in an archive: {path}")
        body = files[path]
        entries.append({"path": path, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)})
    size = sum(int(str(entry["bytes"])) for entry in entries)
    manifest = {**about, "format": FORMAT, "files": entries, "file_count": len(entries), "bytes": size}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, MANIFEST, canonical(manifest))
        for path in sorted(files):
            _add(archive, path, files[path])
    content = out.getvalue()
    return Archive(content, hashlib.sha256(content).hexdigest())


def _add(archive: zipfile.ZipFile, path: str, body: bytes) -> None:
    info = zipfile.ZipInfo(path, _DATE)
    info.external_attr = _MODE
    info.create_system = _UNIX
    archive.writestr(info, body)
