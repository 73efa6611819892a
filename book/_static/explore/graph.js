// Chapter 3: a computational graph, walked forward and backward.

import { register } from "./figure.js";

export const words = {
  zh: {
    task: "每走一步之前，先说出下一个数。",
    graph: "图",
    chain: "一条路：y = 2 x·x",
    branch: "分岔：u = 3x，v = x²，y = uv",
    values: "前向：数值",
    gradients: "反向：梯度",
    ahead: "还没走的路",
    x0: "x[0]",
    x1: "x[1]",
    x2: "x[2]",
    x3: "x[3]",
    x: "x",
    zero: "反向之前先把 x.grad 清零",
    forward: "前向一步",
    backward: "反向一步",
    all: "走完这一趟",
    picture: "计算图：方框里有数值和梯度，箭头是前向和反向的路",
    passes: "反向走过几趟",
    code: "同样的几趟，用 PyTorch 写",
    atStart: (x) => `x = ${x}，还没有开始算。`,
    atValue: (formula, value) => `前向：${formula} = ${value}。`,
    atGradient: (name, value) => `反向：dy/d${name} = ${value}。`,
    atZero: (name, value) =>
      `x.grad 清零；反向：dy/d${name} = ${value}，从这里开始。`,
    atEnd: (sum, grad) => `dy/dx = ${sum}，加到 x.grad 上：${grad}。`,
    tooEarly: () => "y 还没有算出来：先走前向。",
    forwardDone: () => "y 已经算出来了：可以走反向。",
    again: () => "这张图反向走过了：先走前向，再造一张。",
  },
  en: {
    task: "Before each step, say the next number.",
    graph: "graph",
    values: "forward: values",
    gradients: "back: gradients",
    ahead: "not walked yet",
    chain: "one path: y = 2 x·x",
    branch: "branches: u = 3x, v = x², y = uv",
    x0: "x[0]",
    x1: "x[1]",
    x2: "x[2]",
    x3: "x[3]",
    x: "x",
    zero: "zero x.grad before going backward",
    forward: "Step forward",
    backward: "Step backward",
    all: "Finish this pass",
    picture:
      "computational graph: boxes with values and gradients, arrows for the ways forward and backward",
    passes: "backward passes",
    code: "The same passes in PyTorch",
    atStart: (x) => `x = ${x}; nothing is computed yet.`,
    atValue: (formula, value) => `Forward: ${formula} = ${value}.`,
    atGradient: (name, value) => `Backward: dy/d${name} = ${value}.`,
    atZero: (name, value) =>
      `x.grad is zeroed. Backward starts: dy/d${name} = ${value}.`,
    atEnd: (sum, grad) => `dy/dx = ${sum}, added to x.grad: ${grad}.`,
    tooEarly: () => "y is not computed yet: go forward first.",
    forwardDone: () => "y is computed: now go backward.",
    again: () =>
      "This graph was walked backward already: go forward to make another.",
  },
};

// In the order in which they are computed. A value is a list of numbers, of one
// number for a scalar. `slopes` has, for each node that this one is made of, the
// derivative: as it is written, and its numbers.
export const GRAPHS = {
  chain: [
    {
      name: "s",
      formula: "s = x·x",
      python: "torch.dot(x, x)",
      value: ({ x }) => [x.reduce((sum, e) => sum + e * e, 0)],
      slopes: { x: ["2x", ({ x }) => x.map((e) => 2 * e)] },
    },
    {
      name: "y",
      formula: "y = 2s",
      python: "2 * s",
      value: ({ s }) => [2 * s[0]],
      slopes: { s: ["2", () => [2]] },
    },
  ],
  branch: [
    {
      name: "u",
      formula: "u = 3x",
      python: "3 * x",
      value: ({ x }) => [3 * x[0]],
      slopes: { x: ["3", () => [3]] },
    },
    {
      name: "v",
      formula: "v = x²",
      python: "x**2",
      value: ({ x }) => [x[0] ** 2],
      slopes: { x: ["2x", ({ x }) => [2 * x[0]]] },
    },
    {
      name: "y",
      formula: "y = uv",
      python: "u * v",
      value: ({ u, v }) => [u[0] * v[0]],
      slopes: { u: ["v", ({ v }) => v], v: ["u", ({ u }) => u] },
    },
  ],
};

const shown = (list) =>
  list.length === 1 ? String(list[0]) : `[${list.join(", ")}]`;
const plus = (one, other) => one.map((e, i) => e + other[i]);

export function defaults({ x }) {
  const entries = x.map((value, i) => [`x${i}`, value]);
  return { graph: "chain", ...Object.fromEntries(entries), x: 2, zero: false };
}

export function knobs({ x }) {
  const number = { type: "number", min: -5, max: 5, step: 1 };
  const of = (graph) => ({ only: (settings) => settings.graph === graph });
  return [
    { name: "graph", type: "choice", options: Object.keys(GRAPHS), main: true },
    { name: "zero", type: "check", main: true },
    ...x.map((_, i) => ({ name: `x${i}`, ...number, ...of("chain") })),
    { name: "x", ...number, ...of("branch") },
  ];
}

// Another x is another leaf, whose x.grad is still None. `zero` starts nothing.
export function start({ x }, settings, before, changed) {
  if (before && changed.length === 1 && changed[0] === "zero") return before;
  const names = x.map((_, i) => `x${i}`);
  for (const name of [...names, "x"])
    settings[name] = Math.round(settings[name]); // so that sums are exact
  const used = settings.graph === "branch" ? ["x"] : names;
  const leaf = used.map((name) => settings[name]);
  return {
    nodes: GRAPHS[settings.graph],
    values: { x: leaf },
    gradients: {},
    grad: null,
    zeroes: false, // whether x.grad was zeroed for this way back
    passes: [], // and for each one that has ended
    moves: "", // for the address: forward, backward, backward with zeroing
    last: "",
    note: ["atStart", shown(leaf)],
  };
}

const finished = ({ gradients }) => "x" in gradients;

export function forward(state) {
  state.moves += "f";
  if (finished(state)) {
    state.values = { x: state.values.x };
    state.gradients = {};
  }
  const { nodes, values } = state;
  const next = nodes.find(({ name }) => !(name in values));
  if (!next) {
    state.note = ["forwardDone"];
    return;
  }
  const value = next.value(values);
  values[next.name] = value;
  state.last = next.name;
  state.note = ["atValue", next.formula, shown(value)];
}

// What each node that uses `name` gives back: its gradient times its slope.
function parts({ nodes, values, gradients }, name) {
  const users = nodes.filter(({ slopes }) => name in slopes);
  return users.map((user) =>
    user.slopes[name][1](values).map((e) => e * gradients[user.name][0]),
  );
}

export function backward(state, settings) {
  const { nodes, values, gradients } = state;
  state.moves += settings.zero ? "z" : "b";
  if (!("y" in values) || finished(state)) {
    state.note = [finished(state) ? "again" : "tooEarly"];
    return;
  }
  const order = ["x", ...nodes.map(({ name }) => name)].reverse();
  const name = order.find((name) => !(name in gradients));
  gradients[name] = name === "y" ? [1] : parts(state, name).reduce(plus);
  state.last = name;
  const said = shown(gradients[name]);
  if (name === "y") state.zeroes = settings.zero;
  const zeroed = name === "y" && state.zeroes && state.grad;
  state.note = [zeroed ? "atZero" : "atGradient", name, said];
  if (zeroed) state.grad = state.grad.map(() => 0);
  if (name === "x") arrive(state, said);
}

function arrive(state, said) {
  const { x } = state.gradients;
  state.grad = state.grad ? plus(state.grad, x) : x;
  state.passes.push(state.zeroes);
  state.note = ["atEnd", said, shown(state.grad)];
}

export function all(state, settings) {
  do forward(state);
  while (!("y" in state.values));
  do backward(state, settings);
  while (!finished(state));
}

const gradText = ({ grad }) => (grad ? shown(grad) : "None");

// The walk that an address tells, as far as it can be read.
export function resume(state, _settings, _data, moves) {
  for (const move of moves.slice(0, 2000)) {
    if (move === "f") forward(state);
    else backward(state, { zero: move === "z" });
  }
}

const key = () => [
  ["values", "line", "explore-blue"],
  ["gradients", "line", "explore-orange"],
  ["ahead", "line", "explore-quiet"],
];

const main = () => ["y", "x.grad", "passes"];

function numbers(state) {
  const { values, passes } = state;
  return [
    ["y", values.y ? shown(values.y) : "?"],
    ["x.grad", gradText(state)],
    ["passes", String(passes.length)],
  ];
}

const said = ({ note: [name, ...values] }, words) => words[name](...values);

// The places of the boxes: [along the way, across it].
const PLACES = {
  chain: { x: [0, 0], s: [1, 0], y: [2, 0] },
  branch: { x: [0, 0], u: [1, -1], v: [1, 1], y: [2, 0] },
};
const HALF = { x: [110, 34], grad: [110, 18] }; // of a box, in pixels
const OTHERS = [66, 34];

// From left to right where there is room, else from top to bottom.
function layout(graph, width) {
  const wide = width >= 560;
  const places = PLACES[graph];
  const tall = Object.values(places).some(([, across]) => across) ? 66 : 0;
  const middle = 40 + tall;
  const centres = {};
  for (const [name, [along, across]] of Object.entries(places)) {
    const right = width - 72;
    const columns = [116, (right + 160) / 2, right];
    centres[name] = wide
      ? [columns[along], middle + across * tall]
      : [width / 2 + (across * width) / 4, 104 + along * 116];
  }
  centres.grad = wide ? [116, middle + 92] : [width / 2, 22];
  const height = wide ? middle + Math.max(tall + 40, 114) : 376;
  return { wide, centres, height };
}

function draw(figure, state, settings) {
  const width = figure.charts.clientWidth;
  const { wide, centres, height } = layout(settings.graph, width);
  const chart = figure.chart(figure.words.picture);
  // In pixels from the top left corner.
  const [x, y] = [
    [4, width - 4],
    [height - 4, 4],
  ];
  chart.begin({ width, height, x, y, axes: false });
  drawBox(chart, "grad", centres.grad, [`x.grad = ${gradText(state)}`], state);
  drawBox(chart, "x", centres.x, textOf(state, "x", "x"), state);
  for (const { name, formula, slopes } of state.nodes) {
    drawBox(chart, name, centres[name], textOf(state, name, formula), state);
    for (const [from, [slope]] of Object.entries(slopes))
      drawEdge(chart, { from, name, slope, wide }, centres, state);
  }
  drawArrival(chart, centres, wide, state);
  chart.end();
}

// What a box says: what it is, its value, its gradient.
function textOf(state, name, formula) {
  const { values, gradients } = state;
  const lines = [formula, values[name] ? shown(values[name]) : "?"];
  if (!(name in gradients)) return lines;
  const found = name === "y" ? [] : parts(state, name);
  const sum = found.length > 1 ? `${found.map(shown).join(" + ")} = ` : "";
  return [...lines, `dy/d${name} = ${sum}${shown(gradients[name])}`];
}

// The box of the last step is filled.
function drawBox(chart, name, centre, lines, { last, gradients }) {
  const [, half] = HALF[name] ?? OTHERS;
  const longest = Math.max(...lines.map((line) => line.length));
  const side = Math.max((HALF[name] ?? OTHERS)[0], longest * 4.1 + 8);
  const [x, y] = [Math.max(centre[0], side + 5), centre[1]];
  const back = name === "grad" || name in gradients;
  const fill = last === name || (name === "grad" && last === "x");
  const colour = back ? "orange" : "blue";
  const className = fill ? ` explore-fill-${colour} explore-soft` : "";
  chart.box(
    `box ${name}`,
    [x - side, y - half],
    [x + side, y + half],
    `explore-line explore-${colour}${className}`,
  );
  lines.forEach((line, i) => {
    const below = 20 * (i - (lines.length - 1) / 2) + 5;
    chart.text(`text ${name} ${i}`, [x, y + below], line);
  });
}

// The ways between two nodes, there and back, side by side.
function drawEdge(chart, { from, name, slope, wide }, centres, state) {
  const [start, end] = [centres[from], centres[name]];
  const turn = Math.sign(wide ? end[1] - start[1] : end[0] - start[0]);
  const port = (node, sign) => {
    const [side, half] = HALF[node] ?? OTHERS;
    const spread = PORT[node] ? sign * turn * 18 : 0;
    const [x, y] = centres[node];
    return wide
      ? [x + sign * (side + 3), y + spread]
      : [x + spread * 2, y + sign * (half + 3)];
  };
  const [a, b] = [port(from, 1), port(name, -1)];
  const off = wide ? [0, 7] : [8, 0];
  const beside = (p, sign) => [p[0] + sign * off[0], p[1] + sign * off[1]];
  const there = name in state.values ? "blue" : "quiet";
  const walked = from in state.gradients;
  const back = walked ? "orange" : "quiet";
  const edge = `${from} ${name}`;
  arrow(chart, `there ${edge}`, beside(a, -1), beside(b, -1), there);
  arrow(chart, `back ${edge}`, beside(b, 1), beside(a, 1), back);
  const middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const label = wide
    ? [middle[0] - 14 * turn, middle[1] + 26]
    : [middle[0] + 16, middle[1] + 4 - 10 * turn];
  const anchor = wide ? "middle" : "start";
  // Not before: the reader may want to guess.
  const times = walked ? `×${slope}` : "";
  chart.text(`times ${edge}`, label, times, "", anchor);
}

const PORT = { x: true, y: true }; // where several edges meet

// From dy/dx to x.grad.
function drawArrival(chart, centres, wide, state) {
  const [x, y] = centres.x;
  const sign = wide ? 1 : -1;
  const colour = finished(state) ? "orange" : "quiet";
  const from = [x, y + sign * 37];
  const to = [x, centres.grad[1] - sign * 21];
  arrow(chart, "arrival", from, to, colour);
  const label = [x + 10, (from[1] + to[1]) / 2 + 4];
  chart.text("added", label, "+=", "", "start");
}

function arrow(chart, name, from, to, colour) {
  const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  const head = (turn) => [
    to[0] - 8 * Math.cos(angle + turn),
    to[1] - 8 * Math.sin(angle + turn),
  ];
  const points = [from, to, head(0.5), to, head(-0.5)];
  chart.line(name, points, `explore-${colour}`);
}

const ZERO = ["if x.grad is not None:", "    x.grad.zero_()"];

export function code(_settings, state) {
  const { nodes, values, gradients, zeroes } = state;
  const lines = nodes.map(({ name, python }) => `${name} = ${python}`);
  const x = values.x.map((e) => e.toFixed(1));
  const list = x.length === 1 ? x[0] : `[${x.join(", ")}]`;
  const known = Object.keys(values).slice(1);
  const walked = Object.keys(gradients);
  const open = finished(state) ? [] : lines.slice(0, known.length);
  if (walked.length && !finished(state)) {
    if (zeroes) open.push(...ZERO);
    open.push(`print(torch.autograd.grad(y, [${walked.join(", ")}]))`);
  }
  return [
    "import torch",
    "",
    `x = torch.tensor(${list}, requires_grad=True)`,
    ...loops(state.passes, lines),
    ...open,
    `print(${[...known, "x.grad"].join(", ")})`,
  ].join("\n");
}

// A loop for each stretch of passes that zeroed, or did not.
function loops(passes, lines) {
  const found = [];
  for (const zero of passes) {
    if (found.at(-1)?.zero !== zero) found.push({ zero, times: 0 });
    found.at(-1).times += 1;
  }
  return found.flatMap(({ zero, times }) => [
    `for _ in range(${times}):`,
    ...[...lines, ...(zero ? ZERO : []), "y.backward()"].map((l) => `    ${l}`),
  ]);
}

export const explorer = {
  words,
  defaults,
  knobs,
  start,
  actions: { forward, backward, all },
  progress: ({ moves }) => moves,
  resume,
  key,
  main,
  draw,
  numbers,
  said,
  code,
};

register("graph", explorer);
