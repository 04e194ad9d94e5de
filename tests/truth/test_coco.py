#!/usr/bin/env python3
"""export's coco.json by COCO's own library: it loads, every image has its boxes, and as answers to
itself it is all right."""

import sys

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

path = sys.argv[1]
coco = COCO(path)
boxes = coco.loadAnns(coco.getAnnIds())
assert coco.getImgIds() and boxes, 'nothing in it'
for a in boxes:
    image = coco.loadImgs(a['image_id'])[0]
    x, y, w, h = a['bbox']
    assert (
        w > 0
        and h > 0
        and x >= -1
        and y >= -1
        and x + w <= image['width'] + 1
        and y + h <= image['height'] + 1
    ), a
answers = coco.loadRes(
    [{k: a[k] for k in ('image_id', 'category_id', 'bbox', 'score')} for a in boxes]
)
evaluation = COCOeval(coco, answers, 'bbox')
evaluation.evaluate()
evaluation.accumulate()
evaluation.summarize()
assert evaluation.stats[0] > 0.999, evaluation.stats
