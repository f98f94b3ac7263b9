"""Documents as a stream of pages: PDF, TIFF, JPEG and PNG, one page in memory at a time.

```python
with open_document(Path("scan.pdf")) as document:
    for number in range(1, document.page_count + 1):
        page = document.page(number)
```

Every file is taken for hostile. What is refused, is refused with a `DocumentError` (the whole
document) or a `PageError` (that page alone) of `hwr.errors`.
"""

from hwr.documents.formats import Format
from hwr.documents.limits import Limits
from hwr.documents.opening import open_document
from hwr.documents.pages import Document, Page

__all__ = ["Document", "Format", "Limits", "Page", "open_document"]
