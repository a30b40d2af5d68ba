"""Operations of pipelines and their versions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from local.api.sagemaker.listing import page
from local.api.sagemaker.operations import Request, Response
from local.core.arns import sagemaker_arn
from local.core.errors import ServiceError, conflict, not_found, not_implemented, validation_error
from local.interpreter.parsing import parse
from local.records import executions as records
from local.records.tags import delete_tags, save_tags
from local.storage.objects import Objects, ObjectTooLargeError, S3Uri
from local.storage.store import AlreadyExistsError, Document, Store

_LARGEST_DEFINITION = 1024 * 1024
_ALIAS_MEMBERS = ("PipelineVersionAliases", "PipelineVersionAlias", "PipelineVersionAliasOperations")


@dataclass(frozen=True)
class PipelineOperations:
    """Operations of pipelines."""

    store: Store
    region: str
    objects: Objects

    def find_pipeline(self, name_or_arn: str) -> Document:
        """Return a pipeline's record.

        Raises:
            ServiceError: ResourceNotFound, because the pipeline does not exist.
        """
        name = name_or_arn.rpartition("/")[2] if name_or_arn.startswith("arn:") else name_or_arn
        document = self.store.find(records.PIPELINE, name.lower())
        arn = name_or_arn if name_or_arn.startswith("arn:") else self._arn(name)
        if document is None or document["PipelineArn"].lower() != arn.lower():
            raise not_found(f"Pipeline '{arn}' does not exist.")
        return document

    def find_version(self, pipeline: Document, version: int | None) -> Document:
        """Return the record of a pipeline's version.

        Args:
            pipeline: The pipeline's record.
            version: The version's number, or None for the newest version.

        Raises:
            ServiceError: ResourceNotFound, because the version does not exist.
        """
        number = pipeline["PipelineVersionId"] if version is None else version
        key = records.version_key(pipeline["PipelineArn"], number)
        document = self.store.find(records.PIPELINE_VERSION, key)
        if document is None:
            raise not_found(f"Pipeline '{pipeline['PipelineArn']}' has no version {number}.")
        return document

    def create_pipeline(self, request: Request) -> Response:
        """Create a pipeline. A repeated ClientRequestToken returns the pipeline that the first request created."""
        refuse("CreatePipeline", request, *_ALIAS_MEMBERS)
        name = request["PipelineName"]
        existing = self.store.find(records.PIPELINE, name.lower())
        if existing is not None:
            if existing["_Token"] == request["ClientRequestToken"]:
                return existing
            raise _name_in_use(name)
        definition = self._definition(request, required=True)
        arn = self._arn(name)
        now = time.time()
        document = {
            "PipelineArn": arn,
            "PipelineName": name,
            "PipelineDisplayName": request.get("PipelineDisplayName", name),
            "PipelineDescription": request.get("PipelineDescription"),
            "RoleArn": request["RoleArn"],
            "PipelineStatus": "Active",
            "CreationTime": now,
            "LastModifiedTime": now,
            "ParallelismConfiguration": request.get("ParallelismConfiguration"),
            "PipelineVersionId": 1,
            "_Token": request["ClientRequestToken"],
        }
        try:
            with self.store.transaction():
                self.store.insert(records.PIPELINE, name.lower(), document)
                self._add_version(arn, 1, str(definition), now)
                save_tags(self.store, arn, request.get("Tags"))
        except AlreadyExistsError:
            raise _name_in_use(name) from None
        return document

    def update_pipeline(self, request: Request) -> Response:
        """Change a pipeline. Running executions keep their definition."""
        refuse("UpdatePipeline", request, *_ALIAS_MEMBERS)
        pipeline = self.find_pipeline(request["PipelineName"])
        definition = self._definition(request, required=False)
        now = time.time()
        members = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")

        def change(document: Document) -> None:
            document.update({member: request[member] for member in members if member in request})
            document["LastModifiedTime"] = now
            if definition is not None:
                document["PipelineVersionId"] += 1

        with self.store.transaction():
            changed = self.store.update(records.PIPELINE, pipeline["PipelineName"].lower(), change)
            if definition is not None:
                self._add_version(changed["PipelineArn"], changed["PipelineVersionId"], definition, now)
        return changed

    def describe_pipeline(self, request: Request) -> Response:
        """Describe a pipeline with the definition of a version, by default the newest."""
        refuse("DescribePipeline", request, *_ALIAS_MEMBERS)
        pipeline = self.find_pipeline(request["PipelineName"])
        version = self.find_version(pipeline, request.get("PipelineVersionId"))
        return {
            **pipeline,
            "PipelineDefinition": version["_Definition"],
            "PipelineVersionDisplayName": version.get("PipelineVersionDisplayName"),
            "PipelineVersionDescription": version.get("PipelineVersionDescription"),
        }

    def list_pipelines(self, request: Request) -> Response:
        """List pipelines, by default the newest first."""
        prefix = request.get("PipelineNamePrefix", "").lower()
        if request.get("ManagedBy") == "AWS":
            return {"PipelineSummaries": []}
        pipelines = [
            {**document, "LastExecutionTime": document.get("LastRunTime")}
            for document in self.store.list(records.PIPELINE, prefix)
        ]
        return page(request, pipelines, "PipelineSummaries", resource="Pipeline", order="Descending")

    def delete_pipeline(self, request: Request) -> Response:
        """Delete a pipeline and its executions. Refused while an execution is running."""
        pipeline = self.find_pipeline(request["PipelineName"])
        arn = pipeline["PipelineArn"]
        with self.store.transaction():
            executions = self.store.list(records.EXECUTION, f"{arn}/execution/")
            running = [item for item in executions if item["PipelineExecutionStatus"] in records.UNDER_WAY]
            if running:
                raise conflict(
                    f"Pipeline '{arn}' has running executions; stop them with StopPipelineExecution first: "
                    + ", ".join(item["PipelineExecutionArn"] for item in running)
                )
            for execution in executions:
                records.delete_execution(self.store, execution["PipelineExecutionArn"])
            for version in self.store.list(records.PIPELINE_VERSION, f"{arn}/version/"):
                key = records.version_key(arn, version["PipelineVersionId"])
                self.store.delete(records.PIPELINE_VERSION, key)
            delete_tags(self.store, arn)
            self.store.delete(records.PIPELINE, pipeline["PipelineName"].lower())
        return {"PipelineArn": arn}

    def list_pipeline_versions(self, request: Request) -> Response:
        """List a pipeline's versions, by default the newest first."""
        arn = self.find_pipeline(request["PipelineName"])["PipelineArn"]
        last_runs = {
            execution["PipelineVersionId"]: execution["PipelineExecutionArn"]
            for execution in self.store.list(records.EXECUTION, f"{arn}/execution/")
        }
        versions = [
            {**version, "LastExecutionPipelineExecutionArn": last_runs.get(version["PipelineVersionId"])}
            for version in self.store.list(records.PIPELINE_VERSION, f"{arn}/version/")
        ]
        return page(request, versions, "PipelineVersionSummaries", identity="PipelineVersionId", order="Descending")

    def update_pipeline_version(self, request: Request) -> Response:
        """Change a version's display name or description."""
        refuse("UpdatePipelineVersion", request, *_ALIAS_MEMBERS)
        pipeline = self.find_pipeline(request["PipelineArn"])
        version = self.find_version(pipeline, request["PipelineVersionId"])
        members = ("PipelineVersionDisplayName", "PipelineVersionDescription")
        changes = {member: request[member] for member in members if member in request}
        key = records.version_key(pipeline["PipelineArn"], version["PipelineVersionId"])
        return self.store.update(records.PIPELINE_VERSION, key, lambda document: document.update(changes))

    def _arn(self, name: str) -> str:
        return sagemaker_arn(self.region, "pipeline", name)

    def _definition(self, request: Request, required: bool) -> str | None:
        """Return the text of a request's definition after checking it, or None if an optional definition is absent."""
        text: str | None = request.get("PipelineDefinition")
        location = request.get("PipelineDefinitionS3Location")
        if text is not None and location is not None:
            raise validation_error("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present")
        if location is not None:
            text = self._read_definition(location)
        if text is not None:
            parse(text)
        elif required:
            raise validation_error("Either Pipeline Definition or Pipeline Definition S3 location should be provided")
        return text

    def _read_definition(self, location: dict[str, Any]) -> str:
        refuse("PipelineDefinitionS3Location", location, "VersionId")
        uri = str(S3Uri(location["Bucket"], location["ObjectKey"]))
        try:
            content = self.objects.read(uri, at_most=_LARGEST_DEFINITION)
        except (FileNotFoundError, IsADirectoryError):
            raise validation_error(f"Unable to read pipeline definition: there is no object {uri}") from None
        except ObjectTooLargeError:
            raise validation_error(f"{uri}: a pipeline definition has at most {_LARGEST_DEFINITION} bytes") from None
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise validation_error(f"Unable to parse pipeline definition. {uri} is not UTF-8 text") from None

    def _add_version(self, arn: str, number: int, definition: str, created: float) -> None:
        document = {
            "PipelineArn": arn,
            "PipelineVersionId": number,
            "CreationTime": created,
            "_Definition": definition,
        }
        self.store.insert(records.PIPELINE_VERSION, records.version_key(arn, number), document)


def refuse(operation_name: str, request: Request, *members: str) -> None:
    """Refuse a request with members that are not implemented.

    Args:
        operation_name: The operation, for the message.
        request: The request.
        members: The members that are not implemented.

    Raises:
        ServiceError: NotImplementedException, because the request has one of the members.
    """
    for member in members:
        if request.get(member):
            raise not_implemented("sagemaker", f"{operation_name} with {member}")


def _name_in_use(name: str) -> ServiceError:
    return validation_error(
        f"Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already exists."
    )
