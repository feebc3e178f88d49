// The sections of the overview that are tables and lists.

import { facts, h, KeyedTable, setText } from "./dom.js";
import { coins, laneName, short, trustText } from "./model.js";
import { ago, moment, number, seconds, span, t, until, word } from "./texts.js";

const more = (count) => t("more", { count });
const STATE_KINDS = { active: "good", frozen: "bad", expired: "bad", silent: "bad", struck: "bad", closed: "warn", opening: "warn" };
const stateCell = (state) => ({ text: word("state", state), kind: STATE_KINDS[state] ?? "" });
const trustCell = (trust) => ({ text: trustText(trust), kind: `trust trust-${trust}` });
const endCell = (at, now) => (at ? { text: until(at, now), kind: at <= now ? "bad" : "", title: moment(at) } : t("none"));
const agoCell = (at, now) => ({ text: ago(at, now), title: at > 0 ? moment(at) : "" });

/** A titled table; `items(view)` gives its rows, `none()` says what stands there when there are none. */
class TableSection {
  constructor(section, title, columns, items, none, tools = []) {
    Object.assign(this, { title, items, none });
    this.heading = h("h2");
    this.empty = h("p", { class: "soft" });
    this.table = new KeyedTable(() => t(title), columns, { page: 50, more });
    section.append(this.heading, ...tools, this.empty, this.table.element);
  }

  update(view) {
    const items = this.items(view);
    setText(this.heading, t(this.title));
    setText(this.empty, this.none());
    this.empty.hidden = items.length > 0;
    this.table.element.hidden = items.length === 0;
    this.table.update(items);
  }
}

export function attentionSection(section) {
  const view = {};
  const kinds = { freeze: "bad", alarm: "bad", wait: "warn" };
  const columns = [
    { label: () => t("attention.subject"), cell: (item) => ({ text: `${t(`kind.${item.kind}`)}: ${item.subject}`, href: item.href, kind: kinds[item.kind] }) },
    { label: () => t("attention.code"), cell: (item) => ({ text: item.code, href: `#/reason/${encodeURIComponent(item.code)}` }) },
    { label: () => t("attention.party"), cell: (item) => item.party },
    { label: () => t("attention.since"), kind: "when", cell: (item) => (item.since ? agoCell(item.since, view.now) : "–") },
    { label: () => t("attention.next"), kind: "when", cell: (item) => (item.next ? { text: item.next > view.now ? t("in", { span: span(item.next - view.now) }) : "–", title: moment(item.next) } : "–") },
    { label: () => t("attention.text"), cell: (item) => ({ text: item.text, detail: item.detail }) },
  ];
  const shown = new TableSection(section, "attention.title", columns, ({ attention }) => attention.map((item) => [item.key, item]), () => t("attention.none"));
  return (now) => { Object.assign(view, now); shown.update(now); };
}

const ORDERS = {
  by_name: (a, b) => a.name.localeCompare(b.name),
  by_backlog: (a, b) => b.backlog - a.backlog,
  by_rate: (a, b) => b.rate - a.rate,
  by_latency: (a, b) => (b.delivered_p50 ?? -1) - (a.delivered_p50 ?? -1),
};

export function lanesSection(section, redraw) {
  const view = {};
  const filter = h("input", { type: "search", id: "lanes-filter", autocomplete: "off", spellcheck: "false", oninput: redraw });
  const order = h("select", { id: "lanes-order", onchange: redraw }, Object.keys(ORDERS).map((name) => h("option", { value: name })));
  const [filterText, orderText, count] = [h("span"), h("span"), h("span", { class: "soft", id: "lanes-count" })];
  const tools = h("div", { class: "tools" }, h("label", {}, filterText, filter), h("label", {}, orderText, order), count);
  const columns = [
    { label: () => t("lane"), kind: "name", cell: (lane) => ({ text: lane.name, href: `#/lane/${lane.key}` }) },
    { label: () => t("state"), kind: "state", cell: (lane) => stateCell(lane.state) },
    { label: () => t("trust"), cell: (lane) => trustCell(lane.trust) },
    { label: () => t("sent"), kind: "number", cell: (lane) => number(lane.sent) },
    { label: () => t("delivered"), kind: "number", cell: (lane) => number(lane.delivered) },
    { label: () => t("settled"), kind: "number", cell: (lane) => number(lane.settled) },
    { label: () => t("backlog"), kind: "number", cell: (lane) => ({ text: number(lane.backlog), kind: lane.backlog ? "warn" : "" }) },
    { label: () => t("oldest"), kind: "when", cell: (lane) => (lane.oldest_at ? agoCell(lane.oldest_at, view.now) : "–") },
    { label: () => t("rate"), kind: "number", cell: (lane) => `${number(lane.rate, 1)}/s` },
    { label: () => t("per_hour"), kind: "number", cell: (lane) => number(lane.delivered_in_hour) },
    { label: () => t("delivered_latency"), kind: "number pair", cell: (lane) => `${seconds(lane.delivered_p50)} / ${seconds(lane.delivered_p95)}` },
    { label: () => t("settled_latency"), kind: "number pair", cell: (lane) => `${seconds(lane.settled_p50)} / ${seconds(lane.settled_p95)}` },
    { label: () => t("outcomes"), kind: "number", cell: (lane) => `${lane.executed}/${lane.failed}/${lane.expired}/${lane.refused}` },
    { label: () => t("conserved"), cell: (lane) => ({ text: t(lane.conserved ? "conserved.yes" : "conserved.no"), kind: lane.conserved ? "good" : "bad" }) },
    { label: () => t("heads"), kind: "number pair", cell: (lane) => ({ text: `${number(lane.head_height)} / ${number(lane.outcome_head_height)}`, title: `${lane.head}\n${lane.outcome_head}` }) },
    { label: () => t("client_expiry"), kind: "when", cell: (lane) => endCell(lane.expires_at, view.now) },
  ];
  const items = ({ lanes, rates }) => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = Object.entries(lanes).map(([key, lane]) => ({ ...lane, key, name: laneName(lane), rate: rates.of(key) }));
    const found = all.filter((lane) => {
      const text = `${lane.name} ${lane.state} ${word("state", lane.state)} ${lane.trust} ${word("trust", lane.trust)} ${lane.lane_id}`.toLowerCase();
      return words.every((one) => text.includes(one));
    });
    setText(count, t("shown", { shown: number(found.length), all: number(all.length) }));
    view.any = all.length > 0;
    return found.sort((a, b) => ORDERS[order.value](a, b) || ORDERS.by_name(a, b)).map((lane) => [lane.key, lane]);
  };
  const shown = new TableSection(section, "lanes.title", columns, items, () => t(view.any ? "lanes.no_match" : "lanes.none"), [tools]);
  const update = (now) => {
    Object.assign(view, now);
    setText(filterText, t("lanes.filter"));
    setText(orderText, t("lanes.sort"));
    for (const option of order.options) setText(option, t(`lanes.${option.value}`));
    shown.update(now);
  };
  update.filter = (text) => { filter.value = text; };
  return update;
}

export function ledgersSection(section) {
  const view = {};
  const simulated = (chain) => (chain.simulated ? ` (${t("state.simulated")})` : "");
  const columns = [
    { label: () => t("ledger"), cell: (chain) => chain.name },
    { label: () => t("state"), kind: "state", cell: (chain) => stateCell(chain.state) },
    { label: () => t("trust"), cell: (chain) => trustCell(chain.trust) },
    { label: () => t("chain_id"), cell: (chain) => chain.chain_id },
    { label: () => t("consensus"), cell: (chain) => `${chain.consensus}${simulated(chain)}` },
    { label: () => t("software"), cell: (chain) => chain.software },
    { label: () => t("height"), kind: "number", cell: (chain) => ({ text: number(chain.height), title: chain.block_hash }) },
    { label: () => t("behind"), kind: "number", cell: (chain) => number(Math.max(chain.tip - chain.height, 0)) },
    { label: () => t("tip_seen"), kind: "when", cell: (chain) => agoCell(chain.tip_at, view.now) },
    { label: () => t("client_expiry"), kind: "when", cell: (chain) => endCell(chain.expires_at, view.now) },
    { label: () => t("certificate"), kind: "when", cell: (chain) => endCell(chain.certificate_ends_at, view.now) },
    { label: () => t("balance"), kind: "number", cell: (chain) => ({ text: coins(chain.balance), title: chain.account }) },
    { label: () => t("runway"), cell: (chain) => (chain.runway_s === null ? "–" : span(chain.runway_s)) },
    { label: () => t("endpoint_trouble"), cell: (chain) => (chain.endpoint_trouble.length ? { text: chain.endpoint_trouble.map((one) => `${one.url}: ${one.reason}`).join("; "), kind: "warn" } : t("none")) },
  ];
  const shown = new TableSection(section, "ledgers.title", columns, ({ chains }) => Object.entries(chains), () => t("map.none"));
  return (now) => { Object.assign(view, now); shown.update(now); };
}

export function clientsSection(section) {
  const view = {};
  const columns = [
    { label: () => t("client.of"), cell: (client) => client.peer || "?" },
    { label: () => t("client.on"), cell: (client) => client.chain },
    { label: () => t("state"), kind: "state", cell: (client) => stateCell(client.frozen ? "frozen" : client.expires_at && client.expires_at <= view.now ? "expired" : "active") },
    { label: () => t("height"), kind: "number", cell: (client) => number(client.height) },
    { label: () => t("header_age"), kind: "when", cell: (client) => agoCell(client.header_at, view.now) },
    { label: () => t("client_expiry"), kind: "when", cell: (client) => endCell(client.expires_at, view.now) },
    { label: () => t("lanes_using"), kind: "number", cell: (client) => number(client.lanes) },
    { label: () => t("address"), kind: "hex", cell: (client) => ({ text: short(client.address), title: client.address }) },
  ];
  const shown = new TableSection(section, "clients.title", columns, ({ clients }) => Object.entries(clients), () => t("clients.none"));
  return (now) => { Object.assign(view, now); shown.update(now); };
}

export function operatorsSection(section) {
  const view = {};
  const columns = [
    { label: () => t("operator"), cell: (operator) => operator.name },
    { label: () => t("organisation"), cell: (operator) => operator.organisation },
    { label: () => t("state"), kind: "state", cell: (operator) => stateCell(operator.silent ? "silent" : operator.state) },
    { label: () => t("seen"), kind: "when", cell: (operator) => agoCell(operator.seen_at, view.now) },
    { label: () => t("signed"), kind: "when", cell: (operator) => agoCell(operator.signed_at, view.now) },
    { label: () => t("heights"), cell: (operator) => Object.entries(operator.heights).map(([name, height]) => `${name} ${number(height)}`).join(", ") || "–" },
    { label: () => t("unsigned"), kind: "number", cell: (operator) => ({ text: number(operator.unsigned), kind: operator.unsigned ? "warn" : "" }) },
    { label: () => t("signer"), kind: "hex", cell: (operator) => ({ text: short(operator.signer), title: operator.signer }) },
  ];
  const shown = new TableSection(section, "operators.title", columns, ({ operators }) => Object.entries(operators), () => t("operators.none"));
  return (now) => { Object.assign(view, now); shown.update(now); };
}

export function incidentsSection(section) {
  const view = {};
  const columns = [
    { label: () => t("incident.at"), cell: (incident) => agoCell(incident.at, view.now) },
    { label: () => t("incident.name"), cell: (incident) => ({ text: incident.name, href: `#/reason/${encodeURIComponent(incident.name)}` }) },
    { label: () => t("incident.subject"), cell: (incident) => incident.subject },
    { label: () => t("attention.text"), cell: (incident) => incident.text },
  ];
  const newest = ({ incidents }) => Object.entries(incidents).sort((a, b) => b[1].at - a[1].at);
  const shown = new TableSection(section, "incidents.title", columns, newest, () => t("incidents.none"));
  return (now) => { Object.assign(view, now); shown.update(now); };
}

export function processesSection(section) {
  const view = {};
  const columns = [
    { label: () => t("process"), cell: (process) => process.role },
    { label: () => t("state"), kind: "state", cell: (process) => ({ text: t(`process.${process.failing ? "failing" : process.alive ? "alive" : "down"}`), kind: process.alive && !process.failing ? "good" : "bad" }) },
    { label: () => t("started"), cell: (process) => (process.alive ? agoCell(process.started, view.now) : "–") },
    { label: () => t("restarts"), kind: "number", cell: (process) => number(process.restarts) },
    { label: () => t("note"), cell: (process) => process.note || "–" },
  ];
  const shown = new TableSection(section, "processes.title", columns, ({ processes }) => Object.entries(processes), () => t("processes.none"));
  return (now) => { Object.assign(view, now); shown.update(now); };
}

/** What so many witnesses cosigned, and each one: up to which size, or since when it is behind and why. */
function witnessLines({ threshold, cosigned, witnesses }, now) {
  const all = h("div", {}, t("evidence.cosigned", { size: number(cosigned ?? 0), threshold: number(threshold), count: number(witnesses.length) }));
  return [
    all,
    ...witnesses.map(({ name, size, at, behind_since: since, code, text }) =>
      since
        ? h("div", { class: "bad", title: text }, t("evidence.witness_behind", { name, when: ago(since, now), why: word("witness", code || "asked") }))
        : h("div", {}, t("evidence.witness", { name, size: number(size), when: ago(at, now) })),
    ),
  ];
}

export function evidenceSection(section) {
  const [heading, body] = [h("h2"), h("div")];
  section.append(heading, body);
  let drawn = "";
  return ({ evidence, now, language }) => {
    setText(heading, t("evidence.title"));
    const log = evidence.log ?? { there: false };
    const witnesses = log.witnesses?.witnesses ?? [];
    const times = [log.at ?? 0, ...(log.anchors ?? []).map((one) => one.at), ...witnesses.map((one) => one.behind_since || one.at)];
    const ages = times.map((at) => ago(at, now));
    const signature = JSON.stringify([log, language, ages]);
    if (signature === drawn) return;
    drawn = signature;
    if (!log.there) {
      body.replaceChildren(h("p", { class: "soft" }, log.text ?? t("evidence.none")));
      return;
    }
    const anchors = (log.anchors ?? []).map((one) => h("div", { title: `${one.root}\n${one.transaction}` }, t("evidence.anchor", { chain: one.chain, size: number(one.size), when: ago(one.at, now) })));
    body.replaceChildren(
      facts([
        [t("evidence.origin"), log.origin],
        [t("evidence.size"), h("span", { id: "evidence-size" }, number(log.size))],
        [t("evidence.root"), h("span", { class: "hex" }, log.root)],
        [t("evidence.signers"), log.signers.join(", ")],
        [t("evidence.at"), ago(log.at, now)],
        [t("evidence.waiting"), number(log.waiting)],
        [t("evidence.anchors"), anchors.length ? h("div", {}, anchors) : t("evidence.no_anchors")],
        [t("evidence.witnesses"), witnesses.length ? h("div", { id: "witnesses" }, witnessLines(log.witnesses, now)) : t("evidence.no_witnesses")],
      ]),
    );
  };
}
