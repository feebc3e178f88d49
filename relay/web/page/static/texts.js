// The page's words in two languages, and numbers and times as each writes them.

const LANGUAGES = ["en", "zh"];
const tables = {};
let reasons = {};
let language = "en";

function chosen() {
  const kept = remembered("language");
  if (LANGUAGES.includes(kept)) return kept;
  return (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function remembered(name) {
  try {
    return localStorage.getItem(`relayhub.${name}`);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`relayhub.${name}`, value);
  } catch {
    // a browser that keeps nothing asks again the next time
  }
}

export async function loadTexts() {
  const read = async (name) => (await fetch(`/page/static/${name}.json`)).json();
  const found = await Promise.all([...LANGUAGES.map((name) => read(`texts.${name}`)), read("reasons")]);
  reasons = found.pop();
  LANGUAGES.forEach((name, index) => (tables[name] = found[index]));
  setLanguage(chosen(), false);
}

export function setLanguage(name, keep = true) {
  language = name;
  if (keep) remember("language", name);
  document.documentElement.lang = name === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
}

export const currentLanguage = () => language;
export const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

/** A text of the page; `{name}` is replaced by values.name. */
export function t(key, values = {}) {
  const text = tables[language]?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Whether the page has a text of this key. */
export const hasText = (key) => Object.hasOwn(tables[language] ?? {}, key);

/** What a code of relay.reasons means, in one sentence; the code itself where the hub is newer than this page. */
export const explanation = (code) => reasons[code]?.[language] ?? code;

/** The text of one of a family of keys, or the word itself where the page does not know it. */
export function word(family, name, values = {}) {
  const key = `${family}.${name}`;
  return key in (tables[language] ?? {}) ? t(key, values) : String(name);
}

export function number(value, digits = 0) {
  if (value === null || value === undefined) return "–";
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** A span of time in its largest fitting unit: from two of a unit on. */
export function span(seconds) {
  const value = Math.max(seconds, 0);
  const [unit, size] = UNITS.find(([, length]) => value >= 2 * length) ?? UNITS[3];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0 }).format(
    Math.floor(value / size),
  );
}

/** Seconds of a latency, to about three digits. */
export function seconds(value) {
  if (value === null || value === undefined) return "–";
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit: value >= 120 ? "minute" : "second",
    unitDisplay: "narrow",
    maximumSignificantDigits: 3,
  }).format(value >= 120 ? value / 60 : value);
}

export const ago = (at, now) => (at > 0 ? t("ago", { span: span(now - at) }) : t("never"));
export const until = (at, now) => (at >= now ? t("in", { span: span(at - now) }) : t("ended", { span: span(now - at) }));

export function moment(at) {
  if (!at) return "–";
  return new Intl.DateTimeFormat(locale(), {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hour12: false,
  }).format(new Date(at * 1000));
}
