"""What the tests' own clients of local servers are made with."""

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""As `verify` of an HTTP client that meets no https: or else it reads the certificates of all authorities, which takes
longer than most tests."""
