// What help(tilewise.matmul) prints. The first lines up to "--" are the signature for inspect.
#pragma once

namespace tilewise::bindings {

inline constexpr char matmul_doc[] =
    R"doc(matmul(x1, x2, /, out=None, *, strategy='full', block_size=64, **kwargs)
--

Matrix product of two arrays, with the contract of `numpy.matmul`.

Parameters
----------
x1, x2 : array_like
    Shapes ``(..., m, k)`` and ``(..., k, n)``; stacks broadcast. A 1-D operand is a row on the
    left and a column on the right, and loses that dimension in the result. float16, float32,
    float64 and the integers are computed here, float16 in float32, and bfloat16 (ml_dtypes) to
    float32; the other dtypes by NumPy. Operands with an ``__array_ufunc__`` of their own (pandas,
    Dask, xarray, units) are handed to `numpy.matmul`.
out : ndarray, optional
    Where to write the result, shape ``(..., m, n)``. May overlap an input.
strategy : {'element', 'row', 'column', 'block', 'full'}, default 'full'
    The order of the work, for the dtypes computed here (d2l.ai, section 12.5):

    - ``element``: one inner product at a time, a row with a strided column.
    - ``row``: one vector-matrix product for each row of the result.
    - ``column``: one matrix-vector product for each column of the result.
    - ``block``: a panel of `block_size` columns at a time, in register tiles.
    - ``full``: packed, and blocked for every cache level. The fastest.
block_size : int, default 64
    Columns in a panel of ``strategy='block'``.
**kwargs
    `casting`, `order`, `dtype`, `subok`, `signature` and `axes` as in `numpy.matmul`.

Returns
-------
ndarray or scalar
    The product, in NumPy's result type.

Raises
------
ValueError
    The shapes do not fit, or `strategy` or `block_size` is not possible.
TypeError
    A dtype has no product, an argument has the wrong type, or a `strategy` other than 'full' is
    asked of operands that multiply in their own way.
MemoryError
    There is no memory for the result or the packed operands. `out` is as it was, but for a stack
    on several threads, of which some products may be there.

Examples
--------
>>> import numpy as np
>>> import tilewise as tw
>>> tw.matmul(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
array([[11.]])
>>> tw.matmul(np.eye(2), np.ones((2, 2)), strategy="element")
array([[1., 1.],
       [1., 1.]])
)doc";

}  // namespace tilewise::bindings
