"""Finds, adds and removes resources. A resource's tags are added and removed with it."""

from __future__ import annotations

from local.core.arns import resource_key
from local.core.errors import ServiceError, validation_error
from local.records.kinds import Kind
from local.records.tags import delete_tags, save_tags
from local.storage.store import AlreadyExistsError, Document, Store


def find(store: Store, kind: Kind, region: str, name: str) -> Document:
    """Return the record of a resource.

    Raises:
        ServiceError: ValidationException: the resource does not exist.
    """
    record = store.find(kind.name, resource_key(name))
    if record is None:
        raise validation_error(f'Could not find {kind.singular} "{kind.arn(region, name)}".')
    return record


def add(  # noqa: PLR0913 - a resource has all of these
    store: Store,
    kind: str,
    key: str,
    record: Document,
    *,
    arn: str,
    tags: list[dict[str, str]] | None,
    already_exists: ServiceError,
) -> None:
    """Add a resource's record and tags.

    Args:
        store: The records.
        kind: The kind of record.
        key: The record's key.
        record: The record.
        arn: The resource's ARN, which is the key of its tags.
        tags: The resource's tags, if any.
        already_exists: The error to raise if the resource already exists.

    Raises:
        ServiceError: The resource already exists, or a tag is invalid. Nothing is stored.
    """
    try:
        with store.transaction():
            store.insert(kind, key, record)
            save_tags(store, arn, tags)
    except AlreadyExistsError:
        raise already_exists from None


def remove(store: Store, kind: str, key: str, arn: str) -> None:
    """Remove a resource's record and tags."""
    with store.transaction():
        store.delete(kind, key)
        delete_tags(store, arn)
