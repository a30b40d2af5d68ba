from __future__ import annotations

from pathlib import Path

from pipeline.config.models import Config
from pipeline.config.preflight import check_input
from pipeline.errors import ConfigError


def faults_of_input(config: Config, folder: Path) -> list[str]:
    """Return the faults of a configuration's local input, without the folder in their paths."""
    try:
        check_input(config)
    except ConfigError as error:
        return [fault.replace(f"{folder}/", "") for fault in error.faults]
    return []
