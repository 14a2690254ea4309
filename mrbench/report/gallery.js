"use strict";

// Cases, one at a time. A case's block lies in the page as base64 text: a chain of deflated parts, the image with the
// raters' masks first, then every method's draws and votes. It is opened when the case is looked at.

const SAMPLE = -1, CONSENSUS = -2, NOBODY = "#ffffff";
const VARIANCE = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Bytes -----------------------------------------------------------------------------------------------------------

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function opened(text, lengths) {
  const chain = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  let at = 0;
  return Promise.all(lengths.map((length) => {
    const part = chain.subarray(at, at += length);
    return length ? inflated(part) : null;
  }));
}

// The planes of a case: classes, then slices, each of h x w pixels.
class Planes {
  constructor(head, classes) {
    this.pixels = head.h * head.w;
    this.bytes = Math.ceil(this.pixels / 8);
    this.slices = Math.max(1, head.slices.length);
    this.classes = classes;
  }

  // 0 or 1 for each pixel of one plane of the mask that is the number-th in a part.
  mask(part, start, number, label, slice) {
    const from = start + ((number * this.classes + label) * this.slices + slice) * this.bytes;
    const mask = new Uint8Array(this.pixels);
    for (let at = 0; at < mask.length; at++) mask[at] = (part[from + (at >> 3)] >> (7 - (at & 7))) & 1;
    return mask;
  }

  plane(part, start, number, slice) {
    const from = start + (number * this.slices + slice) * this.pixels;
    return part.subarray(from, from + this.pixels);
  }

  get maskBytes() { return this.classes * this.slices * this.bytes; }
}

// Drawing ---------------------------------------------------------------------------------------------------------

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

function ramp(colours, share) {
  const place = Math.min(Math.max(share, 0), 1) * (colours.length - 1);
  const low = Math.min(Math.floor(place), colours.length - 2);
  return colours[low].map((value, at) => value + (colours[low + 1][at] - value) * (place - low));
}

// The outline of a mask along the edges of its pixels, as closed loops of corners [x, y].
function loops(mask, h, w) {
  const inside = (y, x) => y >= 0 && x >= 0 && y < h && x < w && mask[y * w + x];
  const next = new Map();
  const corner = (y, x) => y * (w + 1) + x;
  const edge = (from, to) => { if (next.has(from)) next.get(from).push(to); else next.set(from, [to]); };
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    if (!mask[y * w + x]) continue;
    if (!inside(y - 1, x)) edge(corner(y, x), corner(y, x + 1));
    if (!inside(y, x + 1)) edge(corner(y, x + 1), corner(y + 1, x + 1));
    if (!inside(y + 1, x)) edge(corner(y + 1, x + 1), corner(y + 1, x));
    if (!inside(y, x - 1)) edge(corner(y + 1, x), corner(y, x));
  }
  const found = [];
  for (const start of next.keys()) {
    while (next.get(start).length) {
      const loop = [];
      for (let at = start; next.get(at).length; at = next.get(at).pop()) loop.push([at % (w + 1), Math.floor(at / (w + 1))]);
      found.push(loop);
    }
  }
  return found;
}

function strokeLoops(pen, found, scale, style, thickness) {
  const path = new Path2D();
  for (const loop of found) {
    loop.forEach(([x, y], at) => (at ? path.lineTo(x * scale, y * scale) : path.moveTo(x * scale, y * scale)));
    path.closePath();
  }
  pen.lineJoin = "round";
  pen.setLineDash([]);
  pen.strokeStyle = "rgb(0 0 0 / 0.6)";
  pen.lineWidth = 3 * thickness;
  pen.stroke(path);
  pen.setLineDash((style.dash ?? []).map((length) => length * thickness));
  pen.strokeStyle = style.colour;
  pen.lineWidth = 1.6 * thickness;
  pen.stroke(path);
}

// RGBA from a table of colours [r, g, b] and the number of the colour of each pixel.
function coloured(numbers, colours) {
  const pixels = new Uint8ClampedArray(4 * numbers.length);
  for (let at = 0; at < numbers.length; at++) {
    const colour = colours[numbers[at]];
    for (let c = 0; c < 3; c++) pixels[4 * at + c] = colour[c];
    pixels[4 * at + 3] = 255;
  }
  return pixels;
}

function fillMask(pixels, mask, colour, cover) {
  const fill = channels(colour);
  for (let at = 0; at < mask.length; at++) {
    if (!mask[at]) continue;
    for (let c = 0; c < 3; c++) pixels[4 * at + c] += (fill[c] - pixels[4 * at + c]) * cover;
  }
}

const GREYS = Array.from({ length: 256 }, (_, value) => [value, value, value]);
const scratch = document.createElement("canvas");

// Pixels, enlarged to squares, with masks {mask, colour, dash} over them.
function paint(canvas, h, w, size, pixels, shapes, layers) {
  const scale = Math.max(1, Math.ceil(size * Math.min(devicePixelRatio, 2) / Math.max(h, w)));
  const picture = new ImageData(pixels.slice(), w, h);
  if (layers.masks) for (const shape of shapes) fillMask(picture.data, shape.mask, shape.colour, layers.image ? 0.45 : 1);
  [scratch.width, scratch.height, canvas.width, canvas.height] = [w, h, w * scale, h * scale];
  scratch.getContext("2d").putImageData(picture, 0, 0);
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(scratch, 0, 0, w * scale, h * scale);
  const thickness = (Math.max(h, w) * scale) / size;
  if (layers.contours) for (const shape of shapes) strokeLoops(pen, loops(shape.mask, h, w), scale, shape, thickness);
}

// One gallery -----------------------------------------------------------------------------------------------------

class Gallery {
  constructor(root) {
    this.root = root;
    this.number = root.dataset.gallery;
    this.index = JSON.parse(document.getElementById(`g${this.number}`).textContent);
    this.metric = this.index.metrics.findIndex((metric) => metric.name === this.index.metric);
    this.entry = this.index.entries.findIndex((entry) => entry.label === this.index.of);
    this.layers = { image: true, contours: true, masks: false };
    this.label = this.slice = this.place = 0;
    this.size = innerWidth < 600 ? 80 : 88;
    this.prepareControls();
    this.sort();
    root.hidden = false;
    this.go(0);
  }

  get visible() {
    const place = this.root.getBoundingClientRect();
    return place.bottom > 0 && place.top < innerHeight;
  }

  find(selector) { return this.root.querySelector(selector); }

  pick(name) { return this.find(`[data-pick=${name}]`); }

  value(number, entry = this.entry) { return this.index.cases[number].values[entry][this.metric]; }

  // Controls

  prepareControls() {
    const { classes, metrics, entries } = this.index;
    this.fill("metric", metrics.map((metric) => metric.name), this.metric);
    this.fill("entry", entries.map((entry) => entry.label), this.entry);
    this.fill("class", classes, 0);
    this.find("[data-only=classes]").hidden = classes.length < 2;
    this.pick("size").value = this.size;
    this.pick("metric").addEventListener("change", (event) => this.orderBy(Number(event.target.value), this.entry));
    this.pick("entry").addEventListener("change", (event) => this.orderBy(this.metric, Number(event.target.value)));
    this.pick("case").addEventListener("change", (event) => this.go(Number(event.target.value)));
    this.pick("class").addEventListener("change", (event) => { this.label = Number(event.target.value); this.draw(); });
    this.pick("slice").addEventListener("input", (event) => { this.slice = Number(event.target.value); this.draw(); });
    this.pick("size").addEventListener("input", (event) => { this.size = Number(event.target.value); this.draw(); });
    for (const button of this.root.querySelectorAll("[data-go]")) {
      button.addEventListener("click", () => this.go(this.target(button.dataset.go)));
    }
    for (const button of this.root.querySelectorAll("[data-layer]")) {
      button.addEventListener("click", () => this.toggle(button));
    }
  }

  fill(name, texts, chosen) {
    this.pick(name).replaceChildren(...texts.map((text, at) => element("option", { value: at }, text)));
    this.pick(name).value = chosen;
  }

  toggle(button) {
    const name = button.dataset.layer;
    this.layers[name] = !this.layers[name];
    button.setAttribute("aria-pressed", this.layers[name]);
    this.draw();
  }

  // Order

  has(entry, metric) { return this.index.cases.some((one) => one.values[entry][metric] !== null); }

  orderBy(metric, entry) {
    const current = this.order[this.place];
    if (!this.has(entry, metric)) entry = this.index.entries.findIndex((_, at) => this.has(at, metric));
    [this.metric, this.entry] = [metric, Math.max(entry, 0)];
    this.sort();
    this.go(this.order.indexOf(current));
  }

  // From the worst to the best; cases without a value at the end.
  sort() {
    const sign = this.index.metrics[this.metric].direction === "higher" ? 1 : -1;
    const missing = (number) => this.value(number) === null;
    this.order = this.index.cases.map((_, number) => number);
    this.order.sort((a, b) => missing(a) - missing(b) || sign * (this.value(a) - this.value(b)));
    this.valued = this.order.filter((number) => !missing(number)).length || this.order.length;
    const neither = this.index.metrics[this.metric].direction === "neither";
    this.find("[data-go=worst]").textContent = neither ? "Highest" : "Worst";
    this.find("[data-go=best]").textContent = neither ? "Lowest" : "Best";
    this.pick("entry").value = this.entry;
    [...this.pick("entry").options].forEach((option, at) => { option.disabled = !this.has(at, this.metric); });
    this.pick("case").replaceChildren(...this.order.map((number, at) => this.option(number, at)));
  }

  option(number, at) {
    const value = this.value(number);
    const text = this.index.cases[number].id + (value === null ? "" : ` · ${value.toFixed(3)}`);
    return element("option", { value: at }, text);
  }

  target(where) {
    const last = this.order.length - 1;
    const places = {
      previous: Math.max(0, this.place - 1), next: Math.min(last, this.place + 1),
      worst: 0, median: (this.valued - 1) >> 1, best: this.valued - 1,
    };
    return places[where];
  }

  async go(place) {
    this.place = place;
    const number = this.order[place];
    this.pick("case").value = place;
    this.find(".place").textContent = `${place + 1} of ${this.order.length}`;
    const head = this.index.cases[number];
    const text = document.getElementById(`g${this.number}c${number}`).textContent;
    const parts = await opened(text, head.lengths);
    if (this.order[this.place] !== number) return; // somebody went on meanwhile
    Object.assign(this, { head, parts, slice: head.most, planes: new Planes(head, this.index.classes.length) });
    this.prepareSlices();
    this.draw();
    this.root.dataset.shown = head.id;
  }

  prepareSlices() {
    const slider = this.pick("slice");
    this.find("[data-only=slices]").hidden = this.head.slices.length < 2;
    slider.max = this.head.slices.length - 1;
    slider.value = this.slice;
  }

  // Drawing

  draw() {
    const grey = this.planes.plane(this.parts[0], 0, 0, this.slice);
    this.ground = coloured(grey, this.layers.image ? GREYS : GREYS.map(() => [0, 0, 0]));
    this.root.style.setProperty("--tile", `${this.size}px`);
    if (this.head.slices.length) {
      this.find(".slice output").textContent = `${this.head.slices[this.slice]} of ${this.head.depth}`;
    }
    const rows = this.index.entries.map((entry, at) => (this.parts[at + 1] ? this.methodRow(entry, at) : null));
    this.find(".case").replaceChildren(this.lead(), this.raterRow(), ...rows.filter(Boolean));
  }

  lead() {
    const { head } = this;
    const all = this.raterShapes().filter(Boolean);
    const facts = `subject ${head.subject}, fold ${head.fold}` +
      (head.slices.length ? `, slice ${head.slices[this.slice]} of ${head.depth}` : "");
    const large = Math.min(360, Math.max(240, 2.5 * this.size));
    const picture = this.tile("Image with every rater’s contour", all, { size: large, title: "" });
    picture.classList.add("large");
    return element("div", { class: "top-of-case" }, picture, element("div", { class: "about" },
      element("h4", {}, head.id), element("p", {}, facts), this.legend(all), this.valueTable()));
  }

  legend(shapes) {
    const items = this.index.raters.map((name, rater) => {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      for (const [key, value] of Object.entries({ width: 34, height: 14, "aria-hidden": "true" })) line.setAttribute(key, value);
      for (const [colour, width] of [["#1b1d21", 14], [this.index.colours[rater], 2.5]]) {
        const stroke = document.createElementNS("http://www.w3.org/2000/svg", "path");
        const dash = width > 10 ? "" : this.index.dashes[rater].join(" ");
        for (const [key, value] of Object.entries({ d: "M0 7H34", stroke: colour, "stroke-width": width, "stroke-dasharray": dash || "none" })) stroke.setAttribute(key, value);
        line.append(stroke);
      }
      const shape = shapes.find((one) => one.rater === rater);
      return element("li", {}, line, ` ${name} `, element("small", {}, shape ? pixels(shape.mask) : "did not look"));
    });
    return element("ul", { class: "legend", "aria-label": "Raters" }, ...items);
  }

  valueTable() {
    const { metrics, entries } = this.index;
    const heads = metrics.map((metric) => element("th", { scope: "col", class: "number" }, metric.name));
    const rows = entries.map((entry, at) => element("tr", {}, element("th", { scope: "row" }, entry.label),
      ...this.head.values[at].map((value) => element("td", { class: "number" }, value === null ? "" : value.toFixed(3)))));
    return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Values of this case" },
      element("table", {}, element("caption", {}, element("span", { class: "text" }, "This case alone")),
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Method"), ...heads)),
        element("tbody", {}, ...rows)));
  }

  raterShapes() {
    const start = this.planes.slices * this.planes.pixels;
    return this.index.raters.map((_, rater) => this.head.present[rater]
      ? { rater, colour: this.index.colours[rater], dash: this.index.dashes[rater], mask: this.planes.mask(this.parts[0], start, rater, this.label, this.slice) } : null);
  }

  raterRow() {
    const shapes = this.raterShapes();
    const there = shapes.filter(Boolean);
    const votes = new Uint8Array(this.planes.pixels);
    for (const shape of there) for (let at = 0; at < votes.length; at++) votes[at] += shape.mask[at];
    const own = shapes.map((shape, rater) => shape
      ? this.tile(this.index.raters[rater], [{ ...shape, dash: [] }]) : this.nothing(this.index.raters[rater], "did not look"));
    return this.row("Raters", "", there.length > 1 ? this.maps(votes, there.length, "raters") : [], own, []);
  }

  methodRow(entry, at) {
    const draws = this.head.draws[at], part = this.parts[at + 1];
    const whole = draws.of ? this.voteMaps(draws, part) : [], raters = [], samples = [];
    draws.shown.forEach((code, number) => {
      const mask = this.planes.mask(part, 0, number, this.label, this.slice);
      if (code === CONSENSUS) whole.push(this.tile("consensus", [{ colour: NOBODY, mask }]));
      else if (code === SAMPLE) samples.push(this.tile(`sample ${samples.length + 1}`, [{ colour: NOBODY, mask }]));
      else raters.push(this.tile(`as ${this.index.raters[code]}`, [{ colour: this.index.colours[code], mask }]));
    });
    const value = this.value(this.order[this.place], at);
    const text = value === null ? "" : `${this.index.metrics[this.metric].name} ${value.toFixed(3)}`;
    return this.row(entry.label, text, whole, raters, samples);
  }

  voteMaps(draws, part) {
    const votes = this.planes.plane(part, draws.shown.length * this.planes.maskBytes, this.label, this.slice);
    const what = draws.over === "sample" ? `${draws.voters} samples` : `${draws.voters} rater predictions`;
    return this.maps(votes, draws.of, what);
  }

  // The mean of masks that so many of them mark, and their variance.
  maps(votes, of, what) {
    const { h, w } = this.head;
    const shares = Array.from({ length: of + 1 }, (_, count) => count / of);
    const mean = shares.map((share) => [255 * share, 255 * share, 255 * share]);
    const variance = shares.map((share) => ramp(VARIANCE, 4 * share * (1 - share)));
    return [["mean", mean, "black 0, white 1"], ["variance", variance, "black 0, bright 0.25"]].map(([title, colours, scale]) => {
      const canvas = element("canvas", { role: "img", "aria-label": `${title} of ${what}`, title: `${title} of ${what}: ${scale}` });
      paint(canvas, h, w, this.size, coloured(votes, colours), [], {});
      return element("figure", { class: "tile map" }, canvas, element("figcaption", {}, title));
    });
  }

  tile(title, shapes, { size = this.size, title: shown = title } = {}) {
    const { h, w } = this.head;
    const alt = `${title}: ${shapes.map((shape) => pixels(shape.mask)).join(", ")}`;
    const canvas = element("canvas", { role: "img", "aria-label": alt, title: alt });
    paint(canvas, h, w, size, this.ground, shapes, this.layers);
    return element("figure", { class: "tile" }, canvas, ...(shown ? [element("figcaption", {}, shown)] : []));
  }

  nothing(title, why) {
    return element("figure", { class: "tile" }, element("div", { class: "blank" }, why), element("figcaption", {}, title));
  }

  row(title, text, ...groups) {
    const columns = [2, this.index.raters.length, 0];
    return element("section", { class: "draws" },
      element("h4", {}, title, " ", element("small", {}, text)),
      element("div", { class: "groups" }, ...groups.map((tiles, at) => {
        const group = element("div", { class: "tiles" }, ...tiles);
        group.style.setProperty("--columns", columns[at]);
        return group;
      })));
  }
}

function pixels(mask) {
  let marked = 0;
  for (const bit of mask) marked += bit;
  return `${marked} pixel${marked === 1 ? "" : "s"}`;
}

// Start -----------------------------------------------------------------------------------------------------------

const galleries = "DecompressionStream" in window
  ? [...document.querySelectorAll("[data-gallery]")].map((root) => new Gallery(root)) : [];

if (!("DecompressionStream" in window)) {
  for (const root of document.querySelectorAll("[data-gallery]")) {
    root.before(element("p", { class: "absent" }, "This browser is too old to unpack the cases."));
  }
}

document.addEventListener("keydown", (event) => {
  const where = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
  const busy = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
  if (!where || busy || event.target.closest("input, select, textarea, .scroll")) return;
  const gallery = galleries.find((one) => one.visible);
  if (!gallery) return;
  event.preventDefault();
  gallery.go(gallery.target(where));
});
