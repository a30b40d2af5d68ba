"""Load an endpoint's models. Each endpoint keeps its own copies of the artifacts."""

from __future__ import annotations

import random
import shutil
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from local.core.arns import resource_key
from local.core.errors import ServiceError
from local.core.settings import Settings
from local.records.kinds import MODEL
from local.records.models import containers
from local.records.resources import find
from local.runtime import algorithms
from local.runtime.algorithms import Model
from local.runtime.endpoints.data_capture import CaptureSettings
from local.storage.log_files import Logs
from local.storage.objects import Objects
from local.storage.store import Document, Store


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
    """

    def __init__(self, endpoint: str, variants: Sequence[Variant], capture: CaptureSettings | None) -> None:
        self.endpoint = endpoint
        self.variants = tuple(variants)
        self.capture = capture
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
        What ``load`` takes: for every variant its ``VariantName``, ``Weight``, ``Image`` and ``Artifact``.

    Raises:
        CannotServeError: a model or its artifact is gone, or its image has no local runtime.
    """
    folder = endpoint_folder(settings, record["EndpointName"]) / record["_Change"]
    # A killed service may have left a partial copy.
    folder.mkdir(parents=True, exist_ok=True)
    staged = []
    for variant in config["ProductionVariants"]:
        name = variant["VariantName"]
        image, url = _image_and_artifact(store, settings.region, name, variant["ModelName"])
        artifact = folder / f"{name}.tar.gz"
        try:
            shutil.copyfile(objects.path(url), artifact)
        except FileNotFoundError:
            raise CannotServeError(
                f'Failed to download model data for the primary container of production variant {name} from "{url}": '
                "there is no such object."
            ) from None
        staged.append(
            {
                "VariantName": name,
                "Weight": weights[name],
                "Image": image,
                "Artifact": str(artifact.relative_to(settings.root)),
            }
        )
    return staged


def load(settings: Settings, logs: Logs, endpoint: str, staged: list[Document], capture: Document | None) -> Deployment:
    """Load staged variants into memory.

    Raises:
        CannotServeError: an artifact is not one of the image's algorithm.
    """
    variants = []
    for record in staged:
        name = record["VariantName"]
        algorithm = _algorithm(record["Image"], name)
        try:
            model = algorithm.load(settings.root / record["Artifact"], False)
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            logs.append(f"/aws/sagemaker/Endpoints/{endpoint}", f"{name}/local", [cause])
            raise CannotServeError(
                f"The primary container for production variant {name} did not pass the ping health check. "
                f"Please check CloudWatch logs for this endpoint: {cause}"
            ) from error
        variants.append(Variant(name, record["Weight"], model))
    return Deployment(endpoint, variants, CaptureSettings.of(capture))


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
        used = {Path(variant["Artifact"]).parent.name for variant in record.get("_Variants", [])}
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


def _image_and_artifact(store: Store, region: str, variant: str, model_name: str) -> tuple[str, str]:
    try:
        parts = containers(find(store, MODEL, region, model_name))
    except ServiceError as error:
        raise CannotServeError(error.message) from error
    if len(parts) > 1:
        raise CannotServeError(
            f"Production variant {variant} cannot be served: the local service has no inference pipelines, and "
            f"model {model_name} has {len(parts)} containers."
        )
    image, url = parts[0]["Image"], parts[0]["ModelDataUrl"]
    if name := algorithms.refused_variable(_algorithm(image, variant), parts[0].get("Environment", {})):
        raise CannotServeError(
            f"The primary container for production variant {variant} cannot start: its environment variable {name} is "
            "not implemented by the local service."
        )
    if url is None:
        raise CannotServeError(f"Model {model_name} of production variant {variant} has no ModelDataUrl.")
    return image, url


def _algorithm(image: str, variant: str) -> algorithms.Algorithm:
    found = algorithms.find(image)
    if found is None:
        version = algorithms.refused_version(image)
        raise CannotServeError(
            f"The primary container for production variant {variant} cannot start: no local runtime for the image "
            f"{image}{f': {version}' if version else ''}. Endpoints serve images of {algorithms.SUPPORTED}."
        )
    return found
