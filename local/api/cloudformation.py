"""CloudFormation: stacks of moto, with their buckets created in the service too.

Moto creates a stack's resources in its own memory. The service creates the buckets as well, because it answers S3
itself. It refuses templates with resources that moto would not really create.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from urllib.parse import parse_qs

from local.api.moto.services import MotoServices, operation_name
from local.aws.wire import HttpResponse, RequestHead
from local.core.errors import ServiceError, not_implemented
from local.storage.objects import Objects

_TYPE = re.compile(r"""["']?Type["']?\s*:\s*["']?((?:AWS|Custom)::[A-Za-z0-9:]+)["']?""")
_OURS = ("AWS::SageMaker::", "AWS::Lambda::", "AWS::Logs::", "AWS::CloudFormation::Stack")
_WITH_TEMPLATE = ("CreateStack", "UpdateStack", "CreateChangeSet")
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
        fields = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        if name in _WITH_TEMPLATE:
            if "TemplateURL" in fields:
                raise not_implemented("cloudformation", f"{name} with TemplateURL instead of TemplateBody")
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
            if not self.objects.keys(f"s3://{bucket}/"):
                shutil.rmtree(self.objects.paths.bucket(bucket), ignore_errors=True)
        return reply

    def _check_types(self, name: str, template: str) -> None:
        known = self.moto.resource_types() | _WITHOUT_EFFECT
        for kind in sorted(set(_TYPE.findall(template))):
            if kind.startswith(_OURS) or kind not in known:
                raise not_implemented("cloudformation", f"{name} with {kind}")
