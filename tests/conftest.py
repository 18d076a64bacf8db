import os

from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")

# A loaded machine is not a broken law, and the same tree gives the same verdict twice.
# `pytest --hypothesis-profile=explore` looks further.
settings.register_profile("law", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile("law")
