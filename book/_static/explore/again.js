// Chapter 8: train again and again, each time on new data: a cloud of errors.

import { batchesInPython, register } from "./figure.js";
import { epochOrder, f, Generator, genData, sgdStep } from "./torch.js";

export const words = {
  zh: {
    task: "把样本数加到 400 左右：哪一朵云变窄了？再把学习率换成 0.01。",
    noise_std: "噪声的标准差 σ",
    n: "样本数 n",
    lr: "学习率 η",
    batch_size: "批量大小 m",
    num_epochs: "周期数",
    draw: "次序",
    shuffled: "每个周期洗牌",
    independent: "每批独立地抽",
    seed: "种子",
    one: "训练一次",
    twenty: "训练二十次",
    errors: "误差的云：SGD 和最小二乘",
    jitter: "抖动的云：SGD 减去最小二乘",
    cloud: "两种误差",
    sgd: "SGD",
    squares: "最小二乘",
    gap: "SGD − 最小二乘",
    last: "最近一次",
    trainings: "训练次数",
    inside: "实线圆里的灰点",
    again: (k) => `换了设置，重新训练了 ${k} 次。`,
    bestRms: "灰点的均方根",
    limit: "实线圆的半径",
    gapRms: "SGD − 最小二乘的均方根",
    jitterCircle: "抖动圆的半径",
    sgdRms: "蓝点的均方根",
    total: "虚线圆的半径",
    at: (k, [one, two]) => `第 ${k} 次训练，误差 ${one} 和 ${two}。`,
    outside: (k) => `${k} 个蓝点在图外。`,
    early: "步数太少，起点还没忘记：蓝点不在 (0, 0) 周围。",
  },
  en: {
    task: "Raise n to about 400: which cloud narrows? Then set η to 0.01.",
    noise_std: "noise σ",
    n: "examples n",
    lr: "learning rate η",
    batch_size: "batch size m",
    num_epochs: "epochs",
    draw: "order",
    shuffled: "shuffled in each epoch",
    independent: "each batch drawn independently",
    seed: "seed",
    one: "Train once",
    twenty: "Train 20 times",
    errors: "clouds of errors: SGD and least squares",
    jitter: "cloud of the jitter: SGD less least squares",
    cloud: "both errors",
    sgd: "SGD",
    squares: "least squares",
    gap: "SGD − least squares",
    last: "latest",
    trainings: "trainings",
    inside: "gray in the circle",
    again: (k) => ` New settings: ${k} new trainings.`,
    bestRms: "rms of gray",
    limit: "radius of the solid circle",
    gapRms: "rms of SGD − least squares",
    jitterCircle: "radius of the jitter's circle",
    sgdRms: "rms of blue",
    total: "radius of the dashed circle",
    at: (k, [one, two]) => `Training ${k}, errors ${one} and ${two}.`,
    outside: (k) => ` Blue dots outside the chart: ${k}.`,
    early: " Too few steps: blue still shows where it began.",
  },
};

const MOST = 400; // trainings

export function defaults(data) {
  const { noise_std, n, lr, batch_size, num_epochs, seed } = data;
  return { noise_std, n, lr, batch_size, num_epochs, draw: "shuffled", seed };
}

export function knobs() {
  return [
    { name: "n", type: "count", min: 20, max: 500, step: 0.01, main: true },
    { name: "lr", type: "log", min: 0.003, max: 0.5, step: 0.01, main: true },
    { name: "noise_std", type: "log", min: 0.01, max: 2, step: 0.01 },
    { name: "batch_size", type: "count", min: 1, max: 50, step: 0.01 },
    { name: "num_epochs", min: 1, max: 20, step: 1 },
    { name: "draw", type: "choice", options: ["shuffled", "independent"] },
    { name: "seed", type: "number", min: 0, max: 9999, step: 1 },
  ];
}

// Training k: new data, then a new order, from one generator. The errors are
// the truth less what was found, of w₁ and w₂.
export function training(truth, settings, k) {
  const { n, noise_std, lr, batch_size: m, num_epochs, draw, seed } = settings;
  const generator = new Generator(seed * 1000 + k);
  const examples = genData(truth.w, truth.b, n, noise_std, generator);
  const model = { w: [0, 0], b: 0 };
  for (let epoch = 0; epoch < num_epochs; epoch++) {
    const order = epochOrder(draw, n, m, generator);
    for (let i = 0; i < order.length; i += m) {
      const rows = order.slice(i, i + m);
      sgdStep(model, examples, rows, lr, rows.length);
    }
  }
  const error = (value, j) => f(truth.w[j]) - value;
  return { sgd: model.w.map(error), best: leastSquares(examples).map(error) };
}

// In 64 bits. The bias takes the means away; then two equations are left.
export function leastSquares({ features, labels }) {
  const column = (j) => labels.map((_, i) => features[2 * i + j]);
  const [u, v, y] = [column(0), column(1), labels].map(centred);
  const [a, c, d] = [dot(u, u), dot(u, v), dot(v, v)];
  const [p, q] = [dot(u, y), dot(v, y)];
  const determinant = a * d - c * c;
  return [(d * p - c * q) / determinant, (a * q - c * p) / determinant];
}

function centred(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Float64Array.from(values, (value) => value - mean);
}

const dot = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);

// Standard deviations for each parameter: of least squares, of the jitter
// where batches are drawn independently, and of both together.
export function expected({ noise_std, n, lr, batch_size }) {
  const limit = noise_std / Math.sqrt(n);
  const jitter = noise_std * Math.sqrt(lr / (2 * batch_size));
  return { limit, jitter, total: Math.hypot(limit, jitter) };
}

// The notebook's cloud is known; other settings begin with as many trainings.
export function start(data, settings, before) {
  const same = JSON.stringify(settings) === JSON.stringify(defaults(data));
  const state = { sgd: [], best: [], rounded: same, half: before?.half };
  if (same) {
    Object.assign(state, { sgd: data.sgd, best: data.best });
    look(state, settings);
  } else train(state, settings, data, data.sgd.length);
  state.fresh = !same;
  return state;
}

// The notebook's numbers are rounded: all are computed before one is added.
export function train(state, settings, data, more) {
  const upTo = Math.min(MOST, state.sgd.length + more);
  state.fresh = false;
  if (state.rounded)
    Object.assign(state, { sgd: [], best: [], rounded: false });
  for (let k = state.sgd.length; k < upTo; k++) {
    const { sgd, best } = training(data, settings, k);
    state.sgd.push(sgd);
    state.best.push(best);
  }
  look(state, settings);
  return upTo < MOST;
}

// From the middle to the edge of the charts. It stays while the cloud can be
// seen in it, so that a cloud half as wide looks half as wide.
function look(state, settings) {
  const sizes = state.sgd.map((e) => Math.max(...e.map(Math.abs)));
  const most = sizes.filter(Number.isFinite).sort((a, b) => a - b);
  const cloud = most[Math.floor(0.9 * most.length)] ?? 0; // strays may miss
  const { total } = expected(settings);
  const need = Math.min(10, Math.max(2.4 * total, 1.25 * cloud));
  if (!(need <= state.half && state.half <= 4 * need)) state.half = 1.1 * need;
}

export function rms(pairs) {
  const sum = pairs.flat().reduce((sum, value) => sum + value ** 2, 0);
  return Math.sqrt(sum / (2 * pairs.length));
}

const finite = (pair) => pair.every(Number.isFinite);

const gaps = ({ sgd, best }) =>
  sgd.map((pair, k) => pair.map((value, j) => value - best[k][j]));

function draw(figure, state, settings) {
  const { words } = figure;
  const width = figure.half();
  const { limit, jitter, total } = expected(settings);
  const last = state.sgd.length - 1;
  const gap = gaps(state);
  const [high, low] = figure.wide() ? [330, 330] : [240, 190];
  drawCloud(figure.chart(words.errors), state.half, [width, high, high], {
    title: words.cloud,
    dots: [
      ["sgd", "explore-blue", state.sgd],
      ["squares", "explore-quiet explore-small", state.best],
    ],
    circles: [
      ["σ/√n", "explore-axis", limit],
      ["√(σ²/n + ησ²/2m)", "explore-dashed", total],
    ],
    last: [state.best[last], state.sgd[last]],
  });
  drawCloud(figure.chart(words.jitter), state.half, [width, low, high], {
    title: words.gap,
    dots: [["gap", "explore-blue", gap]],
    circles: [["√(ησ²/2m)", "explore-dashed", jitter]],
    last: [[0, 0], gap[last]],
  });
}

// A unit is as long on both axes, and in both charts: the upper one of two has
// room for `half`.
function drawCloud(chart, half, [width, height, upper], marks) {
  const { title, dots, circles, last } = marks;
  const unit = (upper - 70) / (2 * half);
  const [x, y] = [(width - 66) / (2 * unit), (height - 70) / (2 * unit)];
  chart.begin({
    width,
    height,
    x: [-x, x],
    y: [-y, y],
    xName: "Δw₁",
    yName: "Δw₂",
    title,
  });
  for (const [name, look, points] of dots)
    chart.dots(name, points.filter(finite), look);
  chart.line("last", last, "explore-orange");
  chart.dots("last dot", [last[1]], "explore-orange explore-large");
  for (const [name, look, radius] of circles)
    chart.ellipse(name, [0, 0], [radius * unit, radius * unit], 0, look);
  chart.end();
}

const key = () => [
  ["sgd", "dots", "explore-blue"],
  ["squares", "dots", "explore-quiet explore-small"],
  ["last", "dots", "explore-orange explore-large"],
  ["σ/√n", "line", "explore-axis"],
  ["√(σ²/n + ησ²/2m)", "line", "explore-dashed"],
];

const main = () => ["trainings", "inside", "bestRms", "sgdRms"];

export function numbers(state, settings) {
  const { sgd, best, rounded } = state;
  const { limit, jitter, total } = expected(settings);
  const say = (value) => (rounded ? value.toFixed(3) : value);
  const [one, two] = sgd.at(-1);
  const inside = best.filter((e) => Math.hypot(...e) < limit).length;
  return [
    ["trainings", String(sgd.length)],
    ["Δw₁", say(one)],
    ["Δw₂", say(two)],
    ["inside", `${Math.round((100 * inside) / best.length)} %`],
    ["bestRms", say(rms(best))],
    ["limit", limit],
    ["gapRms", say(rms(gaps(state)))],
    ["jitterCircle", jitter],
    ["sgdRms", say(rms(sgd))],
    ["total", total],
  ];
}

// A step takes the share lr of the way to the bottom, about.
function startShows(settings) {
  const { lr, n, batch_size, num_epochs } = settings;
  const steps = Math.ceil(n / batch_size) * num_epochs;
  return 3 * (1 - lr) ** steps > expected(settings).jitter / 3;
}

function said({ sgd, half, fresh }, words, settings) {
  const outside = sgd.filter((e) => !e.every((x) => Math.abs(x) <= half));
  return [
    words.at(
      sgd.length,
      sgd.at(-1).map((value) => value.toFixed(3)),
    ),
    fresh ? words.again(sgd.length) : "",
    startShows(settings) ? words.early : "",
    outside.length ? words.outside(outside.length) : "",
  ].join("");
}

export function code(settings, { sgd }, { w, b }) {
  const { n, noise_std, lr, batch_size: m, num_epochs, draw, seed } = settings;
  return [
    "import torch",
    "",
    "from linreg import data_iter, gen_data, linreg, sgd, squared_loss",
    "",
    `true_w, true_b = torch.tensor([${w.join(", ")}]), ${b}`,
    "sgd_errors, best_errors = [], []",
    `for k in range(${sgd.length}):`,
    `    generator = torch.Generator().manual_seed(${seed * 1000} + k)`,
    `    features, labels = gen_data(true_w, true_b, ${n}, ${noise_std}, generator)`,
    "    w = torch.zeros(2, 1, requires_grad=True)",
    "    b = torch.zeros(1, requires_grad=True)",
    `    for _ in range(${num_epochs}):`,
    ...batchesInPython(draw, n, m, "        "),
    "            squared_loss(linreg(X, w, b), y).sum().backward()",
    `            sgd([w, b], ${lr}, len(X))`,
    `    X_one = torch.cat([features, torch.ones(${n}, 1)], dim=1).double()`,
    "    best = torch.linalg.lstsq(X_one, labels.double()).solution",
    "    sgd_errors.append(true_w - w.detach().flatten())",
    "    best_errors.append(true_w - best[:2].flatten())",
    "sgd_errors, best_errors = torch.stack(sgd_errors), torch.stack(best_errors)",
    "for errors in (best_errors, sgd_errors - best_errors, sgd_errors):",
    "    print(errors[-1], errors.square().mean().sqrt())",
  ].join("\n");
}

export const explorer = {
  words,
  defaults,
  knobs,
  start,
  actions: {
    one: (state, settings, data) => train(state, settings, data, 1),
    twenty: (state, settings, data) => train(state, settings, data, 20),
  },
  play: (state, settings, data) => train(state, settings, data, 1),
  speeds: [2, 10, 60],
  progress: ({ sgd }) => sgd.length,
  resume(state, settings, data, trainings) {
    const more = Number(trainings) - state.sgd.length;
    if (more > 0) train(state, settings, data, more);
  },
  key,
  main,
  draw,
  numbers,
  said,
  code,
};

register("again", explorer);
