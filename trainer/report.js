"use strict";
const data = JSON.parse(document.querySelector("#data").textContent);
const find = (selector) => document.querySelector(selector);

/** An element with text or elements in it; text never becomes markup. */
function make(name, attributes = {}, ...inside) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...inside);
  return node;
}

function number(value) {
  if (value === null || value === undefined) return "none";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(1).replace("e-", "e−").replace("e+", "e");
  if (size >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

const FORMS = {
  share: (value) => `${(100 * value).toFixed(value > 0 && value < 0.0995 ? 1 : 0)} %`,
  seconds: (value) => `${number(value)} s`,
  number,
};

function duration(seconds) {
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [Math.floor(seconds % 60), "s"]];
  return parts.filter(([n]) => n).slice(0, 2).map(([n, unit]) => `${n} ${unit}`).join(" ") || "0 s";
}

/* ---- which metrics make which plot ---- */

const SECTIONS = {
  "What it learns": ["reward", "eval"], "How it writes": ["length", "text"], "How the policy moves": ["policy", "train"],
  "Do trainer and rollout agree": ["mismatch"], "Where time goes": ["time", "rate"], "Other metrics": [],
};
const PHASES = ["generate", "verify", "train", "sync", "checkpoint"];

/** Patterns of metrics, title, note, kind: share (0 to 1), log (axis), stack (areas), or none of these. */
const CHARTS = [
  [["reward/mean"], "Reward", "Mean over a step's completions."],
  [["reward/part/*"], "Parts of the reward", "Mean score of each part."],
  [["reward/preference"], "Preference", "Mean score of reward models, and of a judge without a reference."],
  [["reward/accuracy"], "Accuracy", "Of sampled training completions, whatever a right one earns.", "share"],
  [["eval/*pass@*", "eval/*majority@*"], "Held-out problems", "Share of right samples, and of right majorities of a problem's samples.", "share"],
  [["reward/zero_variance_groups"], "Groups with equal rewards", "They teach nothing: all solved, or none.", "share"],
  [["reward/failed_share"], "Without a reward", "Verification failed.", "share"],
  [["length/mean", "eval/length", "length/max"], "Length", "Tokens."],
  [["length/clipped_share"], "Cut off", "Completions at max_new_tokens.", "share"],
  [["text/*", "eval/text/*"], "Words", "Responses with each pattern of the recipe.", "share"],
  [["policy/entropy"], "Entropy", "Nats per token; near 0 nothing is explored."],
  [["policy/kl"], "KL from the reference", "k3 estimate, nats per token."],
  [["policy/clip_share"], "Clipped", "Terms whose gradient is cut.", "share"],
  [["policy/ratio_max"], "Largest ratio", "New to old likelihood.", "log"],
  [["policy/grad_norm"], "Gradient norm", "Before it is clipped."],
  [["policy/loss", "train/loss", "eval/loss"], "Loss", "What is minimised."],
  [["policy/lr"], "Learning rate", "Of the last update."],
  [["mismatch/logprob_abs_m*"], "Log-probabilities apart", "Of sampled tokens, between what sampled and the trainer, nats.", "log"],
  [["mismatch/kl"], "KL of the mismatch", "Rollout from trainer, nats per token."],
  [["mismatch/weight_version_lag"], "Versions behind", "Of the weights that sampled."],
  [[...PHASES.map((phase) => `time/${phase}_s`), "time/*_s"], "Time in a step", "Seconds; phases may overlap.", "stack"],
  [["rate/completions_per_s"], "Completions", "Per second of a whole step."],
  [["rate/tokens_per_s"], "Tokens", "Per second of a whole step."],
];
const WHOLE = "time/step_s"; // a sum of others, not stacked on them

const TILES = [
  ["reward", "reward/mean"], ["accuracy", "reward/accuracy", "share"], ["held out", "eval/*pass@1", "share"],
  ["length", "length/mean"], ["self-checks", "text/self_check", "share"], ["entropy", "policy/entropy"], ["KL", "policy/kl"],
  ["mismatch", "mismatch/logprob_abs_median"], ["loss", "train/loss"], ["step", WHOLE, "seconds"],
];

const metrics = [...new Set(data.flatMap((run) => Object.keys(run.curves)))].sort();
const matches = (pattern, name) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(name);
const directory = (name) => name.slice(0, Math.max(0, name.lastIndexOf("/")));

/** A metric's name without what the plot's title says, nor the unit of times. */
function label(name, family) {
  const alone = new Set(family.map(directory)).size === 1;
  const bare = alone || !name.startsWith("eval/") ? name.slice(name.lastIndexOf("/") + 1) : `held-out ${name.replace(/^eval\/(text\/)?/, "")}`;
  return bare.replace(/_s$/, "").replaceAll("_", " ");
}

function chart(family, title, note = "", kind = "") {
  const [section] = Object.entries(SECTIONS).find(([, words]) => words.includes(family[0]?.split("/")[0])) ?? ["Other metrics"];
  const series = family.flatMap((name) =>
    data.flatMap((run, place) => (name in run.curves && run.curves[name].x.length ? [{ name: label(name, family), run: place, ...run.curves[name] }] : [])));
  return { section, title, note, kind, series };
}

/** Every metric in a plot: those of CHARTS, then the others by what their names begin with. */
function allCharts() {
  const rest = new Set(metrics.filter((name) => name !== WHOLE)), made = [], families = new Map();
  for (const [patterns, ...head] of CHARTS) {
    const found = [...new Set(patterns.flatMap((pattern) => [...rest].filter((name) => matches(pattern, name))))];
    found.forEach((name) => rest.delete(name));
    made.push(chart(found, ...head));
  }
  for (const name of rest) families.set(directory(name), [...(families.get(directory(name)) ?? []), name]);
  for (const [prefix, family] of families) {
    const together = chart(family, prefix, "", "share");
    const shares = together.series.every((one) => one.y.every((value) => value >= 0 && value <= 1));
    made.push(...(family.length > 1 && shares ? [together] : family.map((name) => chart([name], name))));
  }
  const order = Object.keys(SECTIONS);
  return made.filter((one) => one.series.length).sort((a, b) => order.indexOf(a.section) - order.indexOf(b.section));
}

/* ---- head ---- */

find("#name").textContent = data[0].name;
find("#about").textContent = `${data[0].steps.toLocaleString("en")} step${data[0].steps === 1 ? "" : "s"} in ${duration(data[0].seconds)}`;
if (data.length > 1) {
  data.forEach((run, place) =>
    find("#legend").append(make("span", {}, make("i", { class: place ? "other" : "" }), run.name)));
}

data.filter((run) => run.flagged !== null).forEach((run) =>
  find("#about").append(make("strong", {}, ` · ${data.length > 1 ? `${run.name}: ` : ""}from step ${run.flagged.toLocaleString("en")} on the preference reward rises while the held-out score falls`)));

/** Means over the first and the last twentieth of a run's steps. */
function ends({ y }) {
  const some = Math.max(1, Math.round(y.length / 20)), mean = (part) => part.reduce((a, b) => a + b, 0) / part.length;
  return [mean(y.slice(0, some)), mean(y.slice(-some))];
}

for (const [title, pattern, kind = "number"] of TILES) {
  const name = metrics.find((one) => matches(pattern, one));
  if (!name || !data[0].curves[name]?.y.length) continue;
  const [[from, to], other] = data.map((run) => run.curves[name]?.y.length && ends(run.curves[name]).map(FORMS[kind]));
  const tile = make("div", { class: "tile" }, make("span", {}, title), make("b", {}, to), make("span", {}, `from ${from}`));
  if (other) tile.append(make("span", {}, `${data[1].name}: ${other[1]}`));
  find("#tiles").append(tile);
  find("#ends").hidden = false;
}

/* ---- plots ---- */

const FEW = 60; // points that are shown each, and not smoothed

/** The mean over neighbours on both sides, fewer of them where the curve begins and ends. */
function smooth(values, reach) {
  if (!reach) return values;
  const sums = [0];
  for (const value of values) sums.push(sums.at(-1) + value);
  return values.map((_, at) => {
    const from = Math.max(0, at - reach), to = Math.min(values.length, at + reach + 1);
    return (sums[to] - sums[from]) / (to - from);
  });
}

const names = (chart) => [...new Set(chart.series.map((one) => one.name))];

function traces(chart, share, colour) {
  return chart.series.flatMap((one) => {
    const paint = colour(`--c${names(chart).indexOf(one.name) % 8}`), few = one.x.length <= FEW;
    const reach = few ? 0 : Math.round(share * one.x.length);
    const stacked = chart.kind === "stack" && data.length === 1;
    const shared = {
      x: one.x, opacity: one.run ? 0.7 : 1,
      hovertemplate: `%{y}<extra>${chart.series.length > 1 ? `${one.name}${one.run ? " (other run)" : ""}` : ""}</extra>`,
    };
    const line = { color: paint, width: 2, dash: one.run ? "dash" : "solid" };
    if (stacked) return [{ ...shared, y: smooth(one.y, reach), mode: "lines", line: { ...line, width: 0.5 }, stackgroup: "all" }];
    const main = {
      ...shared, y: smooth(one.y, reach), line, mode: few ? "lines+markers" : "lines",
      marker: { size: 5, color: paint },
    };
    if (!reach) return [main];
    const raw = { x: one.x, y: one.y, mode: "lines", hoverinfo: "skip",
      opacity: one.run ? 0.15 : 0.28, line: { color: paint, width: 1 } };
    return [raw, main];
  });
}

/** A logarithmic axis has labels at 1, 2 and 5, or at decades where there are many. */
function decades(chart) {
  const values = chart.series.flatMap((one) => one.y).filter((value) => value > 0);
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const size = Math.log10(values.reduce((a, b) => Math.max(a, b), 0) / least);
  return { type: "log", tickformat: least < 1e-3 ? "~e" : "~g", dtick: size > 2.5 ? Math.ceil(size / 6) : "D2" };
}

/** Where all values are the same, of whatever size, an axis around that one. */
function constant(chart) {
  const values = chart.series.flatMap((one) => one.y), [value] = values;
  return value && values.every((one) => one === value) ? { range: [0.5 * value, 1.5 * value].sort((a, b) => a - b) } : {};
}

function layout(chart, colour, range) {
  const grid = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line"), automargin: true };
  return {
    margin: { l: 46, r: 8, t: 8, b: 26 }, height: 220, hovermode: "x unified",
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("--faint"), size: 11.5, family: "system-ui, sans-serif" },
    hoverlabel: { bgcolor: colour("--panel"), bordercolor: colour("--line"), font: { color: colour("--text"), size: 12 } },
    showlegend: false,
    // Where the monitor has seen reward hacking.
    shapes: data.filter((run) => run.flagged !== null).map((run) => ({
      type: "line", x0: run.flagged, x1: run.flagged, yref: "paper", y0: 0, y1: 1, line: { color: colour("--bad"), width: 1.5, dash: "dot" },
    })),
    xaxis: { ...grid, showgrid: false, zeroline: false, hoverformat: ",.0f", range: [...(range ?? whole)] },
    yaxis: {
      ...grid, nticks: 6, fixedrange: true, hoverformat: chart.kind === "share" ? ".1%" : ".4~g",
      exponentformat: "e", minexponent: 4, separatethousands: true,
      ...(chart.kind ? {} : constant(chart)),
      ...(chart.kind === "share" ? { tickformat: ".2~%", rangemode: "tozero" } : {}),
      ...(chart.kind === "log" ? decades(chart) : {}),
      ...(chart.kind === "stack" ? { rangemode: "tozero" } : {}),
    },
  };
}

const charts = allCharts();
const steps = charts.flatMap((chart) => chart.series.flatMap((one) => [one.x[0], one.x.at(-1)]));
const [first, last] = [Math.min(...steps), Math.max(...steps)];
const whole = [first - 0.015 * (last - first || 1), last + 0.015 * (last - first || 1)];
const plots = new Map();
let zoomed = null;

function draw(place) {
  const chart = plots.get(place), share = Number(find("#smooth").value);
  const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
  Plotly.react(place, traces(chart, share, colour), layout(chart, colour, zoomed), { displayModeBar: false, responsive: true, doubleClick: false });
}

function drawAgain() {
  for (const place of plots.keys()) if (place.data) draw(place);
}

function zoom(range) {
  zoomed = range;
  drawAgain();
}

// A plot is made when it comes into view: the first ones are there at once.
const watch = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter((one) => one.isIntersecting)) {
    watch.unobserve(target);
    draw(target);
    target.on("plotly_relayout", (change) => "xaxis.range[0]" in change && zoom([change["xaxis.range[0]"], change["xaxis.range[1]"]]));
    target.on("plotly_doubleclick", () => zoom(null));
  }
}, { rootMargin: "400px" });

let section = null;
for (const chart of charts) {
  if (chart.section !== section) {
    section = chart.section;
    find("#charts").append(make("h2", {}, section), make("div", { class: "grid" }));
  }
  const place = make("div"), key = make("div", { class: "key" });
  if (names(chart).length > 1) {
    names(chart).forEach((name, n) => key.append(make("span", {}, make("i", { class: `c${n % 8}` }), name)));
  }
  const caption = make("figcaption", {}, make("h3", {}, chart.title), make("span", { class: "note" }, chart.note), key);
  find("#charts").lastChild.append(make("figure", {}, caption, place));
  plots.set(place, chart);
  watch.observe(place);
}
find("#smooth").addEventListener("input", drawAgain);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAgain);

/* ---- samples ---- */

const KINDS = { best: "best", worst: "worst", random: "any" };

function card(kind, row) {
  const head = make("header", {}, make("h3", {}, KINDS[kind]));
  const node = make("article", {}, head);
  if (!row) {
    head.append(make("span", { class: "note" }, "no completion with a reward"));
    return node;
  }
  const sign = row.advantage > 0 ? "good" : row.advantage < 0 ? "bad" : "";
  head.append(
    make("span", { class: "reward" }, `reward ${number(row.reward)}`),
    make("span", { class: sign }, `advantage ${row.advantage > 0 ? "+" : ""}${number(row.advantage)}`),
    make("span", { class: "facts" }, `${row.prompt_id} · ${row.tokens.toLocaleString("en")} tokens · ended by ${row.finish}`
      + ` · weights after ${row.version} step${row.version === 1 ? "" : "s"} · ${row.status}${row.reason ? ` ${row.reason}` : ""}`));
  const parts = make("div", { class: "parts" });
  for (const part of Array.isArray(row.parts) ? row.parts : []) {
    parts.append(make("span", {}, String(part.name)),
      make("meter", { min: 0, max: 1, value: Number(part.score) || 0 }),
      make("span", {}, `${number(part.score)} ${part.reason ?? ""}`));
  }
  const response = make("pre");
  for (const piece of row.response.split(/(<\/?(?:think|answer)>)/)) {
    response.append(/^<\/?(think|answer)>$/.test(piece) ? make("span", { class: "tag" }, piece) : piece);
  }
  node.append(parts, make("details", {}, make("summary", {}, "prompt"), make("pre", {}, row.prompt)), response);
  return node;
}

let of = 0;
function show() {
  const { samples } = data[of];
  find("#at").max = samples.length - 1;
  const at = samples[find("#at").value];
  find("#step").textContent = `step ${at.step.toLocaleString("en")}`;
  find("#cards").replaceChildren(...Object.keys(KINDS).map((kind) => card(kind, at[kind])));
}

function move(by) {
  find("#at").value = Number(find("#at").value) + by;
  show();
}

if (data[0].samples.length) {
  find("#samples").hidden = false;
  find("#at").max = data[0].samples.length - 1;
  find("#at").value = find("#at").max;
  find("#at").addEventListener("input", show);
  find("#back").addEventListener("click", () => move(-1));
  find("#forth").addEventListener("click", () => move(1));
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, pre") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft") move(-1);
    if (event.key === "ArrowRight") move(1);
  });
  const others = data.filter((run) => run.samples.length);
  find("#run").hidden = others.length < 2;
  for (const run of others) find("#run").append(make("option", { value: data.indexOf(run) }, run.name));
  find("#run").addEventListener("change", () => {
    of = Number(find("#run").value);
    show();
  });
  show();
}

/* ---- recipe ---- */

function recipe() {
  const several = data.length > 1, only = several && find("#differs").checked;
  const text = (value) => (value === undefined || value === null ? "" : typeof value === "string" ? value
    : typeof value === "number" ? number(value) : JSON.stringify(value));
  const keys = [...new Set(data.flatMap((run) => Object.keys(run.recipe)))].sort();
  const rows = keys.map((key) => [key, ...data.map((run) => text(run.recipe[key]))]).filter(([, a, b]) => !only || a !== b);
  const head = make("tr", {}, make("th", {}, only && !rows.length ? "no difference" : ""), ...(several ? data.map((run) => make("th", {}, run.name)) : []));
  find("#recipe table").replaceChildren(head, ...rows.map((row) => make("tr", {}, ...row.map((value) => make("td", {}, value)))));
}

if (data.some((run) => Object.keys(run.recipe).length)) {
  find("#recipe").hidden = false;
  find("#recipe").open = data.length > 1;
  find("#only").hidden = data.length < 2;
  find("#differs").addEventListener("change", recipe);
  recipe();
}
