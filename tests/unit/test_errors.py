"""The tree of errors as it is drawn is the tree that there is."""

import re
from collections.abc import Iterator

from hwr import errors
from hwr.errors import HwrError


def drawn() -> Iterator[tuple[str, str]]:
    """Each error of the drawing with the one it hangs on."""
    above = ["HwrError"]
    for line in (errors.__doc__ or "").splitlines():
        if branch := re.match(r"((?:│   |    )*)[├└]── (\w+)", line):
            depth = len(branch[1]) // 4 + 1
            above[depth:] = [branch[2]]
            yield branch[2], above[depth - 1]


def below(parent: type[HwrError]) -> Iterator[tuple[str, str]]:
    for child in parent.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child.__name__, parent.__name__
            yield from below(child)


def test_the_drawing_has_every_error_in_its_place() -> None:
    assert sorted(drawn()) == sorted(below(HwrError))


def test_every_message_is_one_line() -> None:
    for name, _ in below(HwrError):
        message = str(getattr(errors, name)())
        assert message == " ".join(message.split())


def test_every_message_goes_on_with_what_to_do() -> None:
    for name, _ in below(HwrError):
        message = str(getattr(errors, name)())
        assert re.search(r"[.:] \S", message), name
