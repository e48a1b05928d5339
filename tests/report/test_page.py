"""The page of the report: its numbers are those of results.json, and a browser shows it."""

import dataclasses
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

import tilewise as tw
from tilewise import experiments
from tilewise._format import duration, three_digits
from tilewise.report.page import to_html
from tilewise.report.sections import SECTIONS

pytestmark = pytest.mark.once

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Tables(HTMLParser):
    """The tables of a page by their title, as rows of cells, and the captions of the pictures."""

    def __init__(self, text):
        super().__init__()  # entities become text in one piece with what is beside them
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
def read(made):
    """Return the page, its text read as tables, results.json, and the results themselves."""
    page, results = made.out / "report.html", json.loads((made.out / "results.json").read_text())
    return page, Tables(page.read_text()), results, made.results


def test_results_have_a_key_an_experiment(read):
    _, _, results, _ = read
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


def test_tables_of_runs_and_products_are_those_of_the_results(read):
    _, page, results, _ = read
    for title, key in (("Training runs", "runs"), ("From scratch and concise", "concise_form")):
        assert page.tables[title] == [
            ["run", "batch", "rate", "epochs", "loss", "time / epoch"],
            *(
                [
                    run["name"],
                    str(run["batch_size"]),
                    f"{run['learning_rate']:g}",
                    str(run["epochs"]),
                    f"{run['loss']:.4f}",
                    duration(run["seconds_per_epoch"]),
                ]
                for run in results[key]
            ),
        ]
    (title,) = (title for title in page.tables if title.startswith("Product of two 256"))
    published = experiments.PUBLISHED_GFLOPS
    assert page.tables[title] == [
        ["strategy", "here", *(f"{framework}*" for framework in published)],
        *(
            [
                result["name"],
                three_digits(result["gflops"]),
                *(figures.get(result["name"], "-") for figures in published.values()),
            ]
            for result in results["strategies"]
        ),
    ]
    speeds = {(r["n"], r["name"]): three_digits(r["gflops"]) for r in results["size_sweep"]}
    names = [*tw.STRATEGIES, "numpy"]
    assert page.tables["Strategies by size"] == [
        ["n", *names],
        *([str(n), *(speeds[n, name] for name in names)] for n in (32, 64, 128, 256)),
    ]
    speeds = {
        (r["framework"], r["strategy"]): three_digits(r["gflops"]) for r in results["frameworks"]
    }
    strategies = ["element", "column", "block", "full"]
    assert page.tables["Loops in Python"] == [
        ["framework", *strategies],
        *(
            [framework, *(speeds[framework, strategy] for strategy in strategies)]
            for framework in dict.fromkeys(framework for framework, _ in speeds)
        ),
        ["MXNet*", *(published["MXNet"][strategy] for strategy in strategies)],
    ]
    assert page.tables["The same runs as published"] == [
        ["framework", "run", "loss", "s / epoch"],
        *(
            [framework, name, *figures]
            for framework, runs in experiments.PUBLISHED_RUNS.items()
            for name, figures in runs.items()
        ),
    ]


def test_tables_of_the_roofline_are_those_of_the_results(read):
    _, page, results, _ = read
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


def test_the_machine_is_there_in_full(read):
    page, _, results, _ = read
    about = results["machine"]
    for words in (
        f"{about['cpu']}: {about['cpus']} CPU",
        f"instruction sets: {', '.join(about['available_isas'])}; in use: {about['isa']}.",
        ", ".join(f"{name.upper()} {size / 1024:g} KiB" for name, size in about["caches"].items()),
        f"Last measured {about['limits_date']};",
    ):
        assert words in page.read_text()


def test_figures_that_vary_are_pointed_out(read):
    page, _, results, _ = read
    named = "Half the distance of the quartiles" in page.read_text()
    spreads = [(f["high"] - f["low"]) / 2 / f["median"] for f in results["limits"].values()]
    assert named is any(spread > 0.05 for spread in spreads)


def test_tables_of_exercises_are_those_of_the_results(read):
    _, page, results, _ = read
    assert page.tables["Batch size and learning rate"][1:] == [
        [
            str(result["batch_size"]),
            f"{result['learning_rate']:g}",
            "diverged" if result["loss"] is None else f"{result['loss']:.4g}",
            "-" if result["seconds"] is None else duration(result["seconds"]),
        ]
        for result in results["batch_rate_sweep"]
    ]
    assert page.tables["Batch size and learning rate"][0] == ["batch", "rate", "loss", "time"]
    for title, key in (
        ("Rate divided by ten after each epoch", "rate_decay"),
        ("With and without replacement", "replacement"),
        ("Each row twice", "duplicated_data"),
    ):
        epochs, *columns = list(zip(*page.tables[title], strict=True))
        assert epochs == ("epoch", "1", "2", "3", "4", "5")
        assert columns == [
            (curve["name"], *(f"{loss:.3g}" for loss in curve["excess_losses"]))
            for curve in results[key]
        ]
    assert page.tables["Noise of the gradient"][0] == ["batch", "measured", "theory"]
    assert page.tables["Noise of the gradient"][1:] == [
        [str(r["batch_size"]), f"{r['measured']:.3g}", f"{r['theory']:.3g}"]
        for r in results["gradient_noise"]
    ]


def test_every_picture_has_a_caption_with_a_number(read):
    page = read[1]
    assert len(page.captions) == len(SECTIONS)
    assert all(re.search(r"\d", caption) for caption in page.captions)


def test_every_name_is_explained(read):
    text, page, results = html.unescape(read[0].read_text()), read[1], read[3]
    names = {name: list(make(results).names) for name, make in SECTIONS.items()}
    rows = {
        "Training runs": "loss_vs_time",
        "From scratch and concise": "concise_form",
        "Product of two 256 x 256 matrices, float32, in GFLOP/s": "strategies",
    }
    columns = {
        "Rate divided by ten after each epoch": "rate_decay",
        "With and without replacement": "replacement",
        "Each row twice": "duplicated_data",
    }
    for title, section in rows.items():
        assert [row[0] for row in page.tables[title][1:]] == names[section]
    for title, section in columns.items():
        assert page.tables[title][0][1:] == names[section]
    for section in (*rows.values(), *columns.values()):
        for name, meaning in SECTIONS[section](results).names.items():
            assert f"<dt>{name}</dt><dd>{meaning}</dd>" in text


HOSTILE = '<script>alert(\'"&")</script>'


def test_the_page_escapes_whatever_is_named(made):
    results = made.results
    loops = [
        dataclasses.replace(loop, framework=HOSTILE + loop.framework) for loop in results.frameworks
    ]
    curves = [dataclasses.replace(curve, name=HOSTILE + curve.name) for curve in results.rate_decay]
    text = to_html(
        dataclasses.replace(
            results,
            limits=dataclasses.replace(results.limits, cpu=HOSTILE),
            frameworks=loops,
            rate_decay=curves,
        ),
        made.out,
    )
    assert "<script" not in text
    page = Tables(text)
    assert page.tables["Loops in Python"][1][0] == f"{HOSTILE}tilewise"
    assert page.tables["Rate divided by ten after each epoch"][0][1:] == [
        curve.name for curve in curves
    ]
    assert sum(HOSTILE in caption for caption in page.captions) == 2
    assert html.unescape(text).count(HOSTILE) >= 9


def test_a_name_that_the_template_lacks_is_an_error(made, monkeypatch):
    jinja2 = pytest.importorskip("jinja2")
    section = SimpleNamespace(title="")
    monkeypatch.setattr("tilewise.report.page.SECTIONS", {"loss_vs_time": lambda results: section})
    with pytest.raises(jinja2.UndefinedError, match="has no attribute"):
        to_html(made.results, made.out)


@pytest.fixture(scope="module")
def wide(made):
    """Return the page as it is with every framework installed, and with long numbers."""
    results = made.results
    loops = [
        dataclasses.replace(loop, framework=framework, seconds=1.234e-6)
        for framework in ("tilewise", "NumPy", "PyTorch", "TensorFlow", "JAX")
        for loop in results.frameworks[:4]
    ]
    results = dataclasses.replace(results, frameworks=loops)
    return to_html(results, made.out)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [360, 1280])
def test_chromium_shows_the_page_and_its_tables_without_scrolling_sideways(wide, width, tmp_path):
    measure = """<script>addEventListener('load', () => {
        const fits = box => box.scrollWidth <= box.clientWidth;
        const tables = [...document.querySelectorAll('.table')];
        parent.postMessage(JSON.stringify([
            innerWidth, fits(document.documentElement), tables.length,
            tables.filter(table => !fits(table)).map(table => table.innerText),
            [...document.images].every(image => image.naturalWidth > 0)]), '*');
    })</script>"""
    (tmp_path / "page.html").write_text(wide.replace("</body>", f"{measure}</body>"))
    # Headless Chromium has no window below 500 pixels, so the page is in a frame.
    (tmp_path / "frame.html").write_text(
        "<script>addEventListener('message', message => {"
        "document.title = message.data })</script>"
        f'<iframe src="page.html" style="width: {width}px; height: 900px; border: 0"></iframe>'
    )
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    options = [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000"]
    shown = subprocess.run(
        [*command, *options, (tmp_path / "frame.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = re.search("<title>(.*?)</title>", shown.stdout, re.DOTALL)
    assert found, shown.stderr[-1000:]
    assert json.loads(html.unescape(found[1])) == [width, True, wide.count("<table"), [], True]
