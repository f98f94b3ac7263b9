"""Loaders end with the process that they work for, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TRAINER = """
import multiprocessing, time
from functools import partial
import cv2, numpy as np
from hwr.model.alphabet import Alphabet
from hwr.training.batches import BatchPlan, Sources
from hwr.training.loaders import batches_of
from hwr.training.recipe import Recipe
from hwr.training.samples import LineSample, decode_grey

picture = cv2.imencode(".png", np.full((64, 128), 255, np.uint8))[1].tobytes()
line = LineSample(dataset="d", name="x", writer="w", text="ab", width=128,
                  load=partial(decode_grey, picture, "x"))
recipe = Recipe(columns=600, pool=2, hands=0, fonts=0)
plan = BatchPlan(Sources(real=[line], hands=[], fonts=[]), recipe, Alphabet("ab"))
batches = batches_of(plan, loaders=1)
next(batches)
print(*[child.pid for child in multiprocessing.active_children()], flush=True)
time.sleep(120)
"""


def test_loaders_end_with_a_trainer_that_is_killed() -> None:
    trainer = subprocess.Popen([sys.executable, "-c", TRAINER], stdout=subprocess.PIPE, text=True)
    assert trainer.stdout
    loaders = [int(pid) for pid in trainer.stdout.readline().split()]
    assert loaders
    trainer.kill()
    trainer.wait()
    trainer.stdout.close()
    deadline = time.monotonic() + 30
    while any(map(runs, loaders)) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [pid for pid in loaders if runs(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


def runs(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
