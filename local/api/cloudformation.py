"""CloudFormation: stacks of moto, with their buckets created in the service too.

Moto creates a stack's resources in its own memory. The service creates the buckets as well, because it answers S3
itself. It refuses templates with resources that moto would not really create.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from local.api.moto.query import read_fields
from local.api.moto.services import MotoServices, operation_name
from local.aws.wire import HttpResponse, RequestHead
from local.core.errors import ServiceError, not_implemented
from local.storage.objects import Objects

_TYPE = re.compile(r"""["']?Type["']?\s*:\s*["']?((?:AWS|Custom)::[A-Za-z0-9:]+)["']?""")
_OURS = ("AWS::SageMaker::", "AWS::Lambda::", "AWS::Logs::", "AWS::CloudFormation::Stack")
_WITH_TEMPLATE = ("CreateStack", "UpdateStack", "CreateChangeSet")
_LONGEST_TEMPLATE = 51_200
"""Bytes. Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
_WITHOUT_EFFECT = frozenset({"AWS::S3::BucketPolicy"})
"""Types that moto ignores, and that have no effect on a machine where nobody else can access the buckets."""


@dataclass(frozen=True)
class CloudFormation:
    """CloudFormation's operations."""

    moto: MotoServices
    objects: Objects

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request to CloudFormation.

        Raises:
            ServiceError: A template has resources that are not implemented, or a bucket to delete is not empty.
        """
        name = operation_name(head, body)
        fields = read_fields(head.query, body)
        if name in _WITH_TEMPLATE:
            if "TemplateURL" in fields:
                raise not_implemented("cloudformation", f"{name} with TemplateURL instead of TemplateBody")
            _check_form(fields.get("TemplateBody", ""))
            self._check_types(name, fields.get("TemplateBody", ""))
        if name == "DeleteStack":
            for bucket in self.moto.buckets_of_stack(fields.get("StackName", "")):
                if self.objects.keys(f"s3://{bucket}/"):
                    message = f"The bucket {bucket} of the stack is not empty: delete its objects first"
                    raise ServiceError("ValidationError", message)
        before = self.moto.bucket_names()
        reply = self.moto.answer(head, body)
        after = self.moto.bucket_names()
        for bucket in after - before:
            self.objects.paths.bucket(bucket).mkdir(exist_ok=True)
        for bucket in before - after:
            self.objects.places.remove_bucket(bucket)
        return reply

    def _check_types(self, name: str, template: str) -> None:
        known = self.moto.resource_types() | _WITHOUT_EFFECT
        for kind in sorted(set(_TYPE.findall(template))):
            if kind.startswith(_OURS) or kind not in known:
                raise not_implemented("cloudformation", f"{name} with {kind}")


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
