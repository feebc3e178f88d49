// The page: it keeps the state by its feed, draws what is shown once a second, and follows the address behind the #.

import { byId, h, say, setText } from "./dom.js";
import * as details from "./details.js";
import { Feed, useToken } from "./feed.js";
import { LedgerMap } from "./map.js";
import { attention, laneName, Rates } from "./model.js";
import { Plots } from "./plots.js";
import * as sections from "./sections.js";
import { currentLanguage, loadTexts, number, remember, remembered, seconds, setLanguage, t } from "./texts.js";

const SECTIONS = ["attention", "map", "plots", "lanes", "ledgers", "clients", "operators", "evidence", "incidents", "processes"];
const EMPTY = { hub: {}, chains: {}, lanes: {}, clients: {}, operators: {}, waits: {}, alarms: {}, incidents: {}, evidence: {}, processes: {} };
const FOLLOW_MS = 1000;

const page = { state: EMPTY, rates: new Rates(), link: "loading", loaded: false, plots: null, lanePlots: null, detail: null };
let feed;

const within = (name) => byId(`section-${name}`);

function view() {
  const now = feed.now();
  return { ...EMPTY, ...page.state, now, rates: page.rates, language: currentLanguage(), attention: attention({ ...EMPTY, ...page.state }, now) };
}

function drawHeader(now) {
  const hub = now.hub.hub ?? {};
  setText(byId("hub-name"), hub.name ?? "");
  document.title = `${t("title")} ${hub.name ?? ""}`;
  const stale = now.trouble?.look;
  const link = stale && page.link === "live" ? "stale" : page.link;
  const badge = byId("hub-state");
  setText(badge, t(`state.${link}`));
  badge.className = `badge ${link === "live" ? "good" : link === "loading" ? "soft" : "bad"}`;
  const trouble = byId("trouble");
  trouble.hidden = !stale;
  setText(trouble, stale?.text ?? "");
  const simulated = Object.values(now.chains).filter((chain) => chain.simulated || chain.trust === "development").map((chain) => chain.name);
  const warnings = [
    ...(hub.development ? [t("warning.development")] : []),
    ...(simulated.length ? [t("warning.simulated", { names: simulated.slice(0, 12).join(", ") + (simulated.length > 12 ? " …" : "") })] : []),
  ];
  byId("warning").hidden = warnings.length === 0;
  setText(byId("warning"), warnings.join(" "));
}

function drawFigures(now) {
  const lanes = Object.values(now.lanes);
  const sum = (name) => lanes.reduce((total, lane) => total + lane[name], 0);
  const rate = Object.keys(now.lanes).reduce((total, id) => total + page.rates.of(id), 0);
  const told = {
    ledgers: number(Object.keys(now.chains).length),
    lanes: number(lanes.length),
    sent: number(sum("sent")),
    settled: number(sum("settled")),
    in_flight: number(sum("in_flight")),
    rate: number(rate, 1),
    p50: seconds(now.hub.hub?.delivered_p50),
    waits: number(now.attention.length),
  };
  const place = byId("figures");
  if (!place.children.length) for (const name of Object.keys(told)) place.append(h("div", {}, h("strong", { id: `figure-${name}` }), h("span")));
  Object.entries(told).forEach(([name, text], index) => {
    setText(place.children[index].firstChild, text);
    setText(place.children[index].lastChild, t(`figure.${name}`));
  });
}

function drawPlots(now) {
  const section = within("plots");
  if (!page.plots) {
    page.plotsHeading = h("h2");
    page.plotsLabel = h("span");
    page.plotsLane = h("select", { id: "plots-lane", onchange: () => page.plots.choose(page.plotsLane.value) });
    section.append(page.plotsHeading, h("div", { class: "tools" }, h("label", {}, page.plotsLabel, page.plotsLane)));
    page.plots = new Plots("all");
    section.append(page.plots.element);
    page.plots.read();
  }
  setText(page.plotsHeading, t("plots.title"));
  setText(page.plotsLabel, t("plots.lane"));
  const names = [["all", t("plots.all")], ...Object.entries(now.lanes).map(([id, lane]) => [id, laneName(lane)])];
  const signature = names.flat().join("\n");
  if (signature !== page.plotsNames) {
    page.plotsNames = signature;
    const chosen = page.plotsLane.value || "all";
    page.plotsLane.replaceChildren(...names.map(([id, name]) => h("option", { value: id }, name)));
    page.plotsLane.value = names.some(([id]) => id === chosen) ? chosen : "all";
  }
}

function drawOverview(now) {
  drawFigures(now);
  page.map.update({ ...EMPTY, ...page.state }, page.rates);
  drawPlots(now);
  for (const update of Object.values(page.sections)) update(now);
}

function draw() {
  if (!page.loaded) return;
  const now = view();
  drawHeader(now);
  if (!byId("overview").hidden) drawOverview(now);
  if (page.detail?.redraw) page.detail.redraw(now);
  document.body.dataset.ready = "yes";
}

function drawNavigation() {
  const nav = byId("nav");
  nav.setAttribute("aria-label", t("nav.label"));
  nav.replaceChildren(h("ul", {}, SECTIONS.map((name) => h("li", {}, h("a", { href: `#/${name}` }, t(`nav.${name}`))))));
}

// --- what stands behind the # ---

async function route(focus = true) {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const argument = decoded(rest.join("/"));
  leaveDetail();
  if (["message", "lane", "reason"].includes(name) && argument) {
    byId("overview").hidden = true;
    byId("detail").hidden = false;
    page.detail = { message: showMessage, lane: showLane, reason: showReason }[name](argument);
    if (focus) byId("detail").focus();
    scrollTo(0, 0);
    return;
  }
  byId("detail").hidden = true;
  byId("overview").hidden = false;
  if (name === "lanes" && argument) page.sections.lanes.filter(argument);
  draw();
  page.plots?.read();
  if (SECTIONS.includes(name) && focus) {
    within(name).focus();
    within(name).scrollIntoView();
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function leaveDetail() {
  clearInterval(page.detail?.timer);
  page.detail?.plots?.close();
  page.detail = null;
}

const put = (nodes) => byId("detail").replaceChildren(...nodes);

function showMessage(identifier) {
  const detail = { timer: null };
  let last = "";
  const read = async () => {
    let told;
    try {
      told = await details.message(identifier, feed.now());
    } catch {
      return; // the feed says that the hub does not answer
    }
    if (page.detail !== detail) return;
    const text = told.nodes.map((node) => node.textContent).join("\n") + currentLanguage();
    if (text !== last) put(told.nodes);
    last = text;
    if (!told.pending) clearInterval(detail.timer);
  };
  detail.again = read;
  detail.timer = setInterval(read, FOLLOW_MS);
  put([]);
  read();
  return detail;
}

function showLane(id) {
  const facts = h("div");
  const plots = new Plots(id);
  put([facts, plots.element]);
  plots.read();
  let last = "";
  const redraw = (now) => {
    const nodes = details.lane(now.lanes[id], now.attention.filter((item) => item.lane === id), now.now, page.rates.of(id));
    const text = nodes.map((node) => node.textContent).join("\n") + currentLanguage();
    if (text === last) return;
    last = text;
    const held = facts.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    facts.replaceChildren(...nodes);
    if (held) facts.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus();
  };
  if (page.loaded) redraw(view());
  return { redraw, plots, again: () => plots.redraw() };
}

function showReason(code) {
  const read = async () => {
    try {
      put(await details.reason(code, page.loaded ? view().attention : []));
    } catch {
      // the feed says that the hub does not answer
    }
  };
  put([]);
  read();
  return { again: read };
}

// --- language, theme, token ---

function drawSwitches() {
  const language = byId("language");
  setText(language, t("language.switch"));
  language.lang = currentLanguage() === "zh" ? "en" : "zh-CN";
  const other = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  setText(byId("theme"), t(`theme.${other}`));
  byId("theme").setAttribute("aria-label", t("theme.label", { theme: t(`theme.${other}`) }));
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  page.map?.restyle();
  page.plots?.redraw();
  page.detail?.plots?.redraw();
}

function wireSwitches() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => (["dark", "light"].includes(remembered("theme")) ? remembered("theme") : null);
  setTheme(kept() ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => { if (!kept()) { setTheme(dark.matches ? "dark" : "light"); drawSwitches(); } });
  byId("theme").addEventListener("click", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    remember("theme", next);
    setTheme(next);
    drawSwitches();
  });
  byId("language").addEventListener("click", () => {
    setLanguage(currentLanguage() === "zh" ? "en" : "zh");
    drawSwitches();
    drawNavigation();
    page.plots?.redraw();
    page.detail?.again?.();
    draw();
  });
}

function wireForms() {
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const identifier = byId("find-id").value.trim();
    if (/^(0x)?[0-9a-fA-F]{6,64}$/.test(identifier)) location.hash = `#/message/${identifier}`;
    else say(t("find.bad"));
    byId("find-id").setCustomValidity("");
    if (!/^(0x)?[0-9a-fA-F]{6,64}$/.test(identifier)) {
      byId("find-id").setCustomValidity(t("find.bad"));
      byId("find-id").reportValidity();
    }
  });
  byId("find-id").addEventListener("input", () => byId("find-id").setCustomValidity(""));
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
  byId("token").addEventListener("submit", (event) => {
    event.preventDefault();
    useToken(byId("token-text").value.trim());
    byId("token").hidden = true;
    start();
  });
}

function start() {
  feed = new Feed(
    (state, delta) => {
      page.state = state;
      page.loaded = true;
      page.rates.note(state.lanes ?? {}, feed.now());
      if (delta === null) route(false);
      draw();
    },
    (link, text) => {
      page.link = link === "refused" ? "lost" : link;
      if (link === "refused") {
        byId("token").hidden = false;
        setText(byId("token-error"), sessionStorage.getItem("relayhub.token") ? text : "");
        byId("token-text").focus();
      }
      if (page.loaded) drawHeader(view());
      else if (link === "lost") setText(byId("hub-state"), t("state.lost"));
    },
  );
  page.feed = feed;
  feed.run();
}

async function main() {
  await loadTexts();
  page.map = new LedgerMap(within("map"), (name) => { location.hash = `#/lanes/${encodeURIComponent(name)}`; });
  page.sections = {
    attention: sections.attentionSection(within("attention")),
    lanes: sections.lanesSection(within("lanes"), () => draw()),
    ledgers: sections.ledgersSection(within("ledgers")),
    clients: sections.clientsSection(within("clients")),
    operators: sections.operatorsSection(within("operators")),
    evidence: sections.evidenceSection(within("evidence")),
    incidents: sections.incidentsSection(within("incidents")),
    processes: sections.processesSection(within("processes")),
  };
  wireSwitches();
  wireForms();
  drawSwitches();
  drawNavigation();
  setText(byId("hub-state"), t("state.loading"));
  start();
  addEventListener("hashchange", () => route());
  setInterval(() => {
    if (document.hidden || !page.loaded) return;
    page.rates.note(page.state.lanes ?? {}, feed.now());
    draw();
  }, 1000);
}

main();
