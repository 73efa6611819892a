// What all figures share: knobs, buttons, numbers, the address, the code.

import { Chart, swatch } from "./chart.js";

const WORDS = {
  zh: {
    reset: "重来",
    link: "复制链接",
    copy: "复制代码",
    copied: "已复制",
    more: "更多旋钮和数",
    code: "同样的设置，用 linreg 写",
    figure: "可以操作的图",
    play: "播放",
    pause: "暂停",
    speed: "播放的速度",
    slow: "慢速",
    normal: "中速",
    fast: "快速",
    playing: (said) => `播放中（Esc 停）。${said}`,
    refused: (min, max, value) =>
      `要 ${min} 到 ${max} 的整数；图里还是 ${value}。`,
  },
  en: {
    reset: "Reset",
    link: "Copy link",
    copy: "Copy code",
    copied: "Copied",
    more: "More knobs and numbers",
    code: "The same setting with linreg",
    figure: "Interactive figure",
    play: "Play",
    pause: "Pause",
    speed: "speed of playing",
    slow: "slow",
    normal: "medium",
    fast: "fast",
    playing: (said) => `Playing (Esc stops). ${said}`,
    refused: (min, max, value) =>
      `Needs a whole number from ${min} to ${max}; the figure still has ${value}.`,
  },
};

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const POWERS = ["log", "count"];
const SPEEDS = ["slow", "normal", "fast"];

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

// A thumb that scrolls passes over sliders, and each touch would turn one: a
// slider turns when the finger has gone sideways, or came and left in place.
function turnedOnPurpose(input, turned) {
  let touch = null;
  input.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") return;
    const { clientX, clientY } = event;
    touch = { clientX, clientY, before: input.value, sideways: false };
  });
  input.addEventListener("pointermove", (event) => {
    if (!touch || touch.sideways) return;
    const x = Math.abs(event.clientX - touch.clientX);
    const y = Math.abs(event.clientY - touch.clientY);
    touch.sideways = x > 8 && x > y;
  });
  input.addEventListener("pointerup", () => {
    if (touch?.wanted && !touch.sideways) {
      input.value = touch.wanted;
      turned();
    }
    touch = null;
  });
  input.addEventListener("pointercancel", () => {
    touch = null;
  });
  input.addEventListener("input", () => {
    if (!touch || touch.sideways) return turned();
    touch.wanted = input.value;
    input.value = touch.before;
  });
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
    if (this.isInAddress()) this.box.scrollIntoView({ behavior: "instant" });
    document
      .querySelector("a.switch-edition")
      ?.addEventListener("click", ({ currentTarget }) => {
        if (this.isInAddress()) currentTarget.hash = location.hash;
      });
    addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && this.frame) this.toggle();
    });
  }

  build(picture) {
    const { words, explorer } = this;
    this.charts = element("div", { className: "explore-charts" });
    this.chartList = [];
    this.knobs = new Map();
    this.pressed = new Map();
    this.key = element("ul", { className: "explore-key" });
    this.status = element("p", { className: "explore-status", role: "status" });
    const knobs = explorer.knobs(this.data);
    const [form, rest] = [true, false].map((main) =>
      this.form(knobs.filter((knob) => Boolean(knob.main) === main)),
    );
    this.numbers = element("dl", { className: "explore-numbers" });
    this.others = element("dl", { className: "explore-numbers" });
    this.box = element(
      "div",
      { className: "explore", role: "group", id: `explore-${this.kind}` },
      element("p", { className: "explore-task", textContent: words.task }),
      this.key,
      this.charts,
      form,
      this.buttonRow(form),
      this.status,
      this.numbers,
      element(
        "details",
        { className: "explore-more" },
        element("summary", { textContent: words.more }),
        rest,
        this.others,
      ),
      this.codeBox(),
    );
    this.box.setAttribute("aria-label", `${words.figure}: ${picture.alt}`);
    const place = picture.closest("a.image-reference") ?? picture;
    this.box.figure = this;
    place.before(this.box);
    place.classList.add("explore-picture");
  }

  // Below the knobs; the only button stands beside them.
  buttonRow(form) {
    const { explorer, words } = this;
    this.buttons = element("div", { className: "explore-buttons" });
    for (const name of Object.keys(explorer.actions ?? {}))
      this.button(name, () => this.act(name));
    if (explorer.play) {
      this.playing = this.button("play", () => this.toggle());
      this.speed = element("select", { ariaLabel: words.speed });
      for (const value of SPEEDS)
        this.speed.append(element("option", { value }, words[value]));
      this.speed.value = "normal";
      this.buttons.append(this.speed);
    }
    this.button("reset", () => this.reset());
    if (!explorer.actions) form.append(this.buttons);
    return explorer.actions ? this.buttons : "";
  }

  // Is there room for two charts side by side? On a phone there is not.
  wide() {
    return this.charts.clientWidth >= 600;
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
      chart = new Chart(this.charts, label, () => this.writeAddress());
      this.chartList.push(chart);
    }
    return chart;
  }

  form(knobs) {
    const form = element("form", { className: "explore-knobs" });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", () => this.writeAddress());
    form.append(...knobs.map((knob) => this.knob(knob)));
    return form;
  }

  // A knob is a slider, a slider of powers ("log"), a number, a check or a
  // choice; `only` says for which settings it is there.
  knob({ name, type = "range", min, max, step, options, only }) {
    const id = `${this.kind}-${name}`;
    const text = this.words[name] ?? name;
    const label = element("label", { htmlFor: id, textContent: text });
    const said = element("span", { className: "explore-value" });
    const row = element("div", { className: "explore-knob" }, label);
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
      Object.assign(said, { id: `${id}-refused`, role: "alert" });
      input.setAttribute("aria-describedby", said.id);
    } else {
      const up = POWERS.includes(type) ? Math.log10 : (value) => value;
      input = element("input", { id, type: "range", step: step ?? "any" });
      [input.min, input.max] = [up(min), up(max)];
    }
    this.knobs.set(name, { type, input, said, row, only });
    const turned = () => this.turned(name);
    if (type === "check") row.prepend(input);
    else if (input.type === "range") row.append(said, input);
    else row.append(input, type === "number" ? said : "");
    if (input.type === "range") turnedOnPurpose(input, turned);
    else input.addEventListener("input", turned);
    return row;
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
      const done = element("span", { className: "explore-done" });
      done.role = "status";
      const made = element("button", {
        type: "button",
        textContent: this.words[name],
      });
      made.addEventListener("click", async () => {
        await navigator.clipboard.writeText(text());
        done.textContent = this.words.copied;
      });
      made.addEventListener("blur", () => {
        done.textContent = "";
      });
      return [made, done];
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
        ...copy(() => this.code.textContent, "copy"),
        ...copy(() => this.link(), "link"),
      ),
    );
  }

  // Settings and knobs.
  turned(name) {
    const { type, input, said } = this.knobs.get(name);
    let value = input.value;
    if (type === "check") value = input.checked;
    else if (type === "log") value = Number((10 ** value).toPrecision(2));
    else if (type === "count") value = this.count(name, Number(value));
    else if (type !== "choice") value = Number(value);
    if (type === "number" && (!input.value || !input.checkValidity())) {
      const { min, max } = input;
      said.textContent = this.words.refused(min, max, this.settings[name]);
      input.ariaInvalid = "true";
    } else this.set({ [name]: value });
  }

  // A step of the slider is a step of one at least.
  count(name, power) {
    const before = this.settings[name];
    const value = Math.round(10 ** power);
    return value === before
      ? before + Math.sign(power - Math.log10(before))
      : value;
  }

  // Change settings; `start` is told which, and the state before. What is as
  // it was ends no run.
  set(changes) {
    const names = Object.keys(changes);
    if (names.every((name) => this.settings[name] === changes[name])) {
      this.showKnobs();
      return;
    }
    Object.assign(this.settings, changes);
    this.restart(names);
  }

  restart(changed = []) {
    this.pause();
    const { explorer, data, settings } = this;
    this.state = explorer.start(data, settings, this.state, changed);
    if (this.progress) {
      explorer.resume(this.state, settings, data, this.progress);
      this.progress = "";
    }
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
    for (const [name, knob] of this.knobs) {
      const { type, input, said, row, only } = knob;
      const value = this.settings[name];
      row.hidden = only ? !only(this.settings) : false;
      if (type === "check") input.checked = value;
      else if (POWERS.includes(type)) input.value = Math.log10(value);
      else input.value = value;
      said.textContent = "";
      input.ariaInvalid = null;
      if (input.type !== "range") continue;
      said.textContent = String(Number(value.toFixed(4)));
      input.setAttribute("aria-valuetext", said.textContent);
    }
  }

  // Steps.
  act(name) {
    this.pause();
    this.explorer.actions[name](this.state, this.settings, this.data);
    this.settle();
  }

  // What is seen, said and linked once something has happened.
  settle() {
    this.draw();
    this.tell();
    this.writeAddress();
  }

  playOne() {
    return this.explorer.play(this.state, this.settings, this.data);
  }

  toggle() {
    if (this.frame) {
      this.pause();
      this.settle();
    } else if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      for (let k = 0; k < 100 && this.playOne(); k++);
      this.settle();
    } else {
      this.playing.textContent = this.words.pause;
      this.status.ariaLive = "off";
      this.run();
    }
  }

  // As many steps in a second as the reader chose.
  run() {
    let [owed, last] = [1, performance.now()];
    const next = (now) => {
      const speed = this.explorer.speeds[SPEEDS.indexOf(this.speed.value)];
      owed += Math.min(0.1, Math.max(0, now - last) / 1000) * speed;
      last = now;
      let more = true;
      for (; more && owed >= 1; owed--) more = this.playOne();
      if (more) {
        this.draw();
        this.say(this.words.playing(this.said()));
        this.frame = requestAnimationFrame(next);
      } else {
        this.pause();
        this.settle();
      }
    };
    this.frame = requestAnimationFrame(next);
  }

  pause() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.status.ariaLive = "polite";
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
    if (!this.charts.clientWidth) return;
    const { explorer, state, settings, data } = this;
    explorer.draw(this, state, settings, data);
    this.drawKey(explorer.key(state, settings));
    const rows = explorer.numbers(state, settings, data);
    const main = explorer.main(state);
    this.list(
      this.numbers,
      main.map((name) => rows.find(([other]) => other === name)),
    );
    this.list(
      this.others,
      rows.filter(([name]) => !main.includes(name)),
    );
  }

  // What is drawn, by name.
  drawKey(entries) {
    const said = entries.join();
    if (this.drawnKey === said) return;
    this.drawnKey = said;
    const items = entries.map(([name, ...look]) =>
      element("li", {}, swatch(...look), this.words[name] ?? name),
    );
    this.key.replaceChildren(...items);
  }

  list(numbers, rows) {
    if (numbers.children.length !== rows.length) {
      numbers.replaceChildren(
        ...rows.map(() => element("div", {}, element("dt"), element("dd"))),
      );
    }
    rows.forEach(([name, value], i) => {
      const [term, told] = numbers.children[i].children;
      const text = this.words[name] ?? name;
      const said = typeof value === "number" ? show(value) : value;
      if (term.textContent !== text) term.textContent = text;
      if (told.textContent !== said) told.textContent = said;
    });
  }

  // Once a reader's turn has ended: not while a figure plays.
  tell() {
    const { settings, state, data } = this;
    this.code.textContent = this.explorer.code(settings, state, data);
    this.say(this.said());
  }

  said() {
    const { state, words, settings, data } = this;
    return this.explorer.said(state, words, settings, data);
  }

  say(text) {
    this.status.textContent = text;
  }

  // The address: #kind?name=value&…&steps=…
  link() {
    const query = new URLSearchParams(this.settings);
    const progress = this.explorer.progress?.(this.state);
    if (progress) query.set("steps", progress);
    return `${location.href.split("#")[0]}#${this.kind}?${query}`;
  }

  writeAddress() {
    history.replaceState(null, "", new URL(this.link()).hash);
  }

  isInAddress() {
    return location.hash.startsWith(`#${this.kind}?`);
  }

  readAddress() {
    if (!this.isInAddress()) return false;
    const given = new URLSearchParams(location.hash.split("?")[1]);
    this.progress = given.get("steps") ?? "";
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
