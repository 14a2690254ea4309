"use strict";

// Tables that sort by a column: the titles become buttons; blanks stay at the end, groups of rows stay together.
{
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return a === b ? 0 : NaN;
    const difference = Number(a) - Number(b);
    return Number.isNaN(difference) ? a.localeCompare(b) : difference;
  };
  const sortBody = (body, column, sign) => {
    const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
    rows.sort((a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      const order = compare(x, y);
      return Number.isNaN(order) ? (x === "" ? 1 : -1) : sign * order;
    });
    body.append(...rows);
  };
  const sortBy = (table, heading) => {
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    for (const body of table.tBodies) sortBody(body, heading.cellIndex, ascending ? 1 : -1);
  };
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    for (const heading of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sortBy(table, heading));
      heading.append(button);
    }
  }
}
