"""QR codes of payment requests, by segno (extra ``[qr]``).

A payment request in upper case needs only the alphanumeric letters of a QR code, 5.5 bits each instead of 8, so the
code is coarser and easier to scan. BOLT #11 allows it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tazapay_lightning._loading import load
from tazapay_lightning.errors import ConfigurationError, InvalidBolt11Error
from tazapay_lightning.values.refusals import check_int

if TYPE_CHECKING:  # an extra
    import segno

_WHITE_ON_BLACK, _AS_BEFORE = "\x1b[38;5;231;48;5;16m", "\x1b[0m"  # of 256 colours, the two that no theme changes
_MAX_SCALE_PIXELS = 100


def svg(payment_request: str) -> str:
    """Return an ``<svg>`` element that takes the size of whatever it is put into.

    Example:
        >>> svg("lnbc1")[:4]
        '<svg'
    """
    return _code(payment_request).svg_inline(
        light="#fff", omitsize=True, svgclass=None, lineclass=None, title="QR code of the Lightning payment request"
    )


def png(payment_request: str, *, scale: int) -> bytes:
    r"""Return a PNG image with `scale` pixels for each side of a module.

    Raises:
        InvalidArgumentError: the scale is not an int from 1 to 100.

    Example:
        >>> png("lnbc1", scale=1)[:4]
        b'\x89PNG'
    """
    pixels = check_int(scale, argument="scale", least=1, most=_MAX_SCALE_PIXELS, unit=" pixels")
    image = io.BytesIO()
    _code(payment_request).save(image, kind="png", scale=pixels)
    return image.getvalue()


def terminal(payment_request: str) -> str:
    """Return lines of half blocks with the colours for them, so that dark and light terminals show the same."""
    drawing = io.StringIO()
    _code(payment_request).terminal(drawing, compact=True)
    return "".join(f"{_WHITE_ON_BLACK}{line}{_AS_BEFORE}\n" for line in drawing.getvalue().splitlines())


def _code(payment_request: str) -> segno.QRCode:
    try:
        load("segno")
        import segno
    except ModuleNotFoundError as missing:
        raise ConfigurationError('QR codes need segno: pip install "tazapay-lightning[qr]"') from missing
    try:
        return segno.make_qr(f"LIGHTNING:{payment_request.upper()}")
    except segno.DataOverflowError as overflow:
        problem = f"a payment request of {len(payment_request)} characters is too long: show it as text"
        raise InvalidBolt11Error(problem, argument="bolt11") from overflow
