// What the figures need of PyTorch: its random numbers, and its 32-bit floats.

export const f = Math.fround;

// The Mersenne Twister, as torch.Generator().manual_seed(seed) sets it up.
export class Generator {
  constructor(seed) {
    this.state = new Uint32Array(624);
    this.state[0] = seed;
    for (let i = 1; i < 624; i++) {
      const last = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(1812433253, last) + i;
    }
    this.next = 624;
    this.spare = null;
  }

  random() {
    if (this.next === 624) this.refill();
    let y = this.state[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  refill() {
    const s = this.state;
    for (let i = 0; i < 624; i++) {
      const y = (s[i] & 0x80000000) | (s[(i + 1) % 624] & 0x7fffffff);
      s[i] = s[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  // A number from 0 to 1 with 53 random bits.
  uniform() {
    const high = this.random() % 2 ** 21;
    return (high * 2 ** 32 + this.random()) / 2 ** 53;
  }

  // Two uniform numbers give two normal ones (Box and Muller).
  normal() {
    if (this.spare !== null) {
      const kept = this.spare;
      this.spare = null;
      return kept;
    }
    const angle = 2 * Math.PI * this.uniform();
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform()));
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

export function randperm(n, generator) {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const j = i + (generator.random() % (n - i));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

export function randint(high, size, generator) {
  return Array.from({ length: size }, () => generator.random() % high);
}

// The rows of an epoch in batches of m: dealt, each once, or drawn anew.
export function epochOrder(draw, n, m, generator) {
  return draw === "shuffled"
    ? randperm(n, generator)
    : randint(n, Math.ceil(n / m) * m, generator);
}

// PyTorch takes sixteen numbers at a time; the last sixteen may overlap.
export function randn(size, generator) {
  if (size < 16) {
    return Float32Array.from({ length: size }, () => generator.normal());
  }
  const uniform = () => (generator.random() % 2 ** 24) / 2 ** 24;
  const numbers = Float32Array.from({ length: size }, uniform);
  for (let i = 0; i + 16 <= size; i += 16) pairs(numbers.subarray(i, i + 16));
  if (size % 16 > 0) {
    const last = numbers.subarray(size - 16);
    for (let i = 0; i < 16; i++) last[i] = uniform();
    pairs(last);
  }
  return numbers;
}

function pairs(numbers) {
  for (let i = 0; i < 8; i++) {
    const radius = f(Math.sqrt(f(-2 * f(Math.log(f(1 - numbers[i]))))));
    const angle = f(f(2 * Math.PI) * numbers[i + 8]);
    numbers[i] = radius * f(Math.cos(angle));
    numbers[i + 8] = radius * f(Math.sin(angle));
  }
}

// Examples from y = Xw + b + noise: features row by row, and labels.
export function genData(w, b, n, noiseStd, generator) {
  const features = randn(n * w.length, generator);
  const noise = randn(n, generator);
  const labels = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    labels[i] = f(predict(features, i, w, b) + f(noise[i] * f(noiseStd)));
  }
  return { features, labels };
}

// The linear model's answer for row i; the products are added unrounded.
export function predict(features, i, w, b) {
  let sum = 0;
  const d = w.length;
  for (let j = 0; j < d; j++) sum = f(sum + features[i * d + j] * f(w[j]));
  return f(sum + f(b));
}

// One step of mini-batch SGD on the rows of a batch, in place. The sums have
// 64 bits: PyTorch adds in another order, and each order rounds its own way.
export function sgdStep(model, data, rows, lr, divisor) {
  const { w } = model;
  const gradients = w.map(() => 0);
  let biasGradient = 0;
  for (const i of rows) {
    const residual = f(predict(data.features, i, w, model.b) - data.labels[i]);
    for (let j = 0; j < w.length; j++) {
      const x = data.features[i * w.length + j];
      gradients[j] += x * residual;
    }
    biasGradient += residual;
  }
  const moved = (value, gradient) =>
    f(value - f(f(f(lr) * f(gradient)) / divisor));
  for (let j = 0; j < w.length; j++) w[j] = moved(w[j], gradients[j]);
  model.b = moved(model.b, biasGradient);
}

// The mean of (y_hat - y)^2 / 2 over all examples.
export function meanLoss(model, data) {
  let sum = 0;
  data.labels.forEach((y, i) => {
    sum += (predict(data.features, i, model.w, model.b) - y) ** 2 / 2;
  });
  return sum / data.labels.length;
}
