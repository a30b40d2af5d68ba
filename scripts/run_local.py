"""make run: run the whole pipeline on this machine, from config.yaml to three predictions.

It starts the local service, then does there what ``make upsert``, ``make start``, ``make status``, ``make report`` and
``make predict`` do on AWS. It imports both the pipeline and the local service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from local.core.settings import ACCOUNT_ID
from local.core.surroundings import isolate
from scripts.command_line import command, option
from scripts.console import config_option, run
from scripts.definition_process import definition_process
from scripts.parameter_option import param_option
from scripts.run_folders import ROOT

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import ParameterTypeDef

    from pipeline.config.models import Config


@command("run")
@config_option
@option(
    "--data",
    variable="DATA",
    type=click.Path(exists=True, dir_okay=False),
    metavar="file.csv",
    help="The file to use instead of the configuration's dataset.",
)
@param_option
def main(config: Config, data: str | None, parameters: tuple[ParameterTypeDef, ...]) -> int:
    """Run the whole pipeline on this machine, and show predictions of the endpoint.

    The exit status is 1 if the execution did not succeed.
    """
    # Imported here, because the process that builds the definition can start before: each import takes half a second.
    from pipeline.config.preflight import check_input  # noqa: PLC0415
    from scripts.shared_service import on_local_service  # noqa: PLC0415
    from scripts.whole_run import WholeRun  # noqa: PLC0415

    if data:
        config = config.with_input(data)
    check_input(config)
    run = WholeRun(config, parameters, definition_process(ACCOUNT_ID))
    return 0 if on_local_service(ROOT.absolute(), config.aws.region, run) == "Succeeded" else 1


if __name__ == "__main__":
    # First of all: even reading the configuration asks botocore about the region.
    isolate()
    # Then the process that is waited for longest.
    definition_process(ACCOUNT_ID)
    run(main)
