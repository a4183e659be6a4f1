"""Writes tests/golden/weights/sealed.safetensors: a file with its own checksum, by the Python packages safetensors and xxhash.

    python scripts/golden/checksum.py tests/golden/weights/sealed.safetensors

Needs numpy, safetensors and xxhash; tests/golden/weights/README.md names the versions.
"""

import pathlib
import sys

import numpy
import xxhash
from safetensors.numpy import save

KEY, ZEROS = b'"xxh3_128":"', b"0" * 32


def sealed(file: bytes) -> bytes:
    """The file with the xxh3-128 of all its bytes in place of the zeros of its metadata."""
    digits = file.index(KEY) + len(KEY)
    assert file[digits:].startswith(ZEROS)
    checksum = xxhash.xxh3_128_hexdigest(file).encode()
    return file[:digits] + checksum + file[digits + len(ZEROS) :]


tensors = {
    "values": numpy.sin(numpy.arange(12, dtype=numpy.float32)).reshape(3, 4),
    "position": numpy.array([7, 4096], dtype=numpy.int64),
}
file = save(tensors, metadata={"made_by": "safetensors", "xxh3_128": ZEROS.decode()})
pathlib.Path(sys.argv[1]).write_bytes(sealed(file))
