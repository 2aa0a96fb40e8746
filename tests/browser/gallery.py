"""Makes the shop's pictures of the documentation, small, from the screenshots that `make browser-test` left.

Run it by ``.venv-browser/bin/python -m tests.browser.gallery``.
"""

from __future__ import annotations

from pathlib import Path

from tests.browser.conftest import SCREENSHOTS

DOCS = Path(__file__).resolve().parents[2] / "docs"
PICTURES = {
    "checkout.png": "checkout",
    "images/checkout-form-error.png": "shop-form_error-phone",
    "images/checkout-preparing.png": "shop-preparing-phone",
    "images/checkout-waiting-desktop.png": "shop-waiting-desktop",
    "images/checkout-waiting-dark.png": "shop-waiting-dark",
    "images/checkout-waiting-landscape.png": "shop-waiting-phone-landscape",
    "images/checkout-waiting-phone.png": "shop-waiting-phone",
    "images/checkout-lost.png": "shop-lost-phone",
    "images/checkout-expired.png": "shop-expired-phone",
    "images/checkout-paid.png": "shop-paid-phone",
}
COLOURS = 48


def main() -> None:
    """Write every picture anew."""
    from PIL import Image  # only where the tests in a browser run

    (DOCS / "images").mkdir(exist_ok=True)
    for picture, screenshot in PICTURES.items():
        with Image.open(SCREENSHOTS / f"{screenshot}.png") as image:
            image.convert("RGB").quantize(COLOURS).save(DOCS / picture, optimize=True)


if __name__ == "__main__":
    main()
