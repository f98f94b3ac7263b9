"""Start a worker: `python -m workers.worker split` or `python -m workers.worker read`."""

from workers.interrupts import end_at_interrupt


def main() -> None:
    """Work until told to stop; Ctrl-C ends it without a word until Celery takes it over."""
    end_at_interrupt()
    from workers.celery_worker import main as run

    run()


if __name__ == "__main__":
    main()
