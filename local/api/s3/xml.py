"""Write the XML of S3's responses, and parse that of its requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from starlette.responses import Response

from local.api.s3.errors import s3_error

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_DECLARATION = "<?xml version='1.0' encoding='utf-8'?>\n"
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def xml_response(root: str, members: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with an XML document.

    Args:
        root: name of the root element.
        members: members of the root element. A mapping becomes an element with members, and a list one element per
            item. None is left out. A member with an empty name is the text of its element.
        headers: additional headers.
    """
    element = ET.Element(root, xmlns=_NAMESPACE)
    _fill(element, members)
    text = ET.tostring(element, "unicode")
    # Like S3, write control characters as references. Parsers would read a carriage return as a line feed.
    content = _DECLARATION + _CONTROL.sub(lambda found: f"&#{ord(found[0])};", text)
    return Response(content.encode(), headers=dict(headers or {}), media_type="application/xml")


def parse_xml(body: bytes, root: str) -> ET.Element:
    """Parse a request's body, and remove the namespaces of its elements.

    Args:
        body: the body.
        root: the expected name of the root element.

    Raises:
        ServiceError: MalformedXML.
    """
    try:
        text = body.decode()
        # Without a document type there are no entities, whose expansion could take all memory.
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
