import pytest

import manyview.errors
from manyview.errors import DataError, ExitCode, ManyviewError, Saved, UsageError


@pytest.mark.parametrize(("error", "code"), [(ManyviewError, 1), (UsageError, 2), (DataError, 3), (Saved, 75)])
def test_each_error_leaves_the_exit_code_of_the_drawn_tree(error: type[ManyviewError], code: int) -> None:
    assert error.exit_code == code
    assert issubclass(error, ManyviewError)


def test_the_exit_codes_are_the_documented_ones() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "FAILURE": 1,
        "USAGE": 2,
        "DATA": 3,
        "SAVED": 75,
        "INTERRUPTED": 130,
    }


def test_the_tree_at_the_top_of_the_module_names_every_error() -> None:
    drawn = manyview.errors.__doc__ or ""
    for error in (ManyviewError, *ManyviewError.__subclasses__()):
        line = next(line for line in drawn.splitlines() if error.__name__ in line)
        assert str(int(error.exit_code)) in line
