"use strict";

// Quality against cost: a point per method of the table that is shown, on the line those that no other beats in both.

const SVG = "http://www.w3.org/2000/svg", MOST = 60, NAMED = 28;
const SHAPES = [
  "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0", "M-4.5 -4.5H4.5V4.5H-4.5Z", "M0 -5.5L5.2 4.2H-5.2Z", "M0 -6L6 0L0 6L-6 0Z",
  "M0 5.5L5.2 -4.2H-5.2Z", "M-2 -6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z", "M-5 -3L-3 -5L0 -2L3 -5L5 -3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0Z", "M-5.5 0L4.2 -5.2V5.2Z",
];

function drawn(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function short(value) {
  for (const [size, letter] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]]) {
    if (value >= size) return `${Number((value / size).toPrecision(3))}${letter}`;
  }
  return String(Number(value.toPrecision(3)));
}

function roundNumbers(low, high) {
  const found = (leads) => {
    const values = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const lead of leads) if (lead * 10 ** power >= low && lead * 10 ** power <= high) values.push(lead * 10 ** power);
    }
    return values;
  };
  const best = [[1], [1, 3], [1, 2, 5]].map(found).find((values) => values.length >= 3) ?? found([1, 1.5, 2, 3, 5, 7]);
  return best.filter((_, number) => number % Math.ceil(best.length / 6) === 0);
}

function evenNumbers(low, high) {
  const raw = (high - low) / 5, size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((lead) => lead * size).find((one) => one >= raw * 0.999);
  const values = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) values.push(value);
  return values;
}

function pointsOf(table, quality, cost) {
  const methods = table.groups.find((group) => group.name === "methods")?.units ?? [];
  const found = methods.filter(({ main }) => !main.failure).map(({ main }) => ({
    line: main, x: number(main.costs[cost]), y: main.cells[quality] ? number(main.cells[quality][0]) : null,
  }));
  return found.filter(({ x, y }) => x > 0 && y !== null);
}

function front(points, sign) {
  const sorted = [...points].sort((a, b) => a.x - b.x || sign * (b.y - a.y));
  let best = -Infinity;
  return sorted.filter(({ y }) => sign * y > best && ((best = sign * y), true));
}

function overlaps(box, boxes) {
  return boxes.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
}

// A place beside the point that is free: right, left, above, below; none where all are taken.
function labelPlace(x, y, length, boxes, frame) {
  const places = [[x + 9, y + 4, "start"], [x - 9, y + 4, "end"], [x, y - 10, "middle"], [x, y + 18, "middle"]];
  for (const [left, base, anchor] of places) {
    const start = anchor === "start" ? left : anchor === "end" ? left - length : left - length / 2;
    const box = [start, base - 11, start + length, base + 3];
    if (box[0] >= frame.left && box[2] <= frame.right + 8 && box[1] >= 0 && box[3] <= frame.bottom && !overlaps(box, boxes)) {
      boxes.push(box);
      return [left, base, anchor];
    }
  }
  return null;
}

function scatterPicture(points, names, sign, width) {
  const height = Math.max(260, Math.min(400, width * 0.6));
  const frame = { left: 52, right: width - 14, top: 24, bottom: height - 42 };
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [x0, x1] = [Math.min(...xs) / 1.6, Math.max(...xs) * 1.6];
  const room = (Math.max(...ys) - Math.min(...ys)) * 0.1 || Math.abs(ys[0]) * 0.1 || 1;
  const [y0, y1] = [Math.min(...ys) - room, Math.max(...ys) + room];
  const atX = (x) => frame.left + (Math.log(x / x0) / Math.log(x1 / x0)) * (frame.right - frame.left);
  const atY = (y) => frame.bottom - ((y - y0) / (y1 - y0)) * (frame.bottom - frame.top);
  const listed = points.slice(0, NAMED).map(({ line, x, y }) => `${line.method} ${y} at ${x}`).join("; ");
  const svg = drawn("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${names.quality} against ${names.cost}: ${listed}` });
  for (const tick of evenNumbers(y0, y1)) {
    svg.append(drawn("path", { class: "grid", d: `M${frame.left} ${atY(tick)}H${frame.right}` }));
    svg.append(drawn("text", { class: "small end", x: frame.left - 8, y: atY(tick) + 4 }, short(Math.abs(tick) < 1e-12 ? 0 : tick)));
  }
  for (const tick of roundNumbers(x0, x1)) {
    svg.append(drawn("path", { class: "axis", d: `M${atX(tick)} ${frame.bottom}v4` }));
    svg.append(drawn("text", { class: "small middle", x: atX(tick), y: frame.bottom + 18 }, short(tick)));
  }
  svg.append(drawn("path", { class: "axis", d: `M${frame.left} ${frame.bottom}H${frame.right}` }));
  svg.append(drawn("text", { class: "small", x: 0, y: 10 }, `${names.quality}, ${sign < 0 ? "lower" : "higher"} is better`));
  svg.append(drawn("text", { class: "small end", x: frame.right, y: height - 6 }, `${names.cost} (logarithmic), further left is cheaper`));
  const best = front(points, sign);
  if (best.length > 1) svg.append(drawn("path", { class: "front", d: best.map(({ x, y }, n) => `${n ? "L" : "M"}${atX(x)} ${atY(y)}`).join("") }));
  const boxes = points.map(({ x, y }) => [atX(x) - 6, atY(y) - 6, atX(x) + 6, atY(y) + 6]);
  for (const { line, x, y } of points) {
    const mark = drawn("path", { class: `c${line.style % HUES} mark`, d: SHAPES[line.style % SHAPES.length], transform: `translate(${atX(x)} ${atY(y)})` }, drawn("title", {}, [`${line.method}: ${names.quality} ${y}, ${short(x)} ${names.cost}`, line.notes].filter(Boolean).join("; ")));
    svg.append(mark);
    const label = line.method.length > 22 ? `${line.method.slice(0, 21)}…` : line.method;
    const place = points.length <= NAMED && labelPlace(atX(x), atY(y), 6.6 * label.length, boxes, frame);
    if (place) svg.append(drawn("text", { class: `small ink ${place[2]}`, x: place[0], y: place[1] }, label));
  }
  return svg;
}

function keyOf({ line }) {
  const glyph = element("span", { class: `key c${line.style % HUES}` }, GLYPHS[line.style % GLYPHS.length]);
  return element("span", {}, glyph, ` ${line.method}`);
}

function scatter(table) {
  const place = table.section.querySelector(".scatter"), picture = place.querySelector(".picture");
  const [quality, cost] = ["quality", "cost"].map((name) => place.querySelector(`[data-pick=${name}]`));
  const heads = [...table.table.tHead.rows[0].cells];
  const columnsOf = heads.slice(2, 2 + table.columns);
  if (!quality.options.length) {
    const name = (cell) => cell.textContent.replace(/[↑↓\u200b]/g, "").trim();
    columnsOf.forEach((cell, n) => quality.append(element("option", { value: n }, name(cell))));
    heads.filter((cell) => cell.classList.contains("cost")).forEach((cell, n) => cost.append(element("option", { value: n }, name(cell))));
    const choices = (select) => [...select.options].map((option) => option.value);
    const good = choices(quality).flatMap((q) => choices(cost).map((c) => [q, c])).find(([q, c]) => pointsOf(table, q, c).length > 1);
    place.hidden = !good;
    if (!good) return;
    [quality.value, cost.value] = good;
    for (const select of [quality, cost]) select.addEventListener("change", () => scatter(table));
  }
  if (place.hidden) return;
  const all = pointsOf(table, quality.value, cost.value), points = all.slice(0, MOST);
  const sign = columnsOf[quality.value].textContent.includes("↓") ? -1 : 1;
  const names = { quality: quality.selectedOptions[0].textContent, cost: cost.selectedOptions[0].textContent };
  const keys = place.querySelector(".keys");
  if (points.length < 2) {
    picture.replaceChildren(element("p", { class: "absent" }, "Fewer than two methods have both."));
    keys.replaceChildren();
    return;
  }
  picture.replaceChildren(scatterPicture(points, names, sign, Math.max(320, Math.min(860, place.clientWidth))));
  const first = new Map(points.toReversed().map((point) => [point.line.method, point]));
  keys.replaceChildren(...points.filter((point) => first.get(point.line.method) === point).map(keyOf));
  if (all.length > MOST) keys.append(`the first ${MOST} of ${all.length} methods`);
}

document.addEventListener("table", (event) => { if (event.detail.groups) scatter(event.detail); });
let waiting = 0;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => { if (current?.groups) scatter(current); }, 150);
});
