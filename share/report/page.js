// Which view is open (the address says it), keys, light and dark.
"use strict";

function currentImage() {
  const id = location.hash.slice(1);
  return densefusion.images.find((image) => image.id === id) || null;
}

let lastView = "";                           // where closing an image leads back to

// To the neighbour among what the filters show; 0 closes.
function go(step) {
  if (step === 0) {
    location.hash = lastView;
    return;
  }
  const at = gallery.shown.indexOf(currentImage());
  const next = gallery.shown[at + step];
  if (next) location.hash = next.id;
}

const VIEWS = { gallery: "", clusters: "#curation", numbers: "#statistics" };

function showView() {
  lastView = Object.values(VIEWS).includes(location.hash) ? location.hash : "";
  for (const [view, hash] of Object.entries(VIEWS)) {
    byId(view).hidden = hash !== lastView;
    byId(`tab-${view}`).toggleAttribute("aria-current", hash === lastView);
  }
}

function route() {
  const image = currentImage(), dialog = byId("detail");
  if (!image) {
    if (dialog.open) dialog.close();
    showView();
    return;
  }
  const had = document.activeElement && document.activeElement.id;
  dialog.replaceChildren(renderDetail(image, go));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  (had === "previous" || had === "next" ? byId(had) : dialog).focus({ preventScroll: true });
}

function setTheme(theme) {
  document.documentElement.setAttribute("data-theme", theme);
  try { localStorage.setItem("densefusion-theme", theme); } catch (error) { /* some browsers give a file no storage */ }
}

function startTheme() {
  let theme = null;
  try { theme = localStorage.getItem("densefusion-theme"); } catch (error) { /* as above */ }
  if (theme === "light" || theme === "dark") document.documentElement.setAttribute("data-theme", theme);
  byId("theme").addEventListener("click", () => {
    const now = document.documentElement.getAttribute("data-theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    setTheme(now === "dark" ? "light" : "dark");
  });
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox";
  if (byId("detail").open && !typing) {
    if (event.key === "ArrowLeft") go(-1);
    else if (event.key === "ArrowRight") go(1);
    else return;
    event.preventDefault();
  } else if (event.key === "/" && !typing) {
    byId("find").focus();
    event.preventDefault();
  }
}

function drawHead() {
  const { name, shown, kept, rejected, stats } = densefusion.summary;
  document.title = `${name} · densefusion`;
  byId("name").textContent = name;
  const parts = [`${count(kept + rejected)} images`, `${count(kept)} kept`];
  if (stats) parts.push(`${count(stats.images.captions)} captions`, `${count(stats.images.passed)} passed`);
  if (shown < kept + rejected) parts.push(`${count(shown)} shown here`);
  byId("headline").textContent = parts.join(" · ");
}

startTheme();
startGallery();
function chooseLabel(label) {
  byId("state").value = "captioned";
  byId("label").value = label;
  drawGallery();
  location.hash = "";
}
densefusion.changed.push(() => {
  if (densefusion.images.length === 0) {                     // the numbers come first, and once
    drawHead();
    drawNumbers(chooseLabel);
  }
  if (densefusion.clusters && byId("tab-clusters").hidden) {  // once too, when they have come
    byId("tab-clusters").hidden = false;
    drawClusters();
  }
  if (!byId("detail").open) route();                         // an image that is being read stays as it is
});
byId("detail").addEventListener("close", () => { if (currentImage()) go(0); });       // escape closes a dialog by itself
byId("detail").addEventListener("click", (event) => { if (event.target === byId("detail")) go(0); });
addEventListener("hashchange", route);
addEventListener("keydown", onKey);
