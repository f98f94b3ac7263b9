"""Results as clients are told them."""

import json
from typing import Any

from workers import jobs
from workers.database import Database
from workers.results import result_chunks


def told_results(database: Database, *, tenant: str, job_id: str) -> list[dict[str, Any]]:
    """The result of each document of the job, parsed from the JSON that leaves the service."""
    view = jobs.view(database, tenant=tenant, job_id=job_id)
    return [
        json.loads("".join(result_chunks(database, {document.id: document.state})))
        for document in view.documents
    ]
