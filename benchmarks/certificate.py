"""A certificate for the server of the benchmarks: a first call over https is measured as in production."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

__all__ = ["write_certificate"]


def write_certificate(file: Path, authorities: Path) -> Path | None:
    """Write a certificate for 127.0.0.1 with its key, and a file of authorities that clients can trust it by.

    The authorities are certifi's, which httpx loads otherwise, and this one: what loading them costs is what it always
    costs.

    Returns:
        The file with the certificate; None where `cryptography` cannot be imported.
    """
    try:
        import certifi
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        return None
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "benchmark")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.touch(mode=0o600)
    file.write_bytes(certificate + private)
    authorities.write_bytes(Path(certifi.where()).read_bytes() + certificate)
    return file
