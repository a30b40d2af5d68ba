"""make rollback: return the endpoint to the model that it served before."""

from __future__ import annotations

from pipeline.config.models import Config
from pipeline.definition.resources import find_resources
from pipeline.operate.rollback import roll_back
from scripts.command_line import command, option
from scripts.console import aws_session, client_config, config_option, confirm, console, run, yes_option


@command("rollback")
@config_option
@option("--endpoint", variable="ENDPOINT", metavar="name", help="The endpoint, by default the configuration's.")
@yes_option
def main(config: Config, endpoint: str | None, yes: bool) -> int:
    """Return the endpoint to the model that it served before, after asking."""
    session = aws_session(config)
    resources = find_resources(config, session)
    endpoint = endpoint or config.deploy.endpoint_name
    question = f"Roll {endpoint} in account {resources.account_id} back to the model that it served before?"
    if not confirm(question, yes=yes):
        console.print("Nothing was changed.")
        return 1
    functions = session.client("lambda", config=client_config())
    answer = roll_back(functions, resources.deploy_function_name, endpoint)
    console.print(
        f"{endpoint} returns to {answer['endpoint_config_name']}, and serves meanwhile. "
        f"To wait for it: aws sagemaker wait endpoint-in-service --endpoint-name {endpoint}",
        markup=False,
        soft_wrap=True,
    )
    console.print("Reject the replaced model in the registry, so that nobody deploys it again.")
    return 0


if __name__ == "__main__":
    run(main)
