"""The user's own images: ``local-images.yaml`` says which Python environment takes an image's place.

Each entry is for the images that match a pattern:

    - image: 123456789012.dkr.ecr.*.amazonaws.com/forecast:*
      python: "3.11"
      requirements: [pandas==2.2.3, ./wheels/forecast-1.0-py3-none-any.whl]
      environment: {MODEL_KIND: seasonal}
      entrypoint: [python3, /app/run.py]
      files: {/app: docker/app}
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from local.core.settings import Settings
from local.runtime.errors import JobFailedError


class CustomImage(BaseModel):
    """What takes an image's place. Relative paths are relative to the file's folder.

    Attributes:
        image: A pattern of image URIs, with ``*`` and ``?``. The first entry that matches counts.
        python: The version of Python; None for the service's own.
        requirements: Requirements of packages as pip takes them.
        environment: Environment variables that the image sets.
        entrypoint: The image's entrypoint, for jobs without a ContainerEntrypoint.
        files: Folders of this machine by their place in the container.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str
    python: str | None = Field(default=None, pattern=r"^3\.\d+$")
    requirements: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    entrypoint: tuple[str, ...] = ()
    files: dict[str, str] = {}


_FILE = TypeAdapter(list[CustomImage])


def find(settings: Settings, image: str) -> CustomImage | None:
    """Return the entry for an image, or None.

    Raises:
        JobFailedError: the file cannot be read, or an entry is not valid.
    """
    name = settings.custom_images.name
    try:
        content = settings.custom_images.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise JobFailedError(f"ClientError: {name} cannot be read: {error}") from None
    try:
        entries = _FILE.validate_python(yaml.safe_load(content) or [])
    except yaml.YAMLError as error:
        raise JobFailedError(f"ClientError: {name} is not YAML: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors())
        raise JobFailedError(f"ClientError: {name}: {faults}") from None
    return next((entry for entry in entries if fnmatchcase(image, entry.image)), None)


def folders(settings: Settings, entry: CustomImage) -> dict[str, str]:
    """Return the absolute folders of an entry's ``files`` on this machine, by their place in the container.

    Raises:
        JobFailedError: a folder does not exist, or its place is one of this machine's own folders.
    """
    found, name = {}, settings.custom_images.name
    for place, local in entry.files.items():
        source = (settings.custom_images.parent / local).resolve()
        if not source.is_dir():
            raise JobFailedError(f"ClientError: {name}: files: {source} is not a folder")
        top = Path("/", *Path(place).parts[1:2])
        is_free = top == Path("/opt") or not top.exists()
        if not place.startswith("/") or ".." in Path(place).parts or place.startswith("/opt/ml") or not is_free:
            raise JobFailedError(
                f"ClientError: {name}: files: {place} cannot be a folder of the container here: take one in /opt, "
                "or in a new folder at the root, such as /app"
            )
        found[place] = str(source)
    return found


def _place(location: tuple[str | int, ...]) -> str:
    entry, *member = location or (0,)
    return ".".join([f"entry {int(entry) + 1}" if isinstance(entry, int) else entry, *map(str, member)])
