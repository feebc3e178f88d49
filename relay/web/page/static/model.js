// What the page makes of the hub's state: names, rates, connections, and everything that asks for somebody's attention.

import { ago, explanation, hasText, number, span, t, until, word } from "./texts.js";

const SETTLING_S = 8;

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

/** Everything that waits, alarms or is frozen: [{key, kind, subject, href, code, party, since, next, text, detail}], worst first. */
export function attention(state, now) {
  return [...Object.entries(state.alarms).map(([key, alarm]) => alarmed(key, alarm, state, now)), ...waits(state)];
}

/** What the hub found (relay.views.alarms), in the reader's language. */
function alarmed(key, alarm, state, now) {
  const lane = alarm.subject === "lane" ? state.lanes[alarm.id] : null;
  return {
    key: `${alarm.kind} ${key}`, kind: alarm.kind, code: alarm.code, since: alarm.since, next: 0, detail: alarm.values.text ?? "",
    party: partyName(alarm.party),
    subject: t(`subject.${alarm.subject}`, { name: lane ? laneName(lane) : alarm.name }),
    text: alarm.kind === "freeze" ? t("alarm.frozen") : alarmText(alarm, now),
    href: lane ? `#/lane/${alarm.id}` : null,
    lane: lane ? alarm.id : null,
  };
}

/** The sentence of an alarm's code with what it tells; moments and spans of time as the reader's language writes them. */
function alarmText(alarm, now) {
  const values = Object.fromEntries(Object.entries(alarm.values).map(([name, value]) => [name, told(name, value, now)]));
  return hasText(`alarm.${alarm.code}`) ? t(`alarm.${alarm.code}`, { ...values, since: ago(alarm.since, now) }) : explanation(alarm.code);
}

function told(name, value, now) {
  if (name === "ends_at") return until(value, now);
  if (name.endsWith("_at")) return ago(value, now);
  if (name.endsWith("_s")) return span(value);
  return typeof value === "number" ? number(value) : value;
}

/** A wait says why by its code in the reader's language; what the hub wrote down, in English, is the detail. */
function waits(state) {
  return Object.values(state.waits).map((wait) => {
    const lane = state.lanes[wait.id];
    const back = wait.kind === "back" ? ` (${t("attention.way_back")})` : "";
    const subject = lane ? "lane" : wait.kind === "client" ? "client" : "chain";
    return {
      key: `wait ${wait.kind} ${wait.id}`, kind: "wait", code: wait.code, since: wait.since, next: wait.next_at,
      party: partyName(wait.party),
      subject: t(`subject.${subject}`, { name: lane ? laneName(lane) + back : wait.id }),
      text: explanation(wait.code),
      detail: wait.text,
      href: lane ? `#/lane/${wait.id}` : null,
      lane: lane ? wait.id : null,
    };
  });
}

const PARTIES = {
  "hub's owner": "party.owner", officers: "party.officers", hub: "party.hub", operators: "party.operators",
  nobody: "party.nobody", "another relayer": "party.other_relayer",
};

/** Whose turn it is, as the hub names them in English: a role, or a role and names. */
export function partyName(party) {
  if (Object.hasOwn(PARTIES, party)) return t(PARTIES[party]);
  const [, role, name] = /^(chain|operators?) (.+)$/su.exec(party) ?? [];
  return role ? t(`party.${role}_named`, { name }) : party;
}

/** An amount in base units of 18 decimals, to six digits. */
export const coins = (text) => number(Number(text) / 1e18, 6);
