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
        print(f'error: the command line needs {missing}: pip install "tazapay-lightning[cli]"', file=sys.stderr)
        sys.exit(1)
    app()


if __name__ == "__main__":
    main()
