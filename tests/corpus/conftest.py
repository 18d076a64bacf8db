"""Makes the modules of the recipes importable, as they are when a recipe runs as a script."""

import sys
from pathlib import Path

RECIPES = Path(__file__).parent.parent.parent / "corpus-recipes"
sys.path.append(str(RECIPES))
