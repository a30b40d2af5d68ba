"""Look up the references in a step's expressions while its execution runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from definition_language.expressions import ExpressionError, Reference, evaluate
from definition_language.paths import PathError, follow
from local.core.errors import ServiceError
from local.interpreter.definition import Definition, Json
from local.records import executions as records
from local.storage.objects import Objects, ObjectTooLargeError
from local.storage.store import Document, Store

_LARGEST_JSON_FILE = 16 * 1024 * 1024


class ExecutionScope:
    """Resolves references to their values in one execution.

    Args:
        store: The records of the execution's steps.
        objects: The S3 objects, for JSON files.
        definition: The execution's pipeline definition.
        record: The execution's record.
        job_name: The name of the job that the step will create; None if it creates no job.
    """

    def __init__(
        self, store: Store, objects: Objects, definition: Definition, record: Document, job_name: str | None = None
    ) -> None:
        self._store = store
        self._objects = objects
        self._definition = definition
        self._record = record
        self._job_name = job_name

    def value(self, reference: Reference) -> Json:
        """Return the value of a parameter, an execution variable or a step's property.

        Raises:
            ExpressionError: The reference has no value.
        """
        if reference.root == "Parameters":
            return self._record["_Parameters"][reference.name]
        if reference.root == "Execution":
            return self._variable(reference)
        if reference.root == "PipelineExperimentConfig":
            return evaluate(self._definition.experiment[reference.name], self)
        if reference.property_file is not None:
            raise ExpressionError(f"{reference} is a property file; read it with Std:JsonGet")
        try:
            return follow(self._properties(reference.name), reference.path)
        except PathError as error:
            raise ExpressionError(f"{reference} has no value: in step '{reference.name}' {error}") from None

    def json_file(self, location: Reference | str) -> Json:
        """Return the content of a property file, or of the JSON file at an S3 URI.

        Raises:
            ExpressionError: The file does not exist, is too large, or is not JSON.
        """
        uri = location if isinstance(location, str) else self._property_file_uri(location)
        try:
            return json.loads(self._objects.read(uri, at_most=_LARGEST_JSON_FILE))
        except ServiceError as error:
            raise ExpressionError(f"{location}: {error.message}") from None
        except (FileNotFoundError, IsADirectoryError):
            raise ExpressionError(f"{location}: the S3 object {uri} does not exist") from None
        except ValueError as error:
            raise ExpressionError(f"{location}: {uri} is not JSON: {error}") from None
        except RecursionError:
            raise ExpressionError(f"{location}: the JSON of {uri} is nested too deeply") from None
        except ObjectTooLargeError as error:
            raise ExpressionError(f"{location}: {error}") from None

    def _property_file_uri(self, reference: Reference) -> str:
        step = self._definition.steps[reference.name]
        file = step.property_files[str(reference.property_file)]
        path = ("ProcessingOutputConfig", "Outputs", file.output_name, "S3Output", "S3Uri")
        uri: str = self.value(Reference("Steps", step.name, path))
        return f"{uri.rstrip('/')}/{file.path}"

    def _properties(self, step_name: str) -> Json:
        document = records.step(self._store, self._record["PipelineExecutionArn"], step_name)
        return (document or {}).get("_Properties", {})

    def _variable(self, reference: Reference) -> Json:
        arn = self._record["PipelineExecutionArn"]
        values = {
            "CurrentDateTime": _timestamp(datetime.now(UTC)),
            "PipelineArn": self._record["PipelineArn"],
            "PipelineExecutionArn": arn,
            "PipelineExecutionId": records.execution_id(arn),
            "PipelineName": self._record["_PipelineName"],
            "StartDateTime": _timestamp(datetime.fromtimestamp(self._record["CreationTime"], UTC)),
        }
        if reference.name in values:
            return values[reference.name]
        if self._job_name is None:
            raise ExpressionError(f"{reference} has no value, because this step creates no job")
        return self._job_name


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
