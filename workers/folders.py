"""Where in the storage the objects of a job lie."""

#: Above the folders of all jobs.
JOBS = "jobs"


def job_folder(job_id: str) -> str:
    """The part of the storage that belongs to one job."""
    return f"{JOBS}/{job_id}"


def document_folder(job_id: str, document_id: str) -> str:
    """The part of the storage that belongs to one document."""
    return f"{job_folder(job_id)}/{document_id}"
