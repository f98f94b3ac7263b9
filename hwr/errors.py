"""Every error that hwr raises on purpose, in one tree.

```
HwrError
├── DocumentError          the whole document is refused
│   ├── EmptyDocument
│   ├── UnsupportedFormat
│   ├── DamagedDocument
│   ├── EncryptedDocument
│   ├── NoPages
│   ├── TooManyPages
│   ├── DocumentTooLarge
│   ├── DocumentTimeout
│   ├── ReferenceUnreadable
│   └── DocumentFailed
├── PageError              one page is refused, its neighbours are read
│   ├── DamagedPage
│   ├── PageTooLarge
│   ├── PageTooSmall
│   ├── TooManyLines
│   ├── PageTimeout
│   └── PageFailed
├── LineError              one line is refused, its neighbours are read
│   ├── BadLineImage
│   ├── LineTimeout
│   └── LineFailed
├── ModelError             weights or alphabet cannot be used
│   ├── ModelNotFound      the registry has no such model, version or pointer
│   ├── DamagedManifest    a version does not say what it holds, or says what it may not
│   ├── DamagedModel       the files of a version are not what its manifest says
│   ├── ModelTooLarge
│   ├── ModelMismatch      files that were made for other weights
│   ├── VersionExists      versions never change
│   └── PointerMoved       somebody else put a version to use at the same time
├── EngineError            an engine cannot start or broke its contract
│   └── EngineBroken       it reads nothing any more
├── DecoderError           there is no such decoder, or its lexicon cannot be used
├── ProfileError           a profile's file cannot be used
│   ├── UnknownProfile
│   ├── FormNotFound       a page is not the blank form of its profile, and is read all the same
│   └── WritingOutside     a page shows more writing than is read
├── AmountsDiffer          two lines do not say the same amount, and are read all the same
├── ReaderClosed           work arrived while the reader was shutting down
├── TrainingDataError      a record of a data set cannot be used
├── TrainingDiverged       gradients are no numbers
├── TrainingStopped        a run was asked to end before its last step
├── MissingFont            a font of the sample generator is not installed
└── ServiceError           a job, a reference or a server
    ├── JobNotFound
    ├── JobUnfinished
    ├── JobDeleted
    ├── DocumentNotFound
    ├── NoDocuments
    ├── TooManyDocuments
    ├── TooManyWaiting
    ├── ReferenceRefused
    ├── IdempotencyConflict
    ├── BadRequest
    ├── UnsupportedMediaType
    ├── KeyRefused
    ├── ObjectNotFound
    ├── ObjectExists
    ├── UnsafeObject
    ├── DamagedLinePack
    ├── StorageUnavailable
    │   ├── FetchTimeout
    │   └── ScratchUnavailable
    ├── DatabaseUnavailable
    ├── ServiceUnavailable
    │   └── AnswerLost
    ├── ServiceRunning
    ├── PortTaken
    └── ServerFailed
```

A message says what was wrong with which thing, and what to do next. The docstring of a class is its
message where the caller has nothing to add.
"""


class HwrError(Exception):
    """hwr cannot go on. See the log for the cause."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((type(self).__doc__ or "").split()))

    @property
    def code(self) -> str:
        """The stable name that results and the API carry."""
        return type(self).__name__


class DocumentError(HwrError):
    """The document cannot be read. Check the file and submit it again."""


class EmptyDocument(DocumentError):
    """The file has no bytes. Submit it again after a complete upload."""


class UnsupportedFormat(DocumentError):
    """The file is not a PDF, TIFF, JPEG or PNG. Convert it to one of these."""


class DamagedDocument(DocumentError):
    """The file is cut off or damaged. Scan or export it again."""


class EncryptedDocument(DocumentError):
    """The PDF is encrypted. Remove its password and submit it again."""


class NoPages(DocumentError):
    """The document has no pages. Export it again with at least one page."""


class TooManyPages(DocumentError):
    """The document has too many pages. Split it into smaller documents."""


class DocumentTooLarge(DocumentError):
    """The file is too large. Split it or scan at a lower resolution."""


class DocumentTimeout(DocumentError):
    """The document took too long to open. Export it again in a simpler form."""


class ReferenceUnreadable(DocumentError):
    """The referenced file cannot be fetched. Check that it exists and may be read."""


class DocumentFailed(DocumentError):
    """The document could not be read after several tries. Report it with the file."""


class PageError(HwrError):
    """The page cannot be read. Scan it again."""


class DamagedPage(PageError):
    """The page cannot be decoded. Scan or export this page again."""


class PageTooLarge(PageError):
    """The page is too large. Scan it at a lower resolution or set a smaller page size."""


class PageTooSmall(PageError):
    """The page is too small to hold handwriting. Scan it at 150 dpi or more."""


class TooManyLines(PageError):
    """The page has too many lines. Split it into several pages."""


class PageTimeout(PageError):
    """The page took too long. Export it as a plain scan, without vector drawings."""


class PageFailed(PageError):
    """The page could not be read after several tries. Report it with the file."""


class LineError(HwrError):
    """The line cannot be read, its page's others can. Scan the page again."""


class BadLineImage(LineError):
    """The line image is not a grey or colour picture of at least 4 × 4 pixels. Give such a one."""


class LineTimeout(LineError):
    """The line was not read before its deadline. Add read workers or raise the deadline."""


class LineFailed(LineError):
    """The engine failed on this line alone. Report it with the line's image."""


class ModelError(HwrError):
    """The model cannot be loaded. Install hwr again or name another model."""


class ModelNotFound(ModelError):
    """The registry has no such model. List what it has with: hwr models list"""


class DamagedManifest(ModelError):
    """The version's manifest is damaged. Publish the model again as another version."""


class DamagedModel(ModelError):
    """The version's files are not what its manifest says. Publish it again as another version."""


class ModelTooLarge(ModelError):
    """The version does not fit the cache. Raise HWR_MODEL_CACHE_BYTES."""


class ModelMismatch(ModelError):
    """Files of the model belong to other weights. Make them again for these."""


class VersionExists(ModelError):
    """The registry has this version, and versions never change. Publish it as another one."""


class PointerMoved(ModelError):
    """Somebody else put a version to use at the same time. Look which, and try again."""


class EngineError(HwrError):
    """The engine cannot read. Choose another with HWR_ENGINE."""


class EngineBroken(EngineError):
    """The engine cannot even read a blank line any more. Start its process again."""


class DecoderError(HwrError):
    """The decoder cannot be used. Choose another with HWR_DECODER."""


class ProfileError(HwrError):
    """The profile cannot be used. See docs/profiles.md for what its file may hold."""


class UnknownProfile(ProfileError):
    """There is no such profile. Put its file into the folder that HWR_PROFILES names."""


class FormNotFound(ProfileError):
    """The profile's form is not on the page: zones follow its edges, and print may be read.

    Check the template, that it was scanned as its pages are, that the page was submitted with the
    right profile, and that it shows one sheet, cut to its edges.
    """


class WritingOutside(ProfileError):
    """Writing lies outside of what was read: on a second sheet, in a margin, across a zone's side.

    Scan one sheet a page, cut to its edges, or set several_sheets in the profile. Look at the page
    where the message names one of its places.
    """


class AmountsDiffer(HwrError):
    """Two lines that say the same amount were read as different ones. Look at both."""


class ReaderClosed(HwrError):
    """The reader is shutting down. Submit the line again to another worker."""


class TrainingDataError(HwrError):
    """A data set cannot be used. See the message for the record."""


class TrainingDiverged(HwrError):
    """The gradients of a step are no numbers. Start again, and if it stays, lower --rate."""


class TrainingStopped(HwrError):
    """A run was asked to end. What it has learnt is in its checkpoint; run it again to go on."""


class MissingFont(HwrError):
    """A font is not installed. Install the fonts with: pip install 'hwr[demo]'"""


class ServiceError(HwrError):
    """The service cannot do this. See the message for what to change."""


class JobNotFound(ServiceError):
    """There is no such job. Check its id and the key it was submitted with."""


class JobUnfinished(ServiceError):
    """The job has not ended, so it cannot be deleted. Cancel it first."""


class JobDeleted(ServiceError):
    """The job of this submission was just deleted. Send it once more: it makes a new one."""


class DocumentNotFound(ServiceError):
    """The job has no such document. Take the ids of its documents from the job itself."""


class NoDocuments(ServiceError):
    """The job has no documents. Submit at least one file or reference."""


class TooManyDocuments(ServiceError):
    """The job has too many documents. Submit it as several jobs."""


class TooManyWaiting(ServiceError):
    """Too many documents of the tenant have no result yet. Submit more when some of them have."""


class ReferenceRefused(ServiceError):
    """The reference is not permitted. Ask for its prefix in HWR_REFERENCE_PREFIXES."""


class IdempotencyConflict(ServiceError):
    """The Idempotency-Key belongs to another submission. Use a new one."""


class BadRequest(ServiceError):
    """The request is not what this address takes. See the message for what to change."""


class UnsupportedMediaType(ServiceError):
    """The body is of no kind that is taken. Send multipart/form-data with files, or JSON."""


class KeyRefused(ServiceError):
    """The key is missing or unknown. Send the header "Authorization: Bearer YOUR-KEY"."""


class ObjectNotFound(ServiceError):
    """The storage has no such object. Submit the document again."""


class ObjectExists(ServiceError):
    """The storage has this object already. Choose another name."""


class UnsafeObject(ServiceError):
    """The storage holds a link where an object should be. Put a copy in its place."""


class DamagedLinePack(ServiceError):
    """The stored lines of the page are damaged. Submit the document again."""


class StorageUnavailable(ServiceError):
    """The storage cannot be used. Check HWR_STORAGE_URL and the credentials."""


class FetchTimeout(StorageUnavailable):
    """Fetching the document took too long. Check the network between workers and storage."""


class ScratchUnavailable(StorageUnavailable):
    """The folder for temporary files cannot be used. Free space, or name another with TMPDIR."""


class DatabaseUnavailable(ServiceError):
    """The database cannot be used. Check it and HWR_DATABASE_URL."""


class ServiceUnavailable(ServiceError):
    """The service does not answer. Start it with "hwr up" or name another with --url."""


class AnswerLost(ServiceUnavailable):
    """The answer was lost, but the service may have done its work. Look before you repeat it."""


class ServiceRunning(ServiceError):
    """A service runs on this data folder. Use that one, or another folder with --data."""


class PortTaken(ServiceError):
    """The port is in use. Choose another with --port."""


class ServerFailed(ServiceError):
    """A process of the service cannot start or keeps ending. Correct what its log names."""
