"""The option for an execution's parameters, of ``make start`` and ``make run``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from scripts.command_line import option

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import ParameterTypeDef


class Parameter(click.ParamType["ParameterTypeDef", str]):
    """``Name=value``, a parameter of an execution. make's variable has several, quoted as in a shell."""

    name = "parameter"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ParameterTypeDef:
        """Return the parameter in the API's form.

        Raises:
            click.BadParameter: the text is not a pair.
        """
        name, equals, text = value.partition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not Name=value, for example MaxMse=4e7.", param, ctx)
        return {"Name": name, "Value": text}

    def split_envvar_value(self, rv: str) -> list[str]:
        """Split make's variable at spaces, except in quotes.

        Raises:
            click.BadParameter: a quote is not closed.
        """
        try:
            return shlex.split(rv)
        except ValueError:
            raise click.BadParameter(f"{rv!r} has a quote without its end.") from None


param_option = option(
    "--param",
    "parameters",
    variable="PARAMS",
    type=Parameter(),
    multiple=True,
    metavar="Name=value",
    help="A parameter of the execution. Repeat the option for more; PARAMS has several, separated by spaces. Quote a "
    "value with spaces: PARAMS=\"'Name=two words' MaxMse=4e7\".",
)
