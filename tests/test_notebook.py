"""The notebook runs from top to bottom, and is kept without what it prints."""

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.once

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

PATH = ROOT / "docs" / "minibatch_sgd.ipynb"


@pytest.mark.filterwarnings("default")  # those of Jupyter's own packages
def test_the_notebook_runs(tmp_path):
    notebook = nbformat.read(PATH, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(output.get("text", "") for output in outputs)
    assert "(1500, 5) (1500,)" in text
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output.get("name") == "stderr"]


def test_the_notebook_is_kept_without_output():
    for cell in nbformat.read(PATH, as_version=4).cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.mark.filterwarnings("default")  # those of Jupyter's own packages
@pytest.mark.parametrize("magic", ["", "%matplotlib inline\n"])
def test_an_animator_is_one_picture_that_changes(magic, tmp_path):
    code = magic + "import tilewise as tw\nanimator = tw.plots.Animator()\n"
    first, later = (
        nbformat.v4.new_code_cell(code + "".join(f"animator.add({x}, {x})\n" for x in range(n)))
        for n in (1, 3)
    )
    notebook = nbformat.v4.new_notebook(cells=[first, later])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    (one,), (last,) = first.outputs, later.outputs
    assert one.data["image/png"] != last.data["image/png"], "the last picture is shown"
