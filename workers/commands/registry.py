"""Commands that keep the model registry: models list, publish, use and show."""

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwr.errors import DamagedManifest, ModelNotFound, UnsafeObject
from workers.commands.show import ALL_READ, SOME_FAILED, complain
from workers.models.manifest import LANGUAGE, SHORT_HASH, Manifest, ModelName

if TYPE_CHECKING:
    from workers.models.registry import Registry

app = typer.Typer(
    help="Keep the registry of models that HWR_MODEL_REGISTRY names.", no_args_is_help=True
)

#: What one object of a registry may be at fault for.
_UNUSABLE = (ModelNotFound, DamagedManifest, UnsafeObject)

VersionName = Annotated[str, typer.Argument(metavar="NAME@VERSION", help="The version.")]


@app.command("list")
def list_() -> None:
    """List all versions with their hashes; a star marks those in use."""
    from workers.models.registry import open_registry
    from workers.settings import get_settings

    registry = open_registry(get_settings())
    listed = [_list_versions(registry, name) for name in registry.names()]
    raise typer.Exit(ALL_READ if all(listed) else SOME_FAILED)


@app.command()
def publish(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER-OR-FILES",
            exists=True,
            help="Recogniser, CARD.md and, if it has one of its own, its language model; what"
            " hwr quantise and hwr calibrate wrote beside the recogniser goes with it.",
        ),
    ],
    name: Annotated[str, typer.Option(help="Name of the model.")],
    version: Annotated[str, typer.Option(help="Name of the version; it can never be changed.")],
) -> None:
    """Read a line with a model and add it to the registry; it is not put to use by this."""
    from workers.models.bundle import collect, try_out
    from workers.models.registry import open_registry
    from workers.settings import get_settings

    model = ModelName.parse(f"{name}@{version}")
    found = collect(files)
    try_out(get_settings(), found)
    if LANGUAGE not in found:
        complain("without a language model: it is read with the one of the settings")
    manifest = open_registry(get_settings()).publish(model, found)
    typer.echo(manifest.identity)
    complain(f"Put it to use with: hwr models use {model}")


@app.command()
def use(model: VersionName) -> None:
    """Put a version to use: fetch it, read a line with it, and have read workers follow."""
    from workers.models.choice import fetch, open_reader
    from workers.models.registry import open_registry
    from workers.settings import get_settings

    settings = get_settings()
    registry = open_registry(settings)
    manifest = registry.manifest(ModelName.parse(model))
    open_reader(settings, fetch(settings, manifest)).close()
    move = registry.use(manifest)
    typer.echo(f"{manifest.identity} is current since {move.moved}")


@app.command()
def show(model: VersionName) -> None:
    """Show what a version holds, when the model's versions were put to use, and the card."""
    from workers.models.registry import open_registry
    from workers.settings import get_settings

    registry = open_registry(get_settings())
    manifest = registry.manifest(ModelName.parse(model))
    typer.echo(f"{manifest.model} {manifest.hash}")
    typer.echo(f"published {manifest.created} by hwr {manifest.hwr}")
    for file in manifest.files:
        typer.echo(f"  {file.name:24} {file.size:>12,} bytes  {file.sha256}")
    _show_moves(registry, manifest.model.name)
    typer.echo("")
    typer.echo(_harmless(registry.card(manifest).decode(errors="replace")))


def _list_versions(registry: "Registry", name: str) -> bool:
    """List the versions of a model; False where what is called so is none."""
    try:
        versions = registry.versions(name)
    except UnsafeObject as error:
        complain(f"{name} is no model: {error.code}: {error}")
        return False
    if not versions:
        complain(f"{name} is no model: it has no versions. Remove it from the registry.")
        return False
    current = _current(registry, name)
    for version in versions:
        mark = "*" if version == current else " "
        typer.echo(f"{mark} {version}  {_summary(registry, version)}")
    return True


def _current(registry: "Registry", name: str) -> ModelName | None:
    try:
        return registry.current(name).model
    except _UNUSABLE:
        return None


def _summary(registry: "Registry", version: ModelName) -> str:
    try:
        manifest = registry.manifest(version)
    except _UNUSABLE as error:
        return f"{error.code}: {error}"
    return f"{manifest.hash[:SHORT_HASH]}  {manifest.size:>12,} bytes  {_day(manifest)}"


def _day(manifest: Manifest) -> str:
    return manifest.created.partition("T")[0]


def _show_moves(registry: "Registry", name: str) -> None:
    for number in registry.moves(name):
        try:
            move = registry.move(name, number)
        except _UNUSABLE as error:
            typer.echo(f"move {number}: {error.code}: {error}")
            continue
        told = f"{move.moved}  {move.model}  {move.manifest[:SHORT_HASH]}"
        typer.echo(f"move {number}: {told}")


def _harmless(text: str) -> str:
    """The text without characters that steer a terminal."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c)[0] != "C")
