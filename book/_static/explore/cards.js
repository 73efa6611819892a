// Chapter 2: an epoch deals the examples into batches, each exactly once.

import { register } from "./figure.js";
import { Generator, randperm } from "./torch.js";

const words = {
  zh: {
    task: "一批一批地发，发两个周期：一共几批？两个周期的短批，会是同样的样本吗？",
    n: "样本数 n",
    batch_size: "批量大小 m",
    shuffle: "每个周期洗牌",
    seed: "种子",
    step: "发一批",
    epoch: "发完这个周期",
    deck: "还没有发",
    now: "刚发的一批",
    before: "别的牌",
    gone: "发走了",
    lacking: "短批缺的",
    table: "上面是还没有发的牌，下面是发出的各批",
    row: (k) => `第 ${k} 批`,
    counts: "每个样本见过几次的柱状图",
    example: "样本",
    times: "见过几次",
    epochs: "周期",
    batch: "第几批",
    m: "这一批几张",
    cards: "这一批",
    least: "最少见过",
    most: "最多见过",
    ready: (epoch, n) => `第 ${epoch} 个周期：${n} 张牌都还没有发。`,
    dealt: (epoch, k, cards) => `第 ${epoch} 个周期，第 ${k} 批：${cards}。`,
    whole: (epoch) => `这个周期发完了，每个样本见过 ${epoch} 次。`,
  },
  en: {
    task: "Deal two epochs. How many batches? Are the two short ones the same?",
    n: "examples n",
    batch_size: "batch size m",
    shuffle: "shuffle in each epoch",
    seed: "seed",
    step: "Deal a batch",
    epoch: "Finish the epoch",
    deck: "not yet dealt",
    now: "the latest batch",
    before: "other cards",
    gone: "dealt",
    lacking: "missing in the short batch",
    table: "above, the cards not yet dealt; below, the batches dealt",
    row: (k) => `batch ${k}`,
    counts: "bar chart of how often each example has been seen",
    example: "example",
    times: "times seen",
    epochs: "epoch",
    batch: "batch",
    m: "cards in it",
    cards: "this batch",
    least: "seen at least",
    most: "seen at most",
    ready: (epoch, n) => `Epoch ${epoch}: none of the ${n} cards is dealt yet.`,
    dealt: (epoch, k, cards) => `Epoch ${epoch}, batch ${k}: ${cards}.`,
    whole: (epoch) => ` Epoch done; times each example was seen: ${epoch}.`,
  },
};

export const CARD = 28; // pixels from one card to the next
const LABEL = 62; // pixels before a batch, for its name
const GAP = 7; // pixels below a batch
const ABOVE = 22; // pixels above the deck, for its name
const SAID = 12; // cards of a batch that are read out
const MOST = 9999; // batches that an address can ask for
const ROWS = 10; // more batches than that stand in several columns

function defaults({ n, batch_size, seed }) {
  return { n, batch_size, shuffle: true, seed };
}

function knobs() {
  return [
    { name: "batch_size", min: 1, max: 40, step: 1, main: true },
    { name: "shuffle", type: "check", main: true },
    { name: "n", min: 3, max: 40, step: 1 },
    { name: "seed", type: "number", min: 0, max: 9999, step: 1 },
  ];
}

// The deck holds the cards of this epoch that are not yet dealt, in order.
export function start(_, settings) {
  const state = {
    generator: new Generator(settings.seed),
    seen: Array(settings.n).fill(0),
    epoch: 0,
    steps: 0,
  };
  gather(state, settings);
  return state;
}

// The generator goes on: the next epoch has another order.
function gather(state, { n, shuffle }) {
  state.epoch += 1;
  state.batches = [];
  state.deck = shuffle ? randperm(n, state.generator) : [...Array(n).keys()];
}

// Deal a batch; say whether cards are left.
export function step(state, settings) {
  if (state.deck.length === 0) gather(state, settings);
  const batch = state.deck.splice(0, settings.batch_size);
  for (const card of batch) state.seen[card] += 1;
  state.batches.push(batch);
  state.steps += 1;
  return state.deck.length > 0;
}

export function epoch(state, settings) {
  while (step(state, settings));
}

// Where the cards lie, in pixels: the deck above, a row for each batch below.
export function layout(width, n, m) {
  const across = Math.floor(width / CARD);
  const deckHeight = ABOVE + Math.ceil(n / across) * CARD + 2 * GAP;
  const total = Math.ceil(n / m);
  const most = Math.floor(width / (LABEL + CARD));
  const columns = Math.min(most, Math.ceil(total / ROWS));
  const rows = Math.ceil(total / columns);
  const column = width / columns;
  // A batch wider than its column goes on in the next line.
  const wide = Math.min(m, n, Math.floor((column - LABEL) / CARD));
  const row = Math.ceil(Math.min(m, n) / wide) * CARD + GAP;
  const corner = (batch) => [
    Math.floor(batch / rows) * column,
    deckHeight + (batch % rows) * row,
  ];
  return {
    height: deckHeight + rows * row,
    inDeck: (card) => [
      (card % across) * CARD,
      ABOVE + Math.floor(card / across) * CARD,
    ],
    name: corner,
    inBatch(batch, place) {
      const [x, y] = corner(batch);
      return [
        x + LABEL + (place % wide) * CARD,
        y + Math.floor(place / wide) * CARD,
      ];
    },
  };
}

function draw(figure, state, settings) {
  const { words } = figure;
  const width = figure.half();
  drawTable(figure.chart(words.table), state, settings, width, words);
  const height = figure.wide() ? 220 : 160;
  drawCounts(figure.chart(words.counts), state, width, height, words);
}

function drawTable(chart, { deck, batches }, settings, width, words) {
  const { n, batch_size: m } = settings;
  const inside = width - 8;
  const places = layout(inside, n, m);
  const { height } = places;
  chart.begin({
    width,
    height: height + 8,
    x: [0, inside],
    y: [height, 0],
    axes: false,
  });
  const square = (name, [x, y], className) =>
    chart.box(name, [x + 1, y + 1], [x + CARD - 1, y + CARD - 1], className);
  const card = (number, place, colour) => {
    square(`card ${number}`, place, `explore-fill-${colour} explore-soft`);
    square(`edge ${number}`, place, `explore-line explore-${colour}`);
    const middle = [place[0] + CARD / 2, place[1] + CARD / 2 + 4.5];
    chart.text(`number ${number}`, middle, String(number));
  };
  const empty = (name, place, look) =>
    square(name, place, `explore-line ${look}`);
  chart.text("deck", [1, 15], words.deck, "", "start");
  for (const number of deck) card(number, places.inDeck(number), "blue");
  batches.forEach((batch, k) => {
    const [x, y] = places.name(k);
    const end = [x + LABEL - 5, y + CARD / 2 + 4.5];
    chart.text(`batch ${k}`, end, words.row(k + 1), "", "end");
    const colour = k === batches.length - 1 ? "orange" : "blue";
    batch.forEach((number, i) => {
      empty(`dealt ${number}`, places.inDeck(number), "explore-quiet");
      card(number, places.inBatch(k, i), colour);
    });
    // What the short batch lacks.
    for (let i = batch.length; i < Math.min(m, n); i++)
      empty(`lacking ${i}`, places.inBatch(k, i), "explore-dashed");
  });
  chart.end();
}

function drawCounts(chart, { seen, batches }, width, height, words) {
  const last = batches.at(-1) ?? [];
  chart.begin({
    width,
    height,
    x: [-0.6, seen.length - 0.4],
    y: [0, Math.max(3, ...seen) + 0.5],
    xName: words.example,
    yName: words.times,
  });
  seen.forEach((times, i) => {
    const colour = last.includes(i) ? "orange" : "blue";
    const look = `explore-fill-${colour}`;
    chart.box(`seen ${i}`, [i - 0.4, 0], [i + 0.4, times], look);
  });
  chart.end();
}

const key = () => [
  ["now", "box", "explore-fill-orange explore-orange explore-soft"],
  ["before", "box", "explore-fill-blue explore-blue explore-soft"],
  ["gone", "box", "explore-quiet"],
  ["lacking", "box", "explore-dashed"],
];

const main = () => ["epochs", "batch", "m"];

function numbers({ epoch, batches, seen }) {
  const last = batches.at(-1) ?? [];
  return [
    ["epochs", String(epoch)],
    ["batch", String(batches.length)],
    ["m", String(last.length)],
    ["least", String(Math.min(...seen))],
    ["most", String(Math.max(...seen))],
    ["cards", last.join(", ") || "–"],
  ];
}

function said({ epoch, batches, deck }, words, { n }) {
  if (batches.length === 0) return words.ready(epoch, n);
  const last = batches.at(-1);
  const cards = last.slice(0, SAID).join(", ") + (last[SAID] >= 0 ? " …" : "");
  const dealt = words.dealt(epoch, batches.length, cards);
  return deck.length > 0 ? dealt : dealt + words.whole(epoch);
}

// Whole epochs, then as many batches as have been dealt of the last one.
export function code(settings, { epoch, batches, deck }) {
  const { n, batch_size, shuffle, seed } = settings;
  const dealt = batches.length;
  const epochs = dealt > 0 ? epoch : epoch - 1;
  const head = shuffle ? ["from linreg import data_iter", ""] : [];
  const order = shuffle
    ? [
        `    batches = data_iter(${batch_size}, features, features, generator)`,
        "    for batch, (X, _) in enumerate(batches, start=1):",
      ]
    : [
        `    batches = features.split(${batch_size})`,
        "    for batch, X in enumerate(batches, start=1):",
      ];
  const stop = [
    `        if (epoch, batch) == (${epoch}, ${dealt}):`,
    "            break",
  ];
  return [
    "import torch",
    "",
    ...head,
    `features = torch.arange(${n}.0).reshape(-1, 1)`,
    `seen = torch.zeros(${n}, dtype=torch.int)`,
    ...(shuffle ? [`generator = torch.Generator().manual_seed(${seed})`] : []),
    `for epoch in range(1, ${epochs + 1}):`,
    ...order,
    "        cards = X.flatten().long()",
    "        seen[cards] += 1",
    ...(dealt > 0 && deck.length > 0 ? stop : []),
    ...(epochs > 0 ? ["print(epoch, batch, cards)"] : []),
    "print(seen)",
  ].join("\n");
}

export const explorer = {
  words,
  defaults,
  knobs,
  start,
  actions: { step, epoch },
  play: step,
  speeds: [0.5, 2, 8],
  progress: ({ steps }) => steps,
  resume(state, settings, _data, steps) {
    while (state.steps < Math.min(MOST, Number(steps))) step(state, settings);
  },
  key,
  main,
  draw,
  numbers,
  said,
  code,
};

register("cards", explorer);
