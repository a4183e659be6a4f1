#!/usr/bin/env python3
"""Still images as Pillow decodes them: the golden pixels of crates/vidpairs-image/src/still.

usage: stills.py OUT_DIR        (tests/golden/stills; requirements.txt has the version of Pillow; also needs the program ffmpeg)

Writes into OUT_DIR:
  NAME.jpg, .png, .bmp, .tif, .webp   small files of every kind that is decoded
  cases.tsv      a line for each file: its name, and width, height and largest allowed difference of a sample
  pixels.rgb     what `ImageOps.exif_transpose(Image.open(file)).convert("RGB")` gives for each file, one after the other

Lossy WebP and BMPs of 16 bits differ: the Rust decoders round chroma, and levels of 5 and 6 bits, otherwise.
"""
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 23, 17
ORIENTATION = 0x0112


def drawn_image():
    """Waves, no symmetry, sharp corners."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    waves = [128 + 100 * np.sin(x * a + y * b + c) for a, b, c in [(0.31, 0.07, 0), (0.11, -0.23, 1), (-0.05, 0.41, 2)]]
    image = np.stack(waves, axis=-1).round().astype(np.uint8)
    image[:4, :6] = [250, 10, 30]
    return Image.fromarray(image)


IMAGE = drawn_image()


def entry(order, tag, kind, value):
    code = {1: "B3x", 3: "H2x", 4: "I"}[kind]
    return struct.pack(order + "HHI" + code, tag, kind, 1, value)


def exif(value, order="<", kind=3, thumbnail=None):
    """An Exif block whose first directory holds the orientation after a maker's name, if `value` is given."""
    make = struct.pack(order + "HHI4s", 0x010F, 2, 4, b"abc\0")
    first = [make] + ([entry(order, ORIENTATION, kind, value)] if value is not None else [])
    end = 8 + 2 + 12 * len(first) + 4
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    body = struct.pack(order + "H", len(first)) + b"".join(first)
    if thumbnail is None:
        return head + body + struct.pack(order + "I", 0)
    second = struct.pack(order + "H", 1) + entry(order, ORIENTATION, 3, thumbnail) + struct.pack(order + "I", 0)
    return head + body + struct.pack(order + "I", end) + second


def xmp(value, is_element=False):
    inside = f"<tiff:Orientation>{value}</tiff:Orientation>" if is_element else ""
    attribute = "" if is_element else f' tiff:Orientation="{value}"'
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
        f' xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{attribute}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def app1_exif(block):
    return segment(0xE1, b"Exif\0\0" + block)


def app1_xmp(packet):
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpeg(*segments, image=IMAGE, **options):
    """A JPEG with `segments` behind its JFIF header."""
    plain = encoded(image, "JPEG", quality=92, **options)
    at = 2
    if plain[2:4] == b"\xff\xe0":
        at += 2 + struct.unpack(">H", plain[4:6])[0]
    return plain[:at] + b"".join(segments) + plain[at:]


def adobe(plain, transform):
    """The JPEG with another colour transform in its Adobe marker; without the marker for None."""
    at = plain.index(b"\xff\xee\x00\x0eAdobe")
    if transform is None:
        return plain[:at] + plain[at + 16 :]
    return plain[: at + 15] + bytes([transform]) + plain[at + 16 :]


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(head, *chunks):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IEND", b"")


def png_with(before=b"", after=b""):
    plain = encoded(IMAGE, "PNG")
    data = plain.index(b"IDAT") - 4
    return plain[:data] + before + plain[data:-12] + after + plain[-12:]


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def interlaced(samples, color_type, depth, *chunks):
    """`samples`: height x width x channels; 8 or 16 bits, or 4 for a palette."""
    rows = b""
    for left, top, across, down in ADAM7:
        part = samples[top::down, left::across]
        if part.size == 0:
            continue
        for row in part:
            if depth == 4:
                flat = row.reshape(-1)
                flat = np.append(flat, 0) if len(flat) % 2 else flat
                packed = (flat[0::2] << 4 | flat[1::2]).astype(np.uint8).tobytes()
            else:
                packed = row.astype(">u2" if depth == 16 else np.uint8).tobytes()
            rows += b"\0" + packed
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, color_type, 0, 0, 1)
    return png(head, *chunks, chunk(b"IDAT", zlib.compress(rows)))


def wide_png(channels, color_type):
    rng = np.random.default_rng(5)
    samples = rng.integers(0, 65536, (HEIGHT, WIDTH, channels)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, color_type, 0, 0, 0)
    return png(head, chunk(b"IDAT", zlib.compress(rows)))


def tiff_16_bits():
    """An uncompressed big-endian TIFF of 16-bit RGB."""
    samples = np.random.default_rng(7).integers(0, 65536, (HEIGHT, WIDTH, 3)).astype(">u2").tobytes()
    entries = [
        (256, 4, 1, WIDTH), (257, 4, 1, HEIGHT), (258, 3, 3, 8 + 2 + 12 * 10 + 4), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, 8 + 2 + 12 * 10 + 4 + 6), (274, 3, 1, 7), (277, 3, 1, 3), (278, 4, 1, HEIGHT), (279, 4, 1, len(samples)),
    ]
    body = b"MM\0*" + struct.pack(">IH", 8, len(entries))
    for tag, kind, count, value in entries:
        body += struct.pack(">HHI" + ("H2x" if kind == 3 and count == 1 else "I"), tag, kind, count, value)
    return body + struct.pack(">I3H", 0, 16, 16, 16) + samples


def by_ffmpeg(pixel_format, name):
    command = [
        "ffmpeg", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-i", "-",
        "-pix_fmt", pixel_format, "-f", "image2pipe", "-c:v", name, "-",
    ]
    return subprocess.run(command, input=IMAGE.tobytes(), stdout=subprocess.PIPE, check=True).stdout


def rle_bmp():
    """An 8-bit BMP of runs, with an absolute run, end of line and end of bitmap."""
    palette = b"".join(bytes([b, g, r, 0]) for r, g, b in [(9, 8, 7), (200, 10, 30), (0, 90, 250), (255, 255, 0)])
    line = bytes([5, 1, 3, 2, 0, 3, 3, 0, 1, 0, WIDTH - 11, 3, 0, 0])
    data = line * HEIGHT + bytes([0, 1])
    offset = 14 + 40 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 8, 1, len(data), 0, 0, 4, 0)
    return struct.pack("<2sIHHI", b"BM", offset + len(data), 0, 0, offset) + info + palette + data


def cases():
    gray, alpha = IMAGE.convert("L"), IMAGE.copy()
    alpha.putalpha(IMAGE.convert("L").rotate(180))
    palette = IMAGE.quantize(16)
    cmyk = Image.merge("CMYK", [*IMAGE.split(), IMAGE.convert("L").rotate(180)])
    for order, name in [("<", "ii"), (">", "mm")]:
        for value in range(1, 9):
            yield f"exif_{name}_{value}.jpg", jpeg(app1_exif(exif(value, order)))
    yield "exif_444_progressive_5.jpg", jpeg(app1_exif(exif(5)), subsampling=0, progressive=True)
    yield "exif_gray_8.jpg", jpeg(app1_exif(exif(8)), image=gray)
    yield "exif_cmyk_6.jpg", jpeg(app1_exif(exif(6)), image=cmyk)
    yield "exif_long_6.jpg", jpeg(app1_exif(exif(6, ">", 4)))
    yield "exif_byte_6.jpg", jpeg(app1_exif(exif(6, ">", 1)))
    yield "exif_0.jpg", jpeg(app1_exif(exif(0)))
    yield "exif_9.jpg", jpeg(app1_exif(exif(9)))
    yield "exif_of_the_thumbnail_6.jpg", jpeg(app1_exif(exif(None, thumbnail=6)))
    yield "exif_twice_prefixed_6.jpg", jpeg(segment(0xE1, b"Exif\0\0Exif\0\0" + exif(6)))
    yield "exif_behind_xmp_3.jpg", jpeg(app1_xmp(xmp(6)), app1_exif(exif(3)))
    yield "exif_behind_a_comment_6.jpg", jpeg(segment(0xFE, b"\xff\xda\xff\xe1Exif"), b"\xff\xff", app1_exif(exif(6)))
    yield "xmp_6.jpg", jpeg(app1_xmp(xmp(6)))
    yield "xmp_element_7.jpg", jpeg(app1_xmp(xmp(7, True)))
    yield "exif_without_xmp_8.jpg", jpeg(app1_exif(exif(None)), app1_xmp(xmp(8)))
    yield "cmyk.jpg", jpeg(image=cmyk)
    yield "cmyk_420.jpg", jpeg(image=cmyk, subsampling=2)
    yield "ycck.jpg", adobe(jpeg(image=cmyk), 2)
    yield "ycck_420_progressive.jpg", adobe(jpeg(image=cmyk, subsampling=2, progressive=True), 2)
    yield "cmyk_without_adobe.jpg", adobe(jpeg(image=cmyk), None)
    yield "rgb.jpg", jpeg(keep_rgb=True)
    yield "gray.jpg", jpeg(image=gray)
    yield "422.jpg", jpeg(subsampling=1)
    yield "restarts.jpg", jpeg(restart_marker_blocks=1)
    yield "mpo.jpg", encoded(IMAGE, "MPO", save_all=True, append_images=[gray.convert("RGB")])
    yield "garbage_behind.jpg", jpeg() + b"\xff\xd8\xff garbage" * 9
    yield "a_png_by_another_name.jpg", encoded(IMAGE, "PNG")
    yield "rgb.png", encoded(IMAGE, "PNG")
    yield "exif_6.png", png_with(before=chunk(b"eXIf", exif(6)))
    yield "exif_at_the_end_8.png", png_with(after=chunk(b"eXIf", exif(8, ">")))
    yield "xmp_5.png", png_with(before=chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(5)))
    yield "alpha.png", encoded(alpha, "PNG")
    yield "gray_alpha.png", encoded(alpha.convert("LA"), "PNG")
    yield "gray.png", encoded(gray, "PNG")
    yield "one_bit.png", encoded(IMAGE.convert("1"), "PNG")
    yield "palette.png", encoded(palette, "PNG", bits=4)
    yield "palette_8.png", encoded(IMAGE.quantize(200), "PNG")
    yield "palette_transparent.png", encoded(palette, "PNG", transparency=bytes(range(16)))
    yield "gray_transparent.png", encoded(gray, "PNG", transparency=128)
    yield "rgb_16.png", wide_png(3, 2)
    yield "rgb_alpha_16.png", wide_png(4, 6)
    yield "interlaced.png", interlaced(np.array(IMAGE), 2, 8)
    yield "interlaced_16.png", interlaced(np.array(IMAGE).astype(np.uint16) * 257, 2, 16)
    colors = chunk(b"PLTE", bytes(palette.getpalette()[: 3 * 16]))
    yield "interlaced_palette.png", interlaced(np.array(palette), 3, 4, colors)
    yield "animated.png", encoded(IMAGE, "PNG", save_all=True, append_images=[gray.convert("RGB")])
    yield "animated_behind_a_picture.png", encoded(
        IMAGE, "PNG", save_all=True, default_image=True, append_images=[gray.convert("RGB"), IMAGE.rotate(180)]
    )
    yield "rgb.bmp", encoded(IMAGE, "BMP")
    yield "palette.bmp", encoded(palette, "BMP")
    yield "one_bit.bmp", encoded(IMAGE.convert("1"), "BMP")
    yield "alpha.bmp", encoded(alpha, "BMP")
    yield "rgb_565.bmp", by_ffmpeg("rgb565le", "bmp")
    yield "rgb_555.bmp", by_ffmpeg("rgb555le", "bmp")
    yield "runs.bmp", rle_bmp()
    for name in ["raw", "tiff_lzw", "tiff_deflate", "packbits"]:
        yield f"{name}.tif", encoded(IMAGE, "TIFF", compression=name)
    for value in range(2, 9):
        yield f"exif_{value}.tif", encoded(IMAGE, "TIFF", tiffinfo={ORIENTATION: value})
    yield "gray.tif", encoded(gray, "TIFF")
    yield "one_bit.tif", encoded(IMAGE.convert("1"), "TIFF")
    yield "fax.tif", encoded(IMAGE.convert("1"), "TIFF", compression="group4")
    yield "alpha.tif", encoded(alpha, "TIFF")
    yield "big.tif", encoded(IMAGE, "TIFF", big_tiff=True)
    yield "mm_16_bits_7.tif", tiff_16_bits()
    yield "two_pages.tif", encoded(IMAGE, "TIFF", save_all=True, append_images=[gray])
    yield "lossless.webp", encoded(IMAGE, "WEBP", lossless=True)
    yield "lossless_alpha.webp", encoded(alpha, "WEBP", lossless=True, exact=True)
    yield "exif_6.webp", encoded(IMAGE, "WEBP", lossless=True, exif=b"Exif\0\0" + exif(6))
    yield "xmp_4.webp", encoded(IMAGE, "WEBP", lossless=True, xmp=xmp(4))
    yield "animated.webp", encoded(IMAGE, "WEBP", lossless=True, save_all=True, append_images=[IMAGE.rotate(180)])
    yield "lossy.webp", encoded(IMAGE, "WEBP", quality=90)


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    lines, pixels = [], b""
    for name, file in cases():
        (out / name).write_bytes(file)
        with Image.open(io.BytesIO(file)) as image:
            decoded = ImageOps.exif_transpose(image).convert("RGB")
        tolerance = {"lossy.webp": 2, "rgb_565.bmp": 1, "rgb_555.bmp": 1}.get(name, 0)
        lines.append(f"{name}\t{decoded.width}\t{decoded.height}\t{tolerance}\n")
        pixels += decoded.tobytes()
    (out / "cases.tsv").write_text("".join(lines))
    (out / "pixels.rgb").write_bytes(pixels)


main()
