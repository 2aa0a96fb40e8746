"""``python -m tazapay_lightning``, and the command ``tazapay-lightning``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what to install when its extra is missing."""
    try:
        from tazapay_lightning.cli.app import app
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {"typer", "rich"}:
            raise
        sys.exit(f'error: the command line needs {missing}: pip install "tazapay-lightning[cli]"')
    except KeyboardInterrupt:  # to load everything takes a moment
        sys.exit(130)
    app()


if __name__ == "__main__":
    main()
