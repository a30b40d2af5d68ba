"""make definition: print the definition, and only that; no AWS call is made."""

from __future__ import annotations

import sys

from pipeline.definition.resources import conventional_resources
from scripts.console import load, run


def main() -> int:
    """Print the definition of the configuration."""
    config = load()
    # Imported here, after the configuration is known to be right: the SDK takes seconds to import.
    from pipeline.definition.pipeline import build_definition, definition_text  # noqa: PLC0415

    sys.stdout.write(definition_text(build_definition(config, conventional_resources(config))))
    return 0


if __name__ == "__main__":
    run(main)
