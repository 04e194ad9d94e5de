"""The report's page in real Chromium, from the file system: python3 tests/browser/test_page.py
REPORT_FOLDER CLUSTERS_REPORT_FOLDER

The folders are what tests/unit/test_report.c makes: 7 images, 3 captions, hostile text in every
field; 8 images in 3 clusters.
"""

import pathlib
import sys
import unittest

import chromium

REPORT = CLUSTERS = None
DOG, WALL, TINY, BROKEN = "00000-000000", "00000-000002", "00000-000001", "00000-000003"


class Browser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.b = chromium.Chromium(chromium.find())

    @classmethod
    def tearDownClass(cls):
        cls.b.close()

    def setUp(self):
        self.b.events.clear()
        self.b.size(1280, 900)
        self.b.open("about:blank")

    def tearDown(self):
        self.assertEqual(self.b.problems(), [])
        self.assertIsNone(self.b.run("window.hacked ?? null"))
        self.assertEqual(
            [url for url in self.b.requests() if not url.startswith(("file:", "about:"))], []
        )


class Page(Browser):
    def setUp(self):
        super().setUp()
        self.visit("")
        self.b.wait("document.querySelectorAll('#cards .card').length === 3")

    def visit(self, fragment):
        self.b.open((REPORT / "index.html").as_uri() + fragment)
        self.b.wait("document.readyState === 'complete' && densefusion.images.length === 7")

    def choose(self, element, value):
        self.b.run(
            f"(() => {{ const e = byId('{element}'); e.type === 'checkbox' ? e.checked = {value} : e.value = {value};"
            " e.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )

    def shown(self):
        return self.b.run(
            "[...document.querySelectorAll('#cards .card')].map(c => c.hash.slice(1))"
        )

    def test_gallery_shows_pictures(self):
        self.assertEqual(self.b.run("byId('count').textContent"), "3 of 7")
        self.b.wait(
            "[...document.querySelectorAll('#cards img')].every(i => i.complete && i.naturalWidth > 0)"
        )
        self.assertIn("photos", self.b.run("document.title"))

    def test_search_narrows(self):
        self.choose("find", "'STREETS meet'")
        self.assertEqual(self.shown(), ["00001-000000"])
        self.choose("find", "'nothing like this'")
        self.assertEqual(self.shown(), [])
        self.assertFalse(self.b.run("byId('empty').hidden"))
        self.choose("find", "'café'")
        self.assertEqual(self.shown(), [DOG])

    def test_filters(self):
        self.choose("state", "'fail'")
        self.assertEqual(self.shown(), [WALL])
        self.choose("state", "'rejected'")
        self.assertEqual(self.shown(), [TINY, BROKEN, "00001-000001"])
        self.choose("reason", "'small'")
        self.assertEqual(self.shown(), [TINY])
        self.choose("reason", "''")
        self.choose("state", "'captioned'")
        self.choose("has-text", "true")
        self.assertEqual(self.shown(), [DOG, WALL])
        self.choose("label", "'dog'")
        self.assertEqual(self.shown(), [DOG])

    def test_one_image_with_its_evidence(self):
        self.b.run("document.querySelector('#cards .card').click()")
        self.b.wait("byId('detail').open && document.querySelector('.stage img').naturalWidth > 0")
        self.assertEqual(self.b.run("document.querySelectorAll('.shapes polygon.box').length"), 2)
        self.assertEqual(self.b.run("document.querySelectorAll('.shapes polygon.line').length"), 1)
        marks = self.b.run(
            "[...document.querySelectorAll('.caption mark')].map(m => [m.className, m.textContent])"
        )
        self.assertEqual(
            marks, [["look", "brown"], ["box", "dög"], ["box", "red ball"], ["line", "CAFÉ REX"]]
        )
        # The dog's box lies over the block of the picture: 80..400 of 800, 120..480 of 600.
        box, image = self.b.run(
            "['.shapes polygon[data-key=box-0]', '.stage img'].map(q => {"
            " const r = document.querySelector(q).getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; })"
        )
        width, height = image[2] - image[0], image[3] - image[1]
        for got, share, start, size in (
            (box[0], 0.1, image[0], width),
            (box[2], 0.5, image[0], width),
            (box[1], 0.2, image[1], height),
            (box[3], 0.8, image[1], height),
        ):
            self.assertAlmostEqual(got, start + share * size, delta=4)

    def test_pointing_links_words_boxes_and_lines(self):
        self.visit("#" + DOG)
        x, y = self.b.wait(
            "(() => { const m = document.querySelectorAll('.caption mark')[2]; if (!m) return null;"
            " const r = m.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()"
        )
        self.b.move(x, y)
        self.b.wait("document.querySelectorAll('.hot').length >= 4")
        hot = self.b.run(
            "[...new Set([...document.querySelectorAll('.hot')].map(n => n.getAttribute('data-key')))]"
        )
        self.assertEqual(hot, ["box-1"])
        self.assertIn(
            "sports ball", self.b.run("document.querySelector('.evidence.box .hot').textContent")
        )

    def test_boxes_can_be_hidden(self):
        self.visit("#" + DOG)
        self.b.wait("!!byId('show-boxes')")
        self.b.run("byId('show-boxes').click()")
        self.assertEqual(
            self.b.run("getComputedStyle(document.querySelector('polygon.box')).display"), "none"
        )
        self.assertNotEqual(
            self.b.run("getComputedStyle(document.querySelector('polygon.line')).display"), "none"
        )

    def test_hostile_text_is_text(self):
        self.visit("#" + DOG)
        self.b.wait("!!document.querySelector('p.alt')")
        self.assertIn(
            "<img src=x onerror=window.hacked=1>",
            self.b.run("document.querySelector('p.alt').textContent"),
        )
        self.assertIn(
            "<u>ball</u>", self.b.run("document.querySelector('.evidence.tag').textContent")
        )
        left = self.b.run(
            "[...document.querySelectorAll('details')].map((d) => d.textContent).join()"
        )
        self.assertIn("Seen, and not told (1)<i>cat</i>a surer name is in its place · a", left)
        self.visit("#" + WALL)
        self.b.wait("!!document.querySelector('.caption')")
        self.assertIn(
            "</script><script>window.hacked=3</script>",
            self.b.run("document.querySelector('.caption').textContent"),
        )
        self.assertEqual(
            self.b.run(
                "document.querySelectorAll('article script, article img, article b:not(.state), article u').length"
            ),
            0,
        )

    def test_keys(self):
        self.visit("#" + DOG)
        self.b.wait("byId('detail').open")
        self.b.key("ArrowRight")
        self.b.wait(
            f"location.hash === '#{WALL}' && document.querySelector('.caption').textContent.includes('grey wall')"
        )
        self.b.key("ArrowLeft")
        self.b.wait(f"location.hash === '#{DOG}'")
        self.b.key("ArrowLeft")  # there is none before: stays
        self.b.key("Escape")
        self.b.wait("!byId('detail').open")
        self.b.wait("location.hash === ''")

    def test_an_image_that_cannot_be_shown(self):
        self.visit("#" + BROKEN)
        self.b.wait("byId('detail').open")
        self.assertIn("can't be shown", self.b.run("byId('detail').textContent"))
        self.assertIn("unreadable", self.b.run("document.querySelector('.verdict').textContent"))

    def test_no_clusters_no_tab(self):
        self.assertTrue(self.b.run("byId('tab-clusters').hidden"))

    def test_numbers(self):
        self.visit("#statistics")
        self.b.wait("!byId('numbers').hidden")
        steps = self.b.run(
            "[...document.querySelectorAll('.funnel .step b')].map(b => b.textContent)"
        )
        self.assertEqual(steps, ["7", "4", "3", "2"])
        self.assertIn("1 duplicate", self.b.run("document.querySelector('.funnel').textContent"))
        rows = self.b.run(
            "[...document.querySelectorAll('tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
        )
        self.assertEqual(rows[0][1], "3")
        self.assertEqual(rows[2][1:5], ["1,059,000", "1,130", "191", "11.0"])
        self.assertGreater(self.b.run("document.querySelectorAll('.columns i').length"), 10)
        self.b.run("document.querySelector('.ranking button').click()")  # an object: to its images
        self.b.wait("!byId('gallery').hidden")

    def test_light_and_dark(self):
        colour = "getComputedStyle(document.body).backgroundColor"
        self.b.scheme("dark")
        dark = self.b.run(colour)
        self.b.scheme("light")
        light = self.b.run(colour)
        self.assertNotEqual(dark, light)
        self.b.run("byId('theme').click()")
        self.assertEqual(self.b.run(colour), dark)
        self.b.run("byId('theme').click()")
        self.assertEqual(self.b.run(colour), light)

    def test_phone(self):
        self.b.size(390, 844, phone=True)
        for fragment in ("", "#" + DOG, "#statistics"):
            self.visit(fragment)
            self.assertLessEqual(self.b.run("document.scrollingElement.scrollWidth"), 390, fragment)
            self.assertLessEqual(self.b.run("byId('detail').scrollWidth"), 390, fragment)


class Clusters(Browser):
    def setUp(self):
        super().setUp()
        self.visit("#curation")
        self.b.wait(
            "!byId('clusters').hidden && document.querySelectorAll('#clusters .cluster').length === 3"
        )

    def visit(self, fragment):
        self.b.open((CLUSTERS / "index.html").as_uri() + fragment)
        self.b.wait(
            "document.readyState === 'complete' && densefusion.images.length === 8 && densefusion.clusters"
        )

    def slide(self, line):
        self.b.run(
            f"(() => {{ const e = byId('line'); e.value = {line}; e.dispatchEvent(new Event('input')); }})()"
        )
        return self.b.run("byId('line-says').textContent")

    def pairs(self, group):
        return self.b.run(
            f"[...document.querySelectorAll('#line-pairs .group.{group} .pair b')].map(b => b.textContent)"
        )

    def test_contact_sheets(self):
        self.assertEqual(
            self.b.run("[...document.querySelectorAll('.cluster h3')].map(h => h.textContent)"),
            ["Cluster 3", "Cluster 1", "Cluster 8"],
        )
        self.assertIn(
            "4 images · mean similarity 0.81 · 2 removed · 1 selected",
            self.b.run("document.querySelector('.cluster').textContent"),
        )
        self.assertEqual(
            self.b.run(
                "[...document.querySelectorAll('#cluster-3 .small')].map(s => s.classList.contains('gone'))"
            ),
            [False, True, True, True],
        )
        self.b.run(
            "document.querySelectorAll('#clusters img').forEach(i => { i.loading = 'eager'; })"
        )
        self.b.wait(
            "[...document.querySelectorAll('#clusters img')].every(i => i.complete && i.naturalWidth > 0)"
        )

    def test_the_line_counts_without_a_run(self):
        self.assertEqual(
            self.b.run("byId('line').value"), "56"
        )  # between 0.555, which stayed, and 0.951, which went
        self.assertIn("5 of 6 stay, 1 go", self.b.run("byId('line-says').textContent"))
        self.assertEqual((self.pairs("gone"), self.pairs("stay")), (["0.951"], ["0.555", "0.301"]))
        self.assertIn("6 of 6 stay, 0 go", self.slide(96))
        self.assertIn("eps 0.70", self.slide(30))
        self.assertIn("3 of 6 stay, 3 go", self.slide(30))
        self.assertEqual(
            (self.pairs("gone"), self.pairs("stay")), (["0.301", "0.555", "0.951"], [])
        )
        rule, plot = self.b.run(
            "['.rule', '.similarities .columns'].map(q => { const r = document.querySelector(q).getBoundingClientRect(); return [r.left, r.width]; })"
        )
        self.assertAlmostEqual(rule[0] + 1, plot[0] + 0.3 * plot[1], delta=2)

    def test_copies_and_hostile_names(self):
        text = self.b.run("byId('clusters').textContent")
        self.assertIn(
            "Removed as resized or re-encoded copies, found by perceptual hash, whatever eps is: 1.",
            text,
        )
        self.assertIn("<img src=x onerror=window.hacked=5>.jpg", text)
        self.assertIn("2 billion", text)

    def test_to_an_image_and_back(self):
        self.b.run("document.querySelector('#cluster-3 .small').click()")
        self.b.wait("byId('detail').open && location.hash === '#00000-000000'")
        self.b.key("Escape")
        self.b.wait(
            "!byId('detail').open && location.hash === '#curation' && !byId('clusters').hidden"
        )

    def test_a_duplicate_leads_to_what_stayed(self):
        self.visit("#00000-000001")
        self.b.wait("byId('detail').open && !!document.querySelector('article p a')")
        self.assertIn(
            "Left out for its likeness to boats.jpg.",
            self.b.run("document.querySelector('article').textContent"),
        )
        self.b.run("document.querySelector('article p a').click()")
        self.b.wait(
            "location.hash === '#00000-000000' && document.querySelector('.path').textContent === 'boats.jpg'"
        )

    def test_phone_and_tabs(self):
        self.b.size(390, 844, phone=True)
        self.visit("#curation")
        self.b.wait("!!document.querySelector('.cluster')")
        self.assertLessEqual(self.b.run("document.scrollingElement.scrollWidth"), 390)
        self.b.run("byId('tab-gallery').click()")
        self.b.wait("!byId('gallery').hidden && byId('clusters').hidden")
        self.b.run("byId('tab-clusters').click()")
        self.b.wait("byId('gallery').hidden && !byId('clusters').hidden")


if __name__ == "__main__":
    if not chromium.find():
        print("skipped: no chromium")
        sys.exit(77)
    REPORT, CLUSTERS = (
        pathlib.Path(sys.argv.pop(1)).resolve(),
        pathlib.Path(sys.argv.pop(1)).resolve(),
    )
    unittest.main()
