"""A wheel for jobs to install."""

from __future__ import annotations

import io
import zipfile


def wheel(version: str) -> bytes:
    """A wheel of a package that says its version."""
    content = io.BytesIO()
    information = f"jobpackage-{version}.dist-info"
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("jobpackage.py", f"version = {version!r}\n")
        file.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: jobpackage\nVersion: {version}\n")
        file.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{information}/RECORD", "")
    return content.getvalue()
