"""Doctor: what a finished corpus is like, what is wrong with it, and what to change."""

from manyview.corpus.doctor.examine import examine
from manyview.corpus.doctor.limits import Limits
from manyview.corpus.doctor.looks import FindNear
from manyview.corpus.doctor.measures import Examination, Finding
from manyview.corpus.doctor.run import Diagnosis, diagnose

__all__ = ["Diagnosis", "Examination", "FindNear", "Finding", "Limits", "diagnose", "examine"]
