#!/usr/bin/env python3
"""How much of what experts and fusion say is true, and how much of what is there they say.

    score.py OUT                     a table: precision and recall of each expert and after fusion
    score.py OUT --wrong             and every wrong or missed item
    score.py OUT --curve             how often an answer is right by its score, per source: for
    thresholds score.py --compare A B           two datasets side by side, and what only one of them
    says score.py OUT --floors FILE       fails when a figure is below the file's

--fold open or held: on half of the pictures; thresholds are chosen on `open` and reported on
`held`.
"""

import argparse
import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict

from evidence import Dataset, truth

IOU = 0.5
SIZES = (
    ('small', 0, 0.01),
    ('medium', 0.01, 0.1),
    ('large', 0.1, 2),
)  # share of the image, as fuse has them
SAME = {
    'sofa': 'couch',
    'television': 'tv',
    'tvmonitor': 'tv',
    'aeroplane': 'airplane',
    'plane': 'airplane',
    'motorbike': 'motorcycle',
    'bike': 'bicycle',
    'pottedplant': 'potted plant',
    'houseplant': 'potted plant',
    'diningtable': 'dining table',
    'mobile phone': 'cell phone',
    'ball': 'sports ball',
    'soccer ball': 'sports ball',
    'football': 'sports ball',
    'mug': 'cup',
    'coffee cup': 'cup',
    'pickup truck': 'truck',
    'pickup': 'truck',
    'eagle': 'bird',
    'man': 'person',
    'woman': 'person',
    'boy': 'person',
    'girl': 'person',
    'lamb': 'sheep',
    'wineglass': 'wine glass',
    'wine bottle': 'bottle',
    'people': 'person',
    'billiard table': 'pool table',
}
PARENTS = {
    'animal': 'dog cat bird horse sheep cow elephant bear zebra giraffe rabbit raccoon quokka eel',
    'mammal': 'dog cat horse sheep cow elephant bear zebra giraffe rabbit raccoon quokka',
    'vehicle': 'airplane bicycle boat bus car motorcycle train truck bulldozer',
    'furniture': 'chair couch bed|dining table|bench bookcase cabinet',
    'plant': 'potted plant|flower tree dandelion',
    'table': 'dining table|pool table',
    'tableware': 'cup bowl fork knife spoon plate|wine glass',
    'house plant': 'potted plant',
    'ship': 'boat',
    'watercraft': 'boat',
    'glass': 'wine glass',
    'computer': 'laptop',
    'aircraft': 'airplane',
}
KINDS = {
    parent: {
        k
        for group in names.split('|')
        for k in (
            [group]
            if group in ('potted plant', 'dining table', 'pool table', 'wine glass')
            else group.split()
        )
    }
    for parent, names in PARENTS.items()
}


def name_of(label):
    label = re.sub(r'\s+', ' ', label.lower().replace('_', ' ')).strip()
    label = SAME.get(label, label)
    if (
        label.endswith('s')
        and not label.endswith(('ss', 'us'))
        and label not in ('sunglasses', 'eyeglasses', 'glasses', 'scissors')
    ):
        label = label[:-2] if label.endswith(('ches', 'shes', 'xes')) else label[:-1]
    return SAME.get(label, label)


# ---- geometry ----


def area(b):
    return max(0.0, b[2] - b[0]) * max(0.0, b[3] - b[1])


def shared(a, b):
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def iou(a, b):
    s = shared(a, b)
    return s / (area(a) + area(b) - s) if s else 0.0


def size_of(box, picture):
    share = area(box) / (picture['width'] * picture['height'])
    return next(name for name, low, high in SIZES if low <= share < high)


# ---- boxes ----


def judge_box(item, picture, found):
    """'right' (then found, true box -> who found it, grows), 'wrong' or 'ignored'."""
    label, box = name_of(item['label']), item['box']
    entries = [o for o in picture['objects'] if name_of(o['label']) == label]
    for o in entries:
        free = [(iou(box, b), i) for i, b in enumerate(o['boxes']) if (o['label'], i) not in found]
        if item['count'] > 1:  # a group: the true ones inside it
            inside = [
                (o['label'], i)
                for _, i in free
                if shared(box, o['boxes'][i]) >= 0.7 * area(o['boxes'][i])
            ]
            found.update({key: item['source'] for key in inside[: item['count']]})
            return (
                'right' if inside and (len(inside) >= item['count'] or o.get('crowd')) else 'wrong'
            )
        best = max(free, default=(0, -1))
        if best[0] >= IOU:
            found[o['label'], best[1]] = item['source']
            return 'right'
    for o in entries:
        if any(
            iou(box, b) >= IOU and found.get((o['label'], i), item['source']) != item['source']
            for i, b in enumerate(o['boxes'])
        ):
            return 'ignored'  # another detector said it already
        if any(
            iou(box, u) >= IOU or shared(box, u) >= 0.8 * area(box) for u in o.get('unsure', [])
        ):
            return 'ignored'
        if o.get('crowd') and all(iou(box, b) < IOU for b in o['boxes']):
            return 'ignored'
        if o['count'] and not o['boxes']:  # it is there, where was not written down
            return 'ignored'
    return 'ignored' if not entries and is_said(label, picture) else 'wrong'


def judge_boxes(items, picture):
    found, verdicts = {}, []
    for item in sorted(items, key=lambda i: (-i['score'], i['label'], i['box'])):
        verdicts.append((item, judge_box(item, picture, found)))
    missed = [
        (o['label'], b)
        for o in picture['objects']
        for i, b in enumerate(o['boxes'])
        if (o['label'], i) not in found
    ]
    return verdicts, missed


# ---- words: labels of the whole picture ----


def is_said(label, picture):
    """True when the label, or a kind of it, is a word that is true of the picture."""
    true = {name_of(o['label']) for o in picture['objects'] if o['count'] or o['boxes']} | {
        name_of(a) for a in picture['also']
    }
    return label in true or bool(KINDS.get(label, set()) & true)


def judge_word(label, picture):
    if is_said(label, picture):
        return 'right'
    return 'ignored' if any(name_of(o['label']) == label for o in picture['objects']) else 'wrong'


def judge_tags(items, picture):
    return [(i, judge_word(name_of(i['label']), picture)) for i in items]


# ---- text ----


def words_of(text):
    text = unicodedata.normalize('NFKC', text).casefold()
    return [w for w in (re.sub(r'[^\w]', '', part) for part in text.split()) if w]


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def alike(a, b):
    """One letter in four may differ: `Pilsner` as `Pilsnar`; short words must be the same."""
    return a == b or distance(a, b) <= max(len(a), len(b)) // 4


def take(word, pool):
    near = min(((distance(word, w), w) for w in pool if alike(word, w)), default=None)
    if near:
        pool.remove(near[1])
    return bool(near)


def judge_lines(items, picture):
    """[(item, right words, wrong words)], missed words."""
    open_words = [w for t in picture['text'] for w in words_of(t)]
    maybe = [w for t in picture['maybe'] for w in words_of(t)]
    verdicts = []
    for item in sorted(items, key=lambda i: -i['score']):
        right = wrong = 0
        for w in words_of(item['label']):
            if take(w, open_words):
                right += 1
            elif '*' not in picture['maybe'] and not any(alike(w, m) for m in maybe):
                wrong += 1
        verdicts.append((item, right, wrong))
    return verdicts, open_words


# ---- figures ----


class Tally:
    """Right, wrong and missed by group name (`all` or a size)."""

    def __init__(self):
        self.right, self.wrong, self.true, self.hit = Counter(), Counter(), Counter(), Counter()

    def said(self, right, group='all', n=1):
        (self.right if right else self.wrong)[group] += n

    def there(self, hit, group='all', n=1):
        self.true[group] += n
        self.hit[group] += n if hit else 0

    def precision(self, group='all'):
        n = self.right[group] + self.wrong[group]
        return self.right[group] / n if n else None

    def recall(self, group='all'):
        return self.hit[group] / self.true[group] if self.true[group] else None


def tally_boxes(tally, verdicts, missed, picture):
    for item, verdict in verdicts:
        if verdict != 'ignored':
            for group in ('all', size_of(item['box'], picture)):
                tally.said(verdict == 'right', group)
    lost = Counter((label, tuple(b)) for label, b in missed)
    for o in picture['objects']:
        for b in o['boxes']:
            for group in ('all', size_of(b, picture)):
                tally.there(not lost[o['label'], tuple(b)], group)


def tally_presence(tally, counts, items, picture):
    said = Counter()
    for i in items:
        said[name_of(i['label'])] += i['count']
    for label in said:
        verdict = judge_word(label, picture)
        if verdict != 'ignored':
            tally.said(verdict == 'right')
    for o in picture['objects']:
        if o['boxes']:
            tally.there(said[name_of(o['label'])] > 0)
            if not o.get('crowd') and not o.get('unsure'):
                counts.append(abs(said[name_of(o['label'])] - o['count']))


class Report:
    """Figures by (source, what); details: (image, source, what happened, words)."""

    def __init__(self, dataset, pictures):
        self.pictures = {name: p for name, p in pictures.items() if name in dataset.tags}
        self.tallies, self.counts, self.details, self.scores = (
            {},
            defaultdict(list),
            [],
            defaultdict(list),
        )
        groups = {
            f'detect {s}': self.by_source(dataset.boxes, s) for s in self.sources(dataset.boxes)
        }
        for name, boxes in {
            **groups,
            'detect all': dataset.boxes,
            'fused': dataset.fused_boxes,
        }.items():
            self.boxes(name, boxes)
        for s in self.sources(dataset.tags):
            self.words(f'tag {s}', self.by_source(dataset.tags, s))
        self.words('fused tags', dataset.fused_tags)
        self.text('read', dataset.lines)
        self.text('fused lines', dataset.fused_lines)

    @staticmethod
    def sources(items):
        return sorted({i['source'] for listed in items.values() for i in listed})

    @staticmethod
    def by_source(items, source):
        return {
            name: [i for i in listed if i['source'] == source] for name, listed in items.items()
        }

    def note(self, name, image, happened, item):
        where = ' [%d, %d, %d, %d]' % item['box'] if item.get('box') else ''
        score = '%.2f ' % item['score'] if item.get('score') is not None else ''
        self.details.append((image, name, happened, f"{score}{item['label']}{where}"))

    def boxes(self, name, boxes):
        tally, presence = Tally(), Tally()
        for image, picture in self.pictures.items():
            verdicts, missed = judge_boxes(boxes[image], picture)
            tally_boxes(tally, verdicts, missed, picture)
            tally_presence(presence, self.counts[name], boxes[image], picture)
            for item, verdict in verdicts:
                self.note(name, image, verdict, item)
                if verdict != 'ignored':
                    self.scores[name].append((item['score'], verdict == 'right'))
            for label, b in missed:
                self.note(name, image, 'missed', {'label': label, 'box': tuple(b)})
        self.tallies[name, 'boxes'], self.tallies[name, 'presence'] = tally, presence

    def words(self, name, tags):
        tally = self.tallies[name, 'tags'] = Tally()
        for image, picture in self.pictures.items():
            verdicts = judge_tags(tags[image], picture)
            tally.there(any(v == 'right' for _, v in verdicts))  # recall: pictures with a right tag
            for item, verdict in verdicts:
                self.note(name, image, verdict, item)
                if verdict != 'ignored':
                    tally.said(verdict == 'right')
                    self.scores[name].append((item['score'], verdict == 'right'))

    def text(self, name, lines):
        tally = self.tallies[name, 'words'] = Tally()
        for image, picture in self.pictures.items():
            verdicts, missed = judge_lines(lines[image], picture)
            n_true = sum(len(words_of(t)) for t in picture['text'])
            tally.there(True, n=n_true - len(missed))
            tally.there(False, n=len(missed))
            for item, right, wrong in verdicts:
                tally.said(True, n=right)
                tally.said(False, n=wrong)
                self.note(
                    name, image, 'wrong' if wrong > right else 'right' if right else 'ignored', item
                )
                self.scores[name] += [(item['score'], True)] * right + [
                    (item['score'], False)
                ] * wrong
            if missed:
                self.note(name, image, 'missed', {'label': ' '.join(missed)})

    def figures(self):
        """`fused boxes precision small` -> value, for floors and comparison."""
        out = {}
        for (name, what), t in self.tallies.items():
            for group in ['all'] + [s[0] for s in SIZES] if what == 'boxes' else ['all']:
                for kind, value in (('precision', t.precision(group)), ('recall', t.recall(group))):
                    if value is not None:
                        out[' '.join([name, what, kind] + ([] if group == 'all' else [group]))] = (
                            value
                        )
            if what == 'presence' and self.counts[name]:
                out[f'{name} count error'] = sum(self.counts[name]) / len(self.counts[name])
        return out


# ---- what is printed ----


def percent(value):
    return '    -' if value is None else '%5.1f' % (100 * value)


def print_table(report):
    print(
        f"{len(report.pictures)} pictures; boxes: same label and IoU >= {IOU}; P precision, R recall, %\n"
    )
    print(
        '%-26s %5s %5s | %5s %5s | small P   R  | medium P  R | large P   R | a picture\'s labels P R | count error'
        % ('boxes', 'right', 'wrong', 'P', 'R')
    )
    for (name, what), t in report.tallies.items():
        if what == 'boxes':
            p, counts = report.tallies[name, 'presence'], report.counts[name]
            sizes = ' | '.join(
                percent(t.precision(s)) + ' ' + percent(t.recall(s)) for s, _, _ in SIZES
            )
            print(
                '%-26s %5d %5d | %s %s | %s | %10s %s       | %.2f'
                % (
                    name,
                    t.right['all'],
                    t.wrong['all'],
                    percent(t.precision()),
                    percent(t.recall()),
                    sizes,
                    percent(p.precision()),
                    percent(p.recall()),
                    sum(counts) / len(counts) if counts else 0,
                )
            )
    print(
        '\n%-26s %5s %5s | %5s %5s'
        % ('tags; words of text', 'right', 'wrong', 'P', 'R (tags: pictures with a right one)')
    )
    for (name, what), t in report.tallies.items():
        if what in ('tags', 'words'):
            print(
                '%-26s %5d %5d | %s %s'
                % (
                    name,
                    t.right['all'],
                    t.wrong['all'],
                    percent(t.precision()),
                    percent(t.recall()),
                )
            )


def print_details(report, wanted=('wrong', 'missed')):
    for image, name, happened, words in sorted(report.details):
        if happened in wanted:
            print(f'{image}: {name}: {happened}: {words}')


def print_curve(report, step=0.05):
    """Per source and score bucket: answers, share that is right, and the share of all answers from
    this score on."""
    for name, scores in report.scores.items():
        if not scores:
            continue
        print(
            f'\n{name}: {len(scores)} answers\nscore        answers  right %  | from here on: answers  right %'
        )
        n_steps = round(1 / step)
        bucket = [[] for _ in range(n_steps)]
        for score, right in scores:
            bucket[min(n_steps - 1, max(0, int(score / step + 1e-9)))].append(right)
        for i, here in enumerate(bucket):
            rest = [r for b in bucket[i:] for r in b]
            if here:
                print(
                    '%.2f - %.2f %9d  %s    | %22d  %s'
                    % (
                        i * step,
                        (i + 1) * step,
                        len(here),
                        percent(sum(here) / len(here)),
                        len(rest),
                        percent(sum(rest) / len(rest)),
                    )
                )


def print_comparison(a, b):
    fa, fb = a.figures(), b.figures()
    for key in list(dict.fromkeys([*fa, *fb])):
        x, y = fa.get(key), fb.get(key)
        change = '%+6.1f' % (100 * (y - x)) if x is not None and y is not None else ''
        print('%-44s %s %s %s' % (key, percent(x), percent(y), change))
    for title, one, other in (('only the first says', a, b), ('only the second says', b, a)):
        said = {d for d in one.details if d[2] != 'missed' and d[1].startswith('fused')}
        also = {d for d in other.details if d[2] != 'missed' and d[1].startswith('fused')}
        print(f'\n{title}:')
        for image, name, happened, words in sorted(said - also):
            print(f'  {happened:8} {image}: {name}: {words}')


def check_floors(report, path):
    figures, failed = report.figures(), 0
    with open(path, encoding='utf-8') as file:
        for key, floor in json.load(file).items():
            value = figures.get(key)
            is_error = key.endswith('error')
            if value is None or (value > floor if is_error else value < floor):
                print(
                    f"{key}: {'nothing' if value is None else '%.3f' % value}, {'at most' if is_error else 'at least'} {floor}"
                )
                failed += 1
    return failed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', nargs='?', help='a finished dataset')
    parser.add_argument('--fold', choices=('all', 'open', 'held'), default='all')
    parser.add_argument('--wrong', action='store_true')
    parser.add_argument('--curve', action='store_true')
    parser.add_argument('--compare', nargs=2, metavar=('A', 'B'))
    parser.add_argument('--floors', metavar='FILE')
    parser.add_argument('--json', metavar='FILE', help='write the figures')
    args = parser.parse_args()
    pictures = truth(fold=args.fold)
    if args.compare:
        print_comparison(*(Report(Dataset(folder), pictures) for folder in args.compare))
        return 0
    if not args.out:
        parser.error('which dataset?')
    report = Report(Dataset(args.out), pictures)
    if not report.pictures:
        parser.error(f'{args.out} holds none of the pictures')
    print_table(report)
    if args.wrong:
        print_details(report)
    if args.curve:
        print_curve(report)
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as file:
            json.dump(report.figures(), file, indent=1)
    return 1 if args.floors and check_floors(report, args.floors) else 0


if __name__ == '__main__':
    sys.exit(main())
