"""Image files of many kinds, as cameras, scanners and programs write them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 40, 56
UNREADABLE = {
    "empty.jpg",
    "cut_short.jpg",
    "text.png",
    "cut_short.png",
    "float_nan.tif",
    "float_inf.tif",
    "float_minus_inf.tif",
}
"""Names of those that no program should take for an image."""


def scene(height=HEIGHT, width=WIDTH):
    """A smooth picture without symmetry, uint8 `(height, width, 3)`."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = [
        np.sin(5 * x + 2 * y) * 90 + 120,
        np.cos(4 * y * x + x) * 100 + 110,
        (x > y) * 140 + 60 * y,
    ]
    return np.clip(np.stack(waves, -1), 0, 255).astype("uint8")


def write_odd_files(folder):
    """Writes them all; returns the list of their paths."""
    for write in (_turned, _deep, _palettes, _modes, _sizes, _moving, _broken):
        write(folder)
    return sorted(folder.iterdir())


def _turned(folder):
    image = Image.fromarray(scene())
    for orientation in range(1, 10):  # There is no 9.
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.save(folder / f"turned_{orientation}.jpg", exif=exif, quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(folder / "turned_6.png", exif=exif)
    image.save(folder / "turned_6.webp", exif=exif, lossless=True)
    image.save(folder / "turned_6.tif", exif=exif)


def _deep(folder):
    grey = scene()[..., 0].astype("float64")
    sixteen = np.rint(grey * 257).astype("uint16")
    Image.fromarray(sixteen).save(folder / "16_bits.png")
    Image.fromarray(sixteen).save(folder / "16_bits.tif")
    _big_endian_tiff(folder / "16_bits_big_endian.tif", sixteen)
    (folder / "16_bits_rgb.png").write_bytes(_png_of_16_bits(scene()))
    for name, values in (
        ("32_bits.tif", (grey * 400).astype("int32")),
        ("32_bits_negative.tif", (grey * 400 - 20_000).astype("int32")),
        ("float_shares.tif", (grey / 255).astype("float32")),
        ("float_levels.tif", grey.astype("float32")),
        ("float_counts.tif", (grey * 30 - 900).astype("float32")),
        ("float_dark.tif", np.zeros_like(grey, "float32")),
    ):
        Image.fromarray(values).save(folder / name)
    for name, value in (
        ("float_nan.tif", np.nan),
        ("float_inf.tif", np.inf),
        ("float_minus_inf.tif", -np.inf),
    ):
        holes = (grey / 255).astype("float32")
        holes[3:9, 4:9] = value
        Image.fromarray(holes).save(folder / name)


def _palettes(folder):
    image = Image.fromarray(scene()).quantize(32)
    image.save(folder / "palette.png")
    image.save(folder / "palette_one_clear.png", transparency=3)
    clear = bytes(range(0, 256, 8))
    image.save(folder / "palette_clear.png", transparency=clear)
    image.convert("1").save(folder / "1_bit.png")
    image.convert("1").save(folder / "1_bit.tif")
    image.save(folder / "palette.bmp")


def _modes(folder):
    pixels = scene()
    alpha = pixels[::-1, :, :1]
    both = np.concatenate([pixels, alpha], -1)
    Image.fromarray(both).save(folder / "alpha.png")
    Image.fromarray(both).save(folder / "alpha.webp", lossless=True)
    Image.fromarray(both[..., 2:]).save(folder / "grey_alpha.png")
    Image.fromarray(both).save(folder / "alpha.tif")
    _premultiplied_tiff(folder / "alpha_premultiplied.tif", both)
    image = Image.fromarray(pixels)
    clear = tuple(map(int, pixels[0, 0]))  # Pillow takes no numbers of NumPy.
    image.save(folder / "clear_color.png", transparency=clear)
    image.convert("L").save(folder / "grey.jpg")
    image.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    image.convert("CMYK").save(folder / "cmyk.tif")
    image.save(folder / "progressive.jpg", progressive=True)
    image.save(folder / "no_subsampling.jpg", subsampling=0)
    image.save(folder / "lossy.webp")


def _sizes(folder):
    Image.fromarray(scene(1, 1)).save(folder / "one_pixel.png")
    Image.fromarray(scene(20, 3000)).save(folder / "strip.png")
    Image.fromarray(scene(3000, 20)).save(folder / "pole.jpg")
    Image.fromarray(scene(1200, 1600)).save(folder / "large.jpg")


def _moving(folder):
    frames = [
        Image.fromarray(np.roll(scene(), 9 * number, 1)) for number in range(3)
    ]
    first, *others = frames
    for name in ("moving.gif", "moving.webp", "moving.png", "pages.tif"):
        first.save(folder / name, save_all=True, append_images=others)


def _broken(folder):
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("no picture")
    for suffix in ("jpg", "png"):
        stream = io.BytesIO()
        kind = "JPEG" if suffix == "jpg" else "PNG"
        Image.fromarray(scene()).save(stream, kind)
        half = stream.getvalue()[: len(stream.getvalue()) // 2]
        (folder / f"cut_short.{suffix}").write_bytes(half)


def _png_of_16_bits(pixels):
    """An RGB PNG file of 16 bits a channel, which Pillow does not write."""
    height, width = pixels.shape[:2]
    rows = (pixels.astype("uint16") * 256 + 77).astype(">u2")
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body))
        + kind
        + body
        + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def _big_endian_tiff(path, values):
    _tiff(path, values.astype(">u2").tobytes(), 16, 1, values.shape)


def _premultiplied_tiff(path, both):
    alpha = both[..., 3:].astype("uint16")
    color = (both[..., :3] * alpha + 127) // 255
    pixels = np.concatenate([color, alpha], -1).astype("uint8")
    _tiff(path, pixels.tobytes(), 8, 4, photometric=2, extra=1)


def _tiff(
    path, data, bits, samples, shape=(HEIGHT, WIDTH), photometric=1, extra=None
):
    """Writes a big-endian TIFF file of one strip."""
    height, width = shape[:2]
    tags = [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [bits] * samples),
        (259, 3, [1]),
        (262, 3, [photometric]),
        (273, 4, [8]),
        (277, 3, [samples]),
        (278, 4, [height]),
        (279, 4, [len(data)]),
    ]
    if extra is not None:
        tags.append((338, 3, [extra]))
    data += b"\0" * (len(data) % 2)
    start = 8 + len(data)
    behind = start + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, kind, numbers in tags:
        packed = struct.pack(f">{len(numbers)}{'HI'[kind - 3]}", *numbers)
        if len(packed) > 4:
            place = struct.pack(">I", behind + len(values))
            values += packed
            packed = place
        entries += struct.pack(">HHI", tag, kind, len(numbers))
        entries += packed.ljust(4, b"\0")
    head = b"MM\0*" + struct.pack(">I", start)
    table = struct.pack(">H", len(tags)) + entries + b"\0" * 4
    path.write_bytes(head + data + table + values)
