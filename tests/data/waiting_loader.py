"""A process whose loader workers wait for a while and go on, and that is killed with nothing asked of them.

python -m tests.data.waiting_loader START_METHOD
"""

import multiprocessing
import os
import signal
import sys
import time

from tests.data.test_loader import Steps

from manyview.data import iterate, loader

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    loader._WATCH_S = 0.1
    batches = iterate(Steps(), 0, 100, workers=2)
    assert [next(batches), next(batches)] == [0, 1]
    time.sleep(0.6)  # longer than the workers wait before they look for this process
    assert [next(batches) for _ in range(10)] == list(range(2, 12))
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
