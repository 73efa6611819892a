// What all figures share: knobs, buttons, numbers, the address, the code.

import { Chart } from "./chart.js";

const WORDS = {
  zh: {
    reset: "重来",
    link: "复制链接",
    copy: "复制代码",
    copied: "已复制",
    code: "同样的设置，用 linreg 写",
    figure: "可以操作的图",
    play: "播放",
    pause: "暂停",
  },
  en: {
    reset: "Reset",
    link: "Copy link",
    copy: "Copy code",
    copied: "Copied",
    code: "The same setting with linreg",
    figure: "Interactive figure",
    play: "Play",
    pause: "Pause",
  },
};

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const POWERS = ["log", "count"];

const language = () =>
  document.documentElement.lang.startsWith("zh") ? "zh" : "en";

export function show(number) {
  if (!Number.isFinite(number)) return String(number);
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-3 || size >= 1e5))
    return number.toExponential(2);
  return number.toFixed(4);
}

// The lines that take an epoch's batches X, y: those of `epochOrder`.
export function batchesInPython(draw, n, m, indent) {
  const lines =
    draw === "shuffled"
      ? [`for X, y in data_iter(${m}, features, labels, generator):`]
      : [
          `rows = torch.randint(${n}, (${Math.ceil(n / m) * m},), generator=generator)`,
          `for batch in rows.split(${m}):`,
          "    X, y = features[batch], labels[batch]",
        ];
  return lines.map((line) => indent + line);
}

// Put an explorer in the place of each picture of its kind.
export function register(kind, explorer) {
  for (const picture of document.querySelectorAll("[data-explore]")) {
    const data = JSON.parse(picture.dataset.explore);
    if (data.kind === kind) new Figure(kind, explorer, data, picture);
  }
}

class Figure {
  constructor(kind, explorer, data, picture) {
    Object.assign(this, { kind, explorer, data });
    this.words = { ...WORDS[language()], ...explorer.words[language()] };
    this.forget();
    this.readAddress();
    this.build(picture);
    this.restart();
    new ResizeObserver(() => this.draw()).observe(this.charts);
    addEventListener("hashchange", () => {
      if (this.readAddress()) this.restart();
    });
    if (location.hash.startsWith(`#${kind}?`)) this.comeIntoView();
  }

  // Pictures above that load late would push the figure down again.
  async comeIntoView() {
    this.box.scrollIntoView();
    const pictures = [...document.images];
    for (const picture of pictures) picture.loading = "eager";
    await Promise.allSettled(pictures.map((picture) => picture.decode()));
    this.box.scrollIntoView();
  }

  build(picture) {
    this.charts = element("div", { className: "explore-charts" });
    this.knobs = new Map();
    this.pressed = new Map();
    const form = element("form", { className: "explore-knobs" });
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const knob of this.explorer.knobs(this.data)) {
      form.append(this.knob(knob));
    }
    this.buttons = element("div", { className: "explore-buttons" });
    for (const name of Object.keys(this.explorer.actions ?? {})) {
      this.button(name, () => this.act(name));
    }
    if (this.explorer.play)
      this.playing = this.button("play", () => this.toggle());
    this.button("reset", () => this.reset());
    this.numbers = element("dl", { className: "explore-numbers" });
    this.status = element("p", { className: "explore-status", role: "status" });
    this.box = element(
      "div",
      { className: "explore", role: "group", id: `explore-${this.kind}` },
      this.charts,
      this.buttons,
      this.status,
      this.numbers,
      form,
      this.codeBox(),
    );
    this.box.setAttribute("aria-label", `${this.words.figure}: ${picture.alt}`);
    const place = picture.closest("a.image-reference") ?? picture;
    this.box.figure = this;
    place.before(this.box);
    place.classList.add("explore-picture");
    this.chartList = [];
  }

  // Is there room for two charts side by side? On a phone there is not.
  wide() {
    return this.charts.clientWidth >= 640;
  }

  // The width of one of two charts.
  half() {
    const { clientWidth } = this.charts;
    return this.wide() ? Math.floor(clientWidth / 2) : clientWidth;
  }

  // A chart of this figure, made at its first use; `label` tells what it shows.
  chart(label) {
    let chart = this.chartList.find((made) => made.label === label);
    if (!chart) {
      chart = new Chart(this.charts, label);
      this.chartList.push(chart);
    }
    return chart;
  }

  // A knob is a slider, a slider of powers ("log"), a number, a check or a choice.
  knob({ name, type = "range", min, max, step, options }) {
    const id = `${this.kind}-${name}`;
    const text = this.words[name] ?? name;
    const label = element("label", { htmlFor: id, textContent: text });
    let input;
    if (type === "choice") {
      input = element("select", { id });
      for (const option of options) {
        const text = this.words[option] ?? option;
        input.append(element("option", { value: option, textContent: text }));
      }
    } else if (type === "check") {
      input = element("input", { id, type: "checkbox" });
    } else if (type === "number") {
      input = element("input", { id, type: "number", min, max, step });
    } else {
      const up = POWERS.includes(type) ? Math.log10 : (value) => value;
      input = element("input", { id, type: "range", step: step ?? "any" });
      [input.min, input.max] = [up(min), up(max)];
    }
    const said = element("span", { className: "explore-value" });
    this.knobs.set(name, { type, input, said });
    input.addEventListener("input", () => this.turned(name));
    const row = input.type === "range" ? [label, said, input] : [label, input];
    return element("div", { className: "explore-knob" }, ...row);
  }

  button(name, pressed) {
    const made = element("button", {
      type: "button",
      textContent: this.words[name] ?? name,
    });
    made.addEventListener("click", pressed);
    this.pressed.set(name, made);
    this.buttons.append(made);
    return made;
  }

  codeBox() {
    this.code = element("code");
    const copy = (text, name) => {
      const made = element("button", {
        type: "button",
        textContent: this.words[name],
      });
      made.addEventListener("click", async () => {
        await navigator.clipboard.writeText(text());
        this.say(this.words.copied);
      });
      return made;
    };
    const pre = element("pre", { tabIndex: 0 }, this.code);
    return element(
      "details",
      {},
      element("summary", { textContent: this.words.code }),
      pre,
      element(
        "div",
        { className: "explore-buttons" },
        copy(() => this.code.textContent, "copy"),
        copy(() => this.link(), "link"),
      ),
    );
  }

  // Settings and knobs.
  turned(name) {
    const { type, input } = this.knobs.get(name);
    let value = input.value;
    if (type === "check") value = input.checked;
    else if (type === "log") value = Number((10 ** value).toPrecision(2));
    else if (type === "count") value = this.count(name, Number(value));
    else if (type !== "choice") value = Number(value);
    if (type === "number") {
      if (input.value === "" || !input.checkValidity()) return;
    }
    this.set({ [name]: value });
  }

  // A step of the slider is a step of one at least.
  count(name, power) {
    const before = this.settings[name];
    const value = Math.round(10 ** power);
    return value === before
      ? before + Math.sign(power - Math.log10(before))
      : value;
  }

  // Change settings; `start` is told which, and the state before.
  set(changes) {
    Object.assign(this.settings, changes);
    this.restart(Object.keys(changes));
    this.writeAddress();
  }

  restart(changed = []) {
    this.pause();
    this.state = this.explorer.start(
      this.data,
      this.settings,
      this.state,
      changed,
    );
    this.showKnobs();
    this.draw();
    this.tell();
  }

  forget() {
    this.state = undefined;
    this.settings = { ...this.explorer.defaults(this.data) };
  }

  reset() {
    this.forget();
    history.replaceState(null, "", `#explore-${this.kind}`);
    this.restart();
  }

  showKnobs() {
    for (const [name, { type, input, said }] of this.knobs) {
      const value = this.settings[name];
      if (type === "check") input.checked = value;
      else if (POWERS.includes(type)) input.value = Math.log10(value);
      else input.value = value;
      if (input.type !== "range") continue;
      said.textContent = String(Number(value.toFixed(4)));
      input.setAttribute("aria-valuetext", said.textContent);
    }
  }

  // Steps.
  act(name) {
    this.pause();
    this.explorer.actions[name](this.state, this.settings, this.data);
    this.draw();
    this.tell();
  }

  toggle() {
    if (this.frame) {
      this.pause();
      this.tell();
    } else if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      for (let k = 0; k < 100; k++) {
        if (!this.explorer.play(this.state, this.settings, this.data)) break;
      }
      this.draw();
      this.tell();
    } else {
      this.playing.textContent = this.words.pause;
      const next = () => {
        const more = this.explorer.play(this.state, this.settings, this.data);
        this.draw();
        if (more) this.frame = requestAnimationFrame(next);
        else {
          this.pause();
          this.tell();
        }
      };
      this.frame = requestAnimationFrame(next);
    }
  }

  pause() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.playing) this.playing.textContent = this.words.play;
  }

  // For tests: as if a button was pressed, or a link followed; all digits.
  press(name) {
    this.pressed.get(name).click();
  }

  setAll(query) {
    location.hash = `${this.kind}?${query}`;
    this.forget();
    this.readAddress();
    this.restart();
  }

  values() {
    return Object.fromEntries(
      this.explorer
        .numbers(this.state, this.settings, this.data)
        .map(([name, value]) => [name, String(value)]),
    );
  }

  // What is seen and said.
  draw() {
    const width = this.charts.clientWidth;
    if (!width) return;
    this.explorer.draw(this, this.state, this.settings, this.data);
    const rows = this.explorer.numbers(this.state, this.settings, this.data);
    const texts = rows.map(([, value]) =>
      typeof value === "number" ? show(value) : value,
    );
    if (this.numbers.children.length !== rows.length) {
      this.numbers.replaceChildren(
        ...rows.map(() => element("div", {}, element("dt"), element("dd"))),
      );
    }
    rows.forEach(([name], i) => {
      const [term, value] = this.numbers.children[i].children;
      const text = this.words[name] ?? name;
      if (term.textContent !== text) term.textContent = text;
      if (value.textContent !== texts[i]) value.textContent = texts[i];
    });
  }

  // Once a reader's turn has ended: not while a figure plays.
  tell() {
    this.code.textContent = this.explorer.code(
      this.settings,
      this.state,
      this.data,
    );
    this.say(
      this.explorer.said(this.state, this.words, this.settings, this.data),
    );
  }

  say(text) {
    this.status.textContent = text;
  }

  // The address: #kind?name=value&…
  link() {
    const query = new URLSearchParams(this.settings);
    return `${location.href.split("#")[0]}#${this.kind}?${query}`;
  }

  writeAddress() {
    history.replaceState(null, "", new URL(this.link()).hash);
  }

  readAddress() {
    const [kind, query] = location.hash.slice(1).split("?");
    if (kind !== this.kind || query === undefined) return false;
    const given = new URLSearchParams(query);
    for (const { name, type, min, max, options } of this.explorer.knobs(
      this.data,
    )) {
      const text = given.get(name);
      if (text === null) continue;
      if (type === "check") {
        if (["true", "false"].includes(text)) {
          this.settings[name] = text === "true";
        }
      } else if (type === "choice") {
        if (options.includes(text)) this.settings[name] = text;
      } else if (text !== "" && Number(text) >= min && Number(text) <= max) {
        this.settings[name] = Number(text);
      }
    }
    return true;
  }
}
