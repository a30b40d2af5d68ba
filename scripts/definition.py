"""make definition: print the definition, and what AWS would refuse of it; no AWS call is made."""

from __future__ import annotations

import sys

from pipeline.definition.resources import conventional_resources
from scripts.console import errors, load, run


def main() -> int:
    """Print the definition of the configuration.

    Returns:
        1 where AWS would refuse a request of publishing; the error output then says which and why.
    """
    config = load()
    # Imported here, after the configuration is known to be right: the SDK takes seconds to import.
    from pipeline.definition.pipeline import build_definition, definition_text  # noqa: PLC0415
    from pipeline.operate.requests import publishing_faults  # noqa: PLC0415

    resources = conventional_resources(config)
    definition = build_definition(config, resources)
    sys.stdout.write(definition_text(definition))
    faults = publishing_faults(config, resources, definition)
    for fault in faults:
        errors.print(fault, markup=False)
    return 1 if faults else 0


if __name__ == "__main__":
    run(main)
