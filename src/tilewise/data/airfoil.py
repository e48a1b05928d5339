"""The airfoil self-noise data."""

from importlib import resources

import numpy as np
from numpy.typing import DTypeLike

from tilewise._checks import Array, check_float_dtype, check_int
from tilewise.data.standardization import standardize

AIRFOIL_PATH = str(resources.files("tilewise.data") / "airfoil_self_noise.dat")  # as published
# In the file's order: Hz, degrees, m, m/s, m; the last is the target, in dB.
AIRFOIL_COLUMNS = (
    "frequency",
    "attack_angle",
    "chord_length",
    "free_stream_velocity",
    "displacement_thickness",
    "sound_pressure",
)
_AIRFOIL_ROWS = 1503


def load_airfoil(n: int | None = 1500, dtype: DTypeLike = np.float32) -> tuple[Array, Array]:
    """Load NASA's airfoil self-noise measurements, standardized.

    The file is part of the package; `tilewise.d2l.download` returns its path.

    Parameters
    ----------
    n : int, optional
        Rows to return, from the start of the file; 1500 by default, as in d2l.ai, section 12.5.
        None for all 1503.
    dtype : dtype, default float32
        float32 or float64.

    Returns
    -------
    X : ndarray, shape (n, 5)
        The features, named by the first five of ``AIRFOIL_COLUMNS``.
    y : ndarray, shape (n,)
        The scaled sound pressure level. Like each feature it has mean 0 and standard deviation 1
        over all 1503 rows.

    Raises
    ------
    TypeError, ValueError
        `n` is not an integer from 1 to 1503, or `dtype` is another one.

    References
    ----------
    T. Brooks, D. Pope, M. Marcolini (1989), UCI dataset 291, CC BY 4.0, doi:10.24432/C5VW2C.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y = tw.data.load_airfoil()
    >>> X.shape, y.shape
    ((1500, 5), (1500,))
    """
    n = _AIRFOIL_ROWS if n is None else check_int("n", n, maximum=_AIRFOIL_ROWS)
    dtype = check_float_dtype(dtype)
    table = standardize(np.loadtxt(AIRFOIL_PATH, delimiter="\t"))[:n]
    return table[:, :-1].astype(dtype), table[:, -1].astype(dtype)
