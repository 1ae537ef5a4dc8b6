"use strict";
// Data from models goes into text nodes, through put() alone; nothing here makes markup of it.
(() => {
const ROW = 28; // height of a row, as --row in the style sheet
const SHOWN = 20000; // characters laid out before a reader asks for more: long lines are slow
const DIFFED = 20000; // characters of each side that are compared
const CELLS = 4e6; // of the table of a comparison: 16 MB and some 20 ms
const CAPPED = 2048; // characters of `got` in a verdict, at most
const CHOICES = 50; // values of one filter, the most frequent; names of parts may be anyone's
const CONTEXT = 3; // equal lines kept on each side of a difference
const NONE = "none";

const at = (id) => document.getElementById(id);
const read = (id) => JSON.parse(at(id).textContent);
const memo = new Map();
const kept = (id) => { if (!memo.has(id)) memo.set(id, read(id)); return memo.get(id); };
const rows = read("rows");
const chunk = Number(document.body.dataset.chunk);
rows.forEach((row, place) => { row.place = place; });

// ---- text ----------------------------------------------------------------

const HIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const BLANKS = /[\s\p{Cc}\p{Cf}\p{Cs}]/gu;
const SIGNS = { " ": "·", "\t": "→", "\n": "↵" };

// A sign for what is not seen, or changes the order of what is.
function sign(char) {
  const code = char.codePointAt(0), digits = code.toString(16);
  return SIGNS[char] ?? (code < 256 ? "\\x" + digits.padStart(2, "0") : "U+" + digits.toUpperCase().padStart(4, "0"));
}
const plain = (text) => text.slice(0, SHOWN).replace(HIDDEN, sign);

// Appends a text; with blanks, white space becomes visible too.
function put(node, text, blanks = false) {
  let from = 0;
  for (const hit of text.matchAll(blanks ? BLANKS : HIDDEN)) {
    node.append(text.slice(from, hit.index));
    node.append(h("span", { className: hit[0].trim() || !blanks ? "ctl" : "space" }, [], sign(hit[0])));
    from = hit.index + hit[0].length;
  }
  node.append(text.slice(from));
}

// An element; `raw` is text of ours, the children are nodes or texts of anyone.
function h(tag, fields = {}, children = [], raw = "") {
  const node = Object.assign(document.createElement(tag), fields);
  if (raw) node.textContent = raw;
  for (const child of [children].flat()) {
    if (child instanceof Node) node.append(child);
    else if (child !== null && child !== undefined) {
      const text = whole(child);
      put(node, text.slice(0, SHOWN));
      const more = text.length - SHOWN;
      if (more > 0) node.append(h("span", { className: "note" }, [], ` … ${count(more)} more`));
    }
  }
  return node;
}

// A text that the page holds in part is an object.
const whole = (value) => (value?.cut !== undefined ? value.cut : String(value ?? ""));
const count = (n) => n.toLocaleString("en-US");
const number = (value, digits) => (typeof value === "number" ? value.toFixed(digits) : String(value ?? NONE));
const score = (value) => (typeof value === "number" ? String(+value.toFixed(4)) : String(value ?? NONE));
const ms = (value) => (value ? number(value, value < 100 ? 1 : 0) + " ms" : "–");
const memory = (value) => (Number(value) ? (Number(value) / 2 ** 20).toFixed(1) + " MiB" : "–");
const tone = (value) => (typeof value !== "number" ? "none" : value >= 1 ? "good" : value > 0 ? "part" : "bad");

// A block of text; `pieces` are [length, class], what follows them is plain.
function pre(value, label, pieces = []) {
  const text = whole(value);
  const node = h("pre", { tabIndex: 0, ariaLabel: label });
  let limit = SHOWN;
  const fill = () => {
    node.replaceChildren();
    let from = 0;
    for (const [length, name] of [...pieces, [text.length, ""]]) {
      const part = text.slice(from, Math.min(from + length, limit));
      from += length;
      if (!part) continue;
      const holder = name ? h(name === "mark" ? "mark" : "span", { className: name }) : node;
      put(holder, part);
      if (name) node.append(holder);
    }
    const left = text.length - limit;
    const note = (words) => node.append(h("span", { className: "note" }, [], words));
    if (left > 0) {
      const more = h("button", { type: "button" }, [], `show more (${count(left)} characters are left)`);
      more.onclick = () => { limit *= 10; fill(); };
      node.append("\n", more);
    } else if (value?.cut !== undefined) note(`\n… cut: the text has ${count(value.chars)} characters`);
    else if (!text) note("(empty)");
  };
  fill();
  return node;
}

// ---- difference ----------------------------------------------------------

// [-1, one] only in a, [1, one] only in b, [0, one] in both; longest common subsequence.
function diff(a, b) {
  let head = 0, tail = 0;
  const least = Math.min(a.length, b.length);
  while (head < least && a[head] === b[head]) head++;
  while (tail < least - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const x = a.slice(head, a.length - tail), y = b.slice(head, b.length - tail);
  const ops = a.slice(0, head).map((one) => [0, one]);
  const width = y.length + 1, small = x.length * y.length <= CELLS;
  const best = new Uint32Array(small ? (x.length + 1) * width : 0);
  for (let i = x.length - 1; small && i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) {
      const cell = i * width + j;
      best[cell] = x[i] === y[j] ? best[cell + width + 1] + 1 : Math.max(best[cell + width], best[cell + 1]);
    }
  }
  for (let i = 0, j = 0; i < x.length || j < y.length;) {
    const cell = i * width + j;
    if (small && i < x.length && j < y.length && x[i] === y[j]) { ops.push([0, x[i++]]); j++; }
    else if (i < x.length && (j === y.length || !small || best[cell + width] >= best[cell + 1])) ops.push([-1, x[i++]]);
    else ops.push([1, y[j++]]);
  }
  return ops.concat(a.slice(a.length - tail).map((one) => [0, one]));
}

const lines = (text) => text.match(/[^\n]*\n|[^\n]+/g) ?? [];
const words = (line) => line.match(/[\p{L}\p{N}_]+|[^]/gu) ?? [];

function diffView(expected, got) {
  const node = h("pre", { className: "diff", tabIndex: 0, ariaLabel: "Difference: − expected, + got" });
  const ops = diff(lines(expected), lines(got));
  const line = (name, pieces) => {
    const row = h("div", { className: name });
    pieces.forEach(([marked, text], n) => {
      const holder = marked ? h("mark") : row, body = marked ? text : text.replace(/\n$/, "");
      const trailing = name && n === pieces.length - 1 ? body.match(/[ \t\r]*$/)[0].length : 0;
      put(holder, body.slice(0, body.length - trailing), marked);
      put(holder, body.slice(body.length - trailing), true);
      if (marked) row.append(holder);
    });
    node.append(row);
  };
  for (let i = 0; i < ops.length;) {
    let j = i;
    while (j < ops.length && (ops[j][0] === 0) === (ops[i][0] === 0)) j++;
    const run = ops.slice(i, j).map(([, text]) => text);
    if (ops[i][0] === 0) {
      const first = i === 0 ? 0 : CONTEXT, last = j === ops.length ? 0 : CONTEXT;
      const hidden = run.length - first - last;
      run.forEach((text, n) => {
        if (hidden <= 1 || n < first || n >= run.length - last) line("", [[false, text]]);
        else if (n === first) line("gap", [[false, `⋯ ${count(hidden)} equal lines`]]);
      });
    } else {
      const of = (side) => ops.slice(i, j).filter(([op]) => op === side).map(([, text]) => text);
      const removed = of(-1), added = of(1);
      const pairs = removed.slice(0, added.length).map((text, n) => diff(words(text), words(added[n])));
      for (const [side, name, texts] of [[-1, "del", removed], [1, "add", added]]) {
        texts.forEach((text, n) => line(name, pairs[n]
          ? merged(pairs[n].filter(([op]) => op === 0 || op === side))
          : [[false, text]]));
      }
    }
    i = j;
  }
  if (ops.every(([op]) => op === 0)) node.prepend(h("div", { className: "gap" }, [], "the texts shown are equal"));
  return node;
}

// Neighbours of one kind as one piece: [marked, text].
function merged(ops) {
  const pieces = [];
  for (const [op, text] of ops) {
    if (pieces.length && pieces.at(-1)[0] === (op !== 0)) pieces.at(-1)[1] += text;
    else pieces.push([op !== 0, text]);
  }
  return pieces;
}

// ---- details -------------------------------------------------------------

const section = (title, ...nodes) => [h("h3", {}, title), ...nodes];
const labelled = (title, node) => h("div", {}, [h("h4", {}, title), node]);
const reasonTone = (reason) => (
  ["accepted", "match", "well_formed"].includes(reason) ? "good" : reason === "not_run" ? "none" : "bad");

function pairs(entries) {
  const table = h("table", { className: "pairs" });
  for (const [name, value] of entries) {
    if (whole(value) === "") continue;
    table.append(h("tr", {}, [h("th", { scope: "row" }, name), h("td", { className: "mono" }, [value])]));
  }
  return table.rows.length ? [table] : [];
}

// Columns are titles with the class of their cells; a cell is a text, or a class and a text.
function grid(columns, rows) {
  const head = columns.map(([title, name]) => h("th", { scope: "col", className: name === "num" ? name : "" }, title));
  const cell = (value, n) => {
    const [tint, text] = Array.isArray(value) ? value : ["", value];
    return h("td", { className: [columns[n][1], tint].filter(Boolean).join(" ") }, [text]);
  };
  const body = rows.map((cells) => h("tr", {}, cells.map(cell)));
  return h("table", {}, [h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)]);
}

const partsTable = (parts) => grid(
  [["part"], ["score", "num"], ["weight", "num"], ["reason", "reason"], ["detail"]],
  parts.map((part) => [
    part.name, [tone(part.score), score(part.score)], score(part.weight ?? 0), part.reason, part.detail,
  ]));

function testView(test, place, known) {
  const reason = test.reason ?? "UNSPECIFIED", ran = reason !== "not_run";
  const cell = (text, name = "num") => h("span", { className: name }, text);
  const node = h("details", { className: "test" }, h("summary", {}, [
    cell([test.id || String(place), ...(known?.hidden ? [" (hidden)"] : [])].map(whole).join(""), "mono"),
    cell(reason, reasonTone(reason)),
    cell(ran ? ms(test.cpu_ms) : "–"), cell(ran ? ms(test.wall_ms) : "–"),
    cell(ran ? memory(test.memory_bytes) : "–"),
  ]));
  const fill = () => {
    if (node.childElementCount > 1) return;
    const input = known?.input ?? test.input, expected = known?.expected ?? test.expected, got = test.got;
    const texts = [["input", input], ["expected", expected], ["got", got]].filter(([, value]) => whole(value));
    const body = h("div", { className: "body" }, test.detail ? h("p", { className: "message" }, [test.detail]) : []);
    body.append(h("div", { className: "three" }, texts.map(([name, value]) => labelled(name, pre(value, name)))));
    if (!texts.length) body.append(h("p", { className: "note" }, "No texts: hidden, or not run."));
    if (reason === "wrong_answer" && whole(expected) && whole(got)) {
      const most = [...whole(got)].length >= CAPPED ? CAPPED : DIFFED;
      const [one, other] = [expected, got].map((text) => [...whole(text)].slice(0, most).join(""));
      const cut = one.length < whole(expected).length || most === CAPPED;
      const title = "difference: − expected, + got" + (cut ? `, of the first ${count(most)} characters` : "");
      body.append(labelled(title, diffView(one, other)));
    }
    node.append(body);
  };
  node.addEventListener("toggle", fill);
  node.open_ = () => { node.open = true; fill(); };
  return node;
}

function testsView(tests, known) {
  const head = h("div", { className: "columns", ariaHidden: "true" },
    ["test", "result", "CPU", "wall", "memory"].map((name, n) => h("span", { className: n > 1 ? "num" : "" }, name)));
  const views = tests.map((test, place) => testView(test, place, known[place]));
  const failed = tests.findIndex(({ reason }) => reason !== "accepted" && reason !== "not_run");
  views[failed]?.open_();
  return [head, ...views];
}

function codeView(code, item) {
  const known = item && item.tests !== null ? kept(`shared-${item.tests}`) : [];
  const flags = code.flags ?? [], signals = code.signals ?? {}, tests = code.tests ?? [];
  const accepted = tests.filter(({ reason }) => reason === "accepted").length;
  return [
    ...(flags.length ? section("Flags", ...pairs(flags.map((flag) => ["⚑ " + plain(whole(flag.kind)), flag.detail ?? "–"]))) : []),
    ...(tests.length ? section(`Tests: ${count(accepted)} of ${count(tests.length)} accepted`,
      ...testsView(tests, known.length === tests.length ? known : [])) : []),
    ...(code.diagnostics ? section("Compiler", pre(code.diagnostics, "Compiler's output")) : []),
    ...section("Program's signals", ...pairs([
      ["toolchain", code.toolchain],
      ["parses", signals.parses], ["compiles", signals.compiles],
      ["lint findings", signals.lint_findings], ["lint", (signals.lint ?? []).map(whole).join("\n")],
      ["asserts in its process", code.in_process_asserts], ["probed", code.probed],
      ["CPU, all tests", code.program_cpu_ms ? ms(code.program_cpu_ms) : ""],
      ["CPU, reference program", code.reference_cpu_ms ? ms(code.reference_cpu_ms) : ""],
    ])),
  ];
}

function mathView(math, verdict, item) {
  const point = Object.entries(math.point ?? {}).map(([name, value]) => `${name} = ${whole(value)}`);
  const golds = item?.gold ?? [];
  return section("Mathematics", ...pairs([
    ["gold", math.gold], ["extracted answer", verdict.extracted ?? NONE],
    ["canonical gold", math.canonical_gold], ["canonical answer", math.canonical_answer],
    ["tier", math.tier ?? NONE], ["differ at", point.join(", ")],
    ["answer found as", math.source && `${whole(math.source)}, code points ${math.start ?? 0} to ${math.end ?? 0}`],
    ["all golds", golds.length > 1 ? golds.map(whole).join("\n") : ""],
    ["policy", Object.entries(math.policy ?? {}).map(([name, value]) => `${name} ${whole(value)}`).join(", ")],
  ]));
}

function judgeView(judge) {
  const queries = judge.queries ?? [], strengths = judge.strengths ?? [], compared = judge.pairs ?? [];
  const member = (place) => (place ? `rival ${place}` : "response");
  const split = (one) => (one.disagreement ? "disagree" : "");
  const tokens = Number(judge.prompt_tokens ?? 0) + Number(judge.completion_tokens ?? 0);
  return [
    ...section("Judge", ...pairs([
      ["prompt", judge.prompt], ["rules had said", judge.rules], ["queries", split(judge)],
      ["temperature", judge.temperature], ["tokens", tokens ? count(tokens) : ""],
      ["US dollars", judge.cost_usd ? number(judge.cost_usd, 6) : ""],
    ])),
    ...(queries.length ? [labelled("Queries", grid(
      [["label", "mono"], ["value", "num"], ["seed", "num"], ["order"], ["model"], ["how"], ["analysis"]],
      queries.map((query) => [
        query.label, [tone(query.value ?? 0), score(query.value ?? 0)], query.seed ?? "0",
        query.swapped ? "rival first" : "", query.model,
        [query.repaired && "repaired", query.cached && "cached"].filter(Boolean).join(", "), query.analysis,
      ])))] : []),
    ...(strengths.length ? [labelled("Strengths", grid(
      [["member"], ["strength", "num"], [""]], strengths.map((strength, place) => [member(place), score(strength), ""])))] : []),
    ...(compared.length ? [labelled("Pairs", grid(
      [["first"], ["second"], ["value", "num"], ["queries", "num"], [""], ["failure"]],
      compared.map((pair) => [
        member(pair.first), member(pair.second), score(pair.value), pair.queries ?? 0, split(pair), pair.failure,
      ])))] : []),
  ];
}

function programView({ text, runs, language }) {
  const pieces = [];
  for (let i = 0; i < (runs ?? []).length; i += 2) pieces.push([runs[i], runs[i + 1] ? "c" + runs[i + 1] : ""]);
  const node = pre(text, "Program", pieces);
  node.id = "program";
  return section(language ? `Program, ${plain(language)}` : "Program", node);
}

function detailView(place) {
  const { verdict, item, program } = kept(`details-${Math.floor(place / chunk)}`)[place % chunk];
  const evidence = verdict.evidence ?? {}, status = verdict.status ?? "UNSPECIFIED";
  const provenance = verdict.provenance ?? {}, timing = verdict.timing ?? {};
  const name = (key) => (provenance[key] ? whole(provenance[key]) : "");
  const prompt = item && item.prompt !== null ? kept(`shared-${item.prompt}`) : "";
  const answer = item?.answer ? [[item.answer[0], ""], [item.answer[1] - item.answer[0], "mark"]] : [];
  const folded = (title, node) => h("details", { className: "fold", open: title === "Prompt" }, [h("summary", {}, title), node]);
  return [
    h("div", { className: "head" }, [
      h("h2", {}, [verdict.id || "(no id)"]),
      h("span", { className: status === "OK" ? "" : "bad" }, [status]),
      h("span", { className: tone(verdict.reward) }, "reward " + score(verdict.reward)),
      h("a", { href: link(place), ariaLabel: "Link to this verdict" }, "link"),
      h("span", { className: "note" }, `${count(place + 1)} of ${count(rows.length)} in the file`),
    ]),
    ...(evidence.message ? [h("p", { className: "message" }, [evidence.message])] : []),
    ...(verdict.parts?.length ? section("Parts", partsTable(verdict.parts)) : []),
    ...(evidence.math ? mathView(evidence.math, verdict, item) : []),
    ...(evidence.judge ? judgeView(evidence.judge) : []),
    ...(program ? programView(program) : []),
    ...(evidence.code ? codeView(evidence.code, item) : []),
    ...(!evidence.math && verdict.extracted !== undefined ? section("Extracted", pre(verdict.extracted, "Extracted")) : []),
    ...(whole(prompt) ? section("Item", folded("Prompt", pre(prompt, "Prompt"))) : []),
    ...(item ? [folded("Response", pre(item.response, "Response", answer))] : []),
    ...section("Provenance", ...pairs([
      ["verifier", [name("verifier"), name("verifier_version")].filter(Boolean).join(" version ")],
      ["recipe", [name("recipe"), name("recipe_hash")].filter(Boolean).join(" ")],
      ["sandbox tier", name("sandbox_tier")], ["judge model", name("judge_model")],
      ["reward model", name("reward_model")],
      ["from a cache", provenance.cache_hit ? "yes" : ""],
      ["queued, ran", `${ms(timing.queued_ms)}, ${ms(timing.ran_ms)}`],
    ])),
  ];
}

// ---- filters -------------------------------------------------------------

const partNames = [...new Set(rows.flatMap((row) => row.parts.map(([name]) => name)))].slice(0, CHOICES);
const facet = (title, values) => ({ title, values, chosen: new Set(), boxes: new Map() });
const facets = [
  facet("status", (row) => [row.status]),
  ...partNames.map((part) => facet(`reason of ${part}`,
    (row) => row.parts.filter(([name]) => name === part).map(([, , reason]) => reason))),
  facet("flags", (row) => (row.flags.length ? row.flags : row.verifier === "code" || row.toolchain ? ["no flag"] : [])),
  facet("verifier", (row) => [row.verifier].filter(Boolean)),
  facet("toolchain", (row) => [row.toolchain].filter(Boolean)),
  facet("tier", (row) => [row.tier].filter(Boolean)),
  facet("recipe", (row) => [row.recipe].filter(Boolean)),
];
const ranges = partNames.map((part) => ({ part, low: null, high: null }));
let shown = [], current = -1;

// Without a bound every row passes; with one, only rows with a score within.
function inRange(row, { part, low, high }) {
  if (low === null && high === null) return true;
  return row.parts.some(([name, value]) => name === part && typeof value === "number"
    && value >= (low ?? -Infinity) && value <= (high ?? Infinity));
}

function buildFacets() {
  const form = at("facets");
  form.onsubmit = (event) => event.preventDefault();
  for (const one of facets) {
    const tally = new Map();
    for (const row of rows) for (const value of one.values(row)) tally.set(value, (tally.get(value) ?? 0) + 1);
    one.tally = [...tally].sort((a, b) => b[1] - a[1]);
    if (!tally.size) continue;
    const set = h("fieldset", {}, h("legend", {}, [one.title]));
    for (const [value] of one.tally.slice(0, CHOICES)) {
      const box = h("input", { type: "checkbox", name: one.title, value });
      const figure = h("span", { className: "num" });
      figure.style.flex = "none";
      const label = h("label", {}, [box, h("span", {}, [value]), figure]);
      box.onchange = () => { one.chosen[box.checked ? "add" : "delete"](value); apply(); };
      one.boxes.set(value, { figure, label });
      set.append(label);
    }
    const more = tally.size - CHOICES;
    if (more > 0) set.append(h("span", { className: "note" }, `and ${count(more)} more`));
    form.append(set);
  }
  const set = h("fieldset", {}, h("legend", {}, "score, from and to"));
  for (const range of ranges) {
    const bound = (key) => {
      const field = h("input", { type: "number", step: "any", ariaLabel: `${key}est score of ${plain(range.part)}` });
      field.oninput = () => { range[key] = field.value === "" ? null : Number(field.value); apply(); };
      return field;
    };
    set.append(h("div", { className: "range" }, [h("span", {}, [range.part]), bound("low"), bound("high")]));
  }
  const clear = h("button", { type: "reset" }, "clear filters");
  form.onreset = () => {
    for (const one of facets) one.chosen.clear();
    for (const range of ranges) range.low = range.high = null;
    apply();
  };
  if (ranges.length) form.append(set);
  form.append(h("p", {}, clear));
}

// A value's figure counts the rows that all other filters let through.
function apply() {
  const wanted = at("search").value.toLowerCase();
  const tallies = facets.map(() => new Map());
  const passed = [];
  for (const row of rows) {
    if (wanted && !row.id.toLowerCase().includes(wanted)) continue;
    if (!ranges.every((range) => inRange(row, range))) continue;
    const values = facets.map((one) => one.values(row));
    const failed = facets.flatMap((one, n) => (one.chosen.size && !values[n].some((v) => one.chosen.has(v)) ? [n] : []));
    if (failed.length > 1) continue;
    for (const n of failed.length ? failed : facets.keys()) {
      for (const value of values[n]) tallies[n].set(value, (tallies[n].get(value) ?? 0) + 1);
    }
    if (!failed.length) passed.push(row);
  }
  facets.forEach((one, n) => {
    for (const [value, { figure, label }] of one.boxes) {
      figure.textContent = count(tallies[n].get(value) ?? 0);
      label.className = tallies[n].has(value) ? "" : "zero";
    }
  });
  const order = at("sort").value, key = order.replace("-", ""), sense = order.startsWith("-") ? -1 : 1;
  const rank = (row) => (typeof row[key] === "number" ? row[key] * sense : Infinity); // none comes last
  shown = passed.sort((a, b) => (rank(a) === rank(b) ? a.place - b.place : rank(a) - rank(b)));
  at("count").textContent = `${count(shown.length)} of ${count(rows.length)} shown`;
  at("space").style.height = `${shown.length * ROW}px`;
  draw();
}

// ---- list ----------------------------------------------------------------

function rowView(row, n) {
  const node = h("div", { className: "row", id: `row-${row.place}`, role: "option" }, [
    h("span", { className: "dot " + tone(row.reward), ariaHidden: "true" }),
    h("span", { className: "id", title: plain(row.id) }, [row.id || "(no id)"]),
    h("span", { className: "why" }, [row.status === "OK" ? row.parts[0]?.[2] ?? "" : row.status]),
    h("span", { className: "flag", title: plain(row.flags.join(", ")) }, row.flags.length ? "⚑" : ""),
    h("span", { className: "num " + tone(row.reward) }, typeof row.reward === "number" ? score(+row.reward.toFixed(3)) : score(row.reward)),
  ]);
  node.style.top = `${n * ROW}px`;
  node.ariaSelected = String(row.place === current);
  node.ariaSetSize = String(shown.length);
  node.ariaPosInSet = String(n + 1);
  node.onclick = () => select(row.place);
  return node;
}

// Only the rows in sight exist.
function draw() {
  const list = at("list"), first = Math.max(0, Math.floor(list.scrollTop / ROW) - 10);
  const last = first + Math.ceil(list.clientHeight / ROW) + 20;
  at("space").replaceChildren(...shown.slice(first, last).map((row, n) => rowView(row, first + n)));
  if (at(`row-${current}`)) list.setAttribute("aria-activedescendant", `row-${current}`);
  else list.removeAttribute("aria-activedescendant");
}

// Ids need not be unique: the place tells the second of two from the first.
function link(place) {
  const { id } = rows[place], fields = new URLSearchParams();
  if (id) fields.set("id", id);
  if (rows.findIndex((row) => row.id === id) !== place) fields.set("at", place + 1);
  return "#" + fields;
}

function linked() {
  const fields = new URLSearchParams(location.hash.slice(1)), id = fields.get("id");
  if (id === null && !fields.has("at")) return -1;
  const place = Number(fields.get("at")) - 1;
  if (rows[place] && (id === null || rows[place].id === id)) return place;
  return rows.findIndex((row) => row.id === id);
}

function select(place) {
  current = place;
  const list = at("list"), top = shown.findIndex((row) => row.place === place) * ROW;
  if (top >= 0 && top < list.scrollTop) list.scrollTop = top;
  if (top >= 0 && top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
  draw();
  at("detail").replaceChildren(...detailView(place));
  at("detail").scrollTop = 0;
  if (link(place) !== location.hash) history.replaceState(null, "", link(place));
}

function step(by) {
  if (!shown.length) return;
  const n = shown.findIndex((row) => row.place === current);
  select(shown[n < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, n + by))].place);
}

function summary() {
  const rewarded = rows.filter(({ reward }) => typeof reward === "number");
  const mean = rewarded.reduce((sum, { reward }) => sum + reward, 0) / rewarded.length;
  const entry = (name, ...rest) => h("span", {}, [name + " ", ...rest]);
  const bold = (text) => h("b", {}, text);
  const tally = (one) => one.tally.slice(0, 8).flatMap(([value, n], k) => [k ? ", " : "", value + " ", bold(count(n))]);
  at("summary").append(
    entry("verdicts", bold(count(rows.length))),
    entry("mean reward", bold(rewarded.length ? mean.toFixed(4) : NONE), ` over ${count(rewarded.length)}`),
    ...facets.filter(({ title, tally: all }) => /^(status|reason of|flags)/.test(title) && all.length)
      .map((one) => entry(one.title + ":", ...tally(one), one.tally.length > 8 ? ` and ${one.tally.length - 8} more` : "")),
  );
}

at("filters").open = matchMedia("(min-width: 1001px)").matches;
buildFacets();
summary();
apply();
at("search").oninput = apply;
at("sort").onchange = apply;
at("list").onscroll = draw;
window.onresize = draw;
window.onhashchange = () => { const place = linked(); if (place >= 0 && place !== current) select(place); };
window.onkeydown = (event) => {
  const typing = event.target.matches("input:not([type=checkbox]), select");
  if (event.key === "Escape" && typing) event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrows = event.target === at("list") ? { ArrowDown: 1, ArrowUp: -1 } : {};
  const by = { j: 1, k: -1, ...arrows }[event.key];
  if (by) step(by);
  else if (event.key === "/") at("search").focus();
  else return;
  event.preventDefault();
};
const first = linked();
if (first >= 0) select(first);
else if (shown.length) step(0);
})();
