// What the page makes of the hub's state: names, rates, connections, and everything that asks for somebody's attention.

import { ago, number, span, t, until, word } from "./texts.js";

const DAY_S = 86400;
const SETTLING_S = 8;
const EVIDENCE_BEHIND_S = 30;

export const SYMBOLS = { committee: "●", "light-client": "◆", both: "■", development: "▲" };
export const trustText = (trust) => `${SYMBOLS[trust] ?? "?"} ${word("trust", trust)}`;
export const short = (hex) => (hex.length > 20 ? `${hex.slice(0, 12)}…${hex.slice(-6)}` : hex);
export const laneName = (lane) =>
  `${lane.source} → ${lane.destination}` + (lane.channel === "default" ? "" : ` #${lane.channel}`);

/** Messages delivered a second, by lane: what came between two looks, fading over eight seconds. */
export class Rates {
  constructor() {
    this.seen = new Map();
  }

  note(lanes, now) {
    for (const [id, lane] of Object.entries(lanes)) {
      const last = this.seen.get(id);
      if (!last) this.seen.set(id, { at: now, delivered: lane.delivered, rate: 0 });
      else if (now - last.at >= 0.5) {
        const share = 1 - Math.exp(-(now - last.at) / SETTLING_S);
        const fresh = Math.max(lane.delivered - last.delivered, 0) / (now - last.at);
        const rate = last.rate + share * (fresh - last.rate);
        this.seen.set(id, { at: now, delivered: lane.delivered, rate: rate < 0.005 ? 0 : rate });
      }
    }
  }

  of(id) {
    return this.seen.get(id)?.rate ?? 0;
  }
}

/** The lanes from one ledger to another, together. */
export function connections(lanes, rates) {
  const found = new Map();
  for (const [id, lane] of Object.entries(lanes)) {
    if (lane.state === "retired" || lane.state === "abandoned") continue;
    const key = `${lane.source}\n${lane.destination}`;
    const one = found.get(key) ?? {
      from: lane.source, to: lane.destination, lanes: [], trusts: new Set(), rate: 0, backlog: 0, stopped: false,
    };
    one.lanes.push(id);
    one.trusts.add(lane.trust);
    one.rate += rates.of(id);
    one.backlog += lane.backlog;
    one.stopped ||= lane.state === "frozen";
    found.set(key, one);
  }
  return [...found.entries()].map(([key, one]) => ({ ...one, key, trust: weakest(one.trusts) }));
}

/** Of several trust levels the one that promises least. */
function weakest(trusts) {
  return ["development", "committee", "light-client", "both"].find((trust) => trusts.has(trust)) ?? [...trusts][0];
}

/** Everything that waits, alarms or is frozen: [{key, kind, subject, href, code, party, since, next, text}], worst first. */
export function attention(state, now) {
  return [...freezes(state), ...alarms(state, now), ...waits(state)];
}

function freezes(state) {
  const found = [];
  for (const [name, chain] of Object.entries(state.chains))
    if (chain.state === "frozen") found.push(item("freeze", "chain", name, "client_frozen", t("party.officers"), t("alarm.frozen")));
  for (const [id, lane] of Object.entries(state.lanes))
    if (lane.state === "frozen")
      found.push({ ...item("freeze", "lane", laneName(lane), "client_frozen", t("party.officers"), t("alarm.frozen")), href: `#/lane/${id}` });
  for (const client of Object.values(state.clients))
    if (client.frozen)
      found.push(item("freeze", "client", `${client.peer} @ ${client.chain}`, "light_client_frozen", t("party.officers"), t("alarm.frozen")));
  return found;
}

function alarms(state, now) {
  const owner = t("party.owner");
  const found = Object.values(state.alarms).map((alarm) => ({
    ...item("alarm", "chain", alarm.chain, alarm.code, owner, alarm.text), key: `alarm ${alarm.text}`,
  }));
  for (const [name, chain] of Object.entries(state.chains)) {
    if (chain.state === "retired") continue;
    found.push(...expiry(name, "chain", chain, "client_expired", now));
    if (chain.runway_s !== null && chain.runway_s < DAY_S)
      found.push(item("alarm", "chain", name, "runway_short", owner, t("alarm.runway_short", { span: span(chain.runway_s) })));
    for (const trouble of chain.endpoint_trouble)
      found.push({ ...item("alarm", "chain", name, "endpoint_rests", t("party.nobody"), t("alarm.endpoint_rests", trouble)), since: trouble.since, key: `rests ${name} ${trouble.url}` });
  }
  for (const client of Object.values(state.clients))
    if (client.lanes > 0) found.push(...expiry(`${client.peer} @ ${client.chain}`, "client", client, "light_client_expired", now));
  for (const [id, lane] of Object.entries(state.lanes))
    if (!lane.conserved) {
      const ended = lane.executed + lane.failed + lane.expired + lane.refused;
      const text = t("alarm.not_conserved", { sent: lane.sent, ended, flight: lane.in_flight });
      found.push({ ...item("alarm", "lane", laneName(lane), "not_conserved", owner, text), href: `#/lane/${id}` });
    }
  for (const operator of Object.values(state.operators))
    if (operator.silent) {
      const text = t("alarm.operator_silent", { seen: ago(operator.seen_at, now), signed: ago(operator.signed_at, now) });
      found.push(item("alarm", "operator", operator.name, "operator_silent", t("party.operator", { name: operator.organisation }), text));
    }
  for (const process of Object.values(state.processes))
    if (!process.alive) found.push(item("alarm", "process", process.role, "process_down", owner, t("alarm.process_down", { note: process.note })));
  const log = state.evidence.log;
  if (log?.waiting && now - log.waiting_since > EVIDENCE_BEHIND_S) {
    const text = t("alarm.evidence_behind", { count: log.waiting, when: ago(log.waiting_since, now) });
    found.push({ ...item("alarm", "evidence", "", "evidence_behind", owner, text), key: "alarm evidence_behind" });
  }
  return found;
}

/** A light client of the hub or on a ledger that is over, or within the last third of its trusting period. */
function expiry(name, kind, client, code, now) {
  if (!client.expires_at) return [];
  const left = client.expires_at - now;
  const when = until(client.expires_at, now);
  if (left <= 0) return [item("alarm", kind, name, code, t("party.owner"), t("alarm.client_expired", { when }))];
  if (left > (client.expires_at - client.header_at) / 3) return [];
  return [item("alarm", kind, name, "client_expires_soon", t("party.owner"), t("alarm.client_expires_soon", { when }))];
}

function waits(state) {
  return Object.values(state.waits).map((wait) => {
    const lane = state.lanes[wait.id];
    const back = wait.kind === "back" ? ` (${t("attention.way_back")})` : "";
    const [kind, name] = lane
      ? ["lane", laneName(lane) + back]
      : wait.kind === "client"
        ? ["client", wait.id]
        : ["chain", wait.id];
    return {
      ...item("wait", kind, name, wait.code, wait.party, wait.text),
      key: `wait ${wait.kind} ${wait.id}`,
      href: lane ? `#/lane/${wait.id}` : null,
      since: wait.since,
      next: wait.next_at,
      lane: lane ? wait.id : null,
    };
  });
}

function item(kind, subject, name, code, party, text) {
  return {
    key: `${kind} ${code} ${subject} ${name}`,
    kind, code, party, text,
    subject: t(`subject.${subject}`, { name }),
    href: null, since: 0, next: 0, lane: null,
  };
}

/** An amount in base units of 18 decimals, to six digits. */
export const coins = (text) => number(Number(text) / 1e18, 6);
