"""The lock that many hold together, or one alone."""

import threading

from workers.shared_lock import SharedLock


def test_whoever_is_alone_comes_after_those_before_and_before_those_after() -> None:
    lock, order = SharedLock(), list[str]()

    def alone() -> None:
        with lock.alone(60) as is_alone:
            order.append(f"alone: {is_alone}")

    def later() -> None:
        with lock.shared():
            order.append("later")

    threads = [threading.Thread(target=alone), threading.Thread(target=later)]
    with lock.shared(), lock.shared():
        for thread in threads:
            thread.start()
            wait_at_door(lock)
        order.append("before")
    for thread in threads:
        thread.join(60)
    assert order == ["before", "alone: True", "later"]


def wait_at_door(lock: SharedLock) -> None:
    """Until somebody wants it alone."""
    while not lock._door.locked():
        threading.Event().wait(0.001)


def test_who_waits_in_vain_lets_the_others_go_on() -> None:
    lock = SharedLock()
    with lock.shared():
        with lock.alone(0.01) as is_alone:
            assert not is_alone
        with lock.shared():
            assert not lock._door.locked()
    with lock.alone(0) as is_alone:
        assert is_alone
