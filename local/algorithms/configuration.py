"""Read the configuration files of a training job's ``/opt/ml`` folder."""

import json
from pathlib import Path
from typing import Any

from local.algorithms.errors import ClientError


def read_config(root: Path, name: str) -> dict[str, Any]:
    """Return the content of a file in ``input/config``, or an empty dictionary if there is no such file.

    Args:
        root: The folder that replaces ``/opt/ml``.
        name: The file's name.

    Raises:
        ClientError: The file is not a JSON object.
    """
    try:
        content = json.loads((root / "input/config" / name).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ClientError(f"/opt/ml/input/config/{name} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ClientError(f"/opt/ml/input/config/{name} is not a JSON object")
    return content
