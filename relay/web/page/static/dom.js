// Elements whose texts are only ever set as text: nothing that a ledger, an operator or a stranger says becomes markup.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

export function say(text) {
  setText(byId("said"), text);
}

/** A table whose rows stay the same elements while their cells change, so that focus and selection survive. */
export class KeyedTable {
  /**
   * columns: [{label, kind, cell(item) → {text, kind, href, title, detail} or text}]; page: rows shown at first (0 = all).
   */
  constructor(label, columns, { page = 0, more = null } = {}) {
    this.columns = columns;
    this.page = page;
    this.limit = page || Infinity;
    this.rows = new Map();
    this.head = h("tr");
    this.body = h("tbody");
    this.table = h("table", {}, h("thead", {}, this.head), this.body);
    this.button = h("button", { type: "button", class: "more", hidden: true, onclick: () => this.showMore() });
    this.moreText = more;
    this.label = label;
    this.element = h("div", {}, h("div", { class: "scroll", role: "region", tabindex: 0 }, this.table), this.button);
    this.items = [];
  }

  showMore() {
    this.limit += this.page;
    this.update(this.items);
  }

  /** items: [[key, item], …] in the order of showing. */
  update(items) {
    this.items = items;
    this.element.firstChild.setAttribute("aria-label", this.label());
    this.drawHead();
    const shown = items.slice(0, this.limit);
    const wanted = new Set(shown.map(([key]) => key));
    for (const [key, row] of this.rows) {
      if (!wanted.has(key)) {
        row.remove();
        this.rows.delete(key);
      }
    }
    let place = this.body.firstChild;
    for (const [key, item] of shown) {
      let row = this.rows.get(key);
      if (!row) {
        row = h("tr", {}, this.columns.map((column) => h("td", { class: column.kind || null })));
        row.dataset.key = key;
        this.rows.set(key, row);
      }
      if (row === place) place = place.nextSibling;
      else this.body.insertBefore(row, place);
      this.columns.forEach((column, index) => fill(row.children[index], column, item));
    }
    const left = items.length - shown.length;
    this.button.hidden = left <= 0;
    if (left > 0) setText(this.button, this.moreText(Math.min(left, this.page)));
  }

  drawHead() {
    const labels = this.columns.map((column) => column.label());
    if (this.shownLabels === labels.join("\n")) return;
    this.shownLabels = labels.join("\n");
    this.head.replaceChildren(
      ...this.columns.map((column, index) => h("th", { scope: "col", class: column.kind || null }, labels[index])),
    );
  }
}

function fill(cell, column, item) {
  const told = column.cell(item);
  const value = typeof told === "object" && told !== null ? told : { text: told };
  const text = String(value.text ?? "");
  const signature = `${text}\n${value.kind ?? ""}\n${value.href ?? ""}\n${value.title ?? ""}\n${value.detail ?? ""}`;
  const label = column.label();
  if (cell.dataset.label !== label) cell.dataset.label = label;
  if (cell.shown === signature) return;
  cell.shown = signature;
  cell.className = [column.kind, value.kind].filter(Boolean).join(" ");
  const link = cell.firstElementChild;
  if (value.href && link && link.tagName === "A") {
    link.setAttribute("href", value.href);
    setText(link, text);
  } else if (value.href) {
    cell.replaceChildren(h("a", { href: value.href }, text));
  } else {
    cell.replaceChildren(h("span", {}, text, value.detail ? h("small", { class: "detail", lang: "en" }, value.detail) : null));
  }
  if (value.title) cell.title = value.title;
  else cell.removeAttribute("title");
}

export function facts(pairs) {
  return h(
    "dl",
    {},
    pairs.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value instanceof Node ? value : String(value))]),
  );
}
