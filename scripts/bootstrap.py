"""make bootstrap: create the pipeline's bucket and roles as a CloudFormation stack.

Options: YES=1 does not ask; EXPIRATION_DAYS=n deletes the results of executions after n days, 0 for never.
"""

from __future__ import annotations

from pipeline.errors import UserError
from pipeline.operate.stack import apply_plan, discard, plan_stack
from scripts.console import aws_session, client_config, confirm, console, load, option, run


def main() -> int:
    """Show the changes to the stack, ask, apply them, and print the stack's outputs."""
    config = load()
    days = option("EXPIRATION_DAYS")
    if days and not days.isdigit():
        raise UserError(f"EXPIRATION_DAYS={days}: give a number of days, or 0 for never.")
    session = aws_session(config)
    account_id = session.client("sts", config=client_config()).get_caller_identity()["Account"]
    cloudformation = session.client("cloudformation", config=client_config())
    plan = plan_stack(cloudformation, config, account_id, int(days) if days else None)
    if not plan.changes:
        console.print(f"The stack {plan.stack} is up to date.", markup=False)
        return 0
    console.print(
        f"{'Stack' if plan.change_set_id else 'New stack'} {plan.stack} in account {account_id}, {config.aws.region}:",
        markup=False,
    )
    for change in plan.changes:
        console.print(f"  {change}", markup=False)
    agreed = False
    try:
        agreed = confirm("Apply these changes?")
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
