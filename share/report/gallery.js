// The grid of images, and what narrows it.
"use strict";

const gallery = { shown: [], drawn: 0, batch: 60 };
const STATES = [["captioned", "with a caption"], ["pass", "passed"], ["fail", "failed"], ["uncaptioned", "no caption"], ["rejected", "rejected"], ["all", "all images"]];

// What search looks at, made once an image.
function haystack(image) {
  if (image.haystack === undefined) {
    const texts = [image.path, image.caption, image.alt_text, image.rejected, image.error];
    for (const list of [image.boxes, image.lines, image.tags]) for (const entry of list || []) texts.push(entry.text);
    image.haystack = texts.filter(Boolean).join("\n").toLowerCase();
  }
  return image.haystack;
}

function inState(image, state) {
  if (state === "all") return true;
  if (state === "captioned") return image.caption !== undefined;
  return image.state === state;
}

function filterImages() {
  const wanted = byId("find").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const state = byId("state").value, reason = byId("reason").value, label = byId("label").value, text = byId("has-text").checked;
  return densefusion.images.filter((image) => inState(image, state) && (!reason || image.why_not.includes(reason)) &&
    (!label || (image.boxes || []).some((box) => box.text === label)) && (!text || (image.lines || []).length > 0) &&
    wanted.every((word) => haystack(image).includes(word)));
}

function card(image) {
  const caption = image.caption !== undefined ? image.caption : image.rejected ? `rejected: ${words(image.rejected)}` : image.error || "not captioned yet";
  const frame = el("div", { class: "frame" });
  if (image.thumb) frame.append(el("img", { src: `thumbs/${image.thumb}`, loading: "lazy", decoding: "async", alt: image.alt_text || "" }));
  else frame.append(el("span", { class: "quiet" }, words(image.rejected || "no picture")));
  return el("a", { class: `card ${image.state}`, href: `#${image.id}` }, frame, el("p", { class: image.caption === undefined ? "quiet" : "" }, caption),
    el("small", {}, el("i", { class: `state ${image.state}`, title: image.state }), image.path || image.id));
}

function drawMore() {
  const end = Math.min(gallery.shown.length, gallery.drawn + gallery.batch);
  byId("cards").append(...gallery.shown.slice(gallery.drawn, end).map(card));
  gallery.drawn = end;
  byId("more").hidden = end >= gallery.shown.length;
}

function drawGallery() {
  gallery.shown = filterImages();
  gallery.drawn = 0;
  byId("cards").replaceChildren();
  byId("empty").hidden = gallery.shown.length > 0 || densefusion.images.length === 0;
  byId("count").textContent = `${count(gallery.shown.length)} of ${count(densefusion.images.length)}`;
  drawMore();
}

// Options of a select with how many images each would show; the choice is kept.
function options(select, first, entries) {
  const chosen = select.value;
  select.replaceChildren(el("option", { value: "" }, first), ...entries.map(([value, n]) => el("option", { value }, `${words(value)} (${count(n)})`)));
  select.value = chosen;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

function tally(lists) {
  const counts = new Map();
  for (const list of lists) for (const value of new Set(list)) counts.set(value, (counts.get(value) || 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function drawFilters() {
  const state = byId("state"), chosen = state.value || "captioned";
  state.replaceChildren(...STATES.map(([value, name]) => {
    const n = densefusion.images.filter((image) => inState(image, value)).length;
    return el("option", { value }, `${name} (${count(n)})`);
  }));
  state.value = chosen;
  options(byId("reason"), "any reason", tally(densefusion.images.map((image) => image.why_not)));
  options(byId("label"), "any object", tally(densefusion.images.map((image) => (image.boxes || []).map((box) => box.text))).slice(0, 300));
}

function startGallery() {
  for (const id of ["find", "state", "reason", "label", "has-text"]) byId(id).addEventListener("input", drawGallery);
  // Choosing why something was rejected asks to see what was rejected.
  byId("reason").addEventListener("input", () => { if (byId("reason").value) { byId("state").value = "all"; drawGallery(); } });
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) drawMore(); }, { rootMargin: "800px" }).observe(byId("more"));
  densefusion.changed.push(() => { drawFilters(); drawGallery(); });
}
