"""The program `hwr`: loads the command line, which takes a second, and runs it."""

from workers.interrupts import loading


def main() -> None:
    """Run the command; Ctrl-C while it is loaded ends it without a word, as it does later."""
    with loading():
        from workers.cli import main as run
    run()


if __name__ == "__main__":
    main()
