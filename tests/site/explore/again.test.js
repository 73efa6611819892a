// What the cloud of errors rests on; `tests/site/test_answers.py` compares with
// linreg.

import assert from "node:assert";
import { test } from "node:test";
import { Generator, genData } from "../../../book/_static/explore/torch.js";

globalThis.document = { querySelectorAll: () => [] };
const again = await import("../../../book/_static/explore/again.js");

const near = (found, value, limit = 1e-9) =>
  assert(Math.abs(found - value) <= limit, `${found} is not ${value}`);

const truth = { w: [2, -3.4], b: 4.2 };
const settings = {
  noise_std: 1,
  n: 100,
  lr: 0.1,
  batch_size: 2,
  num_epochs: 5,
  draw: "independent",
  seed: 4,
};

function cloud(trainings, changes = {}) {
  const all = Array.from({ length: trainings }, (_, k) =>
    again.training(truth, { ...settings, ...changes }, k),
  );
  const gaps = all.map(({ sgd, best }) => sgd.map((e, j) => e - best[j]));
  return { sgd: all.map((t) => t.sgd), best: all.map((t) => t.best), gaps };
}

test("least squares: a line without noise is found, and a known one", () => {
  const exact = genData(truth.w, truth.b, 30, 0, new Generator(1));
  again.leastSquares(exact).forEach((w, j) => {
    near(w, truth.w[j], 1e-6);
  });
  const features = Float32Array.of(0, 0, 1, 0, 0, 1, 1, 1);
  const labels = Float32Array.of(1, 3, 0, 4);
  again.leastSquares({ features, labels }).forEach((w, j) => {
    near(w, [3, 0][j]);
  });
});

test("what to expect: the formulas of the chapter", () => {
  const { limit, jitter, total } = again.expected(settings);
  near(limit, 1 / 10);
  near(jitter, Math.sqrt(0.1 / 4));
  near(total, Math.sqrt(0.01 + 0.025));
});

test("400 trainings agree with the formulas", () => {
  const { sgd, best, gaps } = cloud(400);
  const { limit, jitter, total } = again.expected(settings);
  near(again.rms(best) / limit, 1, 0.1);
  near(again.rms(gaps) / jitter, 1, 0.1);
  near(again.rms(sgd) / total, 1, 0.1);
});

test("of two normal errors, 1 - exp(-1/2) are inside the circle", () => {
  const { best } = cloud(1000);
  const inside = best.filter((e) => Math.hypot(...e) < 0.1).length / 1000;
  near(inside, 1 - Math.exp(-1 / 2), 0.04);
});

test("shuffled batches end nearer to least squares, for a small rate", () => {
  const slow = { lr: 0.01, num_epochs: 20 };
  const shuffled = again.rms(cloud(50, { ...slow, draw: "shuffled" }).gaps);
  const independent = again.rms(cloud(50, slow).gaps);
  assert(shuffled < independent / 3);
});

test("the notebook's cloud is there first; then all are computed", () => {
  const shuffled = { ...settings, draw: "shuffled" };
  const { sgd, best } = cloud(3, shuffled);
  const rounded = (pairs) =>
    pairs.map((pair) => pair.map((e) => Math.round(e * 1000) / 1000));
  const { draw, ...rest } = shuffled;
  const data = { ...truth, ...rest, sgd: rounded(sgd), best: rounded(best) };
  const state = again.start(data, again.defaults(data));
  assert.equal(state.sgd, data.sgd);
  assert.deepEqual(again.numbers(state, shuffled)[0], ["trainings", "3"]);
  assert(again.train(state, shuffled, data, 1));
  assert.deepEqual(state.sgd.slice(0, 3), sgd);
  assert.equal(state.sgd.length, 4);
  assert(!again.train(state, shuffled, data, 500));
  assert.equal(state.sgd.length, 400);
  assert.equal(data.sgd.length, 3);
});

test("a cloud half as wide looks half as wide; a far one is seen", () => {
  const data = { ...truth, ...settings, sgd: [], best: [] };
  data.sgd.length = data.best.length = 5;
  const first = again.start(data, { ...settings, seed: 5 });
  const changed = { ...settings, seed: 5, n: 400, lr: 0.025 };
  const { half } = again.start(data, changed, first);
  assert.equal(half, first.half);
  const early = { ...settings, lr: 0.003, num_epochs: 1 };
  const far = again.start(data, early, first);
  assert(far.half > 3.4);
});
