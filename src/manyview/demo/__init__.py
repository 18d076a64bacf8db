"""The demo: three recipes on the same pictures, judged on held-out records, in a report with pictures."""

from manyview.demo.run import DEMO_RECIPES, DEMO_SETTINGS, GLOSSARY_SETTINGS, TITLE_SETTINGS, run_demo

__all__ = ["DEMO_RECIPES", "DEMO_SETTINGS", "GLOSSARY_SETTINGS", "TITLE_SETTINGS", "run_demo"]
