"""The last stage: one report with pictures, as a page and as Markdown."""

from __future__ import annotations

from mlxlab.api.pipeline.work import Result, Work

PAGE, TEXT = "index.html", "report.md"


def report_stage(work: Work) -> Result:
    """Write the report of all that the stages have left."""
    from mlxlab.api.pipeline.report.blocks import markdown, page
    from mlxlab.api.pipeline.report.content import content
    from mlxlab.api.pipeline.report.material import gathered

    out = work.folder.of("report")
    out.mkdir(parents=True, exist_ok=True)
    blocks = list(content(gathered(work, _stages(work))))
    (out / TEXT).write_text(markdown(blocks), encoding="utf-8")
    title = f"{work.spec.name}, seed {work.spec.seed}"
    (out / PAGE).write_text(page(title, blocks), encoding="utf-8")
    return {
        "page": work.folder.relative(out / PAGE),
        "text": work.folder.relative(out / TEXT),
        "pictures": sorted(work.folder.relative(path) for path in out.glob("*.png")),
    }


def _stages(work: Work) -> list[str]:
    spec = work.spec
    collected = [f"collect-{table.name}" for table in spec.collect]
    trained = [table.name for table in (*spec.sft, *spec.rl)]
    return ["explore", *collected, *trained, "evaluate"]
