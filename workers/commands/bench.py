"""The command that measures this machine: bench."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from workers.commands.options import write_whole
from workers.commands.show import complain


def bench(
    engine: Annotated[
        list[str] | None, typer.Option(help="Engine to measure, more than once for several.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Folder of data sets and of pages/, not drawn."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the JSON, the table and the plot.")] = Path(
        "bench-output"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="Only see that it works.")] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of each engine.")] = 1,
) -> None:
    """Measure engines, batching, stages and other programs on this machine; print a table."""
    from hwr.benchmark.markdown import as_markdown
    from hwr.benchmark.plot import as_svg
    from hwr.benchmark.run import QUICK, Plan, run
    from workers.models.choice import model_files
    from workers.settings import get_settings

    files = model_files(get_settings())
    plan = replace(
        QUICK if quick else Plan(),
        engines=tuple(engine or ()),
        threads=threads,
        model=files.line,
        language_model=files.language,
    )
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as drawn:
        figures = run(plan, Path(drawn), data, complain)
    table = as_markdown(figures)
    values = json.dumps(figures.to_json(), ensure_ascii=False, indent=1) + "\n"
    for suffix, text in {".json": values, ".md": table, ".svg": as_svg(figures)}.items():
        write_whole(out / f"bench{suffix}", text)
    typer.echo(table, nl=False)
