"""The interactive description at /docs: Swagger UI, of which all comes from this service.

Its files are those of the package fastapi-swagger, which are read when they are asked for: an
installation without it lacks this page alone.
"""

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

router = APIRouter(prefix="/docs", include_in_schema=False)

#: Swagger UI's files, and what they are.
_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}

# Addresses are relative, so that a proxy may serve all of it below a path of its own.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>hwr</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<noscript>This page is drawn by scripts. <a href="openapi.json">openapi.json</a> is not.</noscript>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

# A file of its own: the policy permits no script within the page.
_START = """SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null
});
"""

#: Nothing from elsewhere, and nothing to elsewhere; icons are drawn from data within the styles.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@router.get("")
@router.head("")
async def page() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/start.js")
async def start() -> Response:
    """What draws it."""
    return Response(_START, media_type="text/javascript")


@router.get("/{name}")
def part(name: str) -> Response:
    """What it is drawn with."""
    if name not in _FILES:
        raise HTTPException(404)
    content = files("fastapi_swagger.resources").joinpath(name).read_bytes()
    return Response(content, media_type=_FILES[name])
