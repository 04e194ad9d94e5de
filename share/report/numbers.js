// The funnel, Table 1 beside the paper's, and distributions: bars made of elements, no drawing library.
"use strict";

// DenseFusion-1M (arXiv 2407.08303), Table 1.
const PAPER = [
  { name: "DenseFusion-4V-100K (paper)", samples: 100000, characters: 1253, words: 206, sentences: 11.2, nouns: 0.279, adjectives: 0.109, adverbs: 0.018, verbs: 0.12, numerals: 0.0083 },
  { name: "DenseFusion-1M (paper)", samples: 1059000, characters: 1130, words: 191, sentences: 11.0, nouns: 0.28, adjectives: 0.106, adverbs: 0.014, verbs: 0.12, numerals: 0.0085 },
];
const STEPS = { ingest: ["found", "are images"], filter: ["images", "kept by the filter"], dedup: ["kept", "are no near-duplicates"],
  select: ["distinct", "selected"], caption: ["kept", "have a caption"], check: ["captions", "passed the check"] };

function bar(share, className) {
  const fill = el("i");
  fill.style.width = `${Math.max(share > 0 ? 0.6 : 0, 100 * share)}%`;
  return el("span", { class: `bar ${className || ""}` }, fill);
}

function funnel(steps) {
  const first = steps.length ? steps[0].in : 0;
  const rows = steps.map((step) => {
    const dropped = Object.entries(step.dropped).map(([reason, n]) => el("span", { class: "why" }, `${count(n)} ${words(reason)}`));
    return el("li", {}, el("div", { class: "step" }, el("b", {}, count(step.kept)), ` ${(STEPS[step.stage] || ["", step.stage])[1]}`,
      el("span", { class: "quiet" }, step.in === step.kept ? "" : ` of ${count(step.in)}`)), bar(first ? step.kept / first : 0), el("div", { class: "dropped" }, dropped));
  });
  return section("What each stage kept", el("p", { class: "quiet" }, `${count(first)} inputs were found. Each line says how many went on, and why the others did not.`), el("ol", { class: "funnel" }, rows));
}

function table1(own) {
  const columns = [["samples", "Samples", count], ["characters", "Char.", (v) => count(Math.round(v))], ["words", "Words", (v) => count(Math.round(v))],
    ["sentences", "Sent.", (v) => v.toFixed(1)], ["nouns", "Nouns", percent], ["adjectives", "Adj.", percent], ["adverbs", "Adv.", percent],
    ["verbs", "Verbs", percent], ["numerals", "Num.", percent]];
  const row = (entry, className) => el("tr", { class: className }, el("th", { scope: "row" }, entry.name),
    columns.map(([key, , format]) => el("td", {}, entry[key] === null || entry[key] === undefined ? "–" : format(entry[key]))));
  return section("Captions, as in Table 1 of the paper",
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, ""), columns.map(([, title]) => el("th", { scope: "col" }, title)))),
      el("tbody", {}, row({ name: "this dataset", ...own }, "own"), PAPER.map((entry) => row(entry))))),
    el("p", { class: "quiet" }, "Means per caption; parts of speech as shares of all tokens. Paper: DenseFusion-1M, arXiv 2407.08303; it does not name its tagger."));
}

function histogram(title, bins, unit) {
  const most = Math.max(1, ...bins.counts);
  const last = bins.counts.length - 1;
  const range = (i) => (bins.step === 1 ? `${i}` : `${i * bins.step}–${(i + 1) * bins.step - 1}`);
  const columns = bins.counts.map((n, i) => {
    const column = el("i", { class: n ? "" : "zero", title: `${bins.open && i === last ? `${i * bins.step} or more` : range(i)} ${unit}: ${count(n)}` });
    column.style.height = `${(100 * n) / most}%`;
    return column;
  });
  // About five marks, each under its column: at its middle where a bin is one value, at its left edge where it is a range.
  const every = [1, 2, 5, 10, 20].find((n) => columns.length / n <= 6) || columns.length;
  const marks = columns.map((_, i) => el("span", { class: bins.step === 1 ? "one" : "" }, i % every === 0 ? `${i * bins.step}${bins.open && i === last ? "+" : ""}` : ""));
  const plot = el("div", {}, el("div", { class: "columns" }, columns), el("div", { class: "axis" }, marks));
  plot.style.maxWidth = `${columns.length * 2.6}rem`;            // two bins are not two walls
  return el("figure", { class: "plot" }, el("figcaption", {}, title), plot);
}

function ranking(title, counts, choose) {
  const entries = Object.entries(counts).slice(0, 12);
  if (entries.length < 2 && !choose) return null;             // one bar says nothing
  if (!entries.length) return null;
  const most = Math.max(...entries.map((entry) => entry[1]));
  const item = ([name, n]) => el("li", {}, choose ? el("button", { type: "button", click: () => choose(name) }, words(name)) : el("span", {}, words(name)), bar(n / most), el("b", {}, count(n)));
  return el("figure", { class: "plot" }, el("figcaption", {}, title), el("ol", { class: "ranking" }, entries.map(item)));
}

function drawNumbers(chooseLabel) {
  const root = byId("numbers"), stats = densefusion.summary && densefusion.summary.stats;
  if (!stats) {
    root.replaceChildren(el("p", { class: "quiet" }, "The stage `stats` has not run."));
    return;
  }
  const d = stats.distributions, c = stats.counts, images = stats.images;
  const share = (n) => percent(images.kept ? n / images.kept : null);
  const engines = Object.keys(c.engines).join(", ");
  root.replaceChildren(funnel(stats.funnel), table1(stats.table1),
    section("Captions", el("p", { class: "facts" }, el("b", {}, percent(images.captions ? images.passed / images.captions : null)), " pass the check",
      engines ? ` · written by ${engines}` : ""), el("div", { class: "plots" }, histogram("Words a caption", d.words, "words"), histogram("Sentences a caption", d.sentences, "sentences"),
      ranking("Verdicts", c.verdicts), ranking("Reasons", c.reasons), ranking("Engines", c.engines))),
    section("Images", el("p", { class: "facts" }, el("b", {}, share(images.with_text)), " have text · ", el("b", {}, share(images.with_boxes)), " have objects · ",
      el("b", {}, share(images.with_tags)), " have tags"),
      el("div", { class: "plots" }, histogram("Short edge, pixels", d.short_edge, "px"), histogram("Objects an image", d.boxes, "objects"),
        histogram("Text lines an image", d.text_lines, "lines"), histogram("Tags an image", d.tags, "tags"), ranking("Objects", c.labels, chooseLabel), ranking("Tags", c.tags),
        ranking("Main colour", c.colours), ranking("Formats", c.formats))));
}
