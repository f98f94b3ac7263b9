"""The program `hwr`: loads the command line, which takes a second, and runs it."""

import os
import signal

#: Exit code after Ctrl-C, as shells have it.
INTERRUPTED = 130


def main() -> None:
    """Run the command; Ctrl-C while it is loaded ends it without a word, as it does later."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else our parent chose to ignore it
        # An exception would pass through imports, of which some make another of it.
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from workers.cli import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
