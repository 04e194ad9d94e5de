// One image: the picture with what was seen in it, the caption with its support marked, the evidence beside it.
"use strict";

const show = { boxes: true, lines: true, names: true };      // kept from image to image

function toggle(stage, what, text) {
  const apply = () => stage.classList.toggle(`no-${what}`, !show[what]);
  const input = el("input", { type: "checkbox", id: `show-${what}`, change: (event) => { show[what] = event.target.checked; apply(); } });
  input.checked = show[what];
  apply();
  return el("label", { class: "check" }, input, ` ${text}`);
}

function picture(image) {
  if (!image.thumb) return el("figure", { class: "picture none" }, el("p", { class: "quiet" }, "This image can't be shown."));
  const stage = el("div", { class: "stage" }, el("img", { src: `thumbs/${image.thumb}`, alt: image.alt_text || "" }), overlay(image));
  if (image.width && image.height) stage.style.aspectRatio = `${image.width} / ${image.height}`;
  stage.style.setProperty("--ratio", image.width / image.height || 1);
  const tools = [];
  if ((image.boxes || []).length) tools.push(toggle(stage, "boxes", `boxes (${image.boxes.length})`));
  if ((image.lines || []).length) tools.push(toggle(stage, "lines", `text (${image.lines.length})`));
  if (tools.length) tools.push(toggle(stage, "names", "names"));
  return el("figure", { class: "picture" }, stage, el("div", { class: "tools" }, tools));
}

function section(title, ...content) {
  return el("section", {}, el("h3", {}, title), content);
}

function scoreBar(score) {
  const fill = el("i");
  fill.style.width = `${Math.round(100 * Math.max(0, Math.min(1, score)))}%`;
  return el("span", { class: "score", title: `score ${score}` }, fill);
}

function colours(look) {
  return look.colours.map(([name, share]) => el("span", { class: "colour" }, swatch(name), `${name} ${percent(share)}`));
}

function evidenceList(kind, entries, extra) {
  return el("ul", { class: `evidence ${kind}` }, entries.map((entry) =>
    el("li", { "data-key": keyOf(kind, entry.item), tabindex: 0 }, el("span", { class: "what" }, entry.text), extra ? extra(entry) : null, scoreBar(entry.score))));
}

function lookSection(look) {
  const values = ["brightness", "contrast", "saturation", "detail"].map((name) => el("li", {}, el("span", { class: "what" }, name), scoreBar(look[name])));
  return section("Colour and light", el("p", { "data-key": "look-0" }, colours(look)), el("ul", { class: "evidence look" }, values));
}

const leftReasons = { score: "too unsure", repeated: "told already", general: "a narrower tag is told", conflict: "a surer name is in its place",
  counted: "in another's count", inside: "in a longer line", budget: "no room in the prompt", broken: "broken" };

function leftSection(left) {
  return el("details", {}, el("summary", {}, `Seen, and not told (${left.length})`), el("ul", { class: "evidence" }, left.map((entry) =>
    el("li", {}, el("span", { class: "what" }, entry.text), el("span", { class: "quiet" }, [leftReasons[entry.reason] || entry.reason, entry.source].filter(Boolean).join(" · ")),
      scoreBar(entry.score)))));
}

function evidence(image) {
  const parts = [];
  const boxes = image.boxes || [], lines = image.lines || [], tags = image.tags || [];
  if (boxes.length) parts.push(section(`Objects`, evidenceList("box", boxes, (box) =>
    el("span", { class: "quiet" }, (box.count ? `${box.count} of them · ` : "") +
      (box.look && box.look.colours.length ? `${box.look.colours[0][0]} · ${box.source}` : box.source)))));
  if (lines.length) parts.push(section(`Text in the image`, evidenceList("line", lines)));
  if (tags.length) parts.push(section(`Tags`, evidenceList("tag", tags)));
  if (image.look) parts.push(lookSection(image.look));
  if ((image.left || []).length) parts.push(leftSection(image.left));
  if (image.alt_text) parts.push(section("Alt-text", el("p", { class: "alt", "data-key": "alt-0" }, image.alt_text)));
  return parts;
}

function verdict(image) {
  const state = { pass: "passed", fail: "failed", rejected: "rejected", uncaptioned: "no caption", unchecked: "not checked" }[image.state];
  const facts = [];
  if (image.words) facts.push(`${image.words} words`);
  if (image.engine) facts.push(image.model ? `${image.engine}, ${image.model}` : image.engine);
  if (image.width) facts.push(`${image.width} × ${image.height}`);
  return el("p", { class: "verdict" }, el("b", { class: `state ${image.state}` }, state), image.why_not.map((why) => el("span", { class: "why" }, words(why))),
    el("span", { class: "quiet" }, facts.join(" · ")));
}

function likeness(id) {
  const other = densefusion.images.find((image) => image.id === id);
  return el("p", { class: "quiet" }, "Left out for its likeness to ", other ? el("a", { href: `#${id}` }, other.path || id) : id, ".");
}

function captionBlock(image) {
  if (image.nearest) return likeness(image.nearest);
  if (image.state === "rejected") return el("p", { class: "quiet" }, image.detail || "Left out before captioning.");
  if (image.caption === undefined) return el("p", { class: "quiet" }, image.error || "Not captioned yet.");
  return el("div", {}, el("p", { class: "caption" }, markedCaption(image.caption, image.support)), legend(image.support),
    (image.why || []).length ? el("p", { class: "quiet" }, image.why.join("; ")) : null);
}

function renderDetail(image, go) {
  const button = (text, title, action, id) => el("button", { type: "button", id, title, "aria-label": title, click: action }, text);
  const body = el("div", { class: "detail" },
    el("div", { class: "bar" }, el("span", { class: "path", title: image.path }, image.path || image.id), button("‹", "Previous (left arrow)", () => go(-1), "previous"),
      button("›", "Next (right arrow)", () => go(1), "next"), button("×", "Close (escape)", () => go(0), "close")),
    picture(image),
    el("article", {}, verdict(image), captionBlock(image), evidence(image), image.url ? section("Source", link(image.url)) : null,
      image.prompt ? el("details", {}, el("summary", {}, "Prompt"), el("pre", {}, image.prompt)) : null));
  linkKeys(body);
  return body;
}
