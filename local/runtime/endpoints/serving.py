"""Load an endpoint's models. Each endpoint keeps its own copies of the artifacts."""

from __future__ import annotations

import random
import shutil
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from local.core.arns import resource_key
from local.core.errors import ServiceError
from local.core.settings import Settings
from local.records.kinds import MODEL
from local.records.models import containers
from local.records.resources import find
from local.runtime.algorithms import Algorithm, Model
from local.runtime.endpoints.data_capture import CaptureSettings
from local.runtime.images.runtimes import ImageRuntime
from local.runtime.models.containers import ModelContainer, UnservableError, runtime_of, submit_uri
from local.runtime.models.server import ModelServer
from local.runtime.models.servers import ModelServers
from local.runtime.supervisor import ServiceStoppingError
from local.storage.log_files import Logs
from local.storage.objects import Objects
from local.storage.store import Document, Store

_SECONDS_TO_START = 480
"""Seconds until a container must answer a ping, if the variant does not say.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""
_SECONDS_TO_ANSWER = 60
"""Seconds until a container must answer an invocation."""


class CannotServeError(Exception):
    """A variant cannot be served; the message is the endpoint's ``FailureReason``."""


@dataclass(frozen=True)
class Variant:
    """A deployed model.

    Attributes:
        name: of the production variant.
        weight: its share of requests, relative to the sum of all variants' weights.
        model: answers requests.
    """

    name: str
    weight: float
    model: Model


class Deployment:
    """An endpoint's variants. Immutable: an update replaces the whole deployment.

    Attributes:
        endpoint: the endpoint's name.
        variants: at least one.
        capture: what is captured of requests and answers, or None.
        servers: those of the models that are programs, which may take long to answer.
    """

    def __init__(self, endpoint: str, variants: Sequence[Variant], capture: CaptureSettings | None) -> None:
        self.endpoint = endpoint
        self.variants = tuple(variants)
        self.capture = capture
        self.servers = tuple(variant.model for variant in variants if isinstance(variant.model, ModelServer))
        self._by_name = {variant.name: variant for variant in variants}
        self._bounds = list(accumulate(variant.weight for variant in variants))

    def choose(self, target: str | None) -> Variant | None:
        """Return the named variant, or one chosen by weight. Return None if the name is unknown."""
        if target is not None:
            return self._by_name.get(target)
        if len(self.variants) == 1:
            return self.variants[0]
        point = random.random() * self._bounds[-1]
        return self.variants[min(bisect_right(self._bounds, point), len(self.variants) - 1)]


def stage(  # noqa: PLR0913, PLR0917 - what a deployment is made of
    store: Store, settings: Settings, objects: Objects, record: Document, config: Document, weights: dict[str, float]
) -> list[Document]:
    """Copy the artifacts of a configuration's models into the endpoint's own folder.

    An endpoint goes on serving what it was given, also after a restart, whatever becomes of the models, the
    configuration and the objects in S3.

    Args:
        store: the records.
        settings: where the endpoint's folder is.
        objects: where the artifacts are.
        record: the endpoint's, with the id of the change that this is for: the folder's name.
        config: the endpoint configuration.
        weights: of every variant by name.

    Returns:
        What ``load`` takes: for every variant its ``VariantName``, ``Weight`` and ``Image``, and of its container
        ``Artifact`` and ``Source`` (files, or None), ``Environment``, ``RoleArn`` and ``SecondsToStart``.

    Raises:
        CannotServeError: a model or its artifact is gone, or its image has no local runtime.
    """
    folder = endpoint_folder(settings, record["EndpointName"]) / record["_Change"]
    # A killed service may have left a partial copy.
    folder.mkdir(parents=True, exist_ok=True)
    staged = []
    for variant in config["ProductionVariants"]:
        name = variant["VariantName"]
        container, model = _container(store, settings.region, name, variant["ModelName"])
        environment = container.get("Environment", {})
        isolated = model.get("EnableNetworkIsolation", False)
        runtime = _runtime(settings, container["Image"], environment, name, has_network=not isolated)
        url = container["ModelDataUrl"]
        if url is None and isinstance(runtime, Algorithm):
            raise CannotServeError(f"Model {variant['ModelName']} of production variant {name} has no ModelDataUrl.")
        artifact = folder / f"{name}.tar.gz"
        source = folder / f"{name}.source.tar.gz"
        source_url = submit_uri(runtime, environment)
        for uri, file in ((url, artifact), (source_url, source)):
            if uri is not None:
                _copy(objects, uri, file, name)
        staged.append(
            {
                "VariantName": name,
                "Weight": weights[name],
                "Image": container["Image"],
                "Artifact": str(artifact.relative_to(settings.root)) if url else None,
                "Source": str(source.relative_to(settings.root)) if source_url else None,
                "Environment": environment,
                "RoleArn": model.get("ExecutionRoleArn"),
                "SecondsToStart": variant.get("ContainerStartupHealthCheckTimeoutInSeconds", _SECONDS_TO_START),
            }
        )
    return staged


@dataclass(frozen=True)
class ModelLoader:
    """Loads the models of endpoints.

    Attributes:
        settings: where the endpoints' folders are.
        logs: has the endpoints' logs.
        servers: starts the models that are programs.
    """

    settings: Settings
    logs: Logs
    servers: ModelServers

    def load(
        self, endpoint: str, staged: list[Document], capture: Document | None, *, is_restart: bool = False
    ) -> Deployment:
        """Load staged variants: into memory, or by starting programs.

        Args:
            endpoint: the endpoint's name.
            staged: what ``stage`` returned.
            capture: the data capture's configuration.
            is_restart: whether the service is starting. Programs may need the service, so nothing waits for them.

        Raises:
            CannotServeError: an artifact is not one of the image's, or its program does not pass the health check.
            ServiceStoppingError: the service is going down.
        """
        models: list[Model] = []
        try:
            models += [self._model(endpoint, record) for record in staged]
            for record, model in zip(staged, models, strict=True):
                if isinstance(model, ModelServer) and not is_restart:
                    self._wait(model, record["VariantName"])
        except BaseException:
            for model in models:
                if isinstance(model, ModelServer):
                    model.close()
            raise
        variants = [
            Variant(record["VariantName"], record["Weight"], model)
            for record, model in zip(staged, models, strict=True)
        ]
        return Deployment(endpoint, variants, CaptureSettings.of(capture))

    def _model(self, endpoint: str, record: Document) -> Model:
        name, environment = record["VariantName"], record.get("Environment", {})
        runtime = _runtime(self.settings, record["Image"], environment, name)
        group, stream = f"/aws/sagemaker/Endpoints/{endpoint}", f"{name}/local"
        artifact = self._file(record.get("Artifact"))
        try:
            if isinstance(runtime, Algorithm):
                assert artifact is not None, "models of algorithms have an artifact"
                return runtime.load(artifact, False)
            served = ModelContainer(
                record["Image"], environment, artifact, self._file(record.get("Source")), record.get("RoleArn")
            )
            return self.servers.start(
                endpoint,
                runtime,
                served,
                key=f"endpoint/{resource_key(endpoint)}",
                write=lambda lines: self.logs.append(group, stream, lines),
                seconds_to_start=record.get("SecondsToStart", _SECONDS_TO_START),
                seconds_to_answer=_SECONDS_TO_ANSWER,
            )
        except UnservableError as error:
            raise _cannot_start(name, error) from None
        except ServiceStoppingError:
            raise
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            self.logs.append(group, stream, [cause])
            raise _unhealthy(name, cause) from error

    def _wait(self, server: ModelServer, name: str) -> None:
        try:
            server.wait_until_ready()
        except UnservableError as error:
            raise _unhealthy(name, str(error)) from None

    def _file(self, place: str | None) -> Path | None:
        return self.settings.root / place if place else None


def discard(settings: Settings, record: Document) -> None:
    """Remove the staged files of a failed change. The endpoint must still be in this change."""
    folder = endpoint_folder(settings, record["EndpointName"])
    shutil.rmtree(folder / record["_Change"], ignore_errors=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def remove_stale(store: Store, settings: Settings, endpoint: str) -> None:
    """Remove the endpoint's copies of artifacts that its record does not use.

    It uses what it serves and what its change in progress stages. The store stays locked meanwhile, so that no
    change begins between the look at the record and the removal.
    """
    with store.transaction():
        record = store.find("endpoint", resource_key(endpoint)) or {}
        files = [variant.get(file) for variant in record.get("_Variants", []) for file in ("Artifact", "Source")]
        used = {Path(file).parent.name for file in files if file}
        used |= {record["_Change"]} if "_Change" in record else set()
        folder = endpoint_folder(settings, endpoint)
        for copy in folder.iterdir() if folder.is_dir() else ():
            if copy.name not in used:
                shutil.rmtree(copy)
        if not used:
            shutil.rmtree(folder, ignore_errors=True)


def endpoint_folder(settings: Settings, endpoint: str) -> Path:
    """Return the folder of an endpoint's artifact copies."""
    return settings.endpoints / resource_key(endpoint)


def _container(store: Store, region: str, variant: str, model_name: str) -> tuple[Document, Document]:
    """Return a model's only container, and the model."""
    try:
        model = find(store, MODEL, region, model_name)
    except ServiceError as error:
        raise CannotServeError(error.message) from error
    parts = containers(model)
    if len(parts) > 1:
        raise CannotServeError(
            f"Production variant {variant} cannot be served: the local service has no inference pipelines, and "
            f"model {model_name} has {len(parts)} containers."
        )
    return parts[0], model


def _copy(objects: Objects, uri: str, file: Path, variant: str) -> None:
    try:
        shutil.copyfile(objects.path(uri), file)
    except FileNotFoundError:
        raise CannotServeError(
            f'Failed to download model data for the primary container of production variant {variant} from "{uri}": '
            "there is no such object."
        ) from None


def _runtime(
    settings: Settings, image: str, environment: Mapping[str, str], variant: str, *, has_network: bool = True
) -> Algorithm | ImageRuntime:
    try:
        return runtime_of(settings, image, environment, has_network=has_network)
    except UnservableError as error:
        raise _cannot_start(variant, error) from None


def _cannot_start(variant: str, error: UnservableError) -> CannotServeError:
    return CannotServeError(f"The primary container for production variant {variant} cannot start: {error}")


def _unhealthy(variant: str, cause: str) -> CannotServeError:
    return CannotServeError(
        f"The primary container for production variant {variant} did not pass the ping health check. "
        f"Please check CloudWatch logs for this endpoint: {cause}"
    )
