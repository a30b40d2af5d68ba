"""The S3 data of a job's inputs and channels: the objects that they name, and their paths in the container."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.core.errors import ServiceError, validation_error
from local.core.paths import UnsafeNameError, below
from local.storage.objects import Objects, ObjectTooLargeError, S3Uri

LARGEST_MANIFEST = 64 * 1024 * 1024


class InputError(Exception):
    """An input cannot be downloaded. The message is a FailureReason in SageMaker's words."""


@dataclass(frozen=True)
class InputFile:
    """An object of an input.

    Attributes:
        uri: The object's URI.
        place: The object's path relative to the input's folder.
    """

    uri: str
    place: str


def find(objects: Objects, data_type: str, uri: str) -> list[InputFile]:
    """Return the objects that a data source names.

    A prefix names every key that begins with it: ``s3://bucket/train`` names ``train/a`` and ``train.csv``. Folder
    markers, which are empty objects whose keys end with a slash, are left out.
    A manifest is a JSON list. Its first element gives a prefix, and the other elements are keys relative to the prefix.
    Source: "S3DataSource" in SageMaker's API reference.

    Args:
        objects: The buckets.
        data_type: ``S3Prefix`` or ``ManifestFile``.
        uri: The prefix, or the manifest's object.

    Raises:
        InputError: No object has the prefix, a key cannot be a file in the container, or the manifest is not valid.
        ServiceError: ValidationException, because the URI is not an S3 URI.
    """
    if data_type == "ManifestFile":
        return list(_of_manifest(objects, uri))
    parsed = S3Uri.parse(uri)
    keys = objects.keys(uri)
    if not keys:
        raise InputError(f"ClientError: Data download failed:No objects found under S3 URL {uri}")
    uris = (S3Uri(parsed.bucket, key) for key in keys)
    return [_input_file(each, parsed.key) for each in uris if not objects.is_folder_marker(each)]


def check_exists(objects: Objects, data_type: str, uri: str, *, region: str, role: str) -> None:
    """Check that a data source names at least one object, as CreateTrainingJob does.

    Args:
        objects: The buckets.
        data_type: ``S3Prefix`` or ``ManifestFile``.
        uri: The prefix, or the manifest's object.
        region: The service's region, for the message.
        role: The ARN of the job's role, for the message.

    Raises:
        ServiceError: ValidationException in SageMaker's words.
    """
    if objects.exists(uri) or (data_type == "S3Prefix" and objects.keys(uri)):
        return
    bucket = S3Uri.parse(uri).bucket
    raise validation_error(
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
        f"exists in the selected region ({region}), that objects exist under that S3 prefix, and that the role "
        f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def download(objects: Objects, files: list[InputFile], folder: Path, *, link: bool) -> int:
    """Copy or link objects into a folder.

    Args:
        objects: The buckets.
        files: The objects and their paths in the folder.
        folder: The folder, created if it does not exist.
        link: Whether to use hard links where the file system supports them. Only for programs that never write to
            their input, because writing to a link changes the object.

    Returns:
        The size of all objects, in bytes.

    Raises:
        InputError: Two objects have the same path, a path leads out of the folder, or an object does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    size = 0
    for file in files:
        try:
            source, target = objects.path(file.uri), below(folder, file.place)
        except (ServiceError, UnsafeNameError) as error:
            raise InputError(f"ClientError: Data download failed:{file.uri}: {error}") from None
        except FileNotFoundError:
            raise InputError(f"ClientError: Data download failed:{file.uri} does not exist") from None
        if target.exists():
            raise InputError(
                f"ClientError: Data download failed:{file.uri} and another object have the same local path"
            )
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise InputError(
                f"ClientError: Data download failed:{file.uri} needs a folder whose name is that of another object"
            ) from None
        try:
            if not (link and _linked(source, target)):
                shutil.copyfile(source, target)
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"ClientError: Data download failed:{file.uri} does not exist") from None
        size += target.stat().st_size
    return size


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        # The folder is on another file system, or the file system has no hard links.
        return False
    return True


def _input_file(uri: S3Uri, prefix: str) -> InputFile:
    place = _place(uri.key, prefix)
    try:
        below(Path(), place)
    except UnsafeNameError as error:
        raise InputError(
            f"ClientError: Data download failed:{uri} cannot be a file in the container: its name {place!r} {error}"
        ) from None
    return InputFile(str(uri), place)


def _place(key: str, prefix: str) -> str:
    """Return a key's path relative to its prefix.

    A prefix that ends within a name counts up to its last slash: ``train.csv`` for ``data/train.csv`` and ``data/tr``.
    """
    if key == prefix:
        return key.rpartition("/")[2]
    if prefix == "" or prefix.endswith("/"):
        return key.removeprefix(prefix)
    if key[len(prefix)] == "/":
        return key[len(prefix) + 1 :]
    return key[len(prefix.rpartition("/")[0]) :].lstrip("/")


def _of_manifest(objects: Objects, uri: str) -> Iterator[InputFile]:
    def wrong(what: str) -> InputError:
        return InputError(f"ClientError: Data download failed:manifest file {uri}: {what}")

    try:
        entries = json.loads(objects.read(uri, at_most=LARGEST_MANIFEST))
    except ObjectTooLargeError as error:
        raise wrong(str(error)) from None
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise wrong("it does not exist") from None
    except ValueError as error:
        raise wrong(f"it is not JSON: {error}") from None
    except RecursionError:
        raise wrong("its JSON is nested too deeply") from None
    if not isinstance(entries, list) or not entries:
        raise wrong("it is not a list of a prefix and keys")
    first, *keys = entries
    if not isinstance(first, dict) or not isinstance(first.get("prefix"), str):
        raise wrong('its first element is not {"prefix": "s3://..."}')
    for key in keys:
        if not isinstance(key, str):
            raise wrong(f"{json.dumps(key)} is not a key")
        target = first["prefix"] + key
        try:
            exists = objects.exists(target)
        except ServiceError as error:
            raise wrong(error.message) from None
        if not exists:
            raise wrong(f"{target} does not exist")
        try:
            below(Path(), key)
        except UnsafeNameError as error:
            raise wrong(f"the key {key!r} {error}") from None
        yield InputFile(target, key)
