// Chapter 5: a line, the squares on its errors, and three ways to count them.

import { examplesInPython, float, fromLists } from "./examples.js";
import { register } from "./figure.js";
import { f, predict } from "./torch.js";

export const words = {
  zh: {
    task: "让直线取“让平方损失最小”的那条，再把最右边的样本往上拖：直线会跟着走吗？",
    example: "看哪个样本",
    offset: "它的标签加上",
    examples: "样本",
    line: "直线",
    areas: "误差的平方",
    fit: "直线",
    hand: "自己摆",
    squares: "让平方损失最小",
    huber: "让 Huber 损失最小",
    board: "十个样本、一条直线，每个误差上立着一个正方形",
    curves: "三种损失随误差变化的曲线，点是各个样本",
    loss: "损失",
    squared: "平均平方损失",
    absolute: "平均绝对损失",
    softened: "平均 Huber 损失",
    error: "误差 e",
    at: (w, b, k, error) =>
      `直线：w = ${w}，b = ${b}；样本 ${k} 的误差 ${error}。`,
  },
  en: {
    task: "Choose “least squared loss” and drag the rightmost example up: does the line follow?",
    example: "example to look at",
    offset: "add to its label",
    examples: "examples",
    line: "line",
    areas: "squared errors",
    fit: "line",
    hand: "placed by hand",
    squares: "least squared loss",
    huber: "least Huber loss",
    board: "ten examples, a line, and a square on each error",
    curves: "three losses against the error; the dots are the examples",
    loss: "loss",
    squared: "mean squared loss",
    absolute: "mean absolute loss",
    softened: "mean Huber loss",
    error: "error e",
    at: (w, b, k, error) =>
      `Line: w = ${w}, b = ${b}. Error of example ${k}: ${error}.`,
  },
};

const RANGES = { w: [-2, 6], b: [-2, 10], offset: [-10, 10] };

// What a finger sets: two decimals, within the knob's range.
function within(name, value) {
  const [min, max] = RANGES[name];
  return Number(Math.max(min, Math.min(max, value)).toFixed(2));
}

export function defaults({ line, example }) {
  return { fit: "hand", w: line[0], b: line[1], example, offset: 0 };
}

export function knobs({ labels }) {
  const slider = (name, step, main) => {
    const [min, max] = RANGES[name];
    return { name, min, max, step, main };
  };
  const options = ["hand", "squares", "huber"];
  return [
    { name: "fit", type: "choice", options, main: true },
    slider("offset", 0.1, true),
    slider("w", 0.05),
    slider("b", 0.1),
    { name: "example", min: 0, max: labels.length - 1, step: 1 },
  ];
}

// A fitted line follows the examples until a hand is laid on it.
export function start(data, settings, _before, changed = []) {
  if (changed.includes("w") || changed.includes("b")) settings.fit = "hand";
  const { features, labels } = fromLists(data);
  const middle = (Math.min(...labels) + Math.max(...labels)) / 2;
  labels[settings.example] += f(settings.offset);
  let { w, b } = settings;
  if (settings.fit !== "hand") {
    [w, b] = fitted(features, labels, settings.fit === "huber" ? 100 : 1);
    settings.w = within("w", w);
    settings.b = within("b", b);
  }
  const errors = labels.map((y, i) => predict(features, i, [w], b) - y);
  return {
    features,
    labels,
    w: f(w),
    b: f(b),
    errors,
    losses: CURVES.map(({ loss }) => mean(Array.from(errors, loss))),
    middle,
    half: halfAt(Math.abs(labels[settings.example] - middle)),
  };
}

const mean = (values) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const CURVES = [
  { text: "e² / 2", dots: "explore-blue", loss: (e) => e ** 2 / 2 },
  { text: "|e|", line: "explore-dashed", dots: "explore-axis", loss: Math.abs },
  { text: "Huber", dots: "explore-green", loss: huber },
];

// Squared within ±1, then a straight line.
export function huber(e) {
  const size = Math.abs(e);
  return size <= 1 ? e ** 2 / 2 : size - 1 / 2;
}

// The line of the least loss. One round is least squares. In further rounds an
// error beyond ±1 counts by its size only: weighted with 1 / |e|, the squares'
// slope there is Huber's, ±1.
export function fitted(features, labels, rounds) {
  let weights = Array.from(labels, () => 1);
  let line;
  for (let k = 0; k < rounds; k++) {
    line = leastSquaresLine(features, labels, weights);
    const [w, b] = line;
    weights = Array.from(labels, (y, i) => {
      return 1 / Math.max(1, Math.abs(w * features[i] + b - y));
    });
  }
  return line;
}

function leastSquaresLine(features, labels, weights) {
  const total = mean(weights);
  const x = mean(weights.map((weight, i) => weight * features[i])) / total;
  const y = mean(weights.map((weight, i) => weight * labels[i])) / total;
  const along = weights.map((weight, i) => weight * (features[i] - x));
  const w =
    mean(along.map((a, i) => a * (labels[i] - y))) /
    mean(along.map((a, i) => a * (features[i] - x)));
  return [w, y - w * x];
}

// How much is seen above the middle, if the chosen example is `far` from it:
// pulled out, it takes the view with it, and stays in sight.
const [NEAR, REST, RATE] = [5.4, 3, 0.85];
export const halfAt = (far) => Math.max(NEAR, REST + RATE * far);

// The other way: how far, if it is drawn at this part of the way to the edge.
export function farAt(part) {
  return Math.max(NEAR * part, (REST * part) / (1 - RATE * part));
}

function draw(figure, state, settings) {
  const { words } = figure;
  const whole = figure.charts.clientWidth;
  const wide = figure.wide();
  const width = wide ? Math.floor(whole * 0.56) : whole;
  drawBoard(figure, state, settings, width, wide ? 400 : 310);
  const chart = figure.chart(words.curves);
  const rest = wide ? whole - width - 1 : whole;
  drawCurves(chart, state, settings, rest, wide ? 400 : 154, words);
}

function drawBoard(figure, state, { example }, width, height) {
  const { features, labels, w, b, errors, middle, half } = state;
  const chart = figure.chart(figure.words.board);
  // A unit is as long on both axes.
  const side = (half * (width - 66)) / (height - 70);
  chart.begin({
    width,
    height,
    x: [-side, side],
    y: [middle - half, middle + half],
    xName: "x",
    yName: "y",
  });
  const points = Array.from(labels, (y, i) => [features[i], y]);
  points.forEach(([x, y], i) => {
    const e = errors[i];
    const look = i === example ? "explore-strong" : "explore-soft";
    const blue = `explore-fill-blue explore-blue ${look}`;
    chart.box(`square ${i}`, [x, y], [x + e, y + e], blue);
  });
  const ends = [-side, side].map((x) => [x, w * x + b]);
  chart.line("line", ends, "explore-orange");
  chart.dots("examples", points, "explore-blue");
  chart.dots("chosen", [points[example]], "explore-blue explore-large");
  handles(figure, chart, points);
  chart.end();
}

// Any example can be pulled; only the chosen one shows its ring.
function handles(figure, chart, points) {
  const { w, b, middle, half } = figure.state;
  points.forEach((point, i) => {
    chart.handle(`example ${i}`, point, "", ([, y]) => pull(figure, i, y));
    const ring = chart.marks.get(`example ${i}`);
    ring.setAttribute("opacity", Number(i === figure.settings.example));
  });
  const name = (letter, place) => {
    const text = chart.text(`name of ${letter}`, place, letter);
    text.setAttribute("dx", 20);
    text.setAttribute("dy", 16);
  };
  chart.handle("b", [0, b], "", ([, y]) => figure.set({ b: within("b", y) }));
  name("b", [0, b]);
  // The line's arm, where it is in sight; it turns about (0, b).
  const edge = middle + Math.sign(w) * half * 0.88;
  const arm = Math.min(half * 0.52, Math.max(0.5, (edge - b) / w || 0));
  chart.handle("w", [arm, w * arm + b], "", ([x, y]) => {
    const slope = (y - figure.state.b) / Math.max(x, 0.5);
    figure.set({ w: within("w", slope) });
  });
  name("w", [arm, w * arm + b]);
}

function pull(figure, i, y) {
  const { middle, half } = figure.state;
  const part = (y - middle) / half;
  const far = Math.sign(part) * farAt(Math.min(1, Math.abs(part)));
  const offset = within("offset", middle + far - figure.data.labels[i]);
  figure.set({ example: i, offset });
}

function drawCurves(chart, { errors }, { example }, width, height, words) {
  const most = 1.05 * Math.max(3, ...errors.map(Math.abs));
  const top = most ** 2 / 2;
  chart.begin({
    width,
    height,
    x: [-most, most],
    y: [0, top],
    xName: "e = ŷ − y",
    yName: words.loss,
  });
  CURVES.forEach(({ text, dots, line = dots, loss }, j) => {
    const at = (e) => [e, loss(e)];
    const grid = Array.from({ length: 81 }, (_, k) => (k / 40 - 1) * most);
    chart.line(text, grid.map(at), line);
    chart.dots(`${text} of all`, Array.from(errors, at), dots);
    const large = `${dots} explore-large`;
    chart.dots(`${text} of one`, [at(errors[example])], large);
    const level = chart.fromY(chart.Y(top) + 10 + 20 * j);
    const key = [-0.5, -0.3].map((part) => [part * most, level]);
    chart.line(`key of ${text}`, key, line);
    const name = chart.text(`name of ${text}`, [-0.25 * most, level], text);
    name.setAttribute("text-anchor", "start");
    name.setAttribute("dy", 5);
  });
  chart.end();
}

const key = () => [
  ["examples", "dots", "explore-blue"],
  ["line", "line", "explore-orange"],
  ["areas", "box", "explore-fill-blue explore-blue explore-soft"],
];

const main = () => ["squared", "absolute", "softened", "error"];

function numbers({ w, b, errors, losses }, { example }) {
  return [
    ["w", w],
    ["b", b],
    ["error", errors[example]],
    ["squared", losses[0]],
    ["absolute", losses[1]],
    ["softened", losses[2]],
  ];
}

function said({ w, b, errors }, words, { example }) {
  const error = errors[example].toFixed(3);
  return words.at(w.toFixed(2), b.toFixed(2), example, error);
}

const LINES = {
  hand: ({ w, b }) => [
    `w, b = torch.tensor([[${float(w)}]]), torch.tensor([${float(b)}])`,
  ],
  squares: (_, n) => [
    `X_one = torch.cat([features, torch.ones(${n}, 1)], dim=1)`,
    "solved = torch.linalg.lstsq(X_one.double(), labels.double()).solution",
    "w, b = solved[:1].float(), solved[1].float()",
  ],
  huber: () => [
    "w = torch.zeros(1, 1, requires_grad=True)",
    "b = torch.zeros(1, requires_grad=True)",
    "for step in range(500):",
    "    huber_loss(linreg(features, w, b), labels).backward()",
    "    sgd([w, b], 0.5, 1)",
  ],
};

export function code(settings, _state, { source }) {
  const { fit, example, offset } = settings;
  return [
    ...examplesInPython(source),
    "from torch.nn.functional import huber_loss, l1_loss",
    "",
    `example = ${example}`,
    `labels[example] += ${offset}`,
    ...LINES[fit](settings, source.n),
    "y_hat = linreg(features, w, b)",
    "print(w.item(), b.item(), (y_hat - labels)[example].item())",
    "print(squared_loss(y_hat, labels).mean().item())",
    "print(l1_loss(y_hat, labels).item(), huber_loss(y_hat, labels).item())",
  ].join("\n");
}

export const explorer = {
  words,
  defaults,
  knobs,
  start,
  key,
  main,
  draw,
  numbers,
  said,
  code,
};

register("squares", explorer);
