"use strict";

// The page of a data set: which table is shown, and its rows sorted, filtered and paged. The first rows are in the page;
// all of them are in the file of rows, which is read when the table is looked at.

const GLYPHS = ["●", "■", "▲", "◆", "▼", "✚", "✖", "◀"], HUES = 7, PAGE = 50;
const ROOT = "../";

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Lines of the file of rows ------------------------------------------------------------------------------------------

function opened(data) {
  const { words } = data;
  const line = ([kind, method, page, style, samples, notes, failure, done, failed, day, id, command, cells, costs]) => ({
    kind, method: words[method], page: words[page], style, samples, notes: words[notes], failure: words[failure],
    done, failed, day, id, command: words[command], cells, costs,
  });
  return data.groups.map(([name, title, units]) => ({
    name, title, units: units.map(([main, reported, more]) => ({ main: line(main), reported: reported.map(line), more })),
  }));
}

function loaded(file) {
  const found = () => globalThis.mrbenchRows?.[file.slice(ROOT.length)];
  return new Promise((done) => {
    const script = element("script", { src: file });
    script.addEventListener("load", () => done(found() ? opened(found()) : null));
    script.addEventListener("error", () => done(null));
    document.head.append(script);
  });
}

// The first rows can be read before all of them are loaded.
function painted() {
  return new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); setTimeout(done, 200); });
}

// Rows, exactly as the page's first rows are written -----------------------------------------------------------------

function figureCell(cell) {
  if (!cell) return element("td", { class: "number quality" });
  const [text, sd, interval, best] = cell;
  const made = element("td", { class: best ? "number quality best" : "number quality" }, text);
  if (best) made.append(element("b", { title: "best mean of the complete rows of methods" }, "*"));
  if (sd) made.append(" ", element("span", { class: "sd" }, `±${sd}`));
  if (interval) made.append(element("small", {}, interval));
  return made;
}

function heading(line, under, older) {
  const made = element("th", { scope: "row" });
  if (under) made.append(element("span", { class: "key", "aria-hidden": "true" }, "└"));
  else {
    const glyph = GLYPHS[line.style % GLYPHS.length];
    made.append(element("span", { class: `key c${line.style % HUES}`, "aria-hidden": "true" }, glyph), " ",
      element("a", { href: ROOT + line.page }, line.method));
  }
  if (line.kind === "reported") made.append(" ", element("span", { class: "badge" }, "reported"), " ");
  else if (older) made.append(" ", element("span", { class: "badge" }, "older"));
  if (line.failure) made.append(element("small", { class: "alert" }, line.failure));
  if (line.notes) made.append(element("small", {}, line.notes));
  return made;
}

function commandCell(line, table) {
  if (!line.command) return element("td", { class: "aside" });
  const button = element("button", { type: "button", class: "small", popovertarget: `${table}-${line.id}`, "aria-label": `How to run ${line.method}` }, "Command");
  const copy = element("button", { type: "button", "data-copy": "" }, "Copy");
  const code = element("code", { tabindex: "0" }, line.command);
  return element("td", { class: "aside" }, button, element("div", { class: "how", id: `${table}-${line.id}`, popover: "" }, element("div", { class: "command" }, code, copy)));
}

function lineRow(line, table, under = false, older = false) {
  const link = line.id && element("a", { href: `${ROOT}records/${line.id}.html`, "aria-label": `Record of ${line.method}, ${line.day}` }, line.day);
  return element("tr", { class: under ? `${line.kind} under` : line.kind },
    heading(line, under, older), element("td", { class: "number" }, line.samples),
    ...line.cells.map(figureCell), ...line.costs.map((cost) => element("td", { class: "number cost" }, cost)),
    element("td", { class: line.failure ? "number alert" : "number" }, line.done),
    element("td", { class: Number(line.failed) ? "number failed alert" : "number failed" }, line.failed),
    element("td", { class: "aside" }, link || ""), commandCell(line, table));
}

function unitRows(unit, table, span, reported, older) {
  const rows = [lineRow(unit.main, table, false, older)];
  if (!reported) return rows;
  rows.push(...unit.reported.map((line) => lineRow(line, table, true)));
  if (unit.more) {
    const link = element("a", { href: `${ROOT}${unit.main.page}#reported` }, `${unit.more} more reported of ${unit.main.method}`);
    rows.push(element("tr", { class: "under more" }, element("th", { scope: "row", colspan: span }, link)));
  }
  return rows;
}

function headingRow(title, span) {
  return element("tr", { class: "group" }, element("th", { scope: "rowgroup", colspan: span }, element("span", {}, title)));
}

// A table --------------------------------------------------------------------------------------------------------------

function number(text) {
  return text === "" || text === undefined ? null : Number(text.replaceAll(",", "").split("/")[0]);
}

// What a column sorts by, by its place.
function sortKey(line, column, columns) {
  if (column === 0) return line.method.toLowerCase();
  if (column === 1) return number(line.samples);
  if (column < 2 + columns) return line.cells[column - 2] ? number(line.cells[column - 2][0]) : null;
  if (column < 2 + columns + line.costs.length) return number(line.costs[column - 2 - columns]);
  const last = column - 2 - columns - line.costs.length;
  return last === 0 ? number(line.done) : last === 1 ? number(line.failed) : line.day || null;
}

class Table {
  constructor(section) {
    this.section = section;
    this.table = section.querySelector("table.results");
    this.columns = this.table.tHead.rows[0].querySelectorAll(".quality").length;
    this.span = this.table.tHead.rows[0].cells.length;
    this.sorted = null;
    this.page = 0;
    this.makeSortable();
    for (const button of section.querySelectorAll("[data-go]")) {
      button.addEventListener("click", () => { this.page += Number(button.dataset.go); this.draw(); });
    }
  }

  async open() {
    const file = this.section.dataset.file;
    if (!this.groups) {
      await painted();
      this.groups = await loaded(file);
    }
    if (wanted.rows.older && this.groups && !this.hasOlder) {
      this.hasOlder = true;
      this.groups = [...this.groups, ...((await loaded(file.replace(/\.js$/, "--older.js"))) ?? [])];
    }
  }

  makeSortable() {
    [...this.table.tHead.rows[0].cells].slice(0, -1).forEach((cell, column) => {
      const button = element("button", { type: "button" }, ...cell.childNodes);
      button.addEventListener("click", () => this.sortBy(cell, column));
      cell.append(button);
    });
  }

  sortBy(cell, column) {
    const ascending = cell.getAttribute("aria-sort") !== "ascending";
    for (const other of cell.parentElement.cells) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    this.sorted = { column, sign: ascending ? 1 : -1 };
    this.page = 0;
    this.draw();
  }

  matching(units) {
    const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (line) => {
      const text = `${line.method} ${line.notes} ${line.failure} ${line.kind}`.toLowerCase();
      return words.every((word) => text.includes(word)) && (!wanted.samples || line.samples === wanted.samples);
    };
    return units.filter((unit) => fits(unit.main) || (wanted.rows.reported && unit.reported.some(fits)));
  }

  inOrder(units) {
    if (!this.sorted) return units;
    const { column, sign } = this.sorted;
    const keyed = units.map((unit) => [sortKey(unit.main, column, this.columns), unit]);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
    });
    return keyed.map(([, unit]) => unit);
  }

  // The groups that are wanted; the first that does not fit on a page is paged, others show their first page.
  shown() {
    const hidden = { people: !wanted.rows.people, alone: !wanted.rows.reported, older: !wanted.rows.older };
    return this.groups.filter((group) => !hidden[group.name])
      .map((group) => ({ ...group, units: this.inOrder(this.matching(group.units)) }))
      .filter((group) => group.units.length);
  }

  draw() {
    if (!this.groups) return;
    const groups = this.shown();
    const longest = Math.max(0, ...groups.map((group) => group.units.length));
    this.page = Math.max(0, Math.min(this.page, Math.ceil(longest / PAGE) - 1));
    for (const body of [...this.table.tBodies]) body.remove();
    const from = this.page * PAGE;
    for (const group of groups) {
      const units = group.units.slice(from, from + PAGE);
      if (!units.length) continue;
      const body = element("tbody", { "data-group": group.name });
      if (group.title) body.append(headingRow(group.title, this.span));
      for (const unit of units) body.append(...unitRows(unit, this.section.dataset.id, this.span, wanted.rows.reported, group.name === "older"));
      this.table.append(body);
    }
    if (!groups.length) this.table.append(element("tbody", {}, element("tr", {}, element("td", { colspan: this.span, class: "absent" }, "No row fits the filter."))));
    this.drawPager(groups, from, longest);
    this.section.dataset.drawn = String(Number(this.section.dataset.drawn ?? 0) + 1);
  }

  drawPager(groups, from, longest) {
    const pager = this.section.querySelector(".pager");
    pager.hidden = longest <= PAGE;
    pager.querySelector(".place").textContent = `Rows ${from + 1} to ${Math.min(from + PAGE, longest)} of ${longest.toLocaleString("en")}`;
    const [back, on] = pager.querySelectorAll("button");
    back.disabled = from === 0;
    on.disabled = from + PAGE >= longest;
  }
}

// The controls above the tables ----------------------------------------------------------------------------------------

const wanted = { text: "", samples: "", rows: { reported: true, people: true, older: false } };
const controls = document.querySelector(".controls");
const tables = [...document.querySelectorAll("section.board")].map((section) => new Table(section));
let current = null;

function press(selector, pressed) {
  for (const button of controls.querySelectorAll(selector)) button.setAttribute("aria-pressed", String(pressed(button)));
}

async function show(table) {
  current = table;
  for (const other of tables) other.section.hidden = other !== table;
  press("[data-protocol]", (button) => button.dataset.protocol === table.section.dataset.protocol);
  controls.querySelector("[data-pick=data]").value = table.section.dataset.data;
  await table.open();
  if (current !== table) return;
  if (table.section.dataset.drawn || changedAtAll()) table.draw();
  else if (table.groups) table.drawPager(table.shown(), 0, Math.max(0, ...table.shown().map((group) => group.units.length)));
  table.section.dataset.ready = "";
  document.dispatchEvent(new CustomEvent("table", { detail: table }));
}

function changedAtAll() {
  return wanted.text || wanted.samples || wanted.rows.older || !wanted.rows.reported || !wanted.rows.people;
}

function redraw() {
  if (!current) return;
  current.page = 0;
  current.draw();
}

function choose(protocol, data, first) {
  const fits = first === "data" ? (table) => table.section.dataset.data === data : (table) => table.section.dataset.protocol === protocol;
  const candidates = tables.filter(fits);
  const best = candidates.find(({ section }) => section.dataset.protocol === protocol && section.dataset.data === data) ?? candidates[0];
  if (best) show(best);
}

function wire() {
  const now = () => current.section.dataset;
  for (const button of controls.querySelectorAll("[data-protocol]")) {
    button.addEventListener("click", () => choose(button.dataset.protocol, now().data, "protocol"));
  }
  const data = controls.querySelector("[data-pick=data]");
  const names = [...new Set(tables.map(({ section }) => section.dataset.data))];
  data.append(...names.map((name) => element("option", {}, name)));
  data.parentElement.hidden = names.length < 2;
  data.addEventListener("change", () => choose(now().protocol, data.value, "data"));
  const text = controls.querySelector("[data-pick=text]");
  text.addEventListener("input", () => { wanted.text = text.value; redraw(); });
  const samples = controls.querySelector("[data-pick=samples]");
  samples.addEventListener("change", () => { wanted.samples = samples.value; redraw(); });
  for (const button of controls.querySelectorAll("[data-rows]")) {
    button.addEventListener("click", () => {
      wanted.rows[button.dataset.rows] = !wanted.rows[button.dataset.rows];
      press("[data-rows]", (one) => wanted.rows[one.dataset.rows]);
      if (button.dataset.rows === "older") current.open().then(redraw);
      else redraw();
    });
  }
  for (const button of controls.querySelectorAll("[data-columns]")) {
    button.addEventListener("click", () => columns(button.dataset.columns));
  }
}

function columns(name) {
  document.body.dataset.columns = name;
  press("[data-columns]", (button) => button.dataset.columns === name);
}

if (tables.length) {
  wire();
  columns("quality");
  controls.hidden = false;
  const named = () => tables.find(({ section }) => section.id === location.hash.slice(1));
  addEventListener("hashchange", () => { if (named()) show(named()); });
  show(named() ?? tables[0]);
}
