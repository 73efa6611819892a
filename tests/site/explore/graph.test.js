// The walk there and back; `tests/site/test_answers.py` compares it with PyTorch's.

import assert from "node:assert";
import { test } from "node:test";

globalThis.document = { querySelectorAll: () => [] };
const { all, backward, code, defaults, forward, start } = await import(
  "../../../book/_static/explore/graph.js"
);

const data = { x: [0, 1, 2, 3] };

function begin(changes = {}) {
  const settings = { ...defaults(data), ...changes };
  return [start(data, settings, undefined, []), settings];
}

test("a way there and back, node by node", () => {
  const [state, settings] = begin();
  for (let k = 0; k < 2; k++) forward(state);
  assert.deepEqual(state.values, { x: [0, 1, 2, 3], s: [14], y: [28] });
  assert.equal(state.grad, null);
  for (let k = 0; k < 3; k++) backward(state, settings);
  assert.deepEqual(state.gradients, { y: [1], s: [2], x: [0, 4, 8, 12] });
  assert.deepEqual(state.grad, [0, 4, 8, 12]);
});

test("both branches add up, for every x", () => {
  for (let x = -5; x <= 5; x++) {
    const [state, settings] = begin({ graph: "branch", x });
    all(state, settings);
    const { y, u, v } = state.gradients;
    assert.deepEqual([y, u, v], [[1], [x * x], [3 * x]]);
    assert.equal(state.values.y[0], 3 * x ** 3);
    assert.equal(state.grad[0], 9 * x * x);
  }
});

test("no way back before y is there, nor twice", () => {
  const [state, settings] = begin();
  backward(state, settings);
  assert.deepEqual(state.note, ["tooEarly"]);
  all(state, settings);
  backward(state, settings);
  assert.deepEqual(state.note, ["again"]);
  assert.equal(state.passes.length, 1);
  forward(state);
  assert.deepEqual(Object.keys(state.values), ["x", "s"]);
  assert.deepEqual(state.gradients, {});
});

test("x.grad adds up, or begins at zero when the way back begins", () => {
  const [state, settings] = begin();
  for (let k = 0; k < 3; k++) all(state, settings);
  assert.deepEqual(state.grad, [0, 12, 24, 36]);
  settings.zero = true;
  assert.equal(start(data, settings, state, ["zero"]), state);
  for (let k = 0; k < 2; k++) forward(state);
  assert.deepEqual(state.grad, [0, 12, 24, 36]);
  backward(state, settings);
  assert.deepEqual(state.grad, [0, 0, 0, 0]);
  settings.zero = false; // too late for this pass
  all(state, settings);
  assert.deepEqual(state.passes, [false, false, false, true]);
});

test("another number shows its graph", () => {
  const [state, settings] = begin();
  settings.x = 4;
  const branch = start(data, settings, state, ["x"]);
  assert.equal(settings.graph, "branch");
  assert.deepEqual(branch.values, { x: [4] });
  settings.x3 = -1;
  const chain = start(data, settings, branch, ["x3"]);
  assert.equal(settings.graph, "chain");
  assert.deepEqual(chain.values, { x: [0, 1, 2, -1] });
});

test("the code does what was done, also half of a pass", () => {
  const [state, settings] = begin({ graph: "branch", x: -2, zero: true });
  all(state, settings);
  for (let k = 0; k < 3; k++) forward(state);
  for (let k = 0; k < 2; k++) backward(state, settings);
  assert.equal(
    code(settings, state),
    `import torch

x = torch.tensor(-2.0, requires_grad=True)
for _ in range(1):
    u = 3 * x
    v = x**2
    y = u * v
    if x.grad is not None:
        x.grad.zero_()
    y.backward()
u = 3 * x
v = x**2
y = u * v
if x.grad is not None:
    x.grad.zero_()
print(torch.autograd.grad(y, [y, v]))
print(u, v, y, x.grad)`,
  );
});
