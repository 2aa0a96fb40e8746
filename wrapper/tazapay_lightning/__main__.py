"""``python -m tazapay_lightning``, and the command ``tazapay-lightning``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what to install when its extra is missing."""
    try:
        from tazapay_lightning.cli.app import app
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        sys.exit('error: the command line needs typer: pip install "tazapay-lightning[cli]"')
    except KeyboardInterrupt:  # to load everything takes a moment
        sys.exit(130)
    app(prog_name="tazapay-lightning")  # also where it was called as a module


if __name__ == "__main__":
    main()
