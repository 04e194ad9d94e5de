#!/usr/bin/env python3
"""Recall, speed and memory of `read` beside rapidocr with the same models, on pages drawn here.

    apt-get install fonts-dejavu-core fonts-droid-fallback; pip install rapidocr==3.10.0 onnxruntime
    pillow numpy duckdb bench/peer_text.py build/densefusion [--models share/models] [--pages 3]
    [--threads 2] [--family v6] [--keep DIR]

--pages of each kind: level, in columns, skewed, turned by 90, 180 and 270 degrees, Chinese across
and downward, accented Latin, and signs on a busy ground. Each side is a process of its own, one
after the other, with two threads and a text score of 0.5. Ours includes starting, listing and
writing; the peer's images/s are without loading and its first page, its CPU seconds with them.
Prints CSV: side, kind, characters, recall, lines read exactly, images/s, CPU s, peak MB. Recall of
a page: each drawn line takes the most like line that was read and no line takes another's; the
share of its characters that are right counts.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

from PIL import Image, ImageDraw, ImageFilter, ImageFont

DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
SERIF = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"
HAN = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"
FAMILIES = {
    "v6": ("ppocr-det-small", "ppocr-cls", "ppocr-rec-small"),
    "v4": ("ppocr-v4-det-mobile", "ppocr-cls", "ppocr-v4-rec-mobile"),
    "v5": ("ppocr-v5-det-mobile", "ppocr-v5-cls", "ppocr-v5-rec-mobile"),
}
LATIN = (
    "The harbour museum is open daily from nine to five; tickets cost 12.50 and children under ten come in free. Boats leave "
    "the old pier every half hour, weather permitting, and the last ferry returns at 18:45. Please keep to the marked "
    "paths, take your litter home and do not feed the gulls. Guided walks begin at the lighthouse gate on Sundays."
).split()
ACCENTS = (
    "Das Hafenmuseum ist täglich geöffnet, für Kinder unter zehn Jahren kostenfrei; größere Gruppen melden sich früh an. "
    "Le musée du port est fermé à Noël; la dernière traversée du soir part à côté de l'hôtel, près du château. "
    "Il museo è aperto ogni dì, così come la città; los niños españoles entran gratis mañana."
).split()
CHINESE = "港口博物馆每天上午九点至下午五点开放门票十二元儿童免费末班渡船傍晚离开旧码头请勿喂食海鸥沿着标记的小路行走每逢周日在灯塔门口有导游带领散步"


def fill(rng, words, width, font):
    """A line of random words that fits into width pixels."""
    line = rng.choice(words)
    while True:
        longer = line + " " + rng.choice(words)
        if font.getlength(longer) > width:
            return line
        line = longer


def paragraph(rng, draw, at, width, n, words, path, size, ink):
    font, lines = ImageFont.truetype(path, size), []
    for i in range(n):
        line = fill(rng, words, width, font)
        draw.text((at[0], at[1] + i * round(size * 1.35)), line, ink, font)
        lines.append(line)
    return lines


def prose(rng, words, size, fonts=(DEJAVU, SERIF), margin=40):
    """A page of paragraphs in several sizes."""
    image = Image.new("RGB", size, tuple(rng.randint(225, 255) for _ in range(3)))
    draw, lines, y = ImageDraw.Draw(image), [], margin
    while y < size[1] - 120:
        pixels, n = rng.choice([14, 16, 18, 22, 28]), rng.randint(2, 5)
        ink = tuple(rng.randint(0, 80) for _ in range(3))
        lines += paragraph(
            rng, draw, (margin, y), size[0] - 2 * margin, n, words, rng.choice(fonts), pixels, ink
        )
        y += n * round(pixels * 1.35) + 24
    return image, lines


def columns(rng):
    image = Image.new("RGB", (1200, 900), (250, 248, 240))
    draw, lines = ImageDraw.Draw(image), []
    for x in (40, 430, 820):
        lines += paragraph(rng, draw, (x, 40), 340, 30, LATIN, SERIF, 19, (30, 30, 30))
    return image, lines


def han_across(rng):
    image = Image.new("RGB", (900, 700), (255, 252, 245))
    draw, lines = ImageDraw.Draw(image), []
    for i in range(12):
        size = rng.choice([20, 26, 32])
        line = "".join(rng.choice(CHINESE) for _ in range(rng.randint(6, 820 // size)))
        draw.text((40, 30 + i * 54), line, (40, 20, 20), ImageFont.truetype(HAN, size))
        lines.append(line)
    return image, lines


def han_down(rng):
    image = Image.new("RGB", (900, 700), (245, 240, 225))
    draw, lines = ImageDraw.Draw(image), []
    for i in range(10):
        size = rng.choice([24, 30, 36])
        font, line = ImageFont.truetype(HAN, size), "".join(
            rng.choice(CHINESE) for _ in range(rng.randint(5, 600 // size))
        )
        for k, c in enumerate(line):
            draw.text((820 - i * 82, 40 + k * round(size * 1.06)), c, (50, 20, 20), font)
        lines.append(line)
    return image, lines


def signs(rng):
    """Words on boards of any colour before something like foliage."""
    noise = Image.effect_noise((300, 225), 90).resize((1200, 900), Image.BILINEAR)
    image = Image.merge("RGB", [noise.point(lambda v, k=k: v * k // 10) for k in (7, 9, 5)])
    lines = []
    for i in range(6):
        text, size = " ".join(rng.sample(LATIN, rng.randint(1, 3))), rng.choice([24, 34, 48])
        font = ImageFont.truetype(rng.choice([DEJAVU, SERIF]), size)
        dark = rng.random() < 0.5
        ground = tuple(rng.randint(*((10, 90) if dark else (170, 250))) for _ in range(3))
        ink = tuple(rng.randint(*((190, 255) if dark else (0, 70))) for _ in range(3))
        board = Image.new("RGBA", (round(font.getlength(text)) + 50, size + 40), ground + (255,))
        ImageDraw.Draw(board).text((25, 14), text, ink, font)
        board = board.rotate(rng.uniform(-15, 15), expand=True, resample=Image.BICUBIC)
        image.paste(board, (rng.randint(0, max(1, 1190 - board.width)), 10 + i * 145), board)
        lines.append(text)
    return image.filter(ImageFilter.GaussianBlur(0.7)), lines


def turned(degrees):
    def draw(rng):
        image, lines = prose(rng, LATIN, (900, 700))
        return (
            image.rotate(degrees, expand=True, resample=Image.BICUBIC, fillcolor=(240, 240, 240)),
            lines,
        )

    return draw


def skewed(rng):
    image, lines = prose(rng, LATIN, (900, 700))
    return (
        image.rotate(
            rng.uniform(-12, 12), expand=True, resample=Image.BICUBIC, fillcolor=(240, 240, 240)
        ),
        lines,
    )


KINDS = {
    "level": lambda r: prose(r, LATIN, (900, 700)),
    "columns": columns,
    "skewed": skewed,
    "turned-90": turned(270),
    "turned-180": turned(180),
    "turned-270": turned(90),
    "chinese": han_across,
    "chinese-down": han_down,
    "accents": lambda r: prose(r, ACCENTS, (900, 700)),
    "signs": signs,
}


def draw_pages(folder, n):
    truth = {}
    for kind, draw in KINDS.items():
        for i in range(n):
            image, lines = draw(random.Random(f"{kind} {i}"))
            truth[f"{kind}-{i}.jpg"] = lines
            image.save(folder / f"{kind}-{i}.jpg", quality=90)
    return truth


# ---- scoring ----


def plain(text):
    return re.sub(r"\s+", "", text)


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for k, y in enumerate(b, 1):
            before, row[k] = row[k], min(row[k] + 1, row[k - 1] + 1, before + (x != y))
    return row[-1]


def score(drawn, read):
    """Characters drawn, characters right, lines drawn, lines right."""
    left, right, exact, total = [plain(t) for t in read], 0, 0, 0
    drawn = [plain(t) for t in drawn]
    rest = []
    for line in drawn:
        total += len(line)
        if line in left:
            left.remove(line)
            right += len(line)
            exact += 1
        else:
            rest.append(line)
    for line in sorted(rest, key=len, reverse=True):
        near = [(distance(line, t), t) for t in left if abs(len(t) - len(line)) <= len(line) // 2]
        if near and min(near)[0] < len(line):
            right += len(line) - min(near)[0]
            left.remove(min(near)[1])
    return total, right, len(drawn), exact


# ---- both sides ----


def child(command):
    """Seconds, CPU seconds and peak MB of a command."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def ours(binary, models, names, folder, out, threads):
    import duckdb

    shutil.rmtree(out, ignore_errors=True)
    cards = [f"--read.{k}={v}" for k, v in zip(("detector", "orienter", "recogniser"), names)]
    seconds, cpu, peak = child(
        [
            binary,
            "run",
            folder,
            "-o",
            out,
            f"-j{threads}",
            "--models",
            models,
            "--to=read",
            "--skip=embed,cluster,dedup,select,tag,detect",
            "--filter.min_side=0",
            "--read.threshold=0.5",
            "--read.min_chars=1",
            *cards,
        ]
    )
    read = {}
    for path, text in duckdb.sql(
        f"select i.path, r.text from '{out}/ingest/part-00000.parquet' i join '{out}/read/part-00000.parquet' r "
        "on i.row = r.row"
    ).fetchall():
        read.setdefault(path, []).append(text)
    return read, seconds, cpu, peak


def peer(models, names, folder, out, threads):
    """Runs in a process of its own: writes what it read and its seconds to out."""
    import cv2
    from rapidocr import RapidOCR
    from rapidocr.utils.typings import OCRVersion

    cv2.setNumThreads(threads)
    detector, orienter, recogniser = (str(models / f"{n}.onnx") for n in names)
    params = {
        "Global.log_level": "error",
        "Global.text_score": 0.5,
        "Det.model_path": detector,
        "Cls.model_path": orienter,
        "Rec.model_path": recogniser,
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    labels = models / "ppocr-v5.labels.txt"
    if "v5" in names[2]:  # rapidocr adds blank and space itself
        keys = out.with_suffix(".keys")
        keys.write_text(
            "\n".join(labels.read_text(encoding="utf-8").split("\n")[1:-2]) + "\n", encoding="utf-8"
        )
        params |= {"Rec.rec_keys_path": str(keys), "Cls.ocr_version": OCRVersion.PPOCRV5}
    engine, read = RapidOCR(params=params), {}
    files = sorted(folder.iterdir())
    engine(str(files[0]))
    began = time.perf_counter()
    for file in files:
        result = engine(str(file))
        read[file.name] = list(result.txts or ())
    out.write_text(json.dumps([read, time.perf_counter() - began]), encoding="utf-8")


def report(side, truth, read, seconds, cpu, peak):
    totals = [0, 0, 0, 0]
    for kind in KINDS:
        sums = [
            sum(v)
            for v in zip(
                *(
                    score(lines, read.get(page, []))
                    for page, lines in truth.items()
                    if page.rsplit("-", 1)[0] == kind
                )
            )
        ]
        totals = [a + b for a, b in zip(totals, sums)]
        print(f"{side},{kind},{sums[0]},{sums[1] / sums[0]:.4f},{sums[3]}/{sums[2]},,,")
    print(
        f"{side},all,{totals[0]},{totals[1] / totals[0]:.4f},{totals[3]}/{totals[2]},{len(truth) / seconds:.2f},{cpu:.1f},{peak:.0f}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path("share/models"))
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--family", choices=FAMILIES, default="v6")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for pages and results, kept")
    parser.add_argument("--peer", type=pathlib.Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    names = FAMILIES[args.family]
    work = args.keep or pathlib.Path(tempfile.mkdtemp())
    if args.peer:
        peer(args.models, names, work / "pages", args.peer, args.threads)
        return
    (work / "pages").mkdir(parents=True, exist_ok=True)
    truth = draw_pages(work / "pages", args.pages)
    print("side,kind,characters,recall,exact,images_per_s,cpu_s,peak_mb")
    report(
        "densefusion",
        truth,
        *ours(args.binary, args.models, names, work / "pages", work / "out", args.threads),
    )
    said = work / "peer.json"
    _, cpu, peak = child(
        [
            sys.executable,
            __file__,
            args.binary,
            "--models",
            args.models,
            "--threads",
            str(args.threads),
            "--family",
            args.family,
            "--keep",
            work,
            "--peer",
            said,
        ]
    )
    read, seconds = json.loads(said.read_text(encoding="utf-8"))
    report("rapidocr", truth, read, seconds, cpu, peak)
    if not args.keep:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
