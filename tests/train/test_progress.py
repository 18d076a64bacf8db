"""Laws of progress: in a log it speaks in lines, and the time left is the cost left over the speed."""

import io
import re

from rich.console import Console

from manyview.train.progress import JobProgress


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


def plain(parts, monkeypatch):
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr("manyview.train.progress.time", clock)
    return JobProgress(parts, Console(file=stream, force_terminal=False, width=200)), clock, stream


def test_the_time_left_is_the_cost_left_over_the_speed(monkeypatch):
    job, clock, stream = plain({"first": 100, "second": 300}, monkeypatch)
    for second in range(0, 51, 10):
        clock.now = second
        job.advance("first", second / 100)
    assert "about 5 min 50 s left" in stream.getvalue().splitlines()[-1]


def test_a_stumble_is_forgiven_and_a_slower_machine_believed(monkeypatch):
    """400 s at one a second, then a tenth of that: a minute later 1.5 times the time, at last ten times."""
    job, clock, stream = plain({"only": 1000}, monkeypatch)
    done = 0.0
    for second in range(0, 1000, 10):
        clock.now = second
        done += 10 if second <= 400 else 1
        job.advance("only", done / 1000)
        if second == 460:
            soon = _seconds(stream)
    assert 540 < soon < 1.5 * 584
    assert _seconds(stream) > 8 * (1000 - done)


def _seconds(stream):
    minutes, seconds = re.findall(r"about (\d+) min (\d+) s", stream.getvalue())[-1]
    return 60 * int(minutes) + int(seconds)


def test_work_done_before_does_not_count_as_speed(monkeypatch):
    job, clock, stream = plain({"first": 100, "second": 100}, monkeypatch)
    job.advance("first", 1.0, already=True)
    for second in range(0, 21, 10):
        clock.now = second
        job.advance("second", second / 100)
    assert "about 1 min 20 s left" in stream.getvalue().splitlines()[-1]


def test_a_log_gets_a_line_every_ten_seconds_and_at_the_end(monkeypatch):
    job, clock, stream = plain({"only": 1}, monkeypatch)
    with job:
        for second in range(31):
            clock.now = second
            job.advance("only", second / 40, f"step {second}")
        clock.now = 31
        job.advance("only", 1.0)
    said = stream.getvalue().splitlines()
    assert [line.split()[1] for line in said] == ["0%", "25%", "50%", "75%", "100%"]


def test_a_terminal_gets_bars():
    stream = io.StringIO()
    with JobProgress({"many-view": 1}, Console(file=stream, force_terminal=True, width=120)) as job:
        job.sink("many-view")({"step": 1, "steps": 4, "loss": 2.0})
    assert re.search(r"many-view.*25 %.*step 1/4", stream.getvalue())
