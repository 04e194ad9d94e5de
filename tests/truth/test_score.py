#!/usr/bin/env python3
"""The scorer on cases whose answer is known, and the truth's own form."""

import unittest

from evidence import truth
from score import alike, iou, judge_boxes, judge_lines, judge_word, name_of


def picture(**entries):
    return {
        'image': 'a.jpg',
        'width': 100,
        'height': 100,
        'objects': [],
        'also': [],
        'text': [],
        'maybe': [],
        **entries,
    }


def item(label, box, score=0.5, source='a', count=1):
    return {'label': label, 'box': box, 'score': score, 'source': source, 'count': count}


class Boxes(unittest.TestCase):
    dogs = picture(
        objects=[{'label': 'dog', 'count': 2, 'boxes': [[0, 0, 10, 10], [20, 0, 30, 10]]}]
    )

    def verdicts(self, items, where=None):
        judged, missed = judge_boxes(items, where or self.dogs)
        return [v for _, v in judged], len(missed)

    def test_one_box_is_found_once(self):
        self.assertEqual(
            self.verdicts([item('dog', (0, 0, 10, 10), 0.9), item('dog', (0, 0, 10, 9), 0.8)]),
            (['right', 'wrong'], 1),
        )

    def test_a_second_detector_may_say_it_too(self):
        both = [item('dog', (0, 0, 10, 10), 0.9), item('dog', (0, 0, 10, 9), 0.8, 'b')]
        self.assertEqual(self.verdicts(both), (['right', 'ignored'], 1))

    def test_label_and_place_must_be_right(self):
        self.assertEqual(
            self.verdicts([item('cat', (0, 0, 10, 10)), item('dog', (5, 5, 15, 15))]),
            (['wrong', 'wrong'], 2),
        )

    def test_a_group_stands_for_its_members(self):
        self.assertEqual(self.verdicts([item('dog', (0, 0, 30, 10), count=2)]), (['right'], 0))
        self.assertEqual(self.verdicts([item('dog', (0, 0, 30, 10), count=3)]), (['wrong'], 0))

    def test_what_is_unsure_counts_for_nothing(self):
        where = picture(
            objects=[{'label': 'chair', 'count': 0, 'boxes': [], 'unsure': [[0, 0, 50, 50]]}]
        )
        self.assertEqual(
            self.verdicts(
                [item('chair', (10, 10, 20, 20)), item('chair', (60, 60, 90, 90))], where
            ),
            (['ignored', 'wrong'], 0),
        )

    def test_a_crowd_has_more_than_its_boxes(self):
        where = picture(
            objects=[{'label': 'person', 'count': 1, 'boxes': [[0, 0, 10, 10]], 'crowd': True}]
        )
        self.assertEqual(
            self.verdicts([item('man', (0, 0, 10, 10)), item('person', (60, 60, 90, 90))], where),
            (['right', 'ignored'], 0),
        )

    def test_overlap(self):
        self.assertAlmostEqual(iou((0, 0, 10, 10), (5, 0, 15, 10)), 1 / 3)
        self.assertEqual(iou((0, 0, 1, 1), (2, 2, 3, 3)), 0)


class Words(unittest.TestCase):
    def test_kinds_and_names(self):
        where = picture(
            objects=[
                {'label': 'dog', 'count': 1, 'boxes': []},
                {'label': 'tv', 'count': 0, 'boxes': [], 'unsure': [[0, 0, 9, 9]]},
            ],
            also=['beaches'],
        )
        said = [
            judge_word(name_of(w), where) for w in ('Dogs', 'animal', 'beach', 'television', 'cat')
        ]
        self.assertEqual(said, ['right', 'right', 'right', 'ignored', 'wrong'])

    def test_text(self):
        where = picture(text=['RIVER MARKET', 'Free entry'], maybe=['BIJU'])
        verdicts, missed = judge_lines(
            [item('River Markot', None), item('BIJU XYZZY', None)], where
        )
        self.assertEqual([(r, w) for _, r, w in verdicts], [(2, 0), (0, 1)])
        self.assertEqual(missed, ['free', 'entry'])

    def test_alike(self):
        self.assertTrue(alike('market', 'markot'))
        self.assertFalse(alike('no', 'on'))


class Truth(unittest.TestCase):
    def test_form(self):
        pictures = truth()
        self.assertGreaterEqual(len(pictures), 60)
        self.assertEqual(len(pictures), len(truth(fold='open')) + len(truth(fold='held')))
        for p in pictures.values():
            for o in p['objects']:
                self.assertTrue(
                    not o['boxes'] or o['count'] == len(o['boxes']), (p['image'], o['label'])
                )
                for b in o['boxes'] + o.get('unsure', []):
                    self.assertTrue(
                        0 <= b[0] < b[2] <= p['width'] and 0 <= b[1] < b[3] <= p['height'],
                        (p['image'], b),
                    )


if __name__ == '__main__':
    unittest.main()
