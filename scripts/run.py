"""make run: run the whole pipeline on this machine, from config.yaml to three predictions.

It starts the local service, then does there what ``make upsert``, ``make start``, ``make status``, ``make report`` and
``make predict`` do on AWS. It imports both the pipeline and the local service.
"""

from __future__ import annotations

import gc
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from local.core.surroundings import isolate
from scripts.command_line import MakeCommand, option
from scripts.console import config_option, run
from scripts.parameter_option import param_option
from scripts.run_folders import ROOT
from scripts.side_process import SideProcess
from scripts.side_tasks import load_sdk

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import ParameterTypeDef

    from pipeline.config.models import Config


@cache
def side_process() -> SideProcess:
    """Return the command's side process, which the first call starts."""
    process = SideProcess()
    process.begin(load_sdk)
    return process


class RunCommand(MakeCommand):
    """A command that is isolated from the user's AWS, and whose side process starts first of all."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Prepare the command before the configuration is read: even that asks botocore about the region."""
        if not extra.get("resilient_parsing"):
            isolate()
            # What is imported stays. Looking through it for garbage takes a quarter of the imports' time.
            gc.set_threshold(50_000)
            side_process()
        return super().make_context(info_name, args, parent, **extra)


@click.command("run", cls=RunCommand)
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
    # Imported here, because the side process can start before: this takes half a second.
    from pipeline.config.preflight import check_input  # noqa: PLC0415
    from pipeline.operate.parameter_values import check_values  # noqa: PLC0415
    from scripts.shared_service import on_local_service  # noqa: PLC0415
    from scripts.whole_run import WholeRun  # noqa: PLC0415

    if data:
        config = config.with_input(data)
    check_input(config)
    check_values(config, parameters)
    status = on_local_service(ROOT.absolute(), config.aws.region, WholeRun(config, parameters, side_process()))
    return 0 if status == "Succeeded" else 1


if __name__ == "__main__":
    run(main)
