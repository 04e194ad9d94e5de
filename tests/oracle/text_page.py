#!/usr/bin/env python3
"""Draws the pages that tests/unit/test_text.c reads, and the lines on them.

    pip install pillow; tests/oracle/text_page.py      writes tests/data/text_page_*.jpg and
    text_page.tsv

A row a line: page, text, x, y of the text's own top left and bottom right (on its baseline's side)
in pixels.
"""

import math
import pathlib

from PIL import Image, ImageDraw, ImageFont

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans%s.ttf"
# page -> size, ground, lines: text, font, pixels, centre, degrees clockwise, colour
PAGES = {
    "level": (
        (760, 480),
        (246, 241, 230),
        [
            ("Harbour Museum", "-Bold", 44, (300, 60), 0, (20, 40, 90)),
            ("Open daily 9:30 to 17:00", "", 26, (250, 140), 0, (60, 60, 60)),
            ("Tickets 12.50, children free", "", 19, (560, 200), 0, (150, 20, 20)),
            ("Please keep to the marked paths.", "", 14, (200, 260), 0, (0, 0, 0)),
            ("Platform 12", "-Bold", 30, (560, 320), 0, (0, 110, 60)),
            ("last ferry leaves at 18:45", "", 12, (180, 400), 0, (40, 40, 40)),
        ],
    ),
    "turned": (
        (640, 640),
        (28, 44, 60),
        [
            ("SLOW DOWN", "-Bold", 40, (320, 80), 12, (250, 220, 60)),
            ("Bakery and coffee", "", 26, (200, 300), -35, (240, 240, 240)),
            ("upside down", "", 30, (450, 560), 180, (180, 230, 255)),
            ("reads downward", "", 28, (590, 300), 90, (255, 180, 160)),
            ("reads upward", "", 28, (60, 480), -90, (200, 255, 200)),
        ],
    ),
}


def draw(image, text, font, size, centre, degrees, colour):
    face = ImageFont.truetype(FONT % font, size)
    left, top, right, bottom = face.getbbox(text)
    piece = Image.new("L", (right - left + 8, bottom - top + 8))
    ImageDraw.Draw(piece).text((4 - left, 4 - top), text, 255, face)
    turned = piece.rotate(-degrees, expand=True, resample=Image.BICUBIC)
    image.paste(colour, (centre[0] - turned.width // 2, centre[1] - turned.height // 2), turned)
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    w, h = (right - left) / 2, (bottom - top) / 2
    return [
        centre[0] - w * c + h * s,
        centre[1] - w * s - h * c,
        centre[0] + w * c - h * s,
        centre[1] + w * s + h * c,
    ]


def main():
    rows = []
    for name, (size, ground, lines) in PAGES.items():
        image = Image.new("RGB", size, ground)
        for line in lines:
            at = draw(image, *line)
            rows.append("\t".join([name, line[0]] + [f"{v:.1f}" for v in at]))
        image.save(DATA / f"text_page_{name}.jpg", quality=80)
    (DATA / "text_page.tsv").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
