"""The section's data."""

from typing import Any

from tilewise.d2l.arrays import load_array
from tilewise.data import airfoil

DATA_URL = "http://d2l-data.s3-accelerate.amazonaws.com/"
"""Where the section's cell says that its data are; nothing is fetched from there."""

DATA_HUB = {
    "airfoil": (DATA_URL + "airfoil_self_noise.dat", "76e5be1548fd8222e5074cf0faae75edff8cf93f")
}
"""The address and the SHA-1 of the section's data, as its cell sets them."""


def download(name: str) -> str:
    r"""Return the path of the section's data, which are in the package: nothing is downloaded.

    Parameters
    ----------
    name : str
        Name of the data, "airfoil".

    Returns
    -------
    str
        Path of the published file.

    Raises
    ------
    ValueError
        `name` is not "airfoil", the only data in the package.

    Examples
    --------
    >>> import numpy as np
    >>> np.genfromtxt(download("airfoil"), dtype=np.float32, delimiter="\t").shape
    (1503, 6)
    """
    if name != "airfoil":
        raise ValueError(
            f"name={name!r} is not in the package, which has 'airfoil' only and downloads nothing"
        )
    return airfoil.AIRFOIL_PATH


def get_data_ch11(batch_size: int = 10, n: int = 1500) -> tuple[Any, int]:
    """Return minibatches of the standardized airfoil data, and the number of features.

    Parameters
    ----------
    batch_size : int, default 10
        Rows of a minibatch.
    n : int, default 1500
        Number of rows, the first of the file.

    Returns
    -------
    data_iter : Batches
        The minibatches, a new permutation each epoch.
    feature_dim : int
        Number of features.

    Examples
    --------
    >>> data_iter, feature_dim = get_data_ch11(batch_size=100)
    >>> len(data_iter), feature_dim
    (15, 5)
    """
    X, y = airfoil.load_airfoil(n)
    return load_array((X, y), batch_size), X.shape[1]
