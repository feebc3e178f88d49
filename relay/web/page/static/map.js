// The map of ledgers and lanes: cytoscape draws, the arrow keys choose, a table says the same.

import cytoscape from "./vendor/cytoscape.js";
import { byId, h, KeyedTable, say, setText } from "./dom.js";
import { connections, SYMBOLS, trustText } from "./model.js";
import { number, t, word } from "./texts.js";

const LEDGERS_DRAWN = 200;
const LINES = { committee: "solid", "light-client": "dashed", both: "solid", development: "dotted" };
const SHAPES = { active: "round-rectangle", frozen: "octagon", retired: "ellipse" };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export class LedgerMap {
  constructor(section, choose) {
    this.choose = choose;
    this.chosen = -1;
    this.title = h("h2");
    this.canvas = h("div", { id: "map", tabindex: 0, role: "img", onkeydown: (event) => this.key(event) });
    this.keys = h("p", { class: "soft" });
    this.legend = h("ul", { class: "legend" });
    this.none = h("p", { class: "soft", hidden: true });
    this.table = new KeyedTable(
      () => t("map.table"),
      [
        { label: () => t("message.from"), cell: (one) => one.from },
        { label: () => t("message.to"), cell: (one) => one.to },
        { label: () => t("lanes.title"), kind: "number", cell: (one) => ({ text: number(one.lanes.length), href: target(one) }) },
        { label: () => t("trust"), cell: (one) => ({ text: trustText(one.trust), kind: `trust trust-${one.trust}` }) },
        { label: () => t("rate"), kind: "number", cell: (one) => `${number(one.rate, 1)}/s` },
        { label: () => t("backlog"), kind: "number", cell: (one) => number(one.backlog) },
      ],
      { page: 50, more: (count) => t("more", { count }) },
    );
    this.summary = h("summary");
    section.append(this.title, this.none, this.canvas, this.keys, this.legend, h("details", {}, this.summary, this.table.element));
    this.drawn = "";
  }

  update(state, rates) {
    this.state = state;
    this.connections = connections(state.lanes, rates);
    const names = Object.keys(state.chains);
    setText(this.title, t("map.title"));
    setText(this.summary, t("map.table"));
    setText(this.keys, t("map.keys"));
    this.legend.replaceChildren(
      h("li", { class: "soft" }, `${t("map.legend")}:`),
      ...Object.keys(SYMBOLS).map((trust) => h("li", { class: `trust trust-${trust}` }, `${trustText(trust)} ${LINE_PICTURES[trust]}`)),
    );
    const many = names.length > LEDGERS_DRAWN;
    setText(this.none, many ? t("map.many") : t("map.none"));
    this.none.hidden = names.length > 0 && !many;
    for (const element of [this.canvas, this.keys, this.legend]) element.hidden = !this.none.hidden;
    this.canvas.setAttribute("aria-label", t("map.label", { ledgers: names.length, lanes: Object.keys(state.lanes).length }));
    this.table.update(this.connections.map((one) => [one.key, one]));
    if (this.none.hidden) this.draw(names);
  }

  draw(names) {
    const shape = JSON.stringify([names, this.connections.map((one) => one.key)]);
    if (!this.cy) {
      this.cy = cytoscape({
        container: this.canvas, userZoomingEnabled: false, boxSelectionEnabled: false, autoungrabify: false, minZoom: 0.05, maxZoom: 1.6,
      });
      this.cy.on("tap", "edge", (event) => this.open(event.target.id()));
      this.cy.on("tap", "node", (event) => this.choose(event.target.id().slice(2)));
      new ResizeObserver(() => { this.cy.resize(); this.fit(); }).observe(this.canvas);
      this.restyle();
    }
    this.cy.batch(() => {
      if (shape !== this.drawn) {
        this.cy.elements().remove();
        this.cy.add(names.map((name) => ({ group: "nodes", data: { id: `n:${name}` } })));
        this.cy.add(
          this.connections.map((one) => ({ group: "edges", data: { id: one.key, source: `n:${one.from}`, target: `n:${one.to}` } })),
        );
      }
      for (const name of names) {
        const chain = this.state.chains[name];
        const kind = chain.simulated ? `\n(${t("state.simulated")})` : chain.state === "active" ? "" : `\n(${word("state", chain.state)})`;
        this.cy.getElementById(`n:${name}`).data({ label: `${name}${kind}`, state: chain.state, shape: SHAPES[chain.state] ?? "ellipse" });
      }
      for (const one of this.connections) {
        const count = one.lanes.length > 1 ? ` ×${one.lanes.length}` : "";
        const traffic = one.rate >= 0.05 ? ` ${number(one.rate, 1)}/s` : "";
        const waiting = one.backlog ? ` +${number(one.backlog)}` : "";
        this.cy.getElementById(one.key).data({
          label: `${SYMBOLS[one.trust] ?? "?"}${one.stopped ? " ✕" : ""}${count}${traffic}${waiting}`,
          trust: one.trust,
          width: one.rate >= 0.05 ? Math.min(3 + Math.log2(1 + one.rate), 10) : 1.5,
          busy: one.rate >= 0.05 ? 1 : 0,
        });
      }
    });
    if (shape !== this.drawn) {
      this.drawn = shape;
      this.arrange();
    }
  }

  arrange() {
    this.cy.layout({ name: "circle", startAngle: this.cy.nodes().length === 2 ? Math.PI : 1.5 * Math.PI, animate: false, padding: 40, spacingFactor: this.cy.nodes().length < 4 ? 1.2 : 1 }).run();
    this.fit();
  }

  fit() {
    this.cy.fit(undefined, 36);
  }

  /** Colours of the theme: the canvas knows no style sheet. */
  restyle() {
    if (!this.cy) return;
    const style = [
      { selector: "node", style: {
        label: "data(label)", shape: "data(shape)", width: 104, height: 46, "background-color": colour("card"), "border-width": 2,
        "border-color": colour("soft"), color: colour("text"), "font-size": 13, "text-valign": "center", "text-wrap": "wrap", "text-max-width": 98 } },
      { selector: "node[state = 'frozen']", style: { "border-color": colour("bad"), "border-width": 4, color: colour("bad") } },
      { selector: "edge", style: {
        label: "data(label)", width: "data(width)", "curve-style": "bezier", "target-arrow-shape": "triangle", "font-size": 13,
        color: colour("text"), "text-background-color": colour("card"), "text-background-opacity": 1, "text-background-padding": 2,
        "control-point-step-size": 60 } },
      { selector: "edge[busy = 1]", style: { "overlay-color": colour("good"), "overlay-opacity": 0.16, "overlay-padding": 5 } },
      { selector: ".chosen", style: { "underlay-color": colour("focus"), "underlay-opacity": 0.6, "underlay-padding": 7 } },
      ...Object.entries(LINES).map(([trust, line]) => ({ selector: `edge[trust = '${trust}']`, style: {
        "line-color": colour(trust), "target-arrow-color": colour(trust), "line-style": line,
        "source-arrow-shape": trust === "both" ? "square" : trust === "light-client" ? "diamond" : "none", "source-arrow-color": colour(trust) } })),
    ];
    this.cy.style(style);
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const count = this.connections.length;
    if (step && count) {
      event.preventDefault();
      this.chosen = (this.chosen + step + count) % count;
      const one = this.connections[this.chosen];
      this.cy.elements().removeClass("chosen");
      this.cy.getElementById(one.key).addClass("chosen");
      const trust = word("trust", one.trust);
      say(t("map.chosen", { from: one.from, to: one.to, lanes: one.lanes.length, trust, rate: number(one.rate, 1), backlog: one.backlog }));
    } else if (event.key === "Enter" && this.chosen >= 0 && this.chosen < count) this.open(this.connections[this.chosen].key);
  }

  open(key) {
    const one = this.connections.find((other) => other.key === key);
    if (one) location.hash = target(one);
  }
}

const LINE_PICTURES = { committee: "──", "light-client": "◆─ ─", both: "■──", development: "····" };

function target(one) {
  return one.lanes.length === 1 ? `#/lane/${one.lanes[0]}` : `#/lanes/${encodeURIComponent(`${one.from} → ${one.to}`)}`;
}

export const mapElement = () => byId("map");
