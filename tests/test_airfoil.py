"""The airfoil data: where it is found, that it is checked, and what it holds.

Apart from the reference values these tests run on a made-up file that passes for the published one.
"""

import builtins
import hashlib
import http.server
import threading

import numpy as np
import pytest

from tilewise import data
from tilewise.cache_folder import cache_folder
from tilewise.data import DataUnavailableError, load_airfoil

pytestmark = pytest.mark.once

FILE = "airfoil_self_noise.dat"


@pytest.fixture
def content(monkeypatch):
    """Return the made-up file, which has the published one's shape and format."""
    table = np.random.default_rng(0).normal(5, 3, (1503, 6))
    lines = ["\t".join(f"{value:.6g}" for value in row) for row in table]
    made_up = "".join(f"{line}\r\n" for line in lines).encode()
    monkeypatch.setattr(data, "AIRFOIL_SHA256", hashlib.sha256(made_up).hexdigest())
    return made_up


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return an empty cache folder, which does not exist yet; TILEWISE_DATA is not set."""
    monkeypatch.delenv("TILEWISE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tilewise"


@pytest.fixture
def no_download(monkeypatch):
    def fail(folder):
        raise AssertionError(f"went to download to {folder}")

    monkeypatch.setattr(data, "_download_airfoil", fail)


@pytest.fixture
def server(monkeypatch):
    """Serve `server.content` from this machine in place of the data's address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.requests += 1
            self.send_response(200)
            self.send_header("Content-Length", str(server.announced or len(server.content)))
            self.end_headers()
            self.wfile.write(server.content)

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content, server.announced, server.requests = b"", None, 0
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr(data, "AIRFOIL_URL", f"http://127.0.0.1:{server.server_port}/{FILE}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield server
        server.shutdown()
        thread.join()


def put(folder, content, monkeypatch=None):
    """Write the file into a folder and, with `monkeypatch`, name that in TILEWISE_DATA."""
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_bytes(content)
    if monkeypatch is not None:
        monkeypatch.setenv("TILEWISE_DATA", str(folder))


def unavailable():
    """Return the one-line message of the failing load."""
    with pytest.raises(DataUnavailableError) as raised:
        load_airfoil()
    message = str(raised.value)
    assert "\n" not in message
    assert data.AIRFOIL_URL in message
    return message


def test_reference_values(airfoil_path, monkeypatch):
    monkeypatch.setenv("TILEWISE_DATA", str(airfoil_path.parent))
    X, y = load_airfoil(dtype=np.float64)
    with_ones = np.c_[X, np.ones(len(X))]
    solution = np.linalg.lstsq(with_ones, y, rcond=None)[0]
    expected = [-0.58318, -0.36551, -0.48433, 0.22387, -0.27133, 0.00196]
    np.testing.assert_allclose(solution, expected, rtol=0, atol=5.1e-6)
    loss = np.mean((with_ones @ solution - y) ** 2) / 2
    assert loss == pytest.approx(0.241688, abs=5.1e-7)
    assert np.mean(y**2) / 2 == pytest.approx(0.493259, abs=5.1e-7)
    largest = np.linalg.eigvalsh(X.T @ X / len(X))[-1]
    assert largest == pytest.approx(2.09846, abs=5.1e-6)


def test_rows_are_standardized_over_the_whole_file(content, tmp_path, monkeypatch):
    put(tmp_path, content, monkeypatch)
    table = np.loadtxt(tmp_path / FILE)
    X, y = load_airfoil(None, np.float64)
    expected = (table - table.mean(0)) / table.std(0)
    np.testing.assert_allclose(np.c_[X, y], expected, rtol=0, atol=1e-13)
    X_first, y_first = load_airfoil(7, np.float64)
    np.testing.assert_array_equal(X_first, X[:7])
    np.testing.assert_array_equal(y_first, y[:7])


def test_shapes_and_dtypes(content, tmp_path, monkeypatch):
    put(tmp_path, content, monkeypatch)
    X, y = load_airfoil()
    assert (X.shape, y.shape) == ((1500, 5), (1500,))
    assert X.dtype == y.dtype == np.float32
    assert X.flags.c_contiguous
    assert y.flags.c_contiguous
    assert len(data.AIRFOIL_COLUMNS) == 6


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0}, ValueError, "n=0"),
        ({"n": 1504}, ValueError, "n=1504 is above 1503"),
        ({"n": 10.0}, TypeError, "n=10.0"),
        ({"n": True}, TypeError, "n=True"),
        ({"dtype": int}, TypeError, "dtype=<class 'int'>"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        load_airfoil(**arguments)


def test_the_named_folder_comes_before_the_cache(content, cache, no_download, monkeypatch):
    put(cache, b"not looked at")
    put(cache.parent / "named", content, monkeypatch)
    load_airfoil()


def test_the_named_folder_is_the_only_one(content, cache, no_download, tmp_path, monkeypatch):
    put(cache, content)
    monkeypatch.setenv("TILEWISE_DATA", str(tmp_path / "empty"))
    assert f"not in the folder TILEWISE_DATA={tmp_path / 'empty'}" in unavailable()


@pytest.mark.parametrize("empty", [False, True])
def test_the_cache_is_used_without_a_download(content, cache, no_download, empty, monkeypatch):
    put(cache, content)
    if empty:
        monkeypatch.setenv("TILEWISE_DATA", "")
    load_airfoil()


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content.replace(b"5", b"6", 1),
        lambda content: b"\xff" * 100,
    ],
    ids=["a byte short", "half", "empty", "changed", "binary"],
)
def test_a_damaged_file_is_an_error(damage, named, content, cache, no_download, monkeypatch):
    put(cache, damage(content), monkeypatch if named else None)
    message = unavailable()
    assert f"{cache / FILE} is truncated or changed" in message
    assert "delete it" in message
    assert (cache / FILE).exists()


def test_what_cannot_be_read_is_an_error(cache, no_download, monkeypatch):
    (cache / FILE).mkdir(parents=True)
    assert f"{cache / FILE} cannot be read: Is a directory" in unavailable()


def test_download_fills_the_cache_once(content, cache, server):
    pytest.importorskip("pooch")
    server.content = content
    first = load_airfoil()
    second = load_airfoil()
    np.testing.assert_array_equal(first[0], second[0])
    assert server.requests == 1
    assert [path.name for path in cache.iterdir()] == [FILE]
    assert (cache / FILE).read_bytes() == content


@pytest.mark.parametrize("announced", [None, 10**6], ids=["wrong content", "cut off"])
def test_a_bad_download_leaves_nothing(announced, content, cache, server):
    pytest.importorskip("pooch")
    server.content, server.announced = content[:1000], announced
    message = unavailable()
    assert f"not in {cache}, and its download failed" in message
    assert "TILEWISE_DATA" in message
    assert list(cache.iterdir()) == []


def test_no_network(content, cache, monkeypatch):
    pytest.importorskip("pooch")
    monkeypatch.setattr(data, "AIRFOIL_URL", f"http://127.0.0.1:1/{FILE}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert "its download failed: HTTPConnectionPool" in unavailable()


def test_no_room_for_the_cache(content, cache, server):
    pytest.importorskip("pooch")
    cache.write_text("a file where the folder should be")
    assert f"not in {cache}, and its download failed" in unavailable()


def test_without_pooch(cache, monkeypatch):
    real_import = builtins.__import__

    def without_pooch(name, *arguments, **options):
        if name == "pooch":
            raise ImportError(name)
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_pooch)
    message = unavailable()
    assert str(cache) in message
    assert 'pip install "tilewise[data]"' in message


def test_the_cache_is_where_pooch_would_have_it(monkeypatch):
    pooch = pytest.importorskip("pooch")
    for base in ("/somewhere/else", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", base)
        assert cache_folder() == pooch.os_cache("tilewise")
