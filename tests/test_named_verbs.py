"""What messages and pages tell a user to run exists."""

import re
from pathlib import Path

import typer

from manyview.cli import app

ROOT = Path(__file__).parents[1]
COMMAND = re.compile(r"(?:[`\"]|^|bin/)manyview ([a-z]+)(?=[ `])", re.M)


def test_every_verb_that_is_named_exists():
    verbs = set(typer.main.get_command(app).commands)
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    shell = {page: "\n".join(re.findall(r"```bash\n(.*?)```", page.read_text("utf-8"), re.S)) for page in pages}
    sources = {file: file.read_text("utf-8") for file in (ROOT / "src").rglob("*.py")}
    named = {(file, verb) for file, text in {**shell, **sources}.items() for verb in COMMAND.findall(text)}
    assert len(named) > 20
    assert {(file.name, verb) for file, verb in named if verb not in verbs} == set()
