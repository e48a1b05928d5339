"""The pictures of a run, from its record alone."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.growth import GROWTH, growing
from benchmarks.model import least_seconds
from benchmarks.rival import OURS

Record = dict[str, Any]
Case = dict[str, Any]


def png(name: str, record: Record) -> bytes:
    """Return one of `benchmarks.page.PICTURES`."""
    figure = {"products": products, "sgd": sgd, "growth": growth}[name](record)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def products(record: Record) -> Figure:
    """Return GFLOP/s and ratios against n, for square products on one thread."""
    figure = _figure(record, 4 * len(record["peaks"]), "one thread")
    panels = figure.subplots(len(record["peaks"]), 2, squeeze=False, sharex=True)
    for (speed, ratio), dtype in zip(panels, record["peaks"], strict=True):
        cases = [
            case
            for case in record["cases"]
            if case["group"] in ("tiny", "square")
            and (case["dtype"], case["threads"], case["sets"]) == (dtype, 1, 1)
            and case["orders"] == "CC"
        ]
        _lines(speed, record, cases, _n, lambda figures: figures["gflops"])
        _lines(ratio, record, cases, _n, lambda figures: figures["ratio"], rivals_only=True)
        model = [1e-9 * case["flops"] / least_seconds(record, case) for case in cases]
        speed.plot([_n(case) for case in cases], model, "k:", lw=1, label="model")
        speed.set_xscale("log", base=2)
        speed.set_ylabel(f"GFLOP/s, {dtype}")
        ratio.axhline(1, color="black", linewidth=1)
        ratio.set_yscale("log")
        ratio.set_ylabel(f"time over that of tilewise, {dtype}")
    lines_and_names = panels[0][0].get_legend_handles_labels()
    panels[0][1].legend(*lines_and_names, fontsize="small", ncols=2)  # where there is room
    for axes in panels[-1]:
        axes.set_xlabel("n, of n x n @ n x n")
    return figure


def sgd(record: Record) -> Figure:
    """Return microseconds an epoch against batch size, in order and shuffled."""
    figure = _figure(record, 4, "1500 rows of 5 features, float32, one thread")
    for axes, sampling in zip(
        figure.subplots(1, 2, sharey=True), ("sequential", "permutation"), strict=True
    ):
        cases = [
            case
            for case in record["cases"]
            if case["group"] == "sgd-airfoil" and case["sampling"] == sampling
        ]
        _lines(axes, record, cases, _batch, lambda figures: 1e6 * figures["seconds"])
        model = [1e6 * least_seconds(record, case) for case in cases]
        axes.plot([_batch(case) for case in cases], model, "k:", lw=1, label="model")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(f"batch size, {sampling}")
    figure.axes[0].set_ylabel("us an epoch")
    lines_and_names = figure.axes[1].get_legend_handles_labels()  # some trainers only shuffle
    figure.legend(*lines_and_names, fontsize="small", loc="outside right center")
    return figure


def growth(record: Record) -> Figure:
    """Return times of tilewise beside the model, against n, rows, features and threads."""
    figure = _figure(record, 7, "tilewise and the model")
    for axes, (group, value) in zip(figure.subplots(2, 2).flat, GROWTH.items(), strict=True):
        cases = [case for case in record["cases"] if case["group"] == group]
        for color, same in enumerate(_alike(cases)):
            x = [value(case) for case in same]
            label = "product" if "a" in same[0] else "epoch"
            seconds = [case["results"][OURS]["seconds"] for case in same]
            model = [least_seconds(record, case) for case in same]
            axes.plot(x, seconds, "o-", ms=3, color=f"C{color}", label=label)
            axes.plot(x, model, ":", color=f"C{color}", label=f"{label}, model")
        axes.set_xscale("log", base=2 if group in ("growth-n", "growth-threads") else 10)
        axes.set_yscale("log")
        axes.set_xlabel(growing(group))
        axes.set_ylabel("s")
        if cases:
            axes.legend(fontsize="small")
    return figure


def _alike(cases: list[Case]) -> Iterator[list[Case]]:
    """Yield the products and the epochs among the cases, where there are any."""
    for kind in (True, False):
        if same := [case for case in cases if ("a" in case) is kind]:
            yield same


def _figure(record: Record, height: float, what: str) -> Figure:
    figure = Figure(figsize=(11, height), layout="constrained")
    machine = record["machine"]
    figure.suptitle(f"{machine['cpu']}, {machine['isa']}, {what}")
    return figure


def _n(case: Case) -> int:
    return int(case["a"][0])


def _batch(case: Case) -> int:
    return int(case["batch_size"])


def _lines(
    axes: Axes,
    record: Record,
    cases: list[Case],
    x: Callable[[Case], int],
    y: Callable[[dict[str, float]], float],
    *,
    rivals_only: bool = False,
) -> None:
    """Draw a line for each contestant that was in a case, each always in the same colour."""
    for index, name in enumerate(record["contestants"]):
        line = [(x(c), y(c["results"][name])) for c in cases if name in c["results"]]
        if line and not (rivals_only and name == OURS):
            width, color = (2.5 if name == OURS else 1.2), f"C{index % 10}"
            style = "o-" if index < 10 else "s--"
            axes.plot(*zip(*line, strict=True), style, ms=3, lw=width, color=color, label=name)
