// The data, and small helpers to build the page from them. Data come from the web: they reach the page as text nodes and
// attributes only, never as HTML.
"use strict";
const densefusion = {
  images: [],
  summary: null,
  clusters: null,
  changed: [],                 // called when images have arrived

  // data/stats.js calls this, then the chunks are asked for one after another: a page of many MB shows its first images soon.
  start(summary) {
    densefusion.summary = summary;
    densefusion.tell();
    densefusion.load(0);
    if (summary.clusters) densefusion.script("clusters.js", () => {});
  },
  load(chunk) {
    if (chunk < densefusion.summary.chunks) densefusion.script(`images-${String(chunk).padStart(4, "0")}.js`, () => densefusion.load(chunk + 1));
  },
  script(name, then) {
    const script = document.createElement("script");
    script.src = `data/${name}`;
    script.onload = script.onerror = then;
    document.head.append(script);
  },
  setClusters(clusters) {
    densefusion.clusters = clusters;
    densefusion.tell();
  },
  add(images) {
    for (const image of images) {
      image.state = image.rejected ? "rejected" : image.caption === undefined ? "uncaptioned" : image.verdict || "unchecked";
      image.why_not = image.rejected ? [image.rejected] : image.reasons || [];
      densefusion.images.push(image);
    }
    densefusion.tell();
  },
  tell() {
    for (const listener of densefusion.changed) listener();
  },
};

// el("p", {class: "quiet"}, "text", child, ...): attributes that are null are left out, functions become listeners.
function el(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}
function svg(name, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}
function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(key, value);
    else node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}
const byId = (id) => document.getElementById(id);
const count = (n) => Number(n || 0).toLocaleString("en");
const percent = (share) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);
// "quote_unsupported" -> "quote unsupported"
const words = (code) => String(code).replace(/_/g, " ");
// A URL from the web is a link only when it is one: never javascript: or data:.
const link = (url) => (/^https?:\/\//i.test(url) ? el("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, url) : el("span", {}, url));
