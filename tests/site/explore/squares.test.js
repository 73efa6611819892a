// Known numbers of PyTorch 2: `tests/site/test_answers.py` compares many more.

import assert from "node:assert";
import { test } from "node:test";

globalThis.document = { querySelectorAll: () => [] };
const { code, defaults, farAt, fitted, halfAt, huber, knobs, start } =
  await import("../../../book/_static/explore/squares.js");

const DATA = {
  features: [[-2], [-1], [0], [1], [2]],
  labels: [0, 1, 2, 13, 4],
  source: { w: [2], b: 4.2, n: 5, noise_std: 1, seed: 6, decimals: 3 },
  line: [1, 2],
  example: 3,
};
const near = (found, expected) => {
  assert.equal(found.length, expected.length);
  expected.forEach((value, i) => {
    assert(Math.abs(found[i] - value) < 1e-6, `${found[i]} is not ${value}`);
  });
};

test("huber is torch.nn.functional.huber_loss", () => {
  near([-3, -1, -0.5, 0, 1, 2].map(huber), [2.5, 0.5, 0.125, 0, 0.5, 1.5]);
});

test("fitted: the lines of the least squared and the least Huber loss", () => {
  near(fitted(DATA.features, DATA.labels, 1), [2, 4]);
  near(fitted(DATA.features, DATA.labels, 100), [8 / 7, 16 / 7]);
});

test("start computes the errors and the three mean losses", () => {
  const state = start(DATA, defaults(DATA));
  near([...state.errors], [0, 0, 0, -10, 0]);
  near(state.losses, [10, 2, 1.9]);
  const pulled = start(DATA, { ...defaults(DATA), example: 0, offset: -3 });
  near([...pulled.errors], [3, 0, 0, -10, 0]);
  assert.deepEqual(DATA.labels, [0, 1, 2, 13, 4]);
});

test("start: a fitted line turns the knobs; a turned knob frees the line", () => {
  const settings = { ...defaults(DATA), fit: "huber" };
  const state = start(DATA, settings, undefined, ["fit"]);
  near([state.w, state.b], [8 / 7, 16 / 7]);
  near([settings.w, settings.b], [1.14, 2.29]);
  for (const name of ["w", "b"]) {
    const turned = { ...settings, fit: "squares", [name]: 0.5 };
    const { w, b } = start(DATA, turned, state, [name]);
    assert.equal(turned.fit, "hand");
    near([w, b], [turned.w, turned.b]);
  }
});

test("farAt finds how far out an example was drawn", () => {
  for (const far of [0, 1, 4, 4.2, 9, 14]) {
    assert(far < halfAt(far));
    near([farAt(far / halfAt(far))], [far]);
  }
});

test("every example can be chosen", () => {
  const { min, max } = knobs(DATA).find(({ name }) => name === "example");
  assert.deepEqual([min, max], [0, 4]);
});

test("code has floats where torch would make integers", () => {
  const settings = { ...defaults(DATA), offset: 2.5 };
  const lines = code(settings, {}, DATA).split("\n");
  assert(lines.includes("true_w, true_b = torch.tensor([2.0]), 4.2"));
  assert(lines.includes("w, b = torch.tensor([[1.0]]), torch.tensor([2.0])"));
  assert(lines.includes("labels[example] += 2.5"));
});
