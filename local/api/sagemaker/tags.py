"""Operations of tags, for all resources with an ARN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.core.arns import sagemaker_prefix
from local.core.errors import ServiceError, validation_error
from local.records.tags import KIND, save_tags, tags_of
from local.storage.store import Store

_LIST_PAGE_SIZE = 50


@dataclass(frozen=True)
class TagOperations:
    """Operations of tags."""

    store: Store
    region: str

    def add_tags(self, request: Request) -> Response:
        """Add tags to a resource. A tag with an existing key replaces the value."""
        arn = self._existing(request["ResourceArn"])
        save_tags(self.store, arn, request["Tags"])
        return {"Tags": tags_of(self.store, arn)}

    def list_tags(self, request: Request) -> Response:
        """List a resource's tags."""
        arn = self._existing(request["ResourceArn"])
        return page(
            request,
            tags_of(self.store, arn),
            "Tags",
            created="Key",
            identity="Key",
            page_size=_LIST_PAGE_SIZE,
        )

    def remove_tags(self, request: Request) -> Response:
        """Remove tags from a resource. Unknown keys are ignored."""
        arn = self._existing(request["ResourceArn"])

        def remove(document: dict[str, Any]) -> None:
            for key in request["TagKeys"]:
                document["Values"].pop(key, None)

        if self.store.find(KIND, arn) is not None:
            self.store.update(KIND, arn, remove)
        return {}

    def _existing(self, arn: str) -> str:
        """Return the ARN of an existing resource.

        Raises:
            ServiceError: ValidationException, because no resource has the ARN.
        """
        region_and_account = sagemaker_prefix(self.region)
        if not arn.startswith(region_and_account):
            raise _unknown(arn)
        kind, _, name = arn.removeprefix(region_and_account).partition("/")
        if kind == "pipeline" and "/execution/" in name:
            kind = "pipeline-execution"
        for document in self.store.list(kind):
            if any(member.endswith("Arn") and value == arn for member, value in document.items()):
                return arn
        raise _unknown(arn)


def _unknown(arn: str) -> ServiceError:
    return validation_error(f'Could not find resource "{arn}".')
