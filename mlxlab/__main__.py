"""`python -m mlxlab` is `mlx`."""

import sys

from mlxlab.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
