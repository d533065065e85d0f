"""Small files that cost much time or memory where a reader believes them, for a user's folder.

Each function writes one, drawn by a generator, as the traps of mutated_folders.py.
"""

import struct
import zlib
from pathlib import Path

import numpy as np


def many_pages(rng: np.random.Generator, folder: Path, name: str) -> None:
    """A TIFF file of 1,000 to 50,000 pages: to count them takes longer and longer."""
    pages = [(8, 8, 0)] * int(10 ** rng.uniform(3, 4.7))
    (folder / name).write_bytes(_tiff(pages))


def behind_a_copy(rng: np.random.Generator, folder: Path, name: str) -> None:
    """A TIFF file whose first page is a small copy, and whose second declares a huge picture."""
    side = int(2 ** rng.uniform(14, 31))
    (folder / name).write_bytes(_tiff([(8, 8, 1), (side, side, 0)]))


def deflated(rng: np.random.Generator, folder: Path, name: str) -> None:
    """A DICOM file that says behind up to 100 kB of private bytes that the rest is deflated."""
    private = bytes(2 * int(rng.integers(50_000)))
    syntax = b"1.2.840.10008.1.2.1.99"
    head = b"\2\0\x0a\0OB\0\0" + struct.pack("<I", len(private)) + private
    head += b"\2\0\x10\0UI" + struct.pack("<H", len(syntax)) + syntax
    pixels = bytes(20_000_000)
    element = b"\xe0\x7f\x10\0OB\0\0" + struct.pack("<I", len(pixels)) + pixels
    deflate = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    body = deflate.compress(element) + deflate.flush()
    (folder / name).write_bytes(bytes(128) + b"DICM" + head + body)


def _tiff(pages: list[tuple[int, int, int]]) -> bytes:
    """A TIFF file of pages of 8 x 8 bytes; each is the width and height it declares, and a flag."""
    long, next_page = 4, 8
    content = b"II*\0" + struct.pack("<I", next_page)
    directories = []
    for number, (width, height, is_small_copy) in enumerate(pages):
        tags = {254: is_small_copy, 256: width, 257: height, 258: 8, 262: 1, 273: 0, 278: height}
        entries = [struct.pack("<HHII", tag, long, 1, value) for tag, value in tags.items()]
        entries.append(struct.pack("<HHII", 279, long, 1, 64))
        next_page += 2 + 12 * len(entries) + 4
        is_last = number == len(pages) - 1
        link = struct.pack("<I", 0 if is_last else next_page)
        directories.append(struct.pack("<H", len(entries)) + b"".join(entries) + link)
    return content + b"".join(directories)
