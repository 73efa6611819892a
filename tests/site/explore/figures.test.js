// What the figures do that `tests/site/test_answers.py` does not see: their
// numbers are compared with linreg's there.

import assert from "node:assert";
import { test } from "node:test";

globalThis.document = { querySelectorAll: () => [] };
const load = (name) => import(`../../../book/_static/explore/${name}.js`);
const [again, bowl, cards, graph, line, squares] = await Promise.all(
  ["again", "bowl", "cards", "graph", "line", "squares"].map(load),
);

test("both languages have the same words", () => {
  for (const figure of [again, bowl, cards, graph, line, squares]) {
    const { zh, en } = figure.words ?? figure.explorer.words;
    assert.deepEqual(Object.keys(zh), Object.keys(en));
  }
});

test("again: the radii of the circles are the chapter's formulas", () => {
  const settings = { noise_std: 1, n: 100, lr: 0.1, batch_size: 2 };
  const { limit, jitter, total } = again.expected(settings);
  assert.deepEqual(
    [limit, jitter, total].map((radius) => radius.toFixed(9)),
    [0.1, Math.sqrt(0.025), Math.sqrt(0.035)].map((r) => r.toFixed(9)),
  );
});

test("again: a cloud half as wide looks half as wide", () => {
  const settings = { noise_std: 1, n: 100, lr: 0.1, batch_size: 2 };
  Object.assign(settings, { num_epochs: 5, draw: "shuffled", seed: 5 });
  const data = { w: [2, -3.4], b: 4.2, sgd: Array(5) };
  const first = again.start(data, settings);
  const half = { ...settings, n: 400, lr: 0.025 };
  assert.equal(again.start(data, half, first).half, first.half);
});

test("cards: on every screen each card has a place of its own", () => {
  for (const width of [270, 320, 350, 600]) {
    for (let n = 3; n <= 40; n++) {
      for (let m = 1; m <= 40; m++) {
        const { height, inDeck, inBatch, name } = cards.layout(width, n, m);
        const places = [];
        for (let card = 0; card < n; card++) {
          places.push(inDeck(card));
          places.push(inBatch(Math.floor(card / m), card % m));
          if (card % m === 0) places.push(name(card / m));
        }
        assert.equal(new Set(places.map(String)).size, places.length);
        for (const [x, y] of places) {
          assert(x >= 0 && x + 26 <= width, `${width} ${n} ${m}: ${x}`);
          assert(y >= 0 && y + 26 <= height);
        }
      }
    }
  }
});

test("graph: no way back before y is there, nor twice", () => {
  const settings = graph.defaults({ x: [0, 1, 2, 3] });
  const state = graph.start({ x: [0, 1, 2, 3] }, settings, undefined, []);
  graph.backward(state, settings);
  assert.deepEqual(state.note, ["tooEarly"]);
  graph.all(state, settings);
  assert.deepEqual(state.gradients, { y: [1], s: [2], x: [0, 4, 8, 12] });
  graph.backward(state, settings);
  assert.deepEqual(state.note, ["again"]);
});

test("graph: another number shows its graph", () => {
  const settings = { ...graph.defaults({ x: [0, 1, 2, 3] }), x: 4 };
  const branch = graph.start({ x: [0, 1, 2, 3] }, settings, undefined, ["x"]);
  assert.equal(settings.graph, "branch");
  settings.x3 = -1;
  const chain = graph.start({ x: [0, 1, 2, 3] }, settings, branch, ["x3"]);
  assert.equal(settings.graph, "chain");
  assert.deepEqual(chain.values, { x: [0, 1, 2, -1] });
});

test("line: it says on which side of the label the prediction is", () => {
  const source = { w: [2], b: 4.2, n: 3, noise_std: 1, seed: 3, decimals: 3 };
  const data = { features: [[-1.5], [0], [2]], labels: [0, 1, 3], source };
  const say = (example, plus_w) => {
    const settings = { w: 0.5, b: 1, sigma: 1, example, plus_w, plus_b: false };
    return line.said(line.start(data, settings), line.words.zh);
  };
  assert.equal(say(0, false), "样本 0 的预测是 0.2500，比标签大 0.2500。");
  assert.equal(say(1, false), "样本 1 的预测是 1.0000，和标签一样。");
  assert.match(say(2, true), /比标签小 1.0000。新的直线使它升高 2.0000。$/);
  assert.match(say(0, true), /降低 1.5000。$/);
  assert.match(say(1, true), /不变。$/);
});

test("squares: an example is dropped where it was dragged to", () => {
  for (const far of [0, 1, 4, 4.2, 9, 14]) {
    const { farAt, halfAt } = squares;
    assert(far < halfAt(far));
    assert(Math.abs(farAt(far / halfAt(far)) - far) < 1e-6);
  }
});
