"""Laws of what is written: no text names a folder of one machine."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
WRITTEN = ("*.md", "*.toml", "Makefile", "docs/*.md", "src/**/*.py", "benchmarks/*.py", "corpus-recipes/**/*.py")
MACHINE = re.compile(r"(?<![\w.:/])/(?:tmp|home|root|work|Users|mnt|scratch)/\w+")


def test_no_text_names_a_folder_of_one_machine():
    files = {file for pattern in (*WRITTEN, "tests/**/*.py") for file in ROOT.glob(pattern)}
    assert len(files) > 300
    named = {(str(file.relative_to(ROOT)), *MACHINE.findall(file.read_text("utf-8"))) for file in files}
    assert {found for found in named if len(found) > 1} == set()
