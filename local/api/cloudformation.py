"""CloudFormation: stacks of moto, with their buckets created in the service too.

Moto creates a stack's resources in its own memory. The service creates the buckets as well, because it answers S3
itself. It refuses templates with resources that moto would not really create. It keeps buckets that are not empty when
their stack is deleted, as CloudFormation does: the stack is then in DELETE_FAILED.

Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from definition_language.models import service_model
from local.api.moto.query import read_fields, read_query
from local.api.moto.services import MotoServices, operation_name
from local.api.moto.stacks import DELETE_FAILED, Deletion, UndeletedStack
from local.aws.wire import HttpResponse, RequestHead
from local.core.errors import ServiceError, not_implemented
from local.storage.objects import Objects

_TYPE = re.compile(r"""["']?Type["']?\s*:\s*["']?((?:AWS|Custom)::[A-Za-z0-9:]+)["']?""")
_OURS = ("AWS::SageMaker::", "AWS::Lambda::", "AWS::Logs::", "AWS::CloudFormation::Stack")
_WITH_TEMPLATE = ("CreateStack", "UpdateStack", "CreateChangeSet")
_LONGEST_TEMPLATE = 51_200
"""Bytes. Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
_ON_HEALTHY_STACK = ("UpdateStack", "CreateChangeSet", "ExecuteChangeSet")
_RETAINS_LATER = (
    "When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state."
)
_CANNOT_RETAIN = (
    "The specified resources to retain must be in a valid state. Do not specify resources that are in the "
    "DELETE_COMPLETE state."
)
_NOT_EMPTY = (
    'Resource handler returned message: "The bucket you tried to delete is not empty (Service: S3, Status Code: 409)" '
    "(HandlerErrorCode: GeneralServiceException)"
)
_WITHOUT_EFFECT = frozenset({"AWS::S3::BucketPolicy"})
"""Types that moto ignores, and that have no effect on a machine where nobody else can access the buckets."""


@dataclass(frozen=True)
class CloudFormation:
    """CloudFormation's operations."""

    moto: MotoServices
    objects: Objects
    region: str

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request to CloudFormation.

        Raises:
            ServiceError: A template has resources that are not implemented, or a stack cannot be changed in its state.
        """
        name = operation_name(head, body)
        fields = read_fields(head.query, body)
        if name in _WITH_TEMPLATE:
            if "TemplateURL" in fields:
                raise not_implemented("cloudformation", f"{name} with TemplateURL instead of TemplateBody")
            _check_form(fields.get("TemplateBody", ""))
            self._check_types(name, fields.get("TemplateBody", ""))
        stack = self.moto.undeleted_stack(fields.get("StackName", ""))
        if name in _ON_HEALTHY_STACK and stack and stack.status == DELETE_FAILED:
            message = f"Stack:{stack.arn} is in {DELETE_FAILED} state and can not be updated."
            raise ServiceError("ValidationError", message)
        before = self.moto.bucket_names()
        if name == "DeleteStack" and stack:
            reply = self.moto.delete_stack(head, body, self._deletion(stack, fields))
        else:
            reply = self.moto.answer(head, body)
        after = self.moto.bucket_names()
        for bucket in after - before:
            self.objects.paths.bucket(bucket).mkdir(exist_ok=True)
        for bucket in before - after:
            self.objects.places.remove_bucket(bucket)
        return reply

    def _deletion(self, stack: UndeletedStack, fields: dict[str, str]) -> Deletion:
        """Return what a stack's deletion keeps: resources that the request names, and buckets with objects."""
        shape = service_model("cloudformation").operation_model("DeleteStack").input_shape
        request = read_query(shape, fields)
        if request.get("DeletionMode", "STANDARD") != "STANDARD":
            raise not_implemented("cloudformation", f"DeleteStack with DeletionMode {request['DeletionMode']}")
        retained = request.get("RetainResources", [])
        if retained and stack.status != DELETE_FAILED:
            raise ServiceError("ValidationError", f"Invalid operation on stack [{stack.arn}]. {_RETAINS_LATER}")
        if not stack.resources.issuperset(retained):
            raise ServiceError("ValidationError", _CANNOT_RETAIN)
        failures = {
            name: _NOT_EMPTY
            for name, bucket in stack.buckets.items()
            if name not in retained and self.objects.keys(f"s3://{bucket}/")
        }
        return Deletion(stack.arn, tuple(retained), failures)

    def _check_types(self, name: str, template: str) -> None:
        known = self._types_of_moto() | _WITHOUT_EFFECT
        for kind in sorted(set(_TYPE.findall(template))):
            if kind.startswith(_OURS) or kind not in known:
                raise not_implemented("cloudformation", f"{name} with {kind}")

    def _types_of_moto(self) -> set[str]:
        """Return the types of resources that moto supports."""
        # Moto is set up before its modules are imported.
        with self.moto.backend("cloudformation", self.region):
            from moto.cloudformation.parsing import NULL_MODELS, get_model_map  # noqa: PLC0415

            return {*get_model_map(), *NULL_MODELS}


def _check_form(template: str) -> None:
    """Refuse a template that is too long, or has YAML's aliases, with which a short text stands for a huge one.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    """
    if len(template.encode()) > _LONGEST_TEMPLATE:
        message = f"Member must have length less than or equal to {_LONGEST_TEMPLATE}"
        raise ServiceError("ValidationError", f"1 validation error detected: Value at 'templateBody': {message}")
    try:
        has_aliases = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(template))
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ServiceError("ValidationError", "Template format error: unsupported structure.") from None
    if has_aliases:
        raise ServiceError(
            "ValidationError", "Template error: YAML aliases are not allowed in CloudFormation templates"
        )
