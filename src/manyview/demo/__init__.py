"""The demo: two recipes at equal compute, judged on held-out concepts, in a report with pictures."""

from manyview.demo.run import DEMO_RECIPES, DEMO_SETTINGS, run_demo

__all__ = ["DEMO_RECIPES", "DEMO_SETTINGS", "run_demo"]
