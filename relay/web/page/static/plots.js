// Throughput and latency of the last hour, by minute, drawn by uPlot.

import { h, setText } from "./dom.js";
import { ask } from "./feed.js";
import { locale, number, seconds, t } from "./texts.js";

const EVERY_MS = 5000;
const LINES = {
  throughput: [["final", "sent", [], 1], ["delivered", "delivered", [8, 4], 2], ["settled", "settled", [2, 3], 3]],
  latency: [
    ["delivered_p50", "delivered_p50", [], 1], ["delivered_p95", "delivered_p95", [8, 4], 2],
    ["settled_p50", "settled_p50", [2, 3], 3], ["settled_p95", "settled_p95", [10, 3, 2, 3], 4],
  ],
};
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Two plots of one lane (its id in hexadecimal) or of `all`; they read themselves again while they are shown. */
export class Plots {
  constructor(lane) {
    this.lane = lane;
    this.figures = Object.keys(LINES).map((name) => {
      const plot = h("div", { class: "plot" });
      const caption = h("figcaption");
      return { name, plot, caption, element: h("figure", { class: `figure-${name}` }, caption, plot), drawn: null };
    });
    this.summary = h("p", { class: "soft plot-summary" });
    this.element = h("div", {}, h("div", { class: "plots" }, this.figures.map((figure) => figure.element)), this.summary);
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.element);
    this.timer = setInterval(() => this.read(), EVERY_MS);
    this.read();
  }

  close() {
    clearInterval(this.timer);
    this.resized.disconnect();
  }

  choose(lane) {
    this.lane = lane;
    this.read();
  }

  async read() {
    if (document.hidden || !this.element.isConnected || this.element.offsetParent === null) return;
    const lane = this.lane;
    try {
      const series = await ask(`/page/series/${lane}`);
      if (lane !== this.lane) return;
      this.series = series;
      this.draw();
    } catch {
      // the feed says that the hub does not answer; the plot stays as it was
    }
  }

  /** Makes the plots anew: another language or theme. */
  redraw() {
    for (const figure of this.figures) {
      figure.drawn?.destroy();
      figure.drawn = null;
    }
    if (this.series) this.draw();
    else this.read();
  }

  draw() {
    const series = this.series;
    const sum = (name) => series[name].reduce((total, value) => total + value, 0);
    const last = series.delivered_p50.findLastIndex((value) => value !== null);
    const told = {
      sent: number(sum("final")), delivered: number(sum("delivered")), settled: number(sum("settled")),
      p50: seconds(series.delivered_p50[last]), p95: seconds(series.delivered_p95[last]),
    };
    setText(this.summary, t("plots.summary", told) + (series.complete ? "" : ` ${t("plots.incomplete")}`));
    for (const figure of this.figures) {
      setText(figure.caption, t(`plots.${figure.name}`));
      const data = [series.minutes, ...LINES[figure.name].map(([name]) => series[name])];
      if (figure.drawn) figure.drawn.setData(data);
      else figure.drawn = this.make(figure, data);
    }
  }

  make(figure, data) {
    const axis = { stroke: colour("text"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") } };
    const clock = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", hour12: false });
    const write = figure.name === "latency" ? (value) => seconds(value) : (value) => number(value);
    const options = {
      width: this.width(), height: 200, cursor: { drag: { x: false, y: false } },
      axes: [
        { ...axis, values: (_, splits) => splits.map((at) => clock.format(new Date(at * 1000))) },
        { ...axis, size: 62, values: (_, splits) => splits.map((value) => (value === null ? "" : write(value))) },
      ],
      scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, figure.name === "latency" ? 0.1 : 1) * 1.05] } },
      series: [
        { value: (_, at) => (at === null ? "–" : clock.format(new Date(at * 1000))), label: t("plots.minute") },
        ...LINES[figure.name].map(([, label, dash, number_]) => ({
          label: t(`plots.${label}`), stroke: colour(`plot-${number_}`), width: 2, dash, spanGaps: true,
          points: { show: figure.name === "latency", size: 4 }, value: (_, value) => (value === null ? "–" : write(value)),
        })),
      ],
    };
    return new window.uPlot(options, data, figure.plot);
  }

  width() {
    return Math.max(this.figures[0].element.clientWidth, 200);
  }

  resize() {
    for (const figure of this.figures) figure.drawn?.setSize({ width: this.width(), height: 200 });
  }
}
