// Clusters as contact sheets, how similar images are to their nearest, and what another eps would do: the slider counts the stored
// similarities, a hundredth at a time, and shows the pairs on both sides of the line.
"use strict";

const PAPER_FUNNEL = "DenseFusion-1M went from 2 billion pictures of LAION-2B to 500 million by resolution, to 14 million by removing "
  + "near-duplicates in 50,000 clusters (eps 0.4), to 1 million by taking 20 of each cluster.";
const PAIRS_SHOWN = 8;
const FIRST_BIN = 100;                       // bin i holds similarities above i / 100 - 1: what is below 0 is shown at 0

function smallPicture(image, className, title) {
  const known = () => densefusion.images.some((other) => other.id === image.id);
  const picture = image.thumb ? el("img", { src: `thumbs/${image.thumb}`, loading: "lazy", decoding: "async", alt: image.path || image.id })
    : el("span", { class: "quiet" }, "no picture");
  return el("a", { class: `small ${className || ""}`, href: `#${image.id}`, title: title || image.path || image.id,
    click: (event) => { if (!known()) event.preventDefault(); } }, picture);
}

// ---- the slider ----

// Of all whole hundredths, one that parts what dedup removed from what it kept; else the nearest.
function lineNow(data) {
  const { highest_kept: low, lowest_removed: high } = data;
  if (low === undefined && high !== undefined) return Math.max(0, Math.floor(100 * high - 1e-6));
  const line = Math.max(0, Math.ceil(100 * (low || 0) - 1e-6));
  return Math.min(100, high === undefined || line / 100 < high ? line : Math.floor(100 * high));
}

function stays(data, line) {
  let n = data.first;
  for (let i = 0; i < 100 + line; i++) n += data.bins[i];
  return n;
}

function pairCard(pair, state) {
  return el("figure", { class: `pair ${state}` }, el("div", { class: "both" }, smallPicture(pair.nearest), smallPicture(pair)),
    el("figcaption", {}, el("b", {}, pair.similarity.toFixed(3)), el("span", { class: "quiet" }, ` ${pair.path || pair.id}`)));
}

function pairGroup(title, note, pairs, state) {
  return el("div", { class: `group ${state}` }, el("h4", {}, title, el("span", { class: "quiet" }, ` ${note}`)),
    pairs.length ? el("div", { class: "pairs" }, pairs.map((pair) => pairCard(pair, state))) : el("p", { class: "quiet" }, "None in the sample."));
}

function pairsAt(data, line) {
  const others = data.pairs.filter((pair) => pair.reason !== "copy");            // by falling similarity
  const above = others.filter((pair) => pair.similarity > line / 100), below = others.filter((pair) => pair.similarity <= line / 100);
  return [pairGroup("Would go:", "the second picture of each, for it is this similar to the first", above.slice(-PAIRS_SHOWN).reverse(), "gone"),
    pairGroup("Would stay:", "the most similar pairs below the line", below.slice(0, PAIRS_SHOWN), "stay")];
}

function similarityPlot(data) {
  const counts = data.bins.slice(FIRST_BIN);
  counts[0] += data.bins.slice(0, FIRST_BIN).reduce((sum, n) => sum + n, 0);
  const most = Math.max(1, ...counts);
  const columns = counts.map((n, i) => {
    const column = el("i", { class: n ? "" : "zero", title: `${(i / 100).toFixed(2)} to ${((i + 1) / 100).toFixed(2)}: ${count(n)} images` });
    column.style.height = `${(100 * n) / most}%`;
    return column;
  });
  const rule = el("span", { class: "rule" });
  const slider = el("input", { type: "range", id: "line", min: 0, max: 100, step: 1, "aria-label": "Similarity above which an image is a duplicate" });
  const says = el("p", { id: "line-says", class: "facts", "aria-live": "polite" });
  const pairs = el("div", { id: "line-pairs" });
  const draw = () => {
    const line = Number(slider.value), n = stays(data, line), total = data.kept + data.similar;
    rule.style.left = `${line}%`;
    columns.forEach((column, i) => column.classList.toggle("gone", i >= line));
    says.replaceChildren("With eps ", el("b", {}, ((100 - line) / 100).toFixed(2)), `, what is more similar than ${(line / 100).toFixed(2)} goes: `,
      el("b", {}, count(n)), ` of ${count(total)} stay, ${count(total - n)} go.`);
    pairs.replaceChildren(...pairsAt(data, line));
  };
  slider.value = lineNow(data);
  slider.addEventListener("input", draw);
  draw();
  const marks = [0, 0.25, 0.5, 0.75, 1].map((mark) => el("span", {}, mark === 0 ? "0" : String(mark)));
  return [el("div", { class: "similarities" }, el("div", { class: "columns" }, columns, rule), slider, el("div", { class: "axis ends" }, marks)), says, pairs];
}

function similaritySection(data) {
  const facts = [`dedup kept ${count(data.kept)} and removed ${count(data.similar)} as similar`];
  if (data.lowest_removed !== undefined) facts.push(`the least similar that went: ${data.lowest_removed.toFixed(3)}`);
  if (data.highest_kept !== undefined) facts.push(`the most similar that stayed: ${data.highest_kept.toFixed(3)}`);
  return section("How similar each image is to the nearest earlier one of its cluster",
    el("p", { class: "quiet" }, `${facts.join("; ")}. ${count(data.first)} are the first of their cluster and have none. Move the line: nothing is run again.`), ...similarityPlot(data));
}

function copiesSection(data) {
  const copies = data.pairs.filter((pair) => pair.reason === "copy");
  if (!data.copies) return null;
  return section("Copies", el("p", { class: "quiet" }, `Removed as resized or re-encoded copies, found by perceptual hash, whatever eps is: ${count(data.copies)}. The first picture of each pair stayed.`),
    el("div", { class: "pairs" }, copies.slice(0, 3 * PAIRS_SHOWN).map((pair) => pairCard(pair, "gone"))));
}

// ---- contact sheets ----

const FATES = { similar: "removed: similar to another", copy: "removed: a copy", rank: "not selected: its cluster has enough", total: "not selected: enough in all" };

function sheet(cluster) {
  const facts = [`${count(cluster.members)} images`, `mean similarity ${cluster.similarity.toFixed(2)}`];
  if (cluster.removed !== undefined) facts.push(`${count(cluster.removed)} removed`, `${count(cluster.selected)} selected`);
  const images = cluster.images.map((image) => smallPicture(image, image.reason ? "gone" : "",
    `${image.path || image.id}\n${image.similarity.toFixed(3)}${image.reason ? `, ${FATES[image.reason] || image.reason}` : ""}`));
  const more = cluster.members - cluster.images.length;
  return el("section", { class: "cluster", id: `cluster-${cluster.cluster}` }, el("h3", {}, `Cluster ${cluster.cluster}`), el("p", { class: "quiet" }, facts.join(" · ")),
    el("div", { class: "sheet" }, images, more > 0 ? el("span", { class: "quiet more" }, `and ${count(more)} more`) : null));
}

function drawClusters() {
  const data = densefusion.clusters, stats = densefusion.summary && densefusion.summary.stats;
  if (!data) return;
  const steps = stats ? stats.funnel.filter((step) => ["ingest", "filter", "dedup", "select"].includes(step.stage)) : [];
  byId("clusters").replaceChildren(...[steps.length ? funnel(steps) : null, el("p", { class: "quiet paper" }, PAPER_FUNNEL), similaritySection(data), copiesSection(data),
    section("The largest clusters", el("p", { class: "quiet" }, "Nearest to the centroid first. Faded: removed by dedup, or not selected."), ...data.clusters.map(sheet))].filter(Boolean));
}
