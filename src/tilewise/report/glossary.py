"""What the names in the report's tables and pictures stand for."""

__all__ = ["CONCISE", "DUPLICATED", "RATES", "REPLACEMENT", "RUNS", "STRATEGIES"]

RUNS = {
    "gd": "gradient descent: a step uses all rows, so an epoch is one step",
    "sgd": "stochastic gradient descent: a step uses one row",
    "batch 100": "minibatches: a step uses 100 rows, and averages their gradients",
    "batch 10": "the same with 10 rows",
}
CONCISE = {
    "from scratch": "each step written out in Python, with NumPy",
    "concise": "the same steps by tilewise.Trainer, whose loop is in C++",
}
STRATEGIES = {
    "element": "one element of the product at a time: a row of the first matrix times a column of "
    "the second, whose numbers lie far apart in memory",
    "row": "one row at a time: a row of the first matrix times all of the second",
    "column": "one column at a time: all of the first matrix times a column of the second",
    "block": "some columns at a time, in tiles that stay in the registers",
    "full": "tiles, from blocks that stay in the caches: what tilewise.matmul does unless told "
    "otherwise",
    "numpy": "numpy.matmul, as NumPy is installed here",
}
RATES = {
    "constant rate": "batches of 10 rows with learning rate 0.05 throughout",
    "divided by ten": "the same, but each epoch has a tenth of the rate of the epoch before",
}
REPLACEMENT = {
    "without replacement": "an epoch uses each row once, in random order",
    "with replacement": "each batch draws its rows from all of them, so an epoch may use some rows "
    "several times and others not at all",
}
DUPLICATED = {
    "gd": "gradient descent with learning rate 0.5 on the rows as they are: one step an epoch",
    "gd, rows twice": "on data in which each row stands twice: still one step an epoch, along the "
    "same mean gradient",
    "batch 10": "batches of 10 rows with learning rate 0.05",
    "batch 10, rows twice": "the same where each row stands twice: an epoch has twice the steps",
}
