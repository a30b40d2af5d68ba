"""The model of a batch transform job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.algorithms.errors import InferenceError
from local.core.settings import Settings
from local.records.kinds import MODEL, TRANSFORM_JOB
from local.records.models import containers
from local.records.resources import find
from local.runtime.algorithms import Algorithm, Model
from local.runtime.errors import JobFailedError
from local.runtime.images import runtimes
from local.runtime.images.runtimes import ImageRuntime
from local.runtime.models.containers import ModelContainer, UnservableError, runtime_of, submit_uri
from local.runtime.models.servers import ModelServers
from local.storage.objects import Objects
from local.storage.store import Document, Store

DEFAULT_PAYLOAD_MEGABYTES = 6
_SECONDS_TO_START = 480
_SECONDS_TO_START_AGAIN = 2.0
"""Pause before a program that has not answered is asked again. It may have ended."""
_SECONDS_TO_ANSWER, _RETRIES = 600, 3
"""Defaults of ``ModelClientConfig``.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelClientConfig.html
"""


def program_key(name: str) -> str:
    """Return the key of a job's model server in the supervisor."""
    return f"{TRANSFORM_JOB.name}/{name}"


class PersistentModel:
    """A model that is asked again when it fails, as ``ModelClientConfig`` says."""

    def __init__(self, model: Model, retries: int, check: Callable[[], None]) -> None:
        """Wrap a model.

        Args:
            model: The model.
            retries: How often to ask again.
            check: Called after a failed answer. It may raise an error.
        """
        self._model, self._retries, self._check = model, retries, check

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Respond to one request.

        Raises:
            InferenceError: The request is invalid, or each answer was a server's error.
        """
        for left in reversed(range(self._retries + 1)):
            try:
                return self._model.invoke(body, content_type, accept)
            except InferenceError as error:
                self._check()
                if 400 <= error.status < 500 or not left:
                    raise
                if error.status == 0:
                    time.sleep(_SECONDS_TO_START_AGAIN)
        raise AssertionError("the last failure is raised")


@dataclass(frozen=True)
class ModelOpener:
    """Loads the models of batch transform jobs."""

    store: Store
    settings: Settings
    objects: Objects
    servers: ModelServers

    @contextmanager
    def open(
        self, job: Document, write: Callable[[list[str]], None], check_stopping: Callable[[], None]
    ) -> Iterator[Model]:
        """Load a job's model. A model that is a program runs until the context ends.

        Args:
            job: The job's record.
            write: Appends lines to the job's log.
            check_stopping: Raises an error if the job must stop.

        Raises:
            JobFailedError: The model cannot be loaded.
        """
        model = find(self.store, MODEL, self.settings.region, job["ModelName"])
        parts = containers(model)
        if len(parts) > 1:
            raise JobFailedError(runtimes.unsupported(", ".join(part["Image"] for part in parts)))
        environment = {**parts[0].get("Environment", {}), **job.get("Environment", {})}
        image, url = parts[0]["Image"], parts[0]["ModelDataUrl"]
        try:
            isolated = model.get("EnableNetworkIsolation", False)
            runtime = runtime_of(self.settings, image, environment, has_network=not isolated)
        except UnservableError as error:
            raise _unservable(error) from None
        if isinstance(runtime, Algorithm):
            yield self._loaded(runtime, job["ModelName"], url)
            return
        source = submit_uri(runtime, environment)
        served = ModelContainer(
            image,
            {**environment, **_job_variables(job)},
            self.objects.path(url) if url else None,
            self.objects.path(source) if source else None,
            model.get("ExecutionRoleArn"),
        )
        with self._server(job, runtime, served, write, check_stopping) as server:
            yield server

    def _loaded(self, algorithm: Algorithm, model: str, url: str | None) -> Model:
        if url is None:
            raise JobFailedError(f"ClientError: model {model} has no ModelDataUrl")
        try:
            return algorithm.load(self.objects.path(url), True)
        except (OSError, ValueError) as error:
            raise JobFailedError(f"ClientError: the model at {url} cannot be loaded: {error}") from None

    @contextmanager
    def _server(
        self,
        job: Document,
        runtime: ImageRuntime,
        served: ModelContainer,
        write: Callable[[list[str]], None],
        check_stopping: Callable[[], None],
    ) -> Iterator[Model]:
        name, client = job["TransformJobName"], job.get("ModelClientConfig", {})
        try:
            server = self.servers.start(
                name,
                runtime,
                served,
                key=program_key(name),
                write=write,
                seconds_to_start=_SECONDS_TO_START,
                seconds_to_answer=client.get("InvocationsTimeoutInSeconds", _SECONDS_TO_ANSWER),
            )
        except UnservableError as error:
            raise _unservable(error) from None
        try:
            try:
                server.wait_until_ready()
            except UnservableError as error:
                check_stopping()
                raise _unservable(error) from None
            yield PersistentModel(server, client.get("InvocationsMaxRetries", _RETRIES), check_stopping)
        finally:
            server.close()


def _job_variables(job: Document) -> dict[str, str]:
    """Return the environment variables of batch transform.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
    """
    single = job.get("BatchStrategy") == "SingleRecord"
    return {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(job.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MEGABYTES)),
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD" if single else "MULTI_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(job.get("MaxConcurrentTransforms", 1)),
        "TRANSFORM_JOB_ARN": job["TransformJobArn"],
    }


def _unservable(error: UnservableError) -> JobFailedError:
    return JobFailedError(f"ClientError: the model cannot be served: {error}")
