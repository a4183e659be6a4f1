"""Decodes image members, and opens zstd files."""

from __future__ import annotations

import importlib
import io
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Callable

from .errors import DatasetError
from .files import open_regular

Decoder = Callable[[bytes, str, "tuple[int, int]"], Any]
"""`decoder(data, extension, (width, height))`: the bytes of a member, "jpg" or "rgb.zst", and the size of its image."""

_WAYS_TO_ZSTD = "install a zstd module, such as `pip install zstandard`"


def find_decoder(decode: None | str | Decoder) -> Decoder | None:
    """The decoder that `decode` names: "pil", "torch", a function, or None for bytes."""
    if decode is None or callable(decode):
        return decode
    if decode not in _DECODERS:
        raise ValueError(f'decode is {decode!r}; expected "pil", "torch", a function or None')
    return _DECODERS[decode]


def decode_pil(data: bytes, extension: str, size: tuple[int, int]) -> Any:
    """A `PIL.Image` in mode RGB."""
    from PIL import Image

    if extension == "rgb.zst":
        return Image.frombytes("RGB", size, unpack_rgb(data, size))
    return Image.open(io.BytesIO(data)).convert("RGB")


def decode_torch(data: bytes, extension: str, size: tuple[int, int]) -> Any:
    """A `torch.uint8` tensor, 3 x height x width, in RGB order. torchvision decodes JPEG."""
    import torch

    if extension == "rgb.zst":
        width, height = size
        pixels = torch.frombuffer(bytearray(unpack_rgb(data, size)), dtype=torch.uint8)
        return pixels.view(height, width, 3).permute(2, 0, 1).contiguous()
    from torchvision.io import ImageReadMode, decode_jpeg

    return decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), mode=ImageReadMode.RGB)


_DECODERS: dict[str, Decoder] = {"pil": decode_pil, "torch": decode_torch}


def unpack_rgb(data: bytes, size: tuple[int, int]) -> bytes:
    """Pixels of a member `rgb.zst`: height x width x 3 bytes in RGB order.

    Raises ImportError without a zstd module, and ValueError if the member does not hold an image of `size`.
    """
    zstd = _zstd_module()
    if zstd is None:
        raise ImportError(f"members rgb.zst are compressed with zstd; {_WAYS_TO_ZSTD}")
    width, height = size
    pixels: bytes = zstd.ZstdDecompressor().decompress(data, width * height * 3)
    if len(pixels) != width * height * 3:
        raise ValueError(f"it holds {len(pixels)} bytes; expected {width} x {height} x 3")
    return pixels


@contextmanager
def open_zstd(path: Path) -> Iterator[IO[bytes]]:
    """Reads a zstd file of any number of frames, with a zstd module or else with the program `zstd`."""
    zstd, program = _zstd_module(), shutil.which("zstd")
    if zstd is None and program is None:
        raise DatasetError(f"{path} is compressed with zstd; {_WAYS_TO_ZSTD}, or the program zstd")
    try:
        with open_regular(path) as packed:
            if zstd is None:
                with subprocess.Popen([str(program), "-dcq"], stdin=packed, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                    assert process.stdout is not None and process.stderr is not None
                    yield process.stdout
                    if process.wait():
                        raise OSError(process.stderr.read().decode(errors="replace").strip())
            elif zstd.__name__ == "zstandard":
                # By default zstandard ends where the first frame does.
                yield io.BufferedReader(zstd.ZstdDecompressor().stream_reader(packed, read_across_frames=True))
            else:
                with zstd.open(packed, "rb") as file:
                    yield file
    except (OSError, EOFError, getattr(zstd, "ZstdError", OSError)) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


def _zstd_module() -> Any:
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
