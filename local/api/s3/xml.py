"""S3's XML: responses out of plain values, and requests into elements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from starlette.responses import Response

from local.api.s3.errors import s3_error

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def xml_response(root: str, members: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return a response of XML.

    Args:
        root: the name of the document's element.
        members: its members: a mapping becomes an element with members, a list one element for each item, and None
            nothing. The member of an empty name is the element's text.
        headers: further headers.
    """
    element = ET.Element(root, xmlns=_NAMESPACE)
    _fill(element, members)
    content = ET.tostring(element, "utf-8", xml_declaration=True)
    return Response(content, headers=dict(headers or {}), media_type="application/xml")


def parse_xml(body: bytes, root: str) -> ET.Element:
    """Parse a request's body; names lose their namespace.

    Raises:
        ServiceError: MalformedXML.
    """
    try:
        text = body.decode()
        # Entities could grow without bounds; S3's requests have no document type.
        if "<!DOCTYPE" in text:
            raise s3_error("MalformedXML")
        element = ET.fromstring(text)  # noqa: S314 - see above
    except (UnicodeDecodeError, ET.ParseError, ValueError):
        raise s3_error("MalformedXML") from None
    for each in element.iter():
        each.tag = each.tag.rpartition("}")[2]
    if element.tag != root:
        raise s3_error("MalformedXML")
    return element


def _fill(element: ET.Element, members: Mapping[str, Any]) -> None:
    for name, value in members.items():
        if name == "":
            element.text = value
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                _fill(ET.SubElement(element, name), item)
            elif item is not None:
                ET.SubElement(element, name).text = _text(item)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return str(value)
