"""make definition: print the definition and its faults, without any AWS call."""

from __future__ import annotations

import sys

from pipeline.config.models import Config
from pipeline.config.preflight import check_input
from pipeline.definition.resources import conventional_resources
from scripts.command_line import command
from scripts.console import config_option, errors, run


@command("definition")
@config_option
def main(config: Config) -> int:
    """Print the pipeline's definition, without any AWS call.

    The standard error gets the faults for which AWS would refuse to publish it. The exit status is 1 if there are any.
    """
    check_input(config)
    # Imported here, because the import of the SDK takes seconds, and a wrong configuration should fail at once.
    from pipeline.definition.lint import lint  # noqa: PLC0415
    from pipeline.definition.pipeline import build_definition, definition_text  # noqa: PLC0415
    from pipeline.operate.requests import publishing_faults  # noqa: PLC0415

    resources = conventional_resources(config)
    definition = build_definition(config, resources)
    sys.stdout.write(definition_text(definition))
    faults = [*lint(definition), *publishing_faults(config, resources)]
    for fault in faults:
        errors.print(fault, markup=False)
    return 1 if faults else 0


if __name__ == "__main__":
    run(main)
