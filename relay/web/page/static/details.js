// What the page shows of one thing: a message's timeline, a lane, the explanation of a reason.

import { facts, h } from "./dom.js";
import { ask, Refusal } from "./feed.js";
import { laneName, partyName, short, trustText } from "./model.js";
import { ago, currentLanguage, explanation, moment, number, seconds, t, until, word } from "./texts.js";

const STAGES = [
  "sent", "final", "proved", "attested", "submitted", "delivered", "outcome_proved", "outcome_attested", "settle_submitted", "settled",
];
const hex = (text) => h("span", { class: "hex" }, text);
const back = () => h("p", {}, h("a", { href: "#/" }, `← ${t("back")}`));

/** The elements of a message's page; several messages of one transaction become a list. */
export async function message(identifier, now) {
  let messages;
  try {
    ({ messages } = await ask(`/page/trace/${encodeURIComponent(identifier)}`));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const text = error.status === 404 ? t("message.none") : error.status === 400 ? t("find.bad") : error.message;
    return { pending: error.status === 404, nodes: [back(), h("h2", {}, t("message.title", { id: short(identifier) })), h("p", { class: "bad" }, text)] };
  }
  if (messages.length === 1) return { pending: messages[0].stage !== "settled", nodes: one(messages[0], now) };
  const list = messages.map((item) =>
    h("li", {}, h("a", { href: `#/message/${item.message_id}` }, short(item.message_id)), ` ${laneName(item)} · ${item.nonce} · ${word("stage", item.stage)}`),
  );
  return { pending: false, nodes: [back(), h("h2", {}, t("message.several", { count: number(messages.length) })), h("ul", {}, list)] };
}

function one(item, now) {
  const expires = item.expires_at === 0 || item.expires_at === "0" ? t("message.never") : moment(Number(item.expires_at));
  const outcome = item.outcome;
  const pairs = [
    [t("message.lane"), h("a", { href: `#/lane/${item.lane_id.slice(2)}` }, laneName(item))],
    [t("message.nonce"), number(item.nonce)],
    [t("trust"), h("span", { class: `trust trust-${item.trust}` }, trustText(item.trust))],
    [t("message.from"), hex(item.sender)],
    [t("message.to"), hex(item.receiver)],
    [t("message.says"), item.says],
    [t("message.expires"), expires],
    [t("message.verified"), h("span", {}, item.verifiers.map((verifier) => h("span", { class: "soft" }, verified(verifier), h("br"))))],
  ];
  if (outcome) pairs.push([t("message.outcome"), h("strong", { id: "outcome" }, word("status", outcome.status))]);
  if (outcome && outcome.result !== "0x") pairs.push([t("message.result"), hex(outcome.result)]);
  return [
    back(),
    h("h2", {}, t("message.title", { id: short(item.message_id) })),
    hex(item.message_id),
    facts(pairs),
    ...item.waits.map((wait) => h("p", { class: "warn" }, t("message.waits", { text: "" }), ...why(wait.code, partyName(wait.party), explanation(wait.code), wait.text))),
    h("h3", {}, t("message.timeline")),
    h("ol", { class: "timeline" }, timeline(item)),
    h("p", { class: "soft" }, item.waits.length ? ago(item.waits[0].since, now) : ""),
  ];
}

function verified(verifier) {
  const parts = ["light_client", "committee"].filter((part) => verifier[part]);
  const by = parts.length
    ? parts.map((part) => t(`message.by.${part}`, { address: short(verifier[part]) })).join(" + ")
    : t("message.by.contract", { address: short(verifier.address) });
  return t(`message.verifier.${verifier.judges}`, { chain: verifier.chain, by });
}

/** Every stage that there is, and those that the message has still to reach. */
function timeline(item) {
  const reached = new Map(item.stages.map((stage) => [stage.stage, stage]));
  const last = Math.max(...item.stages.map((stage) => STAGES.indexOf(stage.stage)));
  const start = item.stages[0].at;
  return STAGES.filter((name, index) => reached.has(name) || index > last).map((name) => {
    const stage = reached.get(name);
    if (!stage) return h("li", { class: "pending" }, h("span", { class: "stage" }, word("stage", name)), h("span", { class: "soft" }, t("message.pending")));
    const after = stage.at && stage.at > start ? ` (+${seconds(stage.at - start)})` : "";
    const height = stage.height ? ` · ${t("at_height", { height: number(stage.height) })}` : "";
    return h(
      "li", { "data-stage": name },
      h("span", { class: "stage" }, word("stage", name)),
      h("time", stage.at ? { datetime: new Date(stage.at * 1000).toISOString() } : {}, moment(stage.at)),
      `${after}${height}`,
      h("div", {}, `${t("message.by")}: ${party(stage)}`),
      proof(stage),
    );
  });
}

function party(stage) {
  if (stage.signers?.length) return stage.signers.join(", ");
  return stage.stage === "sent" ? stage.party : partyName(stage.party);
}

function proof(stage) {
  if (!stage.reference || stage.reference === "0x") return "";
  const kind = ["proved", "attested", "outcome_proved", "outcome_attested"].includes(stage.stage) ? "claim" : "transaction";
  return h("div", { class: "soft" }, `${t("message.proof")}: `, hex(t(`proof.${kind}`, { hash: stage.reference })));
}

const detail = (text) => h("small", { class: "detail", lang: "en" }, text);
const why = (code, party, text, more) => [reasonLink(code), ` · ${party} · ${text}`, more ? detail(more) : null];
export const reasonLink = (code) => h("a", { href: `#/reason/${encodeURIComponent(code)}` }, code);

/** The elements of a reason's page, with what waits for it now. */
export async function reason(code, items) {
  const title = h("h2", {}, t("reason.title", { code }));
  const now = items.filter((item) => item.code === code);
  const list = now.length
    ? [h("h3", {}, t("reason.now")), h("ul", {}, now.map((item) => h("li", {}, `${item.subject}: ${item.text}`, item.detail ? detail(item.detail) : null)))]
    : [];
  try {
    const told = await ask(`/page/reason/${encodeURIComponent(code)}`);
    const said = (name) => told[`${name}_${currentLanguage()}`];
    const pairs = [[t("reason.turn"), said("turn")], [t("reason.next"), said("next")], [t("reason.todo"), said("todo")]];
    return [back(), title, h("p", { id: "explanation" }, told[currentLanguage()]), facts(pairs), ...list];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [back(), title, h("p", { class: "soft" }, t("reason.unknown")), ...list];
  }
}

/** The facts of a lane, without its plots. */
export function lane(item, waiting, now, rate) {
  if (!item) return [back(), h("p", { class: "bad" }, t("lane.unknown"))];
  const counted = ["sent", "proved", "attested", "submitted", "delivered", "settled", "backlog", "in_flight"];
  return [
    back(),
    h("h2", {}, t("lane.title", { name: laneName(item) })),
    facts([
      [t("lane_id"), hex(item.lane_id)],
      [t("state"), word("state", item.state)],
      [t("trust"), h("span", { class: `trust trust-${item.trust}` }, trustText(item.trust))],
      [t("suite"), item.suite],
      ...counted.map((name) => [t(name), h("span", { "data-fact": name }, number(item[name]))]),
      [t("outcomes"), [item.executed, item.failed, item.expired, item.refused].map((count) => number(count)).join(" / ")],
      [t("conserved"), h("span", { class: item.conserved ? "good" : "bad" }, t(item.conserved ? "conserved.yes" : "conserved.no"))],
      [t("oldest"), item.oldest_at ? ago(item.oldest_at, now) : t("none")],
      [t("rate"), `${number(rate, 1)}/s`],
      [t("per_hour"), number(item.delivered_in_hour)],
      [t("delivered_latency"), `${seconds(item.delivered_p50)} / ${seconds(item.delivered_p95)}`],
      [t("settled_latency"), `${seconds(item.settled_p50)} / ${seconds(item.settled_p95)}`],
      [t("head"), h("span", {}, hex(item.head), ` ${t("at_height", { height: number(item.head_height) })}`)],
      [t("outcome_head"), h("span", {}, hex(item.outcome_head), ` ${t("at_height", { height: number(item.outcome_head_height) })}`)],
      [t("client_expiry"), item.expires_at ? until(item.expires_at, now) : t("none")],
    ]),
    ...waiting.map((wait) => h("p", { class: "warn" }, `${wait.subject}: `, ...why(wait.code, wait.party, wait.text, wait.detail))),
  ];
}
