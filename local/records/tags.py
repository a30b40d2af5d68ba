"""Tags of resources."""

from __future__ import annotations

from local.core.errors import limit_exceeded, validation_error
from local.storage.store import Store

KIND = "tags"
_MOST_TAGS = 50


def save_tags(store: Store, arn: str, tags: list[dict[str, str]] | None) -> None:
    """Store the tags of a new resource.

    Args:
        store: The records.
        arn: The resource.
        tags: The request's ``Tags``; None if it has none.

    Raises:
        ServiceError: A key appears twice or is reserved for AWS, or there are more than 50 tags.
    """
    if tags:
        _add(store, arn, tags)


def delete_tags(store: Store, arn: str) -> None:
    """Delete the tags of a resource that is being deleted."""
    store.delete(KIND, arn)


def tags_of(store: Store, arn: str) -> list[dict[str, str]]:
    """Return a resource's tags, sorted by key."""
    document = store.find(KIND, arn) or {}
    return [{"Key": key, "Value": value} for key, value in sorted(document.get("Values", {}).items())]


def _add(store: Store, arn: str, tags: list[dict[str, str]]) -> None:
    values = {tag["Key"]: tag["Value"] for tag in tags}
    if len(values) < len(tags):
        raise validation_error("Tags must not contain the same key twice")
    for key in values:
        if key.lower().startswith("aws:"):
            raise validation_error(f"Tag key {key!r} is reserved: keys that begin with 'aws:' belong to AWS")
    with store.transaction():
        existing = store.find(KIND, arn)
        combined = {**(existing or {}).get("Values", {}), **values}
        if len(combined) > _MOST_TAGS:
            raise limit_exceeded(f"A resource can have {_MOST_TAGS} tags; {arn} would have {len(combined)}")
        if existing is None:
            store.insert(KIND, arn, {"Values": combined})
        else:
            store.update(KIND, arn, lambda document: document.update(Values=combined))
