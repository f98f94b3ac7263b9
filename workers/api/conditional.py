"""Answers that are not sent again where the client has them already (RFC 9110, section 13.1.2)."""

import hashlib
from typing import Annotated, Any

from fastapi import Header, Response

import hwr

#: The ETag of the answer that the client has.
IfNoneMatch = Annotated[
    str | None,
    Header(description="ETag of the answer you have; 304 without a body where it has not changed"),
]

#: What answers with an ETag have, and what they may be beside, for /docs.
TAGGED = {"ETag": "Changes whenever the answer does; for If-None-Match"}
CONDITIONAL: dict[int | str, dict[str, Any]] = {304: {"description": "The answer has not changed"}}


def tagged(response: Response, told: object, if_none_match: str | None) -> Response | None:
    """Give the answer its ETag; the answer to send in its place where the client has it already.

    Args:
        told: All that the answer is made of. What `repr` says of it changes with the answer.
    """
    # Weak: an answer that is streamed may already have more than was known when it began.
    tag = f'W/"{_digest(told)}"'
    response.headers["ETag"] = tag
    if not _has(if_none_match, tag):
        return None
    kept = {
        name: response.headers[name] for name in ("ETag", "Retry-After") if name in response.headers
    }
    return Response(status_code=304, headers=kept)


def _digest(told: object) -> str:
    # Another version may tell the same in other words.
    return hashlib.sha256(repr((hwr.__version__, told)).encode()).hexdigest()[:32]


def _has(if_none_match: str | None, tag: str) -> bool:
    tags = [one.strip() for one in (if_none_match or "").split(",")]
    return "*" in tags or tag in tags
