"""make rollback: return the endpoint to the model that it served before.

Options: ENDPOINT=name, the configuration's endpoint by default; YES=1 does not ask.
"""

from __future__ import annotations

from pipeline.definition.resources import find_resources
from pipeline.operate.rollback import roll_back
from scripts.console import aws_session, client_config, confirm, console, load, option, run


def main() -> int:
    """Ask, and roll the endpoint back to its last known good configuration."""
    config = load()
    session = aws_session(config)
    resources = find_resources(config, session)
    endpoint = option("ENDPOINT", config.deploy.endpoint_name)
    if not confirm(f"Roll {endpoint} in account {resources.account_id} back to the model that it served before?"):
        console.print("Nothing was changed.")
        return 1
    answer = roll_back(session.client("lambda", config=client_config()), resources, endpoint)
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
