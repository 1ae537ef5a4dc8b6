"use strict";
// Texts of models and of benchmarks become text nodes, through `put` alone.
const find = (selector) => document.querySelector(selector);
const data = JSON.parse(find("#data").textContent);
const two = data.runs.length > 1;
const SHOWN = 20000; // characters laid out before a reader asks for more: long lines are slow
const ROW = 34; // height of a row, as --row in the style sheet
const BINS = 40;
const KINDS = { right: ["right", "✓"], part: ["partly right", "◐"], wrong: ["wrong", "✗"], none: ["no score", "!"] };
const STATES = { o: "graded", n: "no answer", g: "grader error", e: "API error", u: "not graded yet" };

/* ---- text ---- */

const HIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A sign for what is not seen, or changes the order of what is. */
function sign(char) {
  const code = char.codePointAt(0), digits = code.toString(16);
  return code < 256 ? `\\x${digits.padStart(2, "0")}` : `U+${digits.toUpperCase().padStart(4, "0")}`;
}
const plain = (text) => String(text).slice(0, 300).replace(HIDDEN, sign);

function put(node, text) {
  let from = 0;
  for (const hit of text.matchAll(HIDDEN)) {
    const mark = document.createElement("span");
    mark.className = "hidden";
    mark.textContent = sign(hit[0]);
    node.append(text.slice(from, hit.index), mark);
    from = hit.index + hit[0].length;
  }
  node.append(text.slice(from));
}

/** An element with texts or elements in it; text never becomes markup. */
function make(name, attributes = {}, ...inside) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  for (const one of inside) {
    if (one instanceof Node) node.append(one);
    else put(node, String(one));
  }
  return node;
}

/** A block of text, or of its two ends; what is beyond SHOWN comes on request. */
function block(value, label) {
  const [head, leftOut, tail] = Array.isArray(value) ? value : [value, 0, ""];
  const node = make("pre", { tabindex: 0, "aria-label": label });
  let limit = SHOWN;
  const fill = () => {
    node.replaceChildren();
    const piece = (text) => {
      for (const part of text.split(/(<\/?(?:think|answer)>)/)) {
        node.append(/^<\/?(think|answer)>$/.test(part) ? make("span", { class: "tag" }, part) : make("span", {}, part));
      }
    };
    piece(head.slice(0, limit));
    const left = head.length - limit;
    if (left > 0) {
      const more = make("button", { type: "button" }, `show more: ${count(left)} characters are left`);
      more.onclick = () => { limit *= 10; fill(); };
      node.append("\n", more, "\n");
    }
    if (leftOut) node.append(make("span", { class: "gap" }, `\n${count(leftOut)} characters left out\n`));
    piece(tail);
    if (!head && !leftOut) node.append(make("span", { class: "note" }, "(empty)"));
  };
  fill();
  return node;
}
const short = (value) => (Array.isArray(value) ? `${value[0]} … ${value[2]}` : value);

/* ---- numbers ---- */

const count = (value) => value.toLocaleString("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const given = (value) => typeof value === "number";
const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)} %`;

function number(value) {
  if (!given(value)) return "none";
  return Math.abs(value) >= 100 ? count(Math.round(value)) : String(Number(value.toPrecision(4)));
}

/** Whether a figure is a share, and not a rating or a length. */
const isShare = ({ value, low, high }) => [value, low, high].every((one) => !given(one) || (one >= -1e-9 && one <= 1 + 1e-9));
const figure = (one) => (!given(one?.value) ? "none" : isShare(one) ? percent(one.value) : number(one.value));
const range = (low, high, share) => (share ? `${(100 * low).toFixed(1)} to ${percent(high)}` : `${number(low)} to ${number(high)}`);
const interval = (one) => (given(one?.low) && given(one?.high) ? range(one.low, one.high, isShare(one)) : "");

function duration(seconds) {
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [Math.floor(seconds % 60), "s"]];
  return parts.filter(([n]) => n).slice(0, 2).map(([n, unit]) => `${n} ${unit}`).join(" ") || `${number(seconds)} s`;
}

/* ---- what is stored compressed ---- */

const unpacked = new Map();

async function inflate(base64) {
  const raw = atob(base64), bytes = new Uint8Array(raw.length);
  for (let n = 0; n < raw.length; n++) bytes[n] = raw.charCodeAt(n);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}

/** JSON of a block. */
function unpack(id) {
  if (!unpacked.has(id)) unpacked.set(id, inflate(document.getElementById(id).textContent).then(JSON.parse));
  return unpacked.get(id);
}

/** Plotly, once `begin` is called: reading it takes longer than all else. The page's policy knows
 * this very text. */
let begin;
const plotly = new Promise((done) => { begin = done; }).then(() => inflate(find("#plotly").textContent)).then((text) => {
  document.head.append(Object.assign(document.createElement("script"), { textContent: text }));
});

/* ---- head ---- */

const runsOf = (benchmark) => benchmark.runs.flatMap((run, place) => (run ? [{ ...run, place, name: data.runs[place].name }] : []));
const title = (benchmark) => benchmark.runs.find((run) => run?.summary)?.summary.title ?? benchmark.name;

function head() {
  find("#name").append(make("span", {}, data.runs.map((run) => run.name).join(" and ")));
  const made = data.runs.map(({ manifest }, place) => {
    const samples = data.benchmarks.reduce((sum, { runs }) => sum + (runs[place]?.state.generated ?? 0), 0);
    return `${manifest.model ?? "a model without a name"}, ${count(samples)} samples`;
  });
  find("#about").append(make("span", {}, made.join(" · ")));
  if (two) data.runs.forEach(({ name }, place) => find("#legend").append(make("span", {}, make("i", { class: place ? "other" : "" }), name)));
  const note = (...words) => find("#notes").append(make("p", {}, ...words));
  for (const { name, place } of data.runs.map((run, n) => ({ ...run, place: n }))) {
    const lacks = data.benchmarks.flatMap((benchmark) => {
      const run = benchmark.runs[place];
      if (!run) return [];
      const { expected, generated, unscored, others } = run.state;
      const said = [];
      if (generated < expected) said.push(`${count(generated)} of ${count(expected)} samples`);
      if (unscored) said.push(`${count(unscored)} not graded yet`);
      if (!run.summary) said.push("no summary yet");
      if (others) said.push(`${count(others)} of other prompts or parameters, left out`);
      return said.length ? [{ text: `${benchmark.name}: ${said.join(", ")}`, begun: generated < expected || unscored || !run.summary }] : [];
    });
    if (!lacks.length) continue;
    note(make("b", {}, `${name} ${lacks.some(({ begun }) => begun) ? "is not finished" : "has more"}. `), lacks.map(({ text }) => text).join("; "));
  }
  if (!data.limit) return;
  const more = Math.max(...data.benchmarks.flatMap((benchmark) => runsOf(benchmark).map((run) => run.longer)));
  note(`To keep this page small, texts longer than ${count(data.limit)} characters lack their middle`,
    more > 1 ? `; prompts, and the first right and the first wrong sample of each question, only beyond ${count(data.limit * more)}.` : ".",
    " With a larger --megabytes there is more of them.");
}

/* ---- scores ---- */

const SHARES = [["truncated", "cut off at the limit of tokens, graded like any other"], ["api_error", "no response, no score"], ["no_answer", "nothing to grade was found: wrong"],
  ["grader_error", "not graded, no score"], ["missing", "not sampled, or not graded yet"]];

function board() {
  const heads = ["benchmark", "score", "95 % interval", "bounds", ...SHARES.map(([name]) => name.replace("_", " ").replace("api", "API")), "samples", "tokens", "cost", "time"];
  find("#board").append(make("thead", {}, make("tr", {}, ...heads.map((name) => make("th", { scope: "col" }, name)))));
  const body = make("tbody");
  for (const [at, benchmark] of data.benchmarks.entries()) {
    for (const { summary, state, k, place, name } of runsOf(benchmark)) {
      const cell = (n, attributes, ...inside) => make("td", { "data-head": heads[n], ...attributes }, ...inside);
      const link = make("button", { type: "button", class: "link" }, title(benchmark));
      link.onclick = () => { choose(at); find("nav").scrollIntoView(); };
      const row = make("tr", { class: place ? "other" : "" }, make("th", { scope: "row" }, link, ...(two ? [make("span", { class: "note" }, name)] : [])));
      const score = summary?.headline;
      row.append(cell(1, { class: "score" }, make("b", {}, figure(score)), make("span", { class: "note" }, score ? ` ${score.name}` : " no summary yet")));
      row.append(cell(2, {}, interval(score), ...(given(score?.se) ? [make("span", { class: "note" }, ` ± ${isShare(score) ? (100 * score.se).toFixed(1) : number(score.se)}`)] : [])));
      const [low, high] = summary?.bounds ?? [], tokens = summary?.tokens;
      row.append(cell(3, { title: "of pass@1: missing samples, API errors and grader errors all counted as wrong, or all as right" }, ...(given(low) && given(high) ? [range(low, high, isShare({ low, high }))] : []), ...(score && score.name !== "pass@1" ? [make("span", { class: "note" }, " pass@1")] : [])));
      SHARES.forEach(([key, meaning], n) => {
        const share = summary?.shares?.[key];
        row.append(cell(4 + n, { title: meaning, class: share > 0 ? "warn" : "" }, given(share) ? (share > 0 && share < 0.0005 ? "< 0.1 %" : percent(share)) : ""));
      });
      row.append(cell(9, {}, `${count(state.expected / k)} × ${count(k)}`), cell(10, { title: tokens ? `${count(tokens.prompt)} of prompts, ${count(tokens.completion)} of completions` : "" }, tokens ? compact.format(tokens.prompt + tokens.completion) : ""),
        cell(11, {}, summary?.cost ? number(summary.cost) : ""), cell(12, { title: "of the model, all samples together" }, given(summary?.seconds) ? duration(summary.seconds) : ""));
      body.append(row);
    }
  }
  find("#board").append(body);
}

function comparison() {
  if (!data.compared) return;
  const { columns, rows: lines, notes } = data.compared, row = (cells, name) => make("tr", {}, ...cells.map((cell, n) => make(name, { class: n ? "num" : "what" }, cell)));
  find("#compared").hidden = false;
  if (lines.length) find("#compared table").append(row(columns, "th"), ...lines.map((cells) => row(cells, "td")));
  find("#compared").append(...notes.map((words) => make("p", { class: "note" }, words)));
}

/* ---- plots ---- */

const drawn = new Map();
/** Plotly takes some markup in its texts. */
const safe = (text) => plain(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const style = () => getComputedStyle(document.documentElement);
const colour = (name) => style().getPropertyValue(name).trim();

async function draw(place, plot) {
  drawn.set(place, plot);
  await plotly;
  if (drawn.get(place) !== plot || !place.isConnected) return;
  const { traces, layout = {}, height = 250 } = plot();
  const grid = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line"), automargin: true };
  Plotly.react(place, traces, {
    margin: { l: 46, r: 14, t: 8, b: 30 }, height, showlegend: false, hovermode: "closest", dragmode: false,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colour("--faint"), size: 11.5, family: "system-ui, sans-serif" },
    hoverlabel: { bgcolor: colour("--panel"), bordercolor: colour("--line"), font: { color: colour("--text"), size: 12 } },
    ...layout, xaxis: { ...grid, fixedrange: true, ...layout.xaxis }, yaxis: { ...grid, fixedrange: true, ...layout.yaxis },
  }, { displayModeBar: false, responsive: true });
}

function overview() {
  const shown = data.benchmarks.map((benchmark) => ({ name: title(benchmark), runs: runsOf(benchmark).filter(({ summary }) => given(summary?.headline?.value) && isShare(summary.headline)) }))
    .filter(({ runs }) => runs.length);
  find("#overview").hidden = !shown.length;
  if (!shown.length) return;
  draw(find("#overview > div"), () => {
    const narrow = innerWidth < 600, clip = (name) => safe(narrow && name.length > 16 ? `${name.slice(0, 15)}…` : name.slice(0, 40));
    const traces = data.runs.flatMap((run, place) => {
      const rows = shown.flatMap(({ name, runs }, at) => runs.filter((one) => one.place === place).map(({ summary }) => ({ name, at: at + (two ? (place ? 0.17 : -0.17) : 0), ...summary, ...summary.headline, of: summary.headline.name })));
      const paint = colour("--c0"), wide = rows.flatMap(({ bounds, at, of }) => (bounds && of === "pass@1" ? [[bounds[0], at], [bounds[1], at], [null, at]] : []));
      const band = { x: wide.map(([x]) => x), y: wide.map(([, y]) => y), mode: "lines", hoverinfo: "skip", opacity: 0.25, line: { color: paint, width: 9 } };
      const dots = {
        x: rows.map(({ value }) => value), y: rows.map(({ at }) => at), mode: "markers", opacity: place ? 0.8 : 1,
        error_x: { type: "data", symmetric: false, color: paint, thickness: 1.6, width: 4, array: rows.map(({ value, high }) => (given(high) ? high - value : 0)), arrayminus: rows.map(({ value, low }) => (given(low) ? value - low : 0)) },
        marker: { size: 9, color: place ? colour("--back") : paint, line: { color: paint, width: 2 } },
        text: rows.map((row) => `${safe(row.name)}, ${safe(run.name)}<br>${safe(row.of)} ${figure(row)}, ${interval(row)}`), hoverinfo: "text",
      };
      return [band, dots];
    });
    const names = { tickvals: shown.map((_, at) => at), ticktext: shown.map(({ name }) => clip(name)), range: [shown.length - 0.5, -0.5], zeroline: false, showgrid: false };
    return { traces, height: 56 + (two ? 40 : 30) * shown.length, layout: { xaxis: { range: [-0.01, 1.01], tickformat: ".0%" }, yaxis: names } };
  });
}

function chart(name, note, key, plot) {
  const place = make("div"), legend = make("div", { class: "key" }, ...key.map(([paint, words]) => make("span", {}, make("i", { class: paint }), words)));
  find("#charts").append(make("figure", {}, make("figcaption", {}, make("h3", {}, name), make("span", { class: "note" }, note), legend), place));
  draw(place, plot);
}

function curves(benchmark) {
  const families = [["pass_at_k", "pass@k", "c0"], ["cons_at_k", "cons@k", "c2"]];
  const series = families.flatMap(([key, name, paint]) => runsOf(benchmark).flatMap(({ summary, place, name: run }) => {
    const points = Object.entries(summary?.[key] ?? {}).map(([k, value]) => [Number(k), value]).filter(([, value]) => given(value)).sort((a, b) => a[0] - b[0]);
    return points.length ? [{ name, paint, place, run, points }] : [];
  }));
  const ks = [...new Set(series.flatMap(({ points }) => points.map(([k]) => k)))].sort((a, b) => a - b);
  if (ks.length < 2) return;
  const present = families.filter(([, name]) => series.some((one) => one.name === name)).map(([, name, paint]) => [paint, name]);
  chart("pass@k and cons@k", "Any of k samples right; the answer most frequent among k right.", present, () => ({
    traces: series.map(({ name, paint, place, run, points }) => ({
      x: points.map(([k]) => k), y: points.map(([, value]) => value), mode: "lines+markers", opacity: place ? 0.75 : 1,
      line: { color: colour(`--${paint}`), width: 2, dash: place ? "dash" : "solid" }, marker: { size: 5 },
      hovertemplate: `%{x}: %{y:.1%}<extra>${name}${two ? ` ${safe(run).replaceAll("%", "&#37;")}` : ""}</extra>`,
    })),
    layout: { xaxis: { type: "log", tickvals: ks, ticktext: ks.map(String), showgrid: false }, yaxis: { tickformat: ".2~%", nticks: 6 } },
  }));
}

const kind = (score) => (!given(score) ? "none" : score >= 1 ? "right" : score <= 0 ? "wrong" : "part");

function lengths(benchmark, items) {
  const samples = items.flatMap(({ runs }) => runs.flatMap((run, place) => (run ? run.score.flatMap((score, n) => (run.state[n] === "e" ? [] : [{ place, kind: kind(score), tokens: run.tokens[n], chars: run.chars[n] }])) : [])));
  const unit = samples.some(({ tokens }) => tokens) ? "tokens" : "chars";
  const most = samples.reduce((top, one) => Math.max(top, one[unit]), 1);
  const rough = most / BINS, ten = 10 ** Math.floor(Math.log10(rough)), size = Math.max(1, ([1, 2, 5, 10].find((n) => n * ten >= rough)) * ten);
  for (const { place, name } of runsOf(benchmark)) {
    const some = samples.filter((one) => one.place === place);
    const kinds = Object.keys(KINDS).filter((one) => some.some((sample) => sample.kind === one));
    if (!some.length) continue;
    chart(two ? `Lengths, ${name}` : "Lengths", unit === "tokens" ? "Tokens of a response." : "Characters of a response: the endpoint told no tokens.", kinds.map((one) => [one, KINDS[one][0]]), () => ({
      traces: kinds.map((one) => ({
        type: "histogram", x: some.filter((sample) => sample.kind === one).map((sample) => sample[unit]), xbins: { start: 0, end: most + size, size },
        marker: { color: colour(`--${one}`) }, hovertemplate: `%{x}: %{y} ${KINDS[one][0]}<extra></extra>`,
      })),
      layout: { barmode: "stack", bargap: 0.06, xaxis: { range: [0, most + size], showgrid: false, separatethousands: true }, yaxis: { nticks: 6, separatethousands: true } },
    }));
  }
}

/* ---- metrics and slices ---- */

function tables(benchmark) {
  const place = find("#tables"), runs = runsOf(benchmark).filter(({ summary }) => summary);
  place.replaceChildren();
  const table = (name, rows, cell) => {
    const headRow = make("tr", {}, make("th", {}), ...runs.map(({ name: run }) => make("th", { scope: "col" }, run)));
    const lines = rows.map((row) => make("tr", {}, make("th", { scope: "row" }, row), ...runs.map((run) => make("td", {}, ...cell(run.summary, row)))));
    place.append(make("figure", {}, make("figcaption", {}, make("h3", {}, name)), make("div", { class: "scroll" }, make("table", {}, ...(two ? [headRow] : []), ...lines))));
  };
  const names = (read) => [...new Set(runs.flatMap(({ summary }) => Object.keys(read(summary) ?? {})))];
  const metrics = names((summary) => summary.metrics);
  if (metrics.length) {
    table("Metrics", metrics, ({ metrics: some }, row) => [make("b", {}, figure(some[row])), " ", make("span", { class: "note" }, interval(some[row]))]);
  }
  const said = runs.flatMap(({ summary: { ties, undecided, notes }, name }) => [
    ...(ties ? [`Questions tied in cons@k, where a tie counts as the mean of the tied: ${count(ties)}.`] : []),
    ...(undecided ? [`Pairs of answers that could not be compared, and count as different: ${count(undecided)}.`] : []), ...notes,
  ].map((words) => make("p", { class: "note" }, two ? `${name}: ${words}` : words)));
  find("#said").replaceChildren(...said);
  for (const slice of names((summary) => summary.slices)) {
    table(`By ${slice}`, names((summary) => summary.slices?.[slice]).sort((a, b) => a.localeCompare(b, "en", { numeric: true })), ({ slices }, row) => {
      const one = slices[slice]?.[row];
      if (!one) return [];
      const told = given(one.se) ? `± ${isShare(one) ? (100 * one.se).toFixed(1) : number(one.se)} ` : "";
      const bar = isShare(one) && given(one.value) && !two ? [make("meter", { min: 0, max: 1, value: one.value })] : [];
      return [...bar, make("b", {}, figure(one)), " ", make("span", { class: "note" }, `${told}n ${count(one.questions)}`)];
    });
  }
}

/* ---- questions ---- */

let chosen = 0, items = [], shown = [], current = null, sample = 0, drawing = 0;

function item([id, question, gold, slices], place, runs) {
  const told = { place, id, question, gold, slices: Object.entries(slices).map(([name, value]) => `${name} ${value}`).join(" · ") };
  told.runs = runs.map((run) => {
    if (!run?.[place]) return null;
    const [chunk, at, columns] = run[place], graded = columns.score.filter(given);
    const sum = graded.reduce((a, b) => a + b, 0), size = columns.tokens.some(Boolean) ? columns.tokens : columns.chars;
    return {
      ...columns, chunk, at, graded: graded.length, rightOnes: graded.filter((one) => one >= 1).length, rate: graded.length ? sum / graded.length : null,
      size: size.reduce((a, b) => Math.max(a, b), 0), errors: [...columns.state].filter((one) => "ge".includes(one)).length, truncated: columns.cut.split("1").length - 1,
    };
  });
  const answers = new Set(told.runs.flatMap((run) => run?.answer ?? []));
  told.search = [id, question, gold, told.slices, ...answers].join("\n").toLowerCase();
  return told;
}

const FILTERS = {
  all: () => true,
  right: (run) => run.rate !== null && run.rightOnes === run.graded,
  wrong: (run) => run.rate === 0,
  mixed: (run) => run.rate > 0 && run.rightOnes < run.graded,
  truncated: (run) => run.truncated > 0,
  errors: (run) => run.errors > 0,
};
/** The same of one sample: which is shown first. */
const FITS = {
  all: () => true, mixed: () => true,
  right: (run, n) => kind(run.score[n]) === "right",
  wrong: (run, n) => kind(run.score[n]) === "wrong",
  truncated: (run, n) => run.cut[n] === "1",
  errors: (run, n) => "ge".includes(run.state[n]),
};
const difference = ({ runs: [a, b] }) => (given(a?.rate) && given(b?.rate) ? b.rate - a.rate : null);

function apply() {
  const wanted = find("#search").value.toLowerCase(), filter = find("#filter").value, at = Number(find("#in").value || 0);
  const fits = (one) => (filter === "differ" ? Math.abs(difference(one) ?? 0) > 0 : filter === "all" || (one.runs[at] && FILTERS[filter](one.runs[at])));
  shown = items.filter((one) => (!wanted || one.search.includes(wanted)) && fits(one));
  const order = find("#sort").value, sense = order.startsWith("-") ? -1 : 1, key = order.replace("-", "");
  const rank = (one) => (key === "place" ? one.place : key === "difference" ? difference(one) : one.runs[at]?.[key]);
  const ranked = new Map(shown.map((one) => [one, given(rank(one)) ? rank(one) * sense : Infinity]));
  shown.sort((a, b) => (ranked.get(a) === ranked.get(b) ? a.place - b.place : ranked.get(a) - ranked.get(b)));
  find("#count").textContent = `${count(shown.length)} of ${count(items.length)}`;
  find("#space").style.height = `${shown.length * ROW}px`;
  rows();
}

function rateView(run) {
  if (!run) return make("span", { class: "rate note" }, "not asked");
  if (!run.graded) return make("span", { class: "rate note" }, run.score.length ? "no score" : "no sample");
  const whole = run.score.every((one) => !given(one) || one === 0 || one === 1);
  return make("span", { class: "rate" }, make("meter", { min: 0, max: 1, value: run.rate }), whole ? `${run.rightOnes}/${run.graded}` : percent(run.rate, 0));
}

function rowView(one, n) {
  const total = (key) => one.runs.reduce((sum, run) => sum + (run?.[key] ?? 0), 0);
  const flags = [["truncated", "cut"], ["errors", "err"]].map(([key, word]) => (total(key) ? `${total(key)} ${word}` : "")).filter(Boolean).join(" ");
  const node = make("div", { class: "row", role: "option", id: `row-${one.place}`, "aria-selected": String(one === current), "aria-setsize": shown.length, "aria-posinset": n + 1 },
    make("span", { class: "id", title: plain(one.id) }, one.id), make("span", { class: "what" }, one.question), make("span", { class: "flags warn", title: "cut off; errors of the API or the grader" }, flags), ...one.runs.map(rateView));
  node.style.top = `${n * ROW}px`;
  node.onclick = () => open(one);
  return node;
}

/** Only the rows in sight exist. */
function rows() {
  const list = find("#list"), first = Math.max(0, Math.floor(list.scrollTop / ROW) - 10), last = first + Math.ceil(list.clientHeight / ROW) + 20;
  find("#space").replaceChildren(...shown.slice(first, last).map((one, n) => rowView(one, first + n)));
  if (current && document.getElementById(`row-${current.place}`)) list.setAttribute("aria-activedescendant", `row-${current.place}`);
  else list.removeAttribute("aria-activedescendant");
}

/** Answers of a question as they are written, the most frequent first. */
function tally(run) {
  const groups = new Map();
  run.answer.forEach((answer, n) => {
    const group = groups.get(answer) ?? { answer, times: 0, kind: kind(run.score[n]) };
    groups.set(answer, { ...group, times: group.times + 1 });
  });
  const sorted = [...groups.values()].filter(({ answer }) => answer).sort((a, b) => b.times - a.times), none = groups.get("")?.times ?? 0;
  const node = make("p", { class: "tally" });
  for (const { answer, times, kind: of } of sorted.slice(0, 6)) node.append(make("span", { class: of }, KINDS[of][1], " ", answer, make("b", {}, ` × ${times}`)));
  if (sorted.length > 6) node.append(make("span", { class: "note" }, `and ${count(sorted.length - 6)} others`));
  if (none) node.append(make("span", { class: "note" }, `none × ${none}`));
  return node;
}

function sampleView(run, texts, n) {
  const told = texts.samples[n], node = make("div", { class: "sample" }), of = kind(run.score[n]);
  const facts = [`sample ${run.number[n]}`, STATES[run.state[n]], run.tokens[n] ? `${count(run.tokens[n])} tokens` : `${count(run.chars[n])} characters`];
  if (run.cut[n] === "1") facts.push("cut off");
  if (told.seconds) facts.push(duration(told.seconds));
  node.append(make("p", { class: "facts" }, make("b", { class: of }, given(run.score[n]) ? `${KINDS[of][0]}, ${number(run.score[n])}` : KINDS[of][0]), ` ${facts.join(" · ")}`));
  if (short(told.error)) node.append(make("h4", {}, "Error"), block(told.error, "Error"));
  if (run.state[n] !== "e" && run.state[n] !== "u") node.append(make("h4", {}, "Extracted answer"), block(told.extracted, "Extracted answer"));
  if (told.evidence.length) {
    node.append(make("details", { open: "" }, make("summary", {}, "evidence"), make("table", { class: "evidence" }, ...told.evidence.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, block(value, "Evidence")))))));
  }
  if (run.state[n] !== "e") node.append(make("h4", {}, "Response"), block(told.text, "Response"));
  return node;
}

function runView(run, place, texts) {
  const node = make("article", {}, make("header", {}, make("h3", {}, two ? data.runs[place].name : "Samples"), rateView(run)));
  if (!run?.score.length) return node;
  const chips = make("div", { class: "chips" }), at = Math.min(sample, run.score.length - 1);
  run.score.forEach((score, n) => {
    const of = kind(score);
    const chip = make("button", { type: "button", class: `${of}${run.cut[n] === "1" ? " cut" : ""}`, "aria-pressed": String(n === at), title: plain(`sample ${run.number[n]}: ${KINDS[of][0]}, ${run.answer[n] || STATES[run.state[n]]}`) }, KINDS[of][1]);
    chip.onclick = () => { sample = n; detail(); };
    chips.append(chip);
  });
  node.append(chips, tally(run), sampleView(run, texts, at));
  return node;
}

async function detail() {
  const mine = ++drawing, one = current;
  const texts = await Promise.all(one.runs.map((run) => run && unpack(`texts-${run.chunk}`).then((chunk) => chunk[run.at])));
  if (mine !== drawing) return;
  const ask = make("details", { open: "" }, make("summary", {}, "question"));
  const { messages, gold } = texts.find((text) => text?.question).question;
  for (const [role, content] of messages) ask.append(make("h4", {}, role), block(content, role));
  const views = one.runs.map((run, place) => runView(run, place, texts[place]));
  find("#detail").replaceChildren(
    make("div", { class: "head" }, make("h3", {}, one.id), make("span", { class: "note" }, one.slices)), ask,
    make("h4", {}, "Reference answer"), block(gold, "Reference answer"), make("div", { class: "beside" }, ...views));
  const address = new URLSearchParams({ benchmark: data.benchmarks[chosen].name, question: one.id, sample });
  history.replaceState(null, "", `#${address}`);
}

function open(one, at = null) {
  current = one;
  const filter = FITS[find("#filter").value] ?? FITS.all, run = one.runs[Number(find("#in").value || 0)];
  sample = at ?? Math.max(0, run ? run.score.findIndex((_, n) => filter(run, n)) : 0);
  const list = find("#list"), top = shown.indexOf(one) * ROW;
  if (top >= 0 && top < list.scrollTop) list.scrollTop = top;
  if (top >= 0 && top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
  rows();
  find("#detail").scrollTop = 0;
  return detail();
}

async function choose(place, question = null, at = null) {
  chosen = place;
  const benchmark = data.benchmarks[place], summary = benchmark.runs.find((run) => run?.summary)?.summary;
  find("#of").value = place;
  find("#source").replaceChildren(make("span", {}, summary?.source ?? ""));
  find("#charts").replaceChildren();
  find("#detail").replaceChildren();
  drawn.forEach((_, node) => { if (!node.isConnected) drawn.delete(node); });
  tables(benchmark);
  const { questions, runs } = await unpack(`index-${place}`);
  if (chosen !== place) return;
  items = questions.map((row, n) => item(row, n, runs));
  curves(benchmark);
  lengths(benchmark, items);
  find("#list").scrollTop = 0;
  current = null;
  apply();
  const first = items.find(({ id }) => id === question) ?? shown[0];
  if (first) await open(first, at);
}

function step(by) {
  if (!shown.length) return;
  const n = shown.indexOf(current);
  open(shown[n < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, n + by))]);
}

function turn(by) {
  const most = Math.max(...(current?.runs ?? []).map((run) => run?.score.length ?? 0));
  if (!current || sample + by < 0 || sample + by >= most) return;
  sample += by;
  detail();
}

/* ---- how it was run ---- */

function flat(value, path = "") {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [[path, value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, one]) => flat(one, path ? `${path}.${key}` : key));
}

function manifests() {
  const told = data.runs.map(({ manifest }) => new Map(flat(manifest))), only = two && find("#differs").checked;
  const lines = [...new Set(told.flatMap((one) => [...one.keys()]))].map((key) => [key, ...told.map((one) => one.get(key) ?? "")]).filter(([, a, b]) => !only || a !== b);
  const first = make("tr", {}, make("th", {}, only && !lines.length ? "no difference" : ""), ...(two ? data.runs.map(({ name }) => make("th", {}, name)) : []));
  find("#made table").replaceChildren(first, ...lines.map((line) => make("tr", {}, ...line.map((value) => make("td", {}, value)))));
}

/* ---- start ---- */

function linked() {
  const fields = new URLSearchParams(location.hash.slice(1));
  const place = data.benchmarks.findIndex(({ name }) => name === fields.get("benchmark"));
  return [Math.max(0, place), fields.get("question"), fields.has("sample") ? Math.max(0, Number(fields.get("sample")) || 0) : null];
}

function controls() {
  data.benchmarks.forEach((benchmark, place) => find("#of").append(make("option", { value: place }, plain(title(benchmark)))));
  find("#of").onchange = () => choose(Number(find("#of").value));
  if (two) {
    find("#in").hidden = false;
    data.runs.forEach(({ name }, place) => find("#in").append(make("option", { value: place }, `in ${plain(name)}`)));
    find("#filter").append(make("option", { value: "differ" }, "differing pass rates"));
    find("#sort").append(make("option", { value: "difference" }, "what the second lost, first"), make("option", { value: "-difference" }, "what the second won, first"));
    find("#only").hidden = false;
    document.body.classList.add("two");
  }
  find("#search").oninput = apply;
  for (const id of ["filter", "in", "sort"]) find(`#${id}`).onchange = () => { find("#list").scrollTop = 0; apply(); };
  find("#list").onscroll = rows;
  find("#differs").onchange = manifests;
  onresize = rows;
  onhashchange = () => { if (data.benchmarks.length) choose(...linked()); };
  onkeydown = (event) => {
    const typing = event.target.matches("input:not([type=checkbox]), select");
    if (event.key === "Escape" && typing) event.target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const inList = event.target === find("#list") ? { ArrowDown: 1, ArrowUp: -1 } : {}, by = { j: 1, k: -1, ...inList }[event.key];
    const across = event.target.matches("pre") ? 0 : { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) step(by);
    else if (across) turn(across);
    else if (event.key === "/") find("#search").focus();
    else return;
    event.preventDefault();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((plot, place) => draw(place, plot)));
}

head();
board();
comparison();
manifests();
controls();
if (!("DecompressionStream" in window)) {
  find("#notes").append(make("p", {}, "This browser cannot unpack the samples: Chrome 80, Firefox 113, Safari 16.4 or a newer one can."));
} else {
  overview();
  if (data.benchmarks.length) choose(...linked()).then(() => setTimeout(begin));
  else find("main").hidden = true;
}
