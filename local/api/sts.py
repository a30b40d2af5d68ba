"""STS: moto answers, and the service accepts the credentials that an answer has.

A job's or a function's credentials say which role they belong to. The folder's owner is a user.

Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from local.api.moto.services import operation_name
from local.aws.sigv4 import read_signature
from local.aws.wire import HttpResponse, RequestHead, new_request_id
from local.core.arns import owner
from local.core.settings import ACCESS_KEY, ACCOUNT_ID

if TYPE_CHECKING:
    from local.api.moto.services import MotoServices
    from local.aws.credentials import KeyRing

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_TEMPORARY = "ASIA"
_ID_LENGTH = 17


class Sts:
    """The operations of STS.

    Args:
        moto: answers requests.
        keys: accepts the temporary keys.
        region: the service's region.
    """

    def __init__(self, moto: MotoServices, keys: KeyRing, region: str) -> None:
        self._moto, self._keys = moto, keys
        self._owner = owner(region)

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request.

        Raises:
            ServiceError: moto does not implement the operation.
        """
        signer = self._keys.find(read_signature(head).access_key)
        if operation_name(head, body) == "GetCallerIdentity" and signer is not None:
            if signer.identity is not None:
                role, session = signer.identity.split("/")[-2:]
                return _identity(signer.identity, f"{_id('AROA', role)}:{session}")
            if signer.access_key == ACCESS_KEY:
                return _identity(self._owner, _id("AIDA", self._owner))
        reply = self._moto.answer(head, body)
        if reply.status != 200 or b"<SecretAccessKey>" not in reply.body:
            return reply
        ET.register_namespace("", _NAMESPACE)
        document = ET.fromstring(reply.body)  # noqa: S314 - moto's own
        for each in document.iter(f"{{{_NAMESPACE}}}Credentials"):
            self._issue({member.tag.rpartition("}")[2]: member for member in each})
        return HttpResponse(reply.status, ET.tostring(document), reply.headers)

    def _issue(self, members: dict[str, ET.Element]) -> None:
        """Replace moto's secrets, some of which are the examples of AWS's documentation, and accept the key.

        Moto knows the role by the id of the access key, so a temporary key keeps its id.
        """
        access_key, ends = members["AccessKeyId"].text or "", members["Expiration"].text or ""
        expires = datetime.fromisoformat(ends).replace(tzinfo=UTC).timestamp()
        key = self._keys.issue(expires, access_key if access_key.startswith(_TEMPORARY) else None)
        members["AccessKeyId"].text, members["SecretAccessKey"].text = key.access_key, key.secret_key
        members["SessionToken"].text = key.token


def _identity(arn: str, user_id: str) -> HttpResponse:
    members = f"<Arn>{arn}</Arn><UserId>{user_id}</UserId><Account>{ACCOUNT_ID}</Account>"
    body = (
        f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}"><GetCallerIdentityResult>{members}'
        f"</GetCallerIdentityResult><ResponseMetadata><RequestId>{new_request_id()}</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )
    return HttpResponse(200, body.encode(), [(b"content-type", b"text/xml")])


def _id(prefix: str, name: str) -> str:
    """Return an id in the form of a user's or role's. IAM here need not have either."""
    return prefix + base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()[:_ID_LENGTH]
