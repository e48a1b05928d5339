"""What d2l.ai, section 12.5, prints, and how often it records the loss."""

RECORD_EVERY = 200
"""Rows between two records of the loss."""

# fmt: off
PUBLISHED_RUNS = {
    "PyTorch": {"gd": ("0.247", "0.020"), "sgd": ("0.245", "0.685"),
                "batch 100": ("0.246", "0.025"), "batch 10": ("0.246", "0.090")},
    "MXNet": {"gd": ("0.254", "0.034"), "sgd": ("0.243", "3.216"),
              "batch 100": ("0.248", "0.064"), "batch 10": ("0.246", "0.374")},
    "TensorFlow": {"gd": ("0.249", "0.022"), "sgd": ("0.246", "6.006"),
                   "batch 100": ("0.245", "0.074"), "batch 10": ("0.245", "0.617")},
}
# fmt: on
"""Loss and seconds per epoch of the runs as d2l.ai prints them, by framework and run."""

PUBLISHED_GFLOPS = {
    "PyTorch": {"element": "0.017", "column": "0.459", "block": "37.6", "full": "51.6"},
    "MXNet": {"element": "0.000", "column": "0.152", "block": "2.8", "full": "3.2"},
    "TensorFlow": {"element": "0.000", "column": "0.060", "block": "2.43", "full": "1.15"},
}
"""Gigaflops of the strategies as d2l.ai prints them: 0.03 GFLOP over the time, at n = 256."""
