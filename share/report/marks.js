// What links a caption to its evidence: the same key on words, lines of evidence and shapes over the picture.
"use strict";

const KINDS = { box: "object", line: "text in the image", tag: "tag", look: "colour and light", alt: "alt-text" };
const keyOf = (kind, item) => `${kind}-${item}`;

// The caption as text with marks; support: [[from, to, kind, item], ...] in UTF-16 units, in order.
function markedCaption(caption, support) {
  const nodes = [];
  let at = 0;
  for (const [from, to, kind, item] of support || []) {
    if (!(kind in KINDS)) continue;
    nodes.push(caption.slice(at, from));
    nodes.push(el("mark", { class: kind, "data-key": keyOf(kind, item), tabindex: 0, title: KINDS[kind] }, caption.slice(from, to)));
    at = to;
  }
  nodes.push(caption.slice(at));
  return nodes;
}

function legend(support) {
  const used = Object.keys(KINDS).filter((kind) => (support || []).some((span) => span[2] === kind));
  if (!used.length) return null;
  return el("p", { class: "legend" }, "supported by ", used.map((kind) => el("span", { class: `key ${kind}` }, KINDS[kind])));
}

// Shapes over the picture, in pixels of the full image; labels as HTML so that they keep their size.
function overlay(image) {
  const shapes = [];
  const names = [];
  const add = (kind, entry) => {
    const points = entry.points;
    const pairs = [0, 2, 4, 6].map((i) => `${points[i]},${points[i + 1]}`).join(" ");
    const key = keyOf(kind, entry.item);
    shapes.push(svg("polygon", { class: kind, points: pairs, "data-key": key }));
    const name = el("span", { class: `name ${kind}`, "data-key": key }, entry.text);
    name.style.left = `${(100 * Math.max(0, Math.min(points[0], points[6]))) / image.width}%`;
    name.style.top = `${(100 * Math.max(0, Math.min(points[1], points[3]))) / image.height}%`;
    names.push(name);
  };
  // Large boxes first, so that small ones can be pointed at.
  const area = (b) => (b.points[2] - b.points[0]) * (b.points[5] - b.points[1]);
  [...(image.boxes || [])].sort((a, b) => area(b) - area(a)).forEach((box) => add("box", box));
  (image.lines || []).forEach((line) => add("line", line));
  return [svg("svg", { viewBox: `0 0 ${image.width} ${image.height}`, preserveAspectRatio: "none", class: "shapes" }, shapes), ...names];
}

// Pointing at one lights up all that have its key.
function linkKeys(root) {
  const light = (event) => {
    const target = event.target.closest && event.target.closest("[data-key]");
    const key = target ? target.getAttribute("data-key") : null;
    for (const node of root.querySelectorAll("[data-key]")) node.classList.toggle("hot", node.getAttribute("data-key") === key);
    root.classList.toggle("pointing", key !== null);
  };
  root.addEventListener("pointerover", light);
  root.addEventListener("focusin", light);
}

// About the colour that a name like "dark grey" or "light blue" means.
function swatch(name) {
  const base = { black: [0, 0, 8], white: [0, 0, 98], grey: [0, 0, 55], gray: [0, 0, 55], red: [2, 72, 48], orange: [28, 85, 54], yellow: [49, 88, 56],
    green: [125, 42, 42], blue: [214, 62, 48], purple: [275, 42, 48], violet: [275, 42, 48], pink: [338, 70, 74], brown: [25, 42, 32], beige: [38, 38, 78],
    cyan: [186, 60, 52], teal: [180, 52, 34], turquoise: [176, 56, 50], cream: [44, 60, 88], navy: [222, 60, 22], gold: [44, 74, 48], olive: [62, 44, 34],
    magenta: [310, 62, 50], maroon: [0, 60, 24], tan: [34, 44, 66], sepia: [36, 22, 44] };
  const parts = name.split(/[\s-]+/);
  const found = base[parts[parts.length - 1]] || base[parts[0]] || [0, 0, 60];
  const shift = /dark|deep/.test(name) ? -18 : /light|pale|bright/.test(name) ? 18 : 0;
  const dot = el("i", { class: "swatch" });
  dot.style.background = `hsl(${found[0]} ${found[1]}% ${Math.max(6, Math.min(97, found[2] + shift))}%)`;
  return dot;
}
