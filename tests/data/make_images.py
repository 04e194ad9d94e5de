#!/usr/bin/env python3
"""Writes tests/data/image/: tiny files of every format and oddity that tests/unit/test_image.c
looks at.

Needs Pillow >= 11.3 (AVIF). The files are committed; run this again only to add one.
All show the same upright 48 x 32 picture: red top left, green top right, blue bottom left, yellow
bottom right.
"""

import pathlib, struct, zlib
from PIL import Image

OUT = pathlib.Path(__file__).parent / "image"
OUT.mkdir(exist_ok=True)
W, H = 48, 32
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 220, 30)


def picture(width=W, height=H):
    image = Image.new("RGB", (width, height))
    for box, colour in [
        ((0, 0), RED),
        ((width // 2, 0), GREEN),
        ((0, height // 2), BLUE),
        ((width // 2, height // 2), YELLOW),
    ]:
        image.paste(colour, (*box, box[0] + width // 2, box[1] + height // 2))
    return image


def save(image, name, **options):
    image.save(OUT / name, **options)


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data


# What to do to the upright picture so that the viewer, obeying the tag, sees it upright again.
UNDO = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
for orientation, undo in UNDO.items():
    stored = picture() if undo is None else picture().transpose(undo)
    save(stored, f"exif-{orientation}.jpg", quality=95, subsampling=0, exif=exif(orientation))
save(
    picture().transpose(Image.Transpose.ROTATE_90),
    "exif-6.tiff",
    compression="tiff_lzw",
    tiffinfo={274: 6},
)

save(picture(), "progressive.jpg", quality=95, subsampling=0, progressive=True)
save(picture().convert("L"), "grey.jpg", quality=95)
save(picture().convert("CMYK"), "cmyk.jpg", quality=95)
save(picture(), "rgb.png")
save(picture().convert("P", palette=Image.Palette.ADAPTIVE), "palette.png")
save(picture(), "rgb.webp", quality=95)
save(picture(), "lossless.webp", lossless=True)
save(picture(), "rgb.bmp")
save(picture(), "rgb.tiff")
save(picture(), "deflate.tiff", compression="tiff_adobe_deflate")
save(picture(), "rgb.avif", quality=95, subsampling="4:4:4")
save(
    picture().transpose(Image.Transpose.ROTATE_90),
    "turned.avif",
    quality=95,
    subsampling="4:4:4",
    exif=exif(6),
)
save(
    picture(),
    "first.gif",
    save_all=True,
    append_images=[Image.new("RGB", (W, H), (0, 0, 0))],
    duration=100,
)
save(
    picture(),
    "first.webp",
    save_all=True,
    append_images=[Image.new("RGB", (W, H), (0, 0, 0))],
    lossless=True,
    duration=100,
)

# The right half is transparent over black: on white it must come out white.
ghost = picture().convert("RGBA")
ghost.paste((0, 0, 0, 0), (W // 2, 0, W, H))
save(ghost, "alpha.png")
save(ghost, "alpha.webp", lossless=True)
save(ghost, "alpha.tiff")
save(ghost, "alpha.avif", quality=95, subsampling="4:4:4")
save(ghost, "alpha.gif")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, depth, colour, rows, interlace=0, extra=b"", width=W, height=H):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    (OUT / name).write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


pixels = picture().load()
png(
    "deep.png",
    16,
    2,
    b"".join(
        b"\0" + b"".join(struct.pack(">HHH", *(v * 257 for v in pixels[x, y])) for x in range(W))
        for y in range(H)
    ),
)
ADAM7 = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
]
png(
    "interlaced.png",
    8,
    2,
    b"".join(
        b"\0" + b"".join(bytes(pixels[x, y]) for x in range(x0, W, dx))
        for x0, y0, dx, dy in ADAM7
        for y in range(y0, H, dy)
    ),
    interlace=1,
)
png("bomb.png", 8, 2, b"\0" * 64, width=60000, height=60000)
png("ribbon.png", 8, 2, b"\0" * 64, width=200000000, height=1)
