"""make bootstrap: create the pipeline's bucket and roles as a CloudFormation stack."""

from __future__ import annotations

from pipeline.config.models import Config
from pipeline.operate.stack import apply_plan, discard, plan_stack
from scripts.command_line import Number, command, option
from scripts.console import aws_session, client_config, config_option, confirm, console, run, yes_option


@command("bootstrap")
@config_option
@option(
    "--expiration-days",
    variable="EXPIRATION_DAYS",
    type=Number(min=0),
    metavar="number",
    help="Delete the results of executions after so many days; 0 means never.",
)
@yes_option
def main(config: Config, expiration_days: int | None, yes: bool) -> int:
    """Create the bucket and the roles on AWS, after asking.

    They are a CloudFormation stack. The changes to it are shown first, and its outputs at the end.
    """
    session = aws_session(config)
    account_id = session.client("sts", config=client_config()).get_caller_identity()["Account"]
    cloudformation = session.client("cloudformation", config=client_config())
    plan = plan_stack(cloudformation, config, account_id, expiration_days)
    if not plan.changes:
        where = f"account {account_id}, {config.aws.region}"
        console.print(f"The stack {plan.stack} in {where} is up to date.", markup=False)
        return 0
    console.print(
        f"{'Stack' if plan.change_set_id else 'New stack'} {plan.stack} in account {account_id}, {config.aws.region}:",
        markup=False,
    )
    for change in plan.changes:
        console.print(f"  {change}", markup=False)
    agreed = False
    try:
        agreed = confirm("Apply these changes?", yes=yes)
    finally:
        if not agreed:
            discard(cloudformation, plan)
    if not agreed:
        console.print("Nothing was changed.")
        return 1
    for name, value in apply_plan(cloudformation, plan).items():
        console.print(f"{name:16} {value}", markup=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    run(main)
