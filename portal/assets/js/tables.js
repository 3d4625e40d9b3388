// The page of a table works without this; the script saves steps: it narrows comparisons to the column's
// type, submits choices at once, keeps forms open and focus in place, plays the map, copies examples.

const VIEW = "[data-table-view]";
const SECOND = 1000;
// What stands outside of the view and leads to this state of it: the other views, the other language.
const BESIDE = "#views,#language";

function announcer() {
  const region = document.createElement("div");
  region.setAttribute("role", "status");
  region.className = "govuk-visually-hidden";
  document.body.append(region);
  return region;
}

const status = announcer();

// Comparisons that make no sense for a column are taken away; a date gets the browser's date field.
function narrow(form) {
  const column = form.querySelector("[name=column]:not([type=hidden])");
  const comparison = form.querySelector("select[name=op]");
  const value = form.querySelector("#filter-value");
  if (!column || !comparison || !value) return;
  const all = [...comparison.options].map((option) => option.cloneNode(true));
  const group = value.closest(".govuk-form-group");
  const fit = () => {
    const { type, suited } = column.selectedOptions[0].dataset;
    const wanted = suited.split(" ");
    const chosen = comparison.value;
    const fitting = wanted.map((name) => all.find((option) => option.value === name)).filter(Boolean);
    comparison.replaceChildren(...fitting.map((option) => option.cloneNode(true)));
    if (wanted.includes(chosen) && fit.ran) comparison.value = chosen;
    fit.ran = true;
    value.type = type === "date" ? "date" : "text";
    value.inputMode = type === "integer" || type === "number" ? "decimal" : "";
    hide();
  };
  const hide = () => {
    group.hidden = ["empty", "filled"].includes(comparison.value);
  };
  column.addEventListener("change", fit);
  comparison.addEventListener("change", hide);
  fit();
}

function submitOnChange(form) {
  for (const field of form.querySelectorAll("select, input[type=date], input[type=checkbox], input[name=title]")) {
    // A date field changes with every digit that is typed: wait until it is left, or Enter is pressed.
    if (field.type === "date") continue;
    field.addEventListener("change", () => form.requestSubmit());
  }
}

// Copy buttons stand outside of what scrolls and of what is read as code.
function copyable(block) {
  const holder = document.createElement("div");
  holder.className = "weft-copy";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "govuk-button govuk-button--secondary";
  button.textContent = block.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.textContent);
    button.textContent = block.dataset.copied;
    status.textContent = block.dataset.copied;
    setTimeout(() => {
      button.textContent = block.dataset.copy;
    }, 2 * SECOND);
  });
  block.replaceWith(holder);
  holder.append(button, block);
}

// The day below the pointer or finger, in words, since a finger hides what it points at.
function pointing(map) {
  const said = map.querySelector("[data-pointed]");
  if (!said) return;
  map.addEventListener("pointerover", (event) => {
    const area = event.target.closest("[data-said]");
    if (area) said.textContent = area.dataset.said;
  });
}

// A slider over all days and a button that plays them; with reduced motion there is no play button.
function player(place) {
  const map = () => document.getElementById("map");
  const days = map().dataset.days.split(" ");
  if (days.length < 2) return;
  const range = document.createElement("input");
  range.type = "range";
  range.className = "weft-player__range";
  range.max = days.length - 1;
  range.setAttribute("aria-label", place.dataset.labelDay);
  const go = (at) => {
    const link = document.createElement("a");
    link.href = map().dataset.address.replace("DAY", days[at]);
    return window.htmx.ajax("GET", link.href, { target: "#map", select: "#map", swap: "outerHTML", selectOOB: BESIDE, push: "true" });
  };
  const told = () => {
    range.value = map().dataset.position;
    range.setAttribute("aria-valuetext", days[range.value]);
  };
  let playing = null;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "govuk-button govuk-button--secondary";
  const stop = () => {
    clearTimeout(playing);
    playing = null;
    button.textContent = place.dataset.labelPlay;
  };
  const step = async () => {
    const next = Number(map().dataset.position) + 1;
    if (next >= days.length) return stop();
    await go(next);
    if (playing !== null) playing = setTimeout(step, 0.6 * SECOND);
  };
  button.addEventListener("click", () => {
    if (playing !== null) return stop();
    button.textContent = place.dataset.labelPause;
    playing = setTimeout(step, 0);
    if (Number(map().dataset.position) === days.length - 1) {
      clearTimeout(playing);
      playing = setTimeout(async () => {
        await go(0);
        playing = setTimeout(step, 0.6 * SECOND);
      }, 0);
    }
  });
  range.addEventListener("input", () => range.setAttribute("aria-valuetext", days[range.value]));
  range.addEventListener("change", () => {
    stop();
    go(range.value);
  });
  stop();
  if (!window.matchMedia("(prefers-reduced-motion: reduce)").matches) place.append(button);
  place.append(range);
  told();
  document.addEventListener("htmx:after:swap", told);
}

// With the shift key a heading adds its column to the order, or turns it around there.
function sortingFurther(event) {
  const link = event.target.closest?.("[data-sort]");
  if (!link || !event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  const there = new URL(window.location.href);
  const asked = there.searchParams;
  const columns = asked.getAll("sort");
  const falls = asked.getAll("desc");
  const keys = columns.map((column, at) => [column, falls[at] === "1"]);
  const now = keys.find(([column]) => column === link.dataset.sort);
  if (now) now[1] = !now[1];
  else keys.push([link.dataset.sort, false]);
  for (const name of ["sort", "desc", "page", "row", "go"]) asked.delete(name);
  for (const [column, down] of keys) {
    asked.append("sort", column);
    asked.append("desc", down ? "1" : "0");
  }
  const view = document.querySelector(VIEW);
  window.htmx.ajax("GET", there.pathname + there.search, {
    source: link,
    target: `#${view.id}`,
    select: `#${view.id}`,
    swap: "outerHTML",
    selectOOB: BESIDE,
    push: "true",
  });
}

// A box drawn over the map of points is looked at closer.
function boxing(map) {
  const drawing = map.querySelector("[data-box]");
  if (!drawing) return;
  const { box, west, east, bottom, top } = drawing.dataset;
  const place = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY);
    return point.matrixTransform(drawing.getScreenCTM().inverse());
  };
  const { width, height } = drawing.viewBox.baseVal;
  const latitude = (y) => {
    const north = Number(top) - (y / height) * (top - bottom);
    return (Math.atan(Math.exp((north * Math.PI) / 180)) * 360) / Math.PI - 90;
  };
  const longitude = (x) => Number(west) + (x / width) * (east - west);
  let start = null;
  let shown = null;
  drawing.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button !== 0) return;
    start = place(event);
  });
  const end = () => {
    shown?.remove();
    start = shown = null;
  };
  drawing.addEventListener("pointermove", (event) => {
    if (!start) return;
    const now = place(event);
    if (!shown) {
      if (Math.hypot(now.x - start.x, now.y - start.y) < 6) return;
      shown = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      shown.setAttribute("class", "weft-points__drawn");
      drawing.append(shown);
      drawing.setPointerCapture(event.pointerId);
    }
    shown.setAttribute("x", Math.min(start.x, now.x));
    shown.setAttribute("y", Math.min(start.y, now.y));
    shown.setAttribute("width", Math.abs(now.x - start.x));
    shown.setAttribute("height", Math.abs(now.y - start.y));
  });
  drawing.addEventListener("pointerup", (event) => {
    const first = start;
    const wanted = shown;
    const last = first && place(event);
    end();
    if (!wanted) return;
    const ends = [
      longitude(Math.min(first.x, last.x)),
      latitude(Math.max(first.y, last.y)),
      longitude(Math.max(first.x, last.x)),
      latitude(Math.min(first.y, last.y)),
    ];
    const there = box.replace("BOX", ends.map((one) => one.toFixed(6)).join(","));
    const options = { target: "#map", select: "#map", swap: "outerHTML", selectOOB: BESIDE, push: "true" };
    window.htmx.ajax("GET", there, options);
  });
  drawing.addEventListener("pointercancel", end);
  drawing.addEventListener("dragstart", (event) => event.preventDefault());
}

function prepare(root) {
  if (root.id === "map") {
    pointing(root);
    boxing(root);
  }
  root.querySelectorAll("[data-filter-form]").forEach(narrow);
  root.querySelectorAll("[data-submit-on-change]").forEach(submitOnChange);
  root.querySelectorAll("#map").forEach((map) => {
    pointing(map);
    boxing(map);
  });
  root.querySelectorAll("[data-copy]").forEach(copyable);
}

// What a swap would lose: which forms are open, where the focus is, how far the grid is scrolled sideways.
const kept = { open: [], focus: "", left: 0, panel: "", opener: "" };

function remember() {
  const view = document.querySelector(VIEW);
  if (!view) return;
  kept.open = [...view.querySelectorAll("details[data-keep][open]")].map((one) => one.dataset.keep);
  kept.focus = view.contains(document.activeElement) ? document.activeElement.id : "";
  kept.left = view.querySelector("[data-grid]")?.scrollLeft ?? 0;
  kept.panel = view.querySelector("[data-panel]")?.dataset.panel ?? "";
}

// A panel that has opened gets the focus; when it closes, the focus goes back to what opened it.
function panelFocus(view) {
  const panel = view.querySelector("[data-panel]");
  if (panel && panel.dataset.panel !== kept.panel) {
    kept.opener = kept.focus;
    panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  } else if (!panel && kept.panel && kept.opener) {
    document.getElementById(kept.opener)?.focus({ preventScroll: true });
  }
}

function restore() {
  const view = document.querySelector(VIEW);
  if (!view || view.dataset.prepared) return;
  view.dataset.prepared = "yes";
  prepare(view);
  for (const name of kept.open) {
    const one = view.querySelector(`details[data-keep="${name}"]`);
    if (one) one.open = true;
  }
  const grid = view.querySelector("[data-grid]");
  if (grid) grid.scrollLeft = kept.left;
  view.querySelector(".weft-grid__marked")?.scrollIntoView({ block: "center" });
  if (kept.focus) document.getElementById(kept.focus)?.focus({ preventScroll: true });
  panelFocus(view);
  status.textContent = view.querySelector("[data-announce]")?.textContent ?? "";
}

document.addEventListener("click", sortingFurther, true);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.activeElement?.closest("[data-panel]")?.querySelector("[data-close]")?.click();
});
document.addEventListener("htmx:before:swap", remember);
document.addEventListener("htmx:after:swap", restore);

const first = document.querySelector(VIEW);
if (first) first.dataset.prepared = "yes";
prepare(document);
document.querySelectorAll("[data-player]").forEach(player);
document.querySelector(".weft-grid__marked")?.scrollIntoView({ block: "center" });
