// Known numbers of PyTorch 2: `tests/site/test_answers.py` compares many more.

import assert from "node:assert";
import { test } from "node:test";
import {
  Generator,
  genData,
  randint,
  randn,
  randperm,
} from "../../../book/_static/explore/torch.js";

const seeded = (seed) => new Generator(seed);
const near = (found, expected) => {
  assert.equal(found.length, expected.length);
  expected.forEach((value, i) => {
    assert(Math.abs(found[i] - value) < 1e-6, `${found[i]} is not ${value}`);
  });
};

test("randperm deals as torch.randperm", () => {
  const generator = seeded(3);
  assert.deepEqual(randperm(10, generator), [6, 0, 3, 7, 8, 5, 1, 9, 2, 4]);
  assert.deepEqual(
    randperm(1000, generator).slice(0, 5),
    [739, 917, 459, 849, 525],
  );
});

test("randint draws as torch.randint", () => {
  assert.deepEqual(randint(1000, 5, seeded(3)), [986, 48, 737, 667, 360]);
});

test("randn: a few numbers come in pairs, many in sixteens", () => {
  const few = seeded(3);
  near(randn(3, few), [0.803276, 0.1748334, 0.0889781]);
  near(randn(3, few), [-0.6137181, 0.0461825, -1.3682592]);
  const many = randn(20, seeded(3));
  near(many.slice(0, 4), [-0.0766443, 0.3598815, -0.7820168, 0.0715277]);
  near(many.slice(16), [0.485114, 0.2052344, 0.3384282, 1.352754]);
});

test("genData: labels are the linear model's without noise", () => {
  const { features, labels } = genData([2, -3.4], 4.2, 30, 0, seeded(1));
  assert.equal(features.length, 60);
  near(
    labels,
    [...labels].map(
      (_, i) => 2 * features[2 * i] - 3.4 * features[2 * i + 1] + 4.2,
    ),
  );
});
