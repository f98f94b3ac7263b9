"""Settings that would open the service, and what the database's errors tell."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from workers.database import Database
from workers.settings import Settings


def test_an_empty_key_opens_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWR_API_KEYS", '{"bank": ""}')
    with pytest.raises(ValidationError, match="at least 1 item"):
        Settings()


def test_keys_are_not_shown() -> None:
    settings = Settings.model_validate({"api_keys": {"bank": "open-sesame"}})
    assert "open-sesame" not in repr(settings)


def test_what_was_read_stays_out_of_the_databases_errors(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/hwr.db")
    with pytest.raises(SQLAlchemyError) as caught, database.writing() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:line)"), {"line": "Dear Sir"})
    database.close()
    assert "nowhere" in str(caught.value)
    assert "Dear Sir" not in str(caught.value)
