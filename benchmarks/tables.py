"""A run as Markdown, from its record alone."""

from typing import Any

from benchmarks.rival import OURS


def markdown(record: dict[str, Any]) -> str:
    """Return the whole table, wins and losses alike."""
    names = list(record["contestants"])
    sections = [_head(record), _contestants(record)]
    for dtype in record["peaks"]:
        for threads in sorted({case["threads"] for case in record["cases"]}):
            cases = [c for c in record["cases"] if (c["dtype"], c["threads"]) == (dtype, threads)]
            if cases:
                title = f"## {dtype}, {threads} thread{'s' if threads > 1 else ''}"
                sections += [title, _cases(cases, names)]
    return "\n\n".join(sections) + "\n"


def losses(record: dict[str, Any]) -> list[str]:
    """Return a line for each rival that was faster than tilewise, most first."""
    found = [
        (figures["ratio"], f"{case['key']}: {name} takes {figures['ratio']:.2f} of the time")
        for case in record["cases"]
        for name, figures in case["results"].items()
        if figures["ratio"] < 1
    ]
    return [line for _, line in sorted(found)]


def _head(record: dict[str, Any]) -> str:
    machine = record["machine"]
    peaks = ", ".join(f"{gflops:.1f} ({dtype})" for dtype, gflops in record["peaks"].items())
    return (
        f"# {machine['cpu']}, {machine['isa']}\n\n"
        f"{machine['cpus']} CPUs, {machine['compiler']}, Python {machine['python']}, "
        f"commit {machine['commit']}, {machine['when']}{', quick' if record['quick'] else ''}, "
        f"load before {machine['load']}.\n"
        f"Peak of one core, GFLOP/s: {peaks}; measured as {record['peak_method']}.\n\n"
        "A rival's figure is its time over that of tilewise: above 1, tilewise is faster. "
        "The spread is half the distance between the quartiles, over the median."
    )


def _contestants(record: dict[str, Any]) -> str:
    rows = [
        [name, about["version"], about["kernels"], about["settings"]]
        for name, about in record["contestants"].items()
    ]
    missing = [f"Not here: {name} ({why})." for name, why in record["skipped"].items()]
    return "\n\n".join([_table(["Name", "Version", "Kernels", "Settings"], rows), *missing])


def _cases(cases: list[dict[str, Any]], names: list[str]) -> str:
    rivals = [name for name in names if name != OURS]
    header = ["Product", "GFLOP/s", "of peak", "GB/s", "Spread", *rivals]
    return _table(header, [_row(case, rivals) for case in cases])


def _row(case: dict[str, Any], rivals: list[str]) -> list[str]:
    ours = case["results"][OURS]
    spread = (ours["q3"] - ours["q1"]) / 2 / ours["seconds"]
    return [
        case["name"],
        f"{ours['gflops']:.3g}",
        f"{case['of_peak']:.0%}",
        f"{ours['gbytes']:.3g}" if case["memory_bound"] else "",
        f"{spread:.1%}",
        *[_ratio(case["results"].get(name)) for name in rivals],
    ]


def _ratio(figures: dict[str, float] | None) -> str:
    if figures is None:
        return ""
    text = f"{figures['ratio']:.2f}"
    return f"**{text}**" if figures["ratio"] < 1 else text


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
