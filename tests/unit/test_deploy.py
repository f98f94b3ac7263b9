"""The compose file and the images, as far as they can be checked where no engine runs."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from hwr import __version__
from workers.cli import app
from workers.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("hwr")}
#: What .env.example sets.
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)
DOCKERFILES = [ROOT / "deploy" / "Dockerfile", ROOT / "deploy" / "Dockerfile.gpu"]


def commands() -> dict[str, list[str]]:
    return {name: service["command"] for name, service in OURS.items()}


def test_all_parts_are_there() -> None:
    assert set(SERVICES) == {
        *("redis", "postgres", "s3", "bucket"),
        *("api", "split", "read", "read-gpu"),
    }
    assert set(OURS) == {"api", "split", "read", "read-gpu"}


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    ours = [key for key in OURS[name]["environment"] if key.startswith("HWR_")]
    assert ours
    assert {key.removeprefix("HWR_").lower() for key in ours} <= set(Settings.model_fields)


@pytest.mark.parametrize("name", OURS)
def test_every_command_exists(name: str) -> None:
    command_name, *arguments = commands()[name]
    assert command_name == "hwr"
    group = typer.main.get_command(app)
    with group.make_context("hwr", list(arguments), resilient_parsing=True) as context:
        _, command, rest = group.resolve_command(context, list(arguments))  # type: ignore[attr-defined]
        # Raises a usage error for an argument that the command does not have.
        command.make_context(command.name, rest)


def test_all_containers_have_time_to_end_what_has_begun() -> None:
    assert {service["stop_grace_period"] for service in SERVICES.values()} == {"60s"}


def test_every_build_argument_is_one_of_its_image() -> None:
    for service in OURS.values():
        text = (ROOT / service["build"]["dockerfile"]).read_text()
        assert set(service["build"]["args"]) == set(re.findall(r"^ARG (\w+)", text, re.MULTILINE))


def test_the_worker_that_has_a_gpu_reads_with_it() -> None:
    assert OURS["read-gpu"]["environment"]["HWR_ENGINE"] == "torch-cuda"
    assert "HWR_ENGINE" not in OURS["read"]["environment"]


def test_all_our_containers_see_the_same_servers() -> None:
    shared = ("HWR_REDIS_URL", "HWR_DATABASE_URL", "HWR_STORAGE_URL", "HWR_S3_ENDPOINT_URL")
    seen = {tuple(service["environment"][key] for key in shared) for service in OURS.values()}
    assert len(seen) == 1


def test_redis_drops_nothing_and_survives() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command


@pytest.mark.parametrize("name", SERVICES)
def test_containers_are_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["restart"] in {"unless-stopped", "on-failure"}
    assert service["deploy"]["resources"]["limits"].keys() >= {"cpus", "memory"}


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "bucket"])
def test_containers_that_stay_have_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


@pytest.mark.parametrize("name", ["read", "read-gpu"])
def test_models_that_are_fetched_do_not_fill_tmp(name: str) -> None:
    (tmpfs,) = SERVICES[name]["tmpfs"]
    found = re.fullmatch(r"/tmp:size=(\d+)([mg]),.*", tmpfs)
    assert found is not None
    size, unit = found.groups()
    room = int(size) * {"m": 2**20, "g": 2**30}[unit]
    assert int(SERVICES[name]["environment"]["HWR_MODEL_CACHE_BYTES"]) < room


def test_images_are_pinned_and_ours_are_of_this_version() -> None:
    tags = {service["image"].rpartition(":")[2] for service in SERVICES.values()}
    assert all(re.match(r"\d+\.\d+", tag) for tag in tags)
    assert {service["image"].rpartition(":")[2] for service in OURS.values()} == {__version__}


def test_only_the_api_can_be_reached_and_only_from_this_machine() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(ports) == ["api"]
    assert all(port.startswith("127.0.0.1:") for port in ports["api"])
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_secrets_come_from_the_environment_and_have_an_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    asked = set(re.findall(r"\$\{(\w+)", text))
    assert asked == set(EXAMPLE)
    secrets = {name for name in asked if name.endswith(("PASSWORD", "KEY", "KEYS"))}
    assert all("change-me" in EXAMPLE[name] for name in secrets)
    assert all(f"${{{name}:?" in text for name in secrets)


@pytest.mark.parametrize("name", OURS)
def test_what_env_may_set_defaults_to_the_settings_own(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = OURS[name]["environment"]
    taken = {key for key in environment if key.startswith(("HWR_MAX_", "HWR_LEASE", "HWR_REF"))}
    assert taken == {
        *("HWR_REFERENCE_PREFIXES", "HWR_LEASE_S"),
        *(f"HWR_{field.upper()}" for field in Settings.model_fields if field.startswith("max_")),
    }
    for key in taken:
        variable, default = environment[key].removeprefix("${").removesuffix("}").split(":-")
        assert (variable, default) == (key, EXAMPLE[key])
        monkeypatch.setenv(key, default)
    assert Settings().model_dump() == Settings.model_construct().model_dump()


def test_the_example_of_api_keys_is_what_settings_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWR_API_KEYS", EXAMPLE["HWR_API_KEYS"])
    [key] = Settings().api_keys["default"]
    assert key.get_secret_value() == "change-me"


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_images_are_built_in_stages_from_pinned_bases_for_a_plain_user(path: Path) -> None:
    text = path.read_text()
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.search(r":\d+\.\d+\.\d+", base) for base in bases)
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["10001:10001"]


def test_what_the_images_copy_is_let_through() -> None:
    let_through = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for path in DOCKERFILES:
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", path.read_text(), re.MULTILINE):
            assert set(sources.split()) <= let_through
