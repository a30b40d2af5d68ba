"""STS: moto, except that a job's or a function's credentials say which role they belong to."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from local.api.moto.services import MotoServices, operation_name
from local.aws.credentials import KeyRing
from local.aws.sigv4 import read_signature
from local.aws.wire import HttpResponse, RequestHead, new_request_id

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_ID_LENGTH = 17


@dataclass(frozen=True)
class Sts:
    """STS's operations."""

    moto: MotoServices
    keys: KeyRing

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request to STS."""
        signer = self.keys.find(read_signature(head).access_key)
        if operation_name(head, body) == "GetCallerIdentity" and signer is not None and signer.identity is not None:
            return _identity(signer.identity)
        return self.moto.answer(head, body)


def _identity(arn: str) -> HttpResponse:
    account, role, session = arn.split(":")[4], *arn.split("/")[-2:]
    members = f"<Arn>{arn}</Arn><UserId>{_role_id(role)}:{session}</UserId><Account>{account}</Account>"
    body = (
        f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}"><GetCallerIdentityResult>{members}'
        f"</GetCallerIdentityResult><ResponseMetadata><RequestId>{new_request_id()}</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )
    return HttpResponse(200, body.encode(), [(b"content-type", b"text/xml")])


def _role_id(role: str) -> str:
    """Return an id in the form of a role's. IAM here need not have the role."""
    digest = base64.b32encode(hashlib.sha256(role.encode()).digest()).decode()
    return f"AROA{digest[:_ID_LENGTH]}"
