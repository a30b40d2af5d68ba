"""make studio: serve pages on this machine about the AWS account in the environment: pipelines, models, endpoints."""

from __future__ import annotations

from pipeline.errors import UserError
from scripts.command_line import Number, command, option
from scripts.console import console, run


@command("studio")
@option(
    "--port",
    variable="STUDIO_PORT",
    type=Number(0, 65535),
    default=8567,
    show_default=True,
    metavar="number",
    help="The port on 127.0.0.1; 0 takes a free one.",
)
def main(port: int) -> int:
    """Show pipelines, executions, models and endpoints in a browser, and operate them.

    The pages show the AWS account or the local service that the environment points at, as for the AWS CLI. The
    printed URL holds a token: only a browser that opens it can use the pages. Ctrl-C stops it.
    """
    # Imported here, because help and completion call nobody.
    import boto3  # noqa: PLC0415

    from studio.aws import Aws  # noqa: PLC0415
    from studio.server import PortInUseError, Server  # noqa: PLC0415

    session = boto3.Session()
    if session.region_name is None:
        raise UserError("No AWS region is set. Set AWS_DEFAULT_REGION, or a region in your AWS profile.")
    aws = Aws(session)
    identity = aws.identity
    try:
        server = Server(aws, port)
    except PortInUseError as error:
        raise UserError(f"{error} Give another one: make studio STUDIO_PORT={port + 1}") from None
    where = f"the local service at {aws.endpoint}" if aws.is_local else f"AWS account {identity.account}"
    console.print(f"Studio shows {where}, region {aws.region}, as {identity.role}. Stop with Ctrl-C.", markup=False)
    console.print(server.url, markup=False)
    with server:
        server.serve()
    return 0


if __name__ == "__main__":
    run(main)
