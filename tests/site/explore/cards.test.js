// An epoch deals every card once. The orders are torch.randperm's.

import assert from "node:assert";
import { test } from "node:test";

globalThis.document = { querySelectorAll: () => [] };
const { code, epoch, layout, next, start, step } = await import(
  "../../../book/_static/explore/cards.js"
);

const settings = { n: 10, batch_size: 4, shuffle: true, seed: 3 };
const inOrder = { ...settings, shuffle: false };
const upwards = (numbers) => [...numbers].sort((a, b) => a - b);
const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

test("deals the shuffled cards from the top; the last batch is short", () => {
  const state = start({}, settings);
  assert.deepEqual([state.epoch, state.batches], [1, []]);
  assert.equal(step(state, settings), true);
  assert.deepEqual(state.batches, [[6, 0, 3, 7]]);
  assert.deepEqual(state.seen, [1, 0, 0, 1, 0, 0, 1, 1, 0, 0]);
  assert.equal(step(state, settings), true);
  assert.equal(step(state, settings), false);
  assert.deepEqual(state.batches.slice(1), [
    [8, 5, 1, 9],
    [2, 4],
  ]);
});

test("each example is seen once in each epoch, in another order", () => {
  const state = start({}, settings);
  const orders = [];
  for (let k = 1; k <= 3; k++) {
    epoch(state, settings);
    assert.equal(state.epoch, k);
    assert.deepEqual(state.seen, Array(10).fill(k));
    orders.push(state.batches.flat());
    assert.deepEqual(upwards(orders.at(-1)), all);
  }
  assert.equal(new Set(orders.map(String)).size, 3);
});

test("without shuffling every epoch is the same", () => {
  const state = start({}, inOrder);
  for (let k = 1; k <= 2; k++) {
    epoch(state, inOrder);
    assert.deepEqual(state.batches.flat(), all);
  }
});

test("the next epoch begins when this one is complete", () => {
  const state = start({}, settings);
  step(state, settings);
  next(state, settings);
  assert.deepEqual([state.epoch, state.batches], [2, []]);
  assert.equal(state.deck.length, 10);
  assert.deepEqual(state.seen, Array(10).fill(1));
  epoch(state, settings);
  next(state, settings);
  assert.equal(state.epoch, 3);
  assert.deepEqual(state.seen, Array(10).fill(2));
});

test("a batch larger than n is one batch", () => {
  const large = { ...settings, batch_size: 40 };
  const state = start({}, large);
  assert.equal(step(state, large), false);
  assert.deepEqual(upwards(state.batches[0]), all);
});

test("the code stops where the figure stands", () => {
  const state = start({}, settings);
  assert.match(code(settings, state), /range\(1, 1\)/);
  assert.doesNotMatch(code(settings, state), /break|print\(epoch/);
  step(state, settings);
  assert.match(code(settings, state), /range\(1, 2\)(.|\n)*== \(1, 1\)/);
  epoch(state, settings);
  assert.match(code(settings, state), /range\(1, 2\)/);
  assert.doesNotMatch(code(settings, state), /break/);
  next(state, settings);
  assert.match(code(settings, state), /range\(1, 2\)/);
  assert.doesNotMatch(code(settings, state), /break/);
  assert.doesNotMatch(code(inOrder, state), /generator|data_iter/);
});

test("on every screen each card has a place of its own", () => {
  for (const width of [270, 320, 350, 600]) {
    for (let n = 3; n <= 40; n++) {
      for (let m = 1; m <= 40; m++) {
        const { height, inDeck, inBatch, name } = layout(width, n, m);
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
