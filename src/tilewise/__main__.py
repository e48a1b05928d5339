"""Lets ``python -m tilewise`` run the command line."""

import sys

from tilewise.commands.cli import main

sys.exit(main())
