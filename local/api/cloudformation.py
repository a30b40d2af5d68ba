"""CloudFormation: moto's stacks, whose buckets exist in the service too.

Moto makes a stack's resources in its own memory. What the service answers for itself has to be there as well, and
what it would only pretend to make is refused.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from local.api.moto.services import operation_name
from local.aws.wire import Head, Reply
from local.core.errors import ServiceError, not_implemented

if TYPE_CHECKING:
    from local.context import Context

_TYPE = re.compile(r"""["']?Type["']?\s*:\s*["']?((?:AWS|Custom)::[A-Za-z0-9:]+)["']?""")
_OURS = ("AWS::SageMaker::", "AWS::Lambda::", "AWS::Logs::", "AWS::CloudFormation::Stack")
_WITH_TEMPLATE = ("CreateStack", "UpdateStack", "CreateChangeSet")


def answer(context: Context, head: Head, body: bytes) -> Reply:
    """Answer a request to CloudFormation.

    Raises:
        ServiceError: a template has resources that would not exist, or a bucket to delete is not empty.
    """
    name = operation_name(head, body)
    fields = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    if name in _WITH_TEMPLATE:
        if "TemplateURL" in fields:
            raise not_implemented("cloudformation", f"{name} with TemplateURL (TemplateBody is)")
        _check_types(context, name, fields.get("TemplateBody", ""))
    moto = context.moto
    if name == "DeleteStack":
        for bucket in moto.buckets_of_stack(fields.get("StackName", "")):
            if context.objects.keys(f"s3://{bucket}/"):
                message = f"The bucket {bucket} of the stack is not empty: delete its objects first"
                raise ServiceError("ValidationError", message)
    before = moto.bucket_names()
    reply = moto.answer(context, head, body)
    after = moto.bucket_names()
    for bucket in after - before:
        context.objects.paths.bucket(bucket).mkdir(exist_ok=True)
    for bucket in before - after:
        if not context.objects.keys(f"s3://{bucket}/"):
            shutil.rmtree(context.objects.paths.bucket(bucket), ignore_errors=True)
    return reply


_WITHOUT_EFFECT = frozenset({"AWS::S3::BucketPolicy"})
"""Types that moto passes over, and that change nothing on a machine where nobody else can reach the buckets."""


def _check_types(context: Context, name: str, template: str) -> None:
    known = context.moto.resource_types() | _WITHOUT_EFFECT
    for kind in sorted(set(_TYPE.findall(template))):
        if kind.startswith(_OURS) or kind not in known:
            raise not_implemented("cloudformation", f"{name} with {kind}")
