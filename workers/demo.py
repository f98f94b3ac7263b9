"""The whole way in one command: `python -m workers.demo [FILES…] --out demo-output`."""

from workers.interrupts import loading


def main() -> int:
    """Run the demo; Ctrl-C while it is loaded ends it without a word."""
    with loading():
        from workers.demo_run import main as run
    return run()


if __name__ == "__main__":
    raise SystemExit(main())
