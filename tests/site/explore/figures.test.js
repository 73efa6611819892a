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
    assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
    for (const said of Object.values(en).flat(Infinity))
      assert.doesNotMatch(String(said), /[\u4e00-\u9fff]/);
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
          const side = cards.CARD;
          assert(x >= 0 && x + side <= width, `${width} ${n} ${m}: ${x}`);
          assert(y >= 0 && y + side <= height);
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

test("graph: an address tells each step, zeroing or not", () => {
  const settings = graph.defaults({ x: [0, 1, 2, 3] });
  const walk = () => graph.start({ x: [0, 1, 2, 3] }, settings, undefined, []);
  const walked = walk();
  for (const zero of [false, true, false]) graph.all(walked, { zero });
  graph.forward(walked);
  assert.equal(walked.moves, "ffbbbffzzzffbbbf");
  const resumed = walk();
  graph.resume(resumed, settings, {}, walked.moves);
  assert.deepEqual(resumed, walked);
});

test("bowl: a path that runs away stays in view", () => {
  const path = [
    [0, 0],
    [-3e20, 1e25],
  ];
  const zoom = bowl.zoomFor(path, [1, -1.7], [3, 2.5]);
  for (const [x, y] of path) {
    assert(Math.abs(x - 1) <= 3 * zoom && Math.abs(y + 1.7) <= 2.5 * zoom);
  }
  assert(zoom < 1e25);
  assert.equal(bowl.zoomFor([path[0]], [1, -1.7], [3, 2.5]), 1);
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
