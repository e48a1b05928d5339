"""The page of the report: its numbers are those of results.json, and a browser shows it."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

import tilewise as tw
from tilewise import captions, chapter, report
from tilewise.limits import Limits, Measured
from tilewise.machine import Machine
from tilewise.roofline import RooflinePoint
from tilewise.tables import duration, three_digits

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Tables(HTMLParser):
    """The tables of a page by their title, as rows of cells, and the captions of the pictures."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.captions, self._tag, self._title = {}, [], None, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self._tag = tag
        if tag == "tr":
            self.tables.setdefault(self._title, []).append([])

    def handle_endtag(self, tag):
        self._tag = None

    def handle_data(self, data):
        if self._tag == "h3":
            self._title = data
        elif self._tag in {"td", "th"}:
            self.tables[self._title][-1].append(data)
        elif self._tag == "figcaption":
            self.captions.append(data)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the page, its text read as tables, and results.json."""
    out = tmp_path_factory.mktemp("page")
    report.create(out, data="synthetic", seed=3, quick=True)
    page = out / "report.html"
    return page, Tables(page.read_text()), json.loads((out / "results.json").read_text())


def test_results_have_a_key_an_experiment(made):
    *_, results = made
    assert {
        "runs",
        "concise_form",
        "step_limit",
        "strategies",
        "size_sweep",
        "frameworks",
        "batch_rate_sweep",
        "rate_decay",
        "replacement",
        "duplicated_data",
        "gradient_noise",
        "limits",
        "roofline",
    } < set(results)


def test_tables_of_runs_and_products_are_those_of_the_results(made):
    _, page, results = made
    for title, key in (("Training runs", "runs"), ("From scratch and concise", "concise_form")):
        assert [[row[0], *row[-2:]] for row in page.tables[title][1:]] == [
            [run["name"], f"{run['loss']:.4f}", duration(run["seconds_per_epoch"])]
            for run in results[key]
        ]
    (title,) = (title for title in page.tables if title.startswith("Product of two 256"))
    assert [row[:2] for row in page.tables[title][1:]] == [
        [result["name"], three_digits(result["gflops"])] for result in results["strategies"]
    ]
    header, *rows = page.tables["Strategies by size"]
    cells = {(int(row[0]), n): cell for row in rows for n, cell in zip(header, row, strict=True)}
    for result in results["size_sweep"]:
        assert cells[result["n"], result["name"]] == three_digits(result["gflops"])
    header, *rows = page.tables["Loops in Python"]
    cells = {(row[0], n): cell for row in rows for n, cell in zip(header, row, strict=True)}
    for result in results["frameworks"]:
        assert cells[result["strategy"], result["framework"]] == three_digits(result["gflops"])
    assert cells["element", "MXNet*"] == chapter.PUBLISHED_GFLOPS["MXNet"]["element"]


def test_tables_of_the_roofline_are_those_of_the_results(made):
    _, page, results = made
    units = [*[1.0] * (len(results["limits"]) - 1), 1e-9]  # the call is in ns
    for row, figure, unit in zip(
        page.tables["What this machine does at most"][1:],
        results["limits"].values(),
        units,
        strict=True,
    ):
        figure = {name: three_digits(number / unit) for name, number in figure.items()}
        assert row[2:] == [figure["best"], figure["median"], f"{figure['low']} to {figure['high']}"]
    assert page.tables["Points of the roofline"][1:] == [
        [p["series"], p["name"], three_digits(p["flops_per_byte"]), three_digits(p["gflops"])]
        for p in results["roofline"]
    ]


def test_the_machine_is_there_in_full(made):
    page, _, results = made
    about = results["machine"]
    for words in (
        f"{about['cpu']}: {about['cpus']} CPU",
        f"instruction sets: {', '.join(about['available_isas'])}; in use: {about['isa']}.",
        ", ".join(f"{name.upper()} {size / 1024:g} KiB" for name, size in about["caches"].items()),
        f"Last measured {about['limits_date']};",
    ):
        assert words in page.read_text()


def test_figures_that_vary_are_pointed_out(made):
    page, _, results = made
    named = "Half the distance of the quartiles" in page.read_text()
    spreads = [(f["high"] - f["low"]) / 2 / f["median"] for f in results["limits"].values()]
    assert named is any(spread > 0.05 for spread in spreads)


def test_tables_of_exercises_are_those_of_the_results(made):
    _, page, results = made
    assert page.tables["Batch size and learning rate"][1:] == [
        [
            str(result["batch_size"]),
            f"{result['learning_rate']:g}",
            "diverged" if result["loss"] is None else f"{result['loss']:.4g}",
            "-" if result["seconds"] is None else duration(result["seconds"]),
        ]
        for result in results["batch_rate_sweep"]
    ]
    for title, key in (
        ("Rate divided by ten after each epoch", "rate_decay"),
        ("With and without replacement", "replacement"),
        ("Each row twice", "duplicated_data"),
    ):
        columns = list(zip(*page.tables[title], strict=True))[1:]
        assert columns == [
            (curve["name"], *(f"{loss:.3g}" for loss in curve["excess_losses"]))
            for curve in results[key]
        ]
    assert page.tables["Noise of the gradient"][1:] == [
        [str(r["batch_size"]), f"{r['measured']:.3g}", f"{r['theory']:.3g}"]
        for r in results["gradient_noise"]
    ]


def test_every_picture_has_a_caption_with_a_number(made):
    _, page, _ = made
    assert len(page.captions) == len(report.page.PICTURES)
    assert all(re.search(r"\d", caption) for caption in page.captions)


def run(name, losses, seconds):
    losses = np.array(losses)
    history = tw.History(
        losses=losses,
        seconds=np.linspace(0, seconds, len(losses)),
        examples=10 * np.arange(1, len(losses) + 1),
        seconds_per_epoch=seconds,
        weights=np.zeros(1),
        bias=0.0,
        seed=0,
    )
    return chapter.Run(name, 1, 0.1, 1, history)


def test_captions_name_the_extremes_whichever_they_are():
    runs = [run("a", [3.0, 1.0], 2.0), run("b", [2.0, 1.5], 1.0)]
    for shown in (runs, runs[::-1]):
        assert "epoch of a took 2 s, the longest, and one of b 1 s" in captions.of_time(shown)
        assert "lowest loss is that of b, 2.0000" in captions.of_examples(shown, rows=10)
        assert "lowest loss is that of a, 1.0000" in captions.of_examples(shown, rows=20)
    speeds = [chapter.StrategyResult(name, 8, "float32", g) for name, g in (("x", 9.0), ("y", 2.0))]
    for shown in (speeds, speeds[::-1]):
        assert "fastest was x with 9 GFLOP/s, the slowest y with 2." in captions.of_strategies(
            shown
        )


def test_the_caption_of_sizes_gives_each_its_best():
    results = [chapter.StrategyResult("x", n, "float32", g) for n, g in ((8, 3.0), (16, 2.0))]
    assert "fastest were x at n = 8." in captions.of_sizes(results)


def test_captions_of_the_sweep_where_all_or_none_diverged():
    bad = chapter.SweepResult(1, 1.0, None, None)
    slow, fast = chapter.SweepResult(2, 0.1, 0.5, 9.0), chapter.SweepResult(4, 0.2, 0.0, 1.0)
    assert captions.of_losses([bad]) == "1 of 1 runs diverged."
    assert captions.of_seconds([bad]) == "No run came to its end."
    assert "0, is that of batch size 4 with rate 0.2; 1 of 3" in captions.of_losses(
        [slow, bad, fast]
    )
    found = captions.of_seconds([slow, bad, fast])
    assert "1 s, had batch size 4; the longest, 9 s, had batch size 2." in found


def made_machine(peak, *bandwidths):
    """Return a machine whose limits are these; what was usual is half of them."""
    figures = (Measured(x / 2, x / 3, x / 1.5, x) for x in (peak, peak / 2, *bandwidths))
    one, isas = Limits(*figures), ("avx2", "portable")
    call = Measured(2e-7, 1e-7, 3e-7, 1e-7)
    return Machine("CPU", "avx2", isas, 2, 2**15, 2**20, 2**25, one, one, call, "2026-01-01")


def test_the_caption_of_the_roofline():
    machine = made_machine(100.0, 400.0, 200.0, 100.0, 50.0)
    points = [
        RooflinePoint("block", "n = 64", 16.0, 60.0),
        RooflinePoint("full", "n = 8", 2.0, 90.0),
    ]
    assert captions.of_roofline(machine, points) == (
        "The flat line is the most that multiply-adds alone have reached on one core, the sloping "
        "ones the most that reading alone has, from each cache and from memory. The fastest point, "
        "full at n = 8, has 90 % of the 100 GFLOP/s of the flat line, which the line of the memory "
        "meets at 2 operations a byte."
    )


def test_the_caption_of_the_roofline_names_points_above_the_lines():
    machine = made_machine(100.0, 400.0, 200.0, 100.0, 50.0)
    points = [
        RooflinePoint("full", "n = 8", 2.0, 161.0),  # above the multiply-adds
        RooflinePoint("SGD", "batch 9", 0.1, 41.0),  # above L1
        RooflinePoint("SGD", "batch 1", 0.1, 40.0),
    ]
    caption = captions.of_roofline(machine, points)
    assert "full at n = 8, has 161 % of the 100 GFLOP/s" in caption
    assert caption.endswith(
        "Above the lines: full at n = 8; SGD at batch 9. The machine was busy when the lines were "
        "measured, or its clock slower; run the report again alone."
    )


def test_the_caption_of_noise_gives_the_largest_distance():
    noise = [chapter.NoiseResult(1, 2.2, 2.0), chapter.NoiseResult(9, 0.0, 0.0)]
    assert "2.2 at batch size 1 and 0 at 9." in captions.of_noise(noise)
    assert "at most 10 %" in captions.of_noise(noise)
    assert "at most 0 %" in captions.of_noise(noise[1:])


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [500, 1280])  # headless Chromium has no window below 500 pixels
def test_chromium_shows_the_page_without_scrolling_sideways(made, width, tmp_path):
    page, *_ = made
    measure = (
        "<script>addEventListener('load', () => { document.title = ['width',"
        "document.documentElement.scrollWidth <= innerWidth,"
        "[...document.images].every(image => image.naturalWidth > 0)].join(' ') })</script>"
    )
    (tmp_path / "page.html").write_text(page.read_text().replace("</body>", f"{measure}</body>"))
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    options = [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900"]
    shown = subprocess.run(
        [*command, *options, (tmp_path / "page.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "<title>width true true</title>" in shown.stdout, shown.stderr[-1000:]
