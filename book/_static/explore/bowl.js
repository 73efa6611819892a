// Chapter 7: mini-batch SGD on the bowl of the mean loss.

import { examplesInPython, fromLists } from "./examples.js";
import { batchesInPython, register } from "./figure.js";
import { epochOrder, f, Generator, meanLoss, sgdStep } from "./torch.js";

export const words = {
  zh: {
    task: "批量大小从 10 换成 1，走一千步：走到碗底附近以后，抖动变大还是变小？",
    lr: "学习率 η",
    batch_size: "批量大小 m",
    draw: "次序",
    shuffled: "每个周期洗牌",
    independent: "每批独立地抽",
    divisor: "除以",
    own: "这一批自己的长度",
    fixed: "固定的 batch_size",
    seed: "种子",
    step: "走一步",
    epoch: "走完一个周期",
    run: "走一千步",
    bowl: "平均损失的等高线，权重走过的路",
    curve: "平均损失随步数的曲线",
    steps: "步数",
    epochs: "周期",
    loss: "平均损失",
    floor: "最小的平均损失",
    start: "起点",
    path: "权重走过的路",
    now: "现在的权重",
    bottom: "碗底",
    level: "平均损失的等高线",
    away: "越走越远，坐标轴跟着缩小：学习率太大。",
    diverged: "参数不再是有限的数：学习率太大。",
    at: (k, loss) => `第 ${k} 步，平均损失 ${loss}。`,
  },
  en: {
    task: "Batch size 1 instead of 10, 1000 steps: more jitter near the bottom, or less?",
    lr: "learning rate η",
    batch_size: "batch size m",
    draw: "order",
    shuffled: "shuffled in each epoch",
    independent: "each batch drawn independently",
    divisor: "divide by",
    own: "the batch's own length",
    fixed: "a fixed batch_size",
    seed: "seed",
    step: "Step",
    epoch: "Epoch",
    run: "1000 steps",
    bowl: "contours of the mean loss, and the path of the weights",
    curve: "mean loss against steps",
    steps: "steps",
    epochs: "epoch",
    loss: "mean loss",
    floor: "least mean loss",
    start: "start",
    path: "path of the weights",
    now: "weights now",
    bottom: "bottom of the bowl",
    level: "contours of mean loss",
    away: " It runs away, and the axes zoom out: the learning rate is too large.",
    diverged:
      "The parameters are no longer finite: the learning rate is too large.",
    at: (k, loss) => `Step ${k}, mean loss ${loss}.`,
  },
};

const LEVELS = [0.25, 0.5, 1, 2, 4, 6, 9, 12, 16, 20, 25];
const MOST = 20000; // steps that are kept

export function defaults({ lr, batch_size, seed }) {
  return { lr, batch_size, draw: "shuffled", divisor: "own", seed };
}

export function knobs({ labels }) {
  return [
    { name: "lr", type: "log", min: 0.001, max: 3, step: 0.01, main: true },
    {
      name: "batch_size",
      type: "count",
      min: 1,
      max: labels.length,
      step: 0.01,
      main: true,
    },
    { name: "draw", type: "choice", options: ["shuffled", "independent"] },
    { name: "divisor", type: "choice", options: ["own", "fixed"] },
    { name: "seed", type: "number", min: 0, max: 9999, step: 1 },
  ];
}

export function start(data, { seed }) {
  const examples = fromLists(data);
  const state = {
    examples,
    bowl: leastSquares(examples),
    model: { w: [0, 0], b: 0 },
    generator: new Generator(seed),
    order: [],
    epoch: 0,
    steps: 0,
    path: [],
    losses: [],
  };
  note(state);
  return state;
}

function note(state) {
  const { model } = state;
  state.path.push([...model.w]);
  state.loss = meanLoss(model, state.examples);
  state.losses.push(state.loss);
}

const finite = ({ model }) =>
  Number.isFinite(f(model.w[0] + model.w[1] + model.b));

export function step(state, settings) {
  if (!finite(state) || state.steps >= MOST) return false;
  const n = state.examples.labels.length;
  const m = settings.batch_size;
  if (state.order.length === 0) {
    state.order = epochOrder(settings.draw, n, m, state.generator);
    state.epoch += 1;
  }
  const rows = state.order.splice(0, m);
  const divisor = settings.divisor === "own" ? rows.length : m;
  sgdStep(state.model, state.examples, rows, settings.lr, divisor);
  state.steps += 1;
  note(state);
  return finite(state);
}

function epoch(state, settings) {
  while (step(state, settings) && state.order.length > 0);
}

function run(state, settings) {
  for (let k = 0; k < 1000 && step(state, settings); k++);
}

// The mean loss is a quadratic: its smallest place, value, and curvature.
export function leastSquares({ features, labels }) {
  const n = labels.length;
  const M = [0, 1, 2].map(() => [0, 0, 0, 0]);
  let square = 0;
  for (let i = 0; i < n; i++) {
    const row = [features[2 * i], features[2 * i + 1], 1, labels[i]];
    for (let j = 0; j < 3; j++) {
      for (let k = 0; k < 4; k++) M[j][k] += (row[j] * row[k]) / n;
    }
    square += labels[i] ** 2 / n;
  }
  const right = M.map((row) => row[3]);
  const curvature = M.map((row) => row.slice(0, 3));
  const place = solve(M);
  const smallest =
    (square - place.reduce((sum, value, j) => sum + value * right[j], 0)) / 2;
  return { place, smallest, curvature };
}

function solve(M) {
  const rows = M.map((row) => [...row]);
  const n = rows.length;
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      if (i === j) continue;
      const times = rows[i][j] / rows[j][j];
      for (let k = j; k <= n; k++) rows[i][k] -= times * rows[j][k];
    }
  }
  return rows.map((row, j) => row[n] / row[j]);
}

// The slice of the bowl at a bias: its centre, and what it has at least.
function slice({ place, smallest, curvature }, b) {
  const [[a, c, p], [, d, q], [, , r]] = curvature;
  const off = b - place[2];
  const det = a * d - c * c;
  const shift = [(d * p - c * q) / det, (a * q - c * p) / det];
  const centre = [place[0] - shift[0] * off, place[1] - shift[1] * off];
  const rest = r - p * shift[0] - q * shift[1];
  const middle = (a + d) / 2;
  const radius = Math.hypot((a - d) / 2, c);
  return {
    centre,
    least: smallest + (rest * off * off) / 2,
    eigenvalues: [middle + radius, middle - radius],
    degrees: (Math.atan2(2 * c, a - d) / 2) * (180 / Math.PI),
  };
}

function draw(figure, state) {
  const { words } = figure;
  const width = figure.half();
  const [high, low] = figure.wide() ? [360, 360] : [250, 160];
  drawBowl(figure.chart(words.bowl), state, width, high, words);
  drawCurve(figure.chart(words.curve), state, width, low, words);
}

// How far the view is zoomed out, in powers of two, for the path to be in it.
export function zoomFor(path, middle, [wide, tall]) {
  const most = Math.max(
    ...path.map(([x, y]) =>
      Math.max(Math.abs(x - middle[0]) / wide, Math.abs(y - middle[1]) / tall),
    ),
  );
  return most > 1 ? 2 ** Math.ceil(Math.log2(most)) : 1;
}

const VIEW = 2.5; // from the middle to the upper edge, where nothing runs away

function drawBowl(chart, state, width, height, words) {
  const { place } = state.bowl;
  const path = state.path
    .slice(-1500)
    .filter((weights) => weights.every(Number.isFinite));
  const middle = [place[0] / 2, place[1] / 2];
  // A unit is as long on both axes.
  const across = (VIEW * (width - 66)) / (height - 70);
  const zoom = zoomFor(path, middle, [across, VIEW]);
  const [half, tall] = [across * zoom, VIEW * zoom];
  chart.begin({
    width,
    height,
    x: [middle[0] - half, middle[0] + half],
    y: [middle[1] - tall, middle[1] + tall],
    xName: "w₁",
    yName: "w₂",
  });
  if (finite(state)) {
    const cut = slice(state.bowl, state.model.b);
    const unit = chart.X(1) - chart.X(0);
    for (const one of LEVELS) {
      const level = one * zoom ** 2;
      if (level <= cut.least) continue;
      const radii = cut.eigenvalues.map(
        (e) => Math.sqrt((2 * (level - cut.least)) / e) * unit,
      );
      chart.ellipse(
        `level ${one}`,
        cut.centre,
        radii,
        -cut.degrees,
        "explore-quiet",
      );
    }
  }
  chart.line("path", path, "explore-orange");
  chart.dots(
    "steps",
    state.steps <= 200 ? path : [],
    "explore-orange explore-small",
  );
  chart.dots("best", [place], "explore-green explore-large");
  chart.dots("now", path.slice(-1), "explore-orange explore-large");
  if (zoom === 1 && state.steps > 0) {
    const start = chart.text("start", [0, 0], words.start, "", "end");
    start.setAttribute("dx", -8);
    start.setAttribute("dy", -6);
  }
  chart.end();
}

function drawCurve(chart, state, width, height, words) {
  const { losses, bowl } = state;
  const bottom = 10 ** Math.floor(Math.log10(bowl.smallest * 0.7));
  const high = Math.max(...losses.filter(Number.isFinite).slice(-3000), 100);
  const steps = Math.max(20, losses.length - 1);
  chart.begin({
    width,
    height,
    x: [0, steps],
    y: [bottom, high],
    logY: true,
    xName: words.steps,
    yName: words.loss,
  });
  const every = Math.ceil(losses.length / 1500);
  const points = losses
    .map((loss, k) => [k, loss])
    .filter(([k]) => k % every === 0);
  chart.line(
    "floor",
    [
      [0, bowl.smallest],
      [steps, bowl.smallest],
    ],
    "explore-green explore-broken",
  );
  chart.line("loss", points, "explore-orange");
  chart.end();
}

const key = () => [
  ["path", "line", "explore-orange"],
  ["now", "dots", "explore-orange explore-large"],
  ["bottom", "dots", "explore-green explore-large"],
  ["level", "line", "explore-quiet"],
  ["floor", "line", "explore-green explore-broken"],
];

const main = () => ["steps", "epochs", "loss", "floor"];

function numbers({ model, loss, steps, epoch, bowl }) {
  return [
    ["steps", String(steps)],
    ["epochs", String(epoch)],
    ["w₁", model.w[0]],
    ["w₂", model.w[1]],
    ["b", model.b],
    ["loss", loss],
    ["floor", bowl.smallest],
  ];
}

function said(state, words) {
  if (!finite(state)) return words.diverged;
  const at = words.at(state.steps, state.loss.toPrecision(3));
  return state.loss > 10 * state.losses[0] ? at + words.away : at;
}

export function code(settings, { steps }, { source }) {
  const { lr, batch_size: m, draw, divisor, seed } = settings;
  return [
    ...examplesInPython(source),
    "w = torch.zeros(2, 1, requires_grad=True)",
    "b = torch.zeros(1, requires_grad=True)",
    `generator = torch.Generator().manual_seed(${seed})`,
    "steps = 0",
    `while steps < ${steps}:`,
    ...batchesInPython(draw, source.n, m, "    "),
    "        squared_loss(linreg(X, w, b), y).sum().backward()",
    `        sgd([w, b], ${lr}, ${divisor === "own" ? "len(X)" : m})`,
    "        steps += 1",
    `        if steps == ${steps}:`,
    "            break",
    "print(w.flatten(), b)",
  ].join("\n");
}

export const explorer = {
  words,
  defaults,
  knobs,
  start,
  actions: { step, epoch, run },
  play: step,
  speeds: [2, 15, 150],
  progress: ({ steps }) => steps,
  resume(state, settings, _data, steps) {
    while (state.steps < Number(steps) && step(state, settings));
  },
  key,
  main,
  draw,
  numbers,
  said,
  code,
};

register("bowl", explorer);
