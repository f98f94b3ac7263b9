"""Why something was not read, in two words that results, line packs and the API carry."""

from dataclasses import dataclass

from hwr.errors import HwrError


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why something was not read."""

    #: Name of the error in the tree of hwr.errors.
    code: str
    #: What was wrong and what to do next.
    message: str

    @classmethod
    def of(cls, error: HwrError) -> "Failure":
        """The failure that `error` is."""
        return cls(code=error.code, message=str(error))

    @classmethod
    def of_pages(cls, count: int, first: "Failure") -> "Failure":
        """The failure of a document all of whose pages failed, the first of them with `first`."""
        several = f"All {count} pages failed, the first because: " if count > 1 else ""
        return cls(code=first.code, message=several + first.message)
