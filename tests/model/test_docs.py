"""The examples in docstrings run."""

import doctest

from manyview.model import dual_encoder


def test_the_dual_encoders_example_runs():
    results = doctest.testmod(dual_encoder, raise_on_error=True)
    assert results.attempted
