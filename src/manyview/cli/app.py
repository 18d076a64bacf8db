"""App: what the verbs are added to."""

from typing import Annotated

import typer

from manyview import __version__

__all__ = ["CorpusArgument", "DeviceOption", "JsonOption", "app"]

app = typer.Typer(
    help="An image and everything said about it become views; a dual encoder learns that they are the same thing.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

CorpusArgument = Annotated[str, typer.Argument(help="Folder of a corpus, or starter, glossary.")]
DeviceOption = Annotated[str, typer.Option(help="auto: cuda where there is one, else cpu; or cpu, cuda, cuda:1, ...")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        print(f"manyview {__version__}")
        raise typer.Exit
