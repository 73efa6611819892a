// Known numbers of linreg: `tests/site/test_answers.py` compares many more.

import assert from "node:assert";
import { test } from "node:test";

globalThis.document = { querySelectorAll: () => [] };
const { code, examples, said, start, words } = await import(
  "../../../book/_static/explore/line.js"
);
const { Generator, genData } = await import(
  "../../../book/_static/explore/torch.js"
);

const source = { w: [2], b: 4.2, n: 5, noise_std: 1, seed: 3, decimals: 3 };
const near = (found, expected) =>
  assert.deepEqual(
    Array.from(found, (value) => Number(value.toFixed(4))),
    expected,
  );

// As linreg.explore.line gives them.
function drawn() {
  const { features, labels } = genData([2], 4.2, 5, 1, new Generator(3));
  const round = (value) => Number(value.toFixed(3));
  return {
    features: Array.from(features, (value) => [round(value)]),
    labels: Array.from(labels, round),
    source,
  };
}

test("the noise grows with sigma, the features stay", () => {
  const data = drawn();
  const [none, one, two] = [0, 1, 2].map((sigma) => examples(data, sigma));
  assert.deepEqual(none.x, two.x);
  none.y.forEach((y, i) => {
    assert(Math.abs(y - (2 * none.x[i] + 4.2)) <= 0.0016);
    assert(Math.abs(two.y[i] - y - 2 * (one.y[i] - y)) <= 0.0021);
  });
});

test("the notebook's own examples come as they are", () => {
  const data = { ...drawn(), labels: [1, 2, 3, 4, 5] };
  assert.deepEqual([...examples(data, 1).y], [1, 2, 3, 4, 5]);
});

test("w + 1 moves a prediction by its x, b + 1 by one", () => {
  const data = { features: [[-1.5], [0], [2]], labels: [0, 1, 2], source };
  const settings = { w: 0.5, b: 1, sigma: 1, example: 2 };
  const state = start(data, { ...settings, plus_w: true, plus_b: false });
  near(state.yHat, [0.25, 1, 2]);
  near(state.residuals, [-0.25, 0, 0]);
  near(state.moved, [-1.25, 1, 4]);
  const both = start(data, { ...settings, plus_w: true, plus_b: true });
  near(both.moved, [-0.25, 2, 5]);
  const still = start(data, { ...settings, plus_w: false, plus_b: false });
  near(still.moved, [0.25, 1, 2]);
});

test("the code has floats, and no more than is shown", () => {
  const settings = { w: -2, b: 4.2, sigma: 0.3 };
  const lines = code(settings, { i: 4 }, { source }).split("\n");
  assert(lines.includes("true_w, true_b = torch.tensor([2.0]), 4.2"));
  assert(lines.includes("data = gen_data(true_w, true_b, 5, 0.3, generator)"));
  assert(lines.includes("w, b = torch.tensor([[-2.0]]), torch.tensor([4.2])"));
  assert(!lines.some((line) => line.startsWith("moved")));
  const moved = code({ ...settings, plus_b: true }, { i: 4 }, { source });
  assert(moved.includes("moved = linreg(features, w, b + 1)"));
});

test("both languages have the same words", () => {
  assert.deepEqual(Object.keys(words.zh), Object.keys(words.en));
});

test("it says on which side of the label the prediction is", () => {
  const data = { features: [[-1.5], [0], [2]], labels: [0, 1, 3], source };
  const say = (example, plus_w) => {
    const settings = { w: 0.5, b: 1, sigma: 1, example, plus_w, plus_b: false };
    return said(start(data, settings), words.zh);
  };
  assert.equal(say(0, false), "样本 0 的预测是 0.2500，比标签大 0.2500。");
  assert.equal(say(1, false), "样本 1 的预测是 1.0000，和标签一样。");
  assert.equal(
    say(2, true),
    "样本 2 的预测是 2.0000，比标签小 1.0000。新的直线使它升高 2.0000。",
  );
  assert.match(say(0, true), /降低 1.5000。$/);
  assert.match(say(1, true), /不变。$/);
});
