"""``gandream completion``."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    shell: Annotated[
        str,
        typer.Argument(metavar="bash|zsh|fish|powershell", help="The shell that is to complete.", show_default=False),
    ],
) -> None:
    """Print what a shell needs to complete commands, options, files, models and words of recipes.

    Examples:
      eval "$(gandream completion bash)"        in ~/.bashrc
      eval "$(gandream completion zsh)"         in ~/.zshrc, after compinit
      gandream completion fish | source         in ~/.config/fish/config.fish
      gandream completion powershell | Out-String | Invoke-Expression
    """
    from gandream.base.errors import did_you_mean
    from gandream.cli.shells import SCRIPTS
    from gandream.cli.usage import UsageError

    if shell not in SCRIPTS:
        known = ", ".join(SCRIPTS)
        near = did_you_mean(shell, SCRIPTS)
        raise UsageError(f"gandream completion {shell}", f"no such shell; there are {known}", near)
    typer.echo(SCRIPTS[shell], nl=False)
