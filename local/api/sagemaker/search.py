"""The operation Search, over the resources that the service keeps.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Search.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.api.sagemaker.search_expressions import predicate
from local.api.sagemaker.search_properties import Properties, Property
from local.core.errors import not_implemented
from local.records import described
from local.records import tuning_jobs as tuning_record
from local.records.executions import PIPELINE_VERSION, version_key
from local.records.kinds import (
    ENDPOINT,
    EXECUTION,
    MODEL_PACKAGE,
    MODEL_PACKAGE_GROUP,
    PIPELINE,
    TRAINING_JOB,
    TUNING_JOB,
    Kind,
)
from local.records.tags import tags_of
from local.storage.store import Document, Store

_KINDS = {
    kind.prefix: kind
    for kind in (ENDPOINT, EXECUTION, MODEL_PACKAGE, MODEL_PACKAGE_GROUP, PIPELINE, TRAINING_JOB, TUNING_JOB)
}


@dataclass(frozen=True)
class SearchOperations:
    """The operation Search."""

    store: Store

    def search(self, request: Request) -> Response:
        """Find resources of one kind whose properties satisfy an expression."""
        resource = request["Resource"]
        if resource not in _KINDS:
            raise not_implemented("sagemaker", f"Search for {resource}")
        if request.get("CrossAccountFilterOption") == "CrossAccount" or "VisibilityConditions" in request:
            raise not_implemented("sagemaker", "Search with CrossAccountFilterOption or VisibilityConditions")
        kind, properties = _KINDS[resource], Properties.of(resource)
        wanted = predicate(properties, request.get("SearchExpression"))
        found = [document for document in map(self._document(kind), self.store.list(kind.name)) if wanted(document)]
        sorted_by = _modified() if "SortBy" not in request else properties.property(request["SortBy"])
        asked = {name: request[name] for name in ("MaxResults", "NextToken", "SortOrder") if name in request}
        answer = page(
            asked | {"SortBy": sorted_by.name},
            found,
            "Results",
            resource=resource,
            order="Descending",
            sort_keys={sorted_by.name: lambda document: next(iter(sorted_by.values(document)), None)},
        )
        answer["Results"] = [{resource: document} for document in answer["Results"]]
        return answer | {"TotalHits": {"Value": len(found), "Relation": "EqualTo"}}

    def _document(self, kind: Kind) -> Callable[[Document], Document]:
        def complete(record: Document) -> Document:
            if kind is TRAINING_JOB:
                record = described.training_job(record)
            elif kind is TUNING_JOB:
                record = described.tuning_job(tuning_record.described(self.store, record))
            elif kind is EXECUTION:
                record = record | {"PipelineParameters": record["_Given"]} | self._version(record)
            elif kind is MODEL_PACKAGE and "ModelPackageVersion" in record:
                record = record | {"ModelPackageName": _version_name(record)}
            return (
                {"LastModifiedTime": record["CreationTime"]}
                | record
                | {"Tags": tags_of(self.store, record[kind.arn_member])}
            )

        return complete

    def _version(self, execution: Document) -> Document:
        key = version_key(execution["PipelineArn"], execution["PipelineVersionId"])
        name = self.store.get(PIPELINE_VERSION, key).get("PipelineVersionDisplayName")
        return {} if name is None else {"PipelineVersionDisplayName": name}


def _version_name(package: Document) -> str:
    """Return the name that Search gives a version. DescribeModelPackage documents none.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelPackage.html
    """
    return f"{package['ModelPackageGroupName']}/{package['ModelPackageVersion']}"


def _modified() -> Property:
    """Return the property by which results are sorted if a request names none. Not every shape has it."""
    return Property("LastModifiedTime", "timestamp", lambda document: [document["LastModifiedTime"]])
