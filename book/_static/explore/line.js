// Chapter 4: a line to be dragged, its predictions and residuals.

import { examplesInPython, float, fromLists } from "./examples.js";
import { register } from "./figure.js";
import { f, Generator, genData, predict } from "./torch.js";

const LABEL = {
  zh: ["比标签小", "比标签大", "和标签一样"],
  en: ["below the label by", "above the label by", "the same as the label"],
};
const SHIFT = {
  zh: ["升高", "降低", "不变"],
  en: ["raises it by", "lowers it by", "leaves it where it is"],
};

export const words = {
  zh: {
    task: "拖动 w 和 b 两个圆，让直线贴近样本；再勾上“看看 w + 1”，点不同的样本。",
    plus_w: "看看 w + 1",
    plus_b: "看看 b + 1",
    sigma: "噪声的标准差 σ",
    example: "看哪个样本，i",
    chart: "样本、直线、每个样本的预测和残差",
    examples: "样本",
    line: "直线",
    predictions: "预测 ŷ",
    movedLine: "新的直线",
    residual: "残差",
    sum: "残差之和",
    shift: "ŷ 的变化",
    at: (i, yHat, residual) =>
      `样本 ${i} 的预测是 ${yHat}，${apart(residual, LABEL.zh)}。`,
    moves: (shift) => `新的直线使它${apart(shift, SHIFT.zh)}。`,
  },
  en: {
    task: "Drag rings w and b until the line fits. Then tick “show w + 1” and tap examples.",
    plus_w: "show w + 1",
    plus_b: "show b + 1",
    sigma: "standard deviation of the noise σ",
    example: "example to look at, i",
    chart: "examples, the line, and each example's prediction and residual",
    examples: "examples",
    line: "line",
    predictions: "predictions ŷ",
    movedLine: "new line",
    residual: "residual",
    sum: "sum of residuals",
    shift: "change of ŷ",
    at: (i, yHat, residual) =>
      `Prediction of example ${i}: ${yHat}, ${apart(residual, LABEL.en)}.`,
    moves: (shift) => ` The new line ${apart(shift, SHIFT.en)}.`,
  },
};

// A difference in words: one for each sign, and one for none that is seen.
function apart(difference, [positive, negative, none]) {
  const size = four(Math.abs(difference));
  if (Number(size) === 0) return none;
  return `${difference < 0 ? negative : positive} ${size}`;
}

const MOST = 5; // of w and b, to either side of 0
// The axes stay: if they followed σ, more noise would look like no more.
const X_AXIS = [-3, 3];
const Y_AXIS = [-6, 14];
const ARM = 2.5; // the x of the handle that tilts

function defaults({ w, b, source }) {
  const { noise_std: sigma } = source;
  return { w, b, sigma, example: 0, plus_w: false, plus_b: false };
}

function knobs({ labels }) {
  const parameter = { min: -MOST, max: MOST, step: 0.1 };
  return [
    { name: "plus_w", type: "check", main: true },
    { name: "plus_b", type: "check", main: true },
    { name: "w", ...parameter },
    { name: "b", ...parameter },
    { name: "sigma", min: 0, max: 3, step: 0.1 },
    { name: "example", min: 0, max: labels.length - 1, step: 1 },
  ];
}

// As torch.Tensor.round(decimals=…), but for ties: there are none.
const rounded = (value, decimals) =>
  f(Math.round(f(value * 10 ** decimals)) / 10 ** decimals);

// The notebook's examples, or the same with more or less noise.
export function examples(data, sigma) {
  const { features: x, labels: y } = fromLists(data);
  const { w, b, n, noise_std, seed, decimals } = data.source;
  if (sigma === noise_std) return { x, y };
  const drawn = genData(w, b, n, sigma, new Generator(seed));
  return { x, y: drawn.labels.map((value) => rounded(value, decimals)) };
}

const predictions = (x, w, b) => x.map((_, i) => predict(x, i, [w], b));

export function start(data, { w, b, sigma, example, plus_w, plus_b }) {
  const { x, y } = examples(data, sigma);
  const yHat = predictions(x, w, b);
  const residuals = y.map((value, i) => value - yHat[i]);
  // Where w + 1 and b + 1 would put the line, and the predictions.
  const line = { w: f(w) + Number(plus_w), b: f(b) + Number(plus_b) };
  const moved = predictions(x, line.w, line.b);
  const moves = plus_w || plus_b;
  return { i: Math.round(example), x, y, yHat, residuals, line, moved, moves };
}

function draw(figure, state, { w, b }) {
  const width = figure.charts.clientWidth;
  const chart = figure.chart(figure.words.chart);
  chart.begin({
    width,
    height: figure.wide() ? 380 : 330,
    x: X_AXIS,
    y: Y_AXIS,
    xName: "x",
    yName: "y",
  });
  const { i, x, y, yHat, line, moved, moves } = state;
  const at = (heights) => Array.from(x, (value, k) => [value, heights[k]]);
  // Residuals and shifts would lie on each other: one of them at a time.
  const labels = moves ? [] : at(y);
  segments(chart, "residuals", labels, at(yHat), "explore-quiet");
  chart.line("line", ends(w, b), "explore-orange");
  chart.line("moved line", moves ? ends(line.w, line.b) : [], "explore-dashed");
  const after = moves ? at(moved) : [];
  segments(chart, "shifts", after, at(yHat), "explore-green");
  chart.dots("moved", after, "explore-green");
  chart.dots("predictions", at(yHat), "explore-orange explore-small");
  chart.dots("examples", at(y), "explore-blue");
  chart.dots("chosen", [at(y)[i]], "explore-blue explore-large");
  drawHandles(figure, chart, w, b);
  chart.tapped = (pixel) => choose(figure, chart, at(y), pixel);
  chart.end();
}

const ends = (w, b) => X_AXIS.map((x) => [x, w * x + b]);

function segments(chart, name, from, to, className) {
  const d = from.map((point, i) => chart.outline([point, to[i]])).join("");
  chart.mark(name, "path", `explore-line ${className}`, { d });
}

// One is b, the line at 0; the other is far out, where few examples are.
function drawHandles(figure, chart, w, b) {
  const inSight = (y) => Math.max(Y_AXIS[0], Math.min(Y_AXIS[1], y));
  const tenth = (value) =>
    Math.max(-MOST, Math.min(MOST, Math.round(value * 10) / 10));
  const places = { b: [0, inSight(b)], w: [ARM, inSight(w * ARM + b)] };
  const moved = {
    b: (y) => ({ b: tenth(y) }),
    w: (y) => ({ w: tenth((y - figure.settings.b) / ARM) }),
  };
  for (const [name, place] of Object.entries(places)) {
    chart.handle(name, place, "", ([, y]) => figure.set(moved[name](y)));
    const letter = chart.text(`${name} name`, place, name);
    letter.setAttribute("dy", name === "b" ? 28 : -17);
  }
}

// A click or a tap looks at the nearest example.
function choose(figure, chart, points, [left, top]) {
  const far = points.map(([x, y]) =>
    Math.hypot(chart.X(x) - left, chart.Y(y) - top),
  );
  figure.set({ example: far.indexOf(Math.min(...far)) });
}

// All the digits that tenths and thousandths have when multiplied.
const four = (value) => (Math.round(value * 1e4) / 1e4 + 0).toFixed(4);

const sum = (values) => values.reduce((total, value) => total + value, 0);

function key({ moves }) {
  return [
    ["examples", "dots", "explore-blue"],
    ["predictions", "dots", "explore-orange explore-small"],
    ["line", "line", "explore-orange"],
    ...(moves
      ? [
          ["movedLine", "line", "explore-dashed"],
          ["shift", "line", "explore-green"],
        ]
      : [["residual", "line", "explore-quiet"]]),
  ];
}

const main = ({ moves }) =>
  moves ? ["w", "b", "x", "shift"] : ["w", "b", "residual", "sum"];

function numbers({ i, x, y, yHat, residuals, moved, moves }, { w, b }) {
  const rows = [
    ["w", String(w)],
    ["b", String(b)],
    ["x", four(x[i])],
    ["y", four(y[i])],
    ["ŷ", four(yHat[i])],
    ["residual", four(residuals[i])],
    ["sum", four(sum(residuals))],
  ];
  return moves ? [...rows, ["shift", four(moved[i] - yHat[i])]] : rows;
}

export function said({ i, yHat, residuals, moved, moves }, words) {
  const look = words.at(i, four(yHat[i]), residuals[i]);
  return moves ? look + words.moves(moved[i] - yHat[i]) : look;
}

export function code({ w, b, sigma, plus_w, plus_b }, { i }, { source }) {
  const lines = [
    ...examplesInPython({ ...source, noise_std: sigma }, "gen_data, linreg"),
    `w, b = torch.tensor([[${float(w)}]]), torch.tensor([${float(b)}])`,
    "y_hat = linreg(features, w, b)",
    "residuals = labels - y_hat",
    `i = ${i}`,
    "print(features[i], labels[i], y_hat[i], residuals[i])",
    "print(residuals.sum())",
  ];
  if (plus_w || plus_b) {
    const [newW, newB] = [plus_w ? "w + 1" : "w", plus_b ? "b + 1" : "b"];
    lines.push(`moved = linreg(features, ${newW}, ${newB})`);
    lines.push("print(moved[i] - y_hat[i])");
  }
  return lines.join("\n");
}

register("line", {
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
});
