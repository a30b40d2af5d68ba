"""Operations of models, which consist of container images and model artifacts."""

from __future__ import annotations

import time
from dataclasses import dataclass

from local.api.sagemaker.listing import page
from local.api.sagemaker.model_containers import check_several
from local.api.sagemaker.model_data import missing, model_data
from local.api.sagemaker.operations import Request, Response
from local.core.arns import resource_key
from local.core.errors import not_implemented, validation_error
from local.records import described
from local.records import resources as records
from local.records.kinds import MODEL
from local.records.model_packages import find_package
from local.storage.objects import Objects
from local.storage.store import Document, Store


@dataclass(frozen=True)
class ModelOperations:
    """Operations of models."""

    store: Store
    region: str
    objects: Objects

    def create_model(self, request: Request) -> Response:
        """Create a model from containers or model packages."""
        name = request["ModelName"]
        arn = MODEL.arn(self.region, name)
        if ("PrimaryContainer" in request) == (len(request.get("Containers", [])) > 0):
            raise validation_error("Exactly one of PrimaryContainer and Containers must be given.")
        check_several(request)
        given = request.get("Containers") or [request["PrimaryContainer"]]
        model = {
            **request,
            "ModelArn": arn,
            "CreationTime": time.time(),
            "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
            "_Containers": [part for container in given for part in self._resolved(container)],
        }
        model.pop("Tags", None)
        already_exists = validation_error(f'Cannot create already existing model "{arn}".')
        records.add(
            self.store,
            MODEL.name,
            resource_key(name),
            model,
            arn=arn,
            tags=request.get("Tags"),
            already_exists=already_exists,
        )
        return {"ModelArn": arn}

    def describe_model(self, request: Request) -> Response:
        """Describe a model."""
        return described.model(records.find(self.store, MODEL, self.region, request["ModelName"]))

    def list_models(self, request: Request) -> Response:
        """List models."""
        return page(request, self.store.list(MODEL.name), "Models", resource="Model", order="Descending")

    def delete_model(self, request: Request) -> Response:
        """Delete a model. Endpoints continue to serve it, and its artifact remains in S3."""
        arn = records.find(self.store, MODEL, self.region, request["ModelName"])["ModelArn"]
        records.remove(self.store, MODEL.name, resource_key(arn), arn)
        return {}

    def _resolved(self, container: Document) -> list[Document]:
        if container.get("Mode") == "MultiModel":
            raise not_implemented("sagemaker", "CreateModel with Mode MultiModel")
        if "AdditionalModelDataSources" in container:
            raise not_implemented("sagemaker", "CreateModel with AdditionalModelDataSources")
        if ("Image" in container) == ("ModelPackageName" in container):
            raise validation_error("A container must have either an Image or a ModelPackageName.")
        if "ModelPackageName" in container:
            parts = self._package_containers(container)
        else:
            parts = [{"Image": container["Image"], "ModelDataUrl": model_data(container, self.region)}]
        for part in parts:
            environment = {**part.pop("Environment", {}), **container.get("Environment", {})}
            if environment:
                part["Environment"] = environment
            url = part["ModelDataUrl"]
            if url is not None and not self.objects.exists(url):
                raise missing(url)
        return parts

    def _package_containers(self, container: Document) -> list[Document]:
        package = find_package(self.store, self.region, container["ModelPackageName"])
        approval = package.get("ModelApprovalStatus", "Approved")
        if approval != "Approved":
            raise validation_error(
                f'Invalid approval status "{approval}": ModelPackage {package["ModelPackageArn"]} must be Approved '
                "before a model can be created from it."
            )
        specification = package.get("InferenceSpecification")
        if wanted := container.get("InferenceSpecificationName"):
            named = {item["Name"]: item for item in package.get("AdditionalInferenceSpecifications", [])}
            specification = named.get(wanted)
        if specification is None:
            named_one = f" named {wanted!r}" if wanted else ""
            raise validation_error(
                f"ModelPackage {package['ModelPackageArn']} has no inference specification{named_one}."
            )
        return [
            {
                "Image": part.get("Image"),
                "ModelDataUrl": model_data(part, self.region),
                "Environment": part.get("Environment", {}),
            }
            for part in specification["Containers"]
        ]
