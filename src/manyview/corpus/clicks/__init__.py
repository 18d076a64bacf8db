"""Click logs: what people typed and then chose becomes query views, with a weight that says how sure that is."""

from manyview.corpus.clicks.complete import complete_log
from manyview.corpus.clicks.log import ClickLog
from manyview.corpus.clicks.stages import Run, Unit, in_processes, in_turn
from manyview.corpus.clicks.views import ClickReport, query_views

__all__ = ["ClickLog", "ClickReport", "Run", "Unit", "complete_log", "in_processes", "in_turn", "query_views"]
