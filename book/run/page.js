// A page whose cells run: the worker that runs them, and what it tells.

import { Cell } from "./cell.js";
import { WORDS } from "./words.js";

const HERE = new URL(".", import.meta.url).href;
const SILENCE = 60_000; // a start that says nothing for so long hangs

export class Page {
  static async open(given) {
    const [, name] = location.pathname.match(/([\w-]+)(\.html)?$/);
    const response = await fetch(`${HERE}cells/${name}.json`);
    if (!response.ok) throw new Error(`no cells of ${name}`);
    return new Page(given, name, await response.json());
  }

  constructor(given, name, { size, cells }) {
    Object.assign(this, { given, name, size, words: WORDS[given.language] });
    this.cells = new Map();
    for (const [id, stored] of Object.entries(cells))
      this.cells.set(id, new Cell(this, id, stored));
    for (const cell of this.cells.values())
      if (cell.check) this.cells.get(cell.check).asker = cell;
    this.addBar();
    this.markPictures();
  }

  addBar() {
    const { element, button } = this.given;
    const { words } = this;
    this.note = element("span", { className: "run-note", role: "status" });
    const bar = element(
      "div",
      { className: "run-bar run-page", role: "group", ariaLabel: words.page },
      element("span", {}, words.page),
      button(words.export, () => this.export()),
      button(words.resetAll, () => this.resetAll()),
      this.note,
    );
    document.querySelector(".bd-article").append(bar);
  }

  // A first press on an answer opens it: there is nothing to run yet.
  press(name) {
    const cell = this.cells.get(name);
    const first = !cell.editor;
    cell.open();
    if (!first || !cell.answer || cell.changed) this.run(cell);
    else {
      this.worker ??= this.start();
      cell.say(this.words.open);
      cell.selectAll();
    }
  }

  run(cell) {
    if (this.running) {
      this.waiting = cell;
      cell.say(this.words.waiting);
      return;
    }
    this.running = cell;
    cell.say(this.words.starting, "busy");
    cell.stop.hidden = false;
    this.worker ??= this.start();
    if (this.isReady) this.send();
  }

  send() {
    const cells = [...this.cells].map(([id, cell]) => {
      cell.sent = cell.text;
      const { exercise, raises, text: code } = cell;
      return { id, code, exercise, raises };
    });
    const name = this.running.check ?? this.running.name;
    this.worker.postMessage([JSON.stringify(cells), name]);
  }

  start() {
    const { ended, hung } = this.words;
    const worker = new Worker(`${HERE}worker.js`, { type: "module" });
    worker.onmessage = ({ data: [kind, what] }) => {
      if (worker === this.worker) this[kind](what);
    };
    worker.onerror = () => this.stop(this.isReady ? ended : hung);
    this.watch();
    return worker;
  }

  watch() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.stop(this.words.hung), SILENCE);
  }

  stop(why) {
    this.worker?.terminate();
    this.worker = undefined;
    this.isReady = false;
    clearTimeout(this.silence);
    this.waiting?.say("");
    this.waiting = undefined;
    const cell = this.running;
    if (cell) this.idle();
    cell?.say(why);
  }

  // What the worker tells: the names of its messages.

  loaded(bytes) {
    this.watch();
    const part = Math.floor((100 * bytes) / this.size);
    const { loading, starting } = this.words;
    this.running?.say(part < 100 ? loading(part) : starting, "busy");
  }

  ready() {
    clearTimeout(this.silence);
    this.isReady = true;
    if (this.running) this.send();
  }

  hung(error) {
    console.warn(error);
    this.stop(this.words.hung);
  }

  happened(events) {
    for (const [kind, id, text] of events) {
      const cell = this.cells.get(id);
      if (kind === "start") this.began(cell, Number(text));
      else if (kind === "out") cell.print(text);
      else if (kind === "aside") cell.show(text, kind);
      else if (kind === "error") cell.fail(JSON.parse(text));
      else this.ended(cell);
    }
  }

  began(cell, left) {
    const { before, going, running } = this.words;
    const slow = cell.box?.classList.contains("slow");
    const long = slow ? this.given.words.slow : going;
    cell.begin();
    this.running.say((left ? before(left) : running) + long, "busy");
  }

  // An answer is judged by its check, which runs next.
  ended(cell) {
    if (!cell.check || cell.failed) cell.end();
  }

  idle() {
    const cell = this.running;
    this.running = undefined;
    const { kind } = cell.note.dataset;
    if (kind === "busy") cell.say(this.words.blocked, "bad");
    if (this.hasFocusIn(cell.stop)) cell.button.focus();
    cell.stop.hidden = true;
    const next = this.waiting;
    this.waiting = undefined;
    if (next) this.run(next);
  }

  hasFocusIn(element) {
    return element.contains(document.activeElement);
  }

  // Was any code changed, from the top to a cell, when it last ran?
  changedUpTo(last) {
    for (const cell of this.cells.values()) {
      if (cell.sent !== cell.code && !(cell.exercise && cell !== last))
        return true;
      if (cell === last) return false;
    }
  }

  // Whether a stored picture follows from the code above it, as it is now.
  markPictures() {
    const changed = [...this.cells.values()].find(
      (cell) => cell.box && cell.changed && !cell.exercise,
    );
    for (const box of document.querySelectorAll(".cell.draws")) {
      box.querySelector(".run-stored")?.remove();
      const { DOCUMENT_POSITION_FOLLOWING: after } = Node;
      if (changed && changed.box.compareDocumentPosition(box) & after) {
        const className = "run-stored";
        box.append(this.given.element("p", { className }, this.words.stored));
      }
    }
  }

  resetAll() {
    if (!confirm(this.words.sure)) return;
    this.stop("");
    for (const cell of this.cells.values()) cell.restore();
  }

  // The chapter's notebook with the reader's code, and no outputs.
  async export() {
    const { given, name } = this;
    try {
      const source = `${given.root}_sources/book/${name}.ipynb`;
      const notebook = await (await fetch(source)).json();
      for (const cell of notebook.cells) {
        if (cell.cell_type !== "code") continue;
        cell.outputs = [];
        cell.execution_count = null;
        cell.source = this.cells.get(cell.id)?.text ?? cell.source;
      }
      const blob = new Blob([JSON.stringify(notebook, null, 1)]);
      const href = URL.createObjectURL(blob);
      given.element("a", { href, download: `${name}.ipynb` }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60_000);
      this.note.textContent = "";
    } catch (error) {
      console.warn(error);
      this.note.textContent = this.words.offline;
    }
  }
}
