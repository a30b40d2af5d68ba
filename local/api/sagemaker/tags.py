"""Tags of every resource that has an ARN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response, operation
from local.core.arns import sagemaker_prefix
from local.core.errors import ServiceError, limit_exceeded, validation_error

if TYPE_CHECKING:
    from local.context import Context

_KIND = "tags"
_MOST_TAGS = 50
_LIST_PAGE_SIZE = 50


def save_tags(context: Context, arn: str, tags: list[dict[str, str]] | None) -> None:
    """Remember the tags of a resource that is made.

    Args:
        context: the running service.
        arn: the resource.
        tags: the request's ``Tags``, or None where it has none.

    Raises:
        ServiceError: a key given twice, a key that AWS keeps for itself, or more than 50 tags.
    """
    if tags:
        _add(context, arn, tags)


def delete_tags(context: Context, arn: str) -> None:
    """Forget the tags of a resource that goes away."""
    context.store.delete(_KIND, arn)


def tags_of(context: Context, arn: str) -> list[dict[str, str]]:
    """A resource's tags, sorted by key; none where it has none."""
    document = context.store.find(_KIND, arn) or {}
    return [{"Key": key, "Value": value} for key, value in sorted(document.get("Values", {}).items())]


@operation("AddTags")
def add_tags(context: Context, request: Request) -> Response:
    """Add tags to a resource, or change the values of those it has."""
    arn = _existing(context, request["ResourceArn"])
    _add(context, arn, request["Tags"])
    return {"Tags": tags_of(context, arn)}


@operation("ListTags")
def list_tags(context: Context, request: Request) -> Response:
    """List a resource's tags."""
    arn = _existing(context, request["ResourceArn"])
    return page(
        request,
        tags_of(context, arn),
        "Tags",
        created="Key",
        identity="Key",
        page_size=_LIST_PAGE_SIZE,
    )


@operation("DeleteTags")
def remove_tags(context: Context, request: Request) -> Response:
    """Remove tags from a resource; a key that it does not have is no error."""
    arn = _existing(context, request["ResourceArn"])

    def remove(document: dict[str, Any]) -> None:
        for key in request["TagKeys"]:
            document["Values"].pop(key, None)

    if context.store.find(_KIND, arn) is not None:
        context.store.update(_KIND, arn, remove)
    return {}


def _add(context: Context, arn: str, tags: list[dict[str, str]]) -> None:
    values = {tag["Key"]: tag["Value"] for tag in tags}
    if len(values) < len(tags):
        raise validation_error("Tags must not contain the same key twice")
    for key in values:
        if key.lower().startswith("aws:"):
            raise validation_error(f"Tag key {key!r} is reserved: keys that begin with 'aws:' are kept for AWS")
    with context.store.transaction():
        existing = context.store.find(_KIND, arn)
        combined = {**(existing or {}).get("Values", {}), **values}
        if len(combined) > _MOST_TAGS:
            raise limit_exceeded(f"A resource can have {_MOST_TAGS} tags; {arn} would have {len(combined)}")
        if existing is None:
            context.store.insert(_KIND, arn, {"Values": combined})
        else:
            context.store.update(_KIND, arn, lambda document: document.update(Values=combined))


def _existing(context: Context, arn: str) -> str:
    """The ARN as its resource has it, or ValidationException where no such resource exists."""
    region_and_account = sagemaker_prefix(context.settings.region)
    if not arn.startswith(region_and_account):
        raise _unknown(arn)
    kind, _, name = arn.removeprefix(region_and_account).partition("/")
    if kind == "pipeline" and "/execution/" in name:
        kind = "pipeline-execution"
    for document in context.store.list(kind):
        if any(member.endswith("Arn") and value == arn for member, value in document.items()):
            return arn
    raise _unknown(arn)


def _unknown(arn: str) -> ServiceError:
    return validation_error(f'Could not find resource "{arn}".')
