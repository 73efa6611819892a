// A page whose cells run: the worker that runs them, and what it tells.

import { Cell } from "./cell.js";
import { show } from "./editor.js";
import { WORDS } from "./words.js";

const HERE = new URL(".", import.meta.url).href;
const SILENCE = 60_000; // a start that says nothing for so long hangs

export class Page {
  static async open(given) {
    const [, name] = location.pathname.match(/([\w-]+)(\.html)?$/);
    const response = await fetch(`${given.root}_sources/book/${name}.ipynb`);
    if (!response.ok) throw new Error(`no notebook of ${name}`);
    return new Page(given, name, await response.json());
  }

  constructor(given, name, notebook) {
    const words = WORDS[given.language];
    Object.assign(this, { given, name, notebook, words });
    this.cells = new Map();
    let last;
    for (const stored of notebook.cells) {
      if (!given.cells.has(stored.id)) continue;
      const cell = new Cell(this, stored);
      this.cells.set(cell.id, cell);
      if (cell.kind === "check" && last?.kind === "answer") {
        last.check = cell;
        cell.asker = last;
      }
      last = cell;
    }
    this.addBar();
    this.markPictures();
    // Of a phone that is turned, what is being written stays in sight.
    addEventListener("resize", () => {
      for (const { editor } of this.cells.values())
        if (editor?.hasFocus) show(editor);
    });
  }

  addBar() {
    const { element, button } = this.given;
    const { words } = this;
    const bar = element(
      "div",
      { className: "run-bar run-page", role: "group", ariaLabel: words.page },
      element("span", {}, words.page),
      button(words.export, () => this.export()),
      button(words.resetAll, () => this.resetAll()),
    );
    document.querySelector(".bd-article").append(bar);
  }

  // A first press on an answer opens it: there is nothing to run yet.
  press(id) {
    const cell = this.cells.get(id);
    const first = !cell.editor;
    cell.open();
    if (!first || cell.kind !== "answer" || cell.changed) this.run(cell);
    else {
      this.worker ??= this.start();
      cell.say(this.words.open);
      cell.select(0, cell.text.length);
    }
  }

  run(cell) {
    if (this.running) {
      this.waiting = cell;
      cell.say(this.words.waiting);
      return;
    }
    this.running = cell;
    cell.begin();
    cell.say(this.words.starting, "busy");
    cell.stop.hidden = false;
    this.worker ??= this.start();
    if (this.isReady) this.send();
  }

  send() {
    const cells = [...this.cells].map(([id, cell]) => {
      cell.sent = cell.text;
      const { kind, raises, text: code } = cell;
      return { id, code, exercise: kind !== "run", raises };
    });
    const { id } = this.running.check ?? this.running;
    this.worker.postMessage([JSON.stringify(cells), id]);
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

  // What waits goes on only if it was the reader who stopped what was before.
  stop(why, goesOn = false) {
    this.worker?.terminate();
    this.worker = undefined;
    this.isReady = false;
    clearTimeout(this.silence);
    if (!goesOn) {
      this.waiting?.say("");
      this.waiting = undefined;
    }
    const cell = this.running;
    if (cell) this.idle();
    cell?.say(why);
  }

  // What the worker tells: the names of its messages.

  loaded(part) {
    this.watch();
    const { loading, starting } = this.words;
    const percent = Math.floor(100 * part);
    this.running?.say(percent < 100 ? loading(percent) : starting, "busy");
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
      // An answer is judged by its check, which runs next.
      else if (!cell.check || cell.failed) cell.end();
    }
  }

  began(cell, left) {
    const { before, going, running } = this.words;
    const long = cell.slow ? this.given.words.slow : going;
    cell.begin();
    const first = left && cell !== this.running;
    this.running.say((first ? before(left) : running) + long, "busy");
  }

  idle() {
    const cell = this.running;
    this.running = undefined;
    const { tone } = cell.note.dataset;
    if (tone === "busy") cell.say(this.words.blocked, "bad");
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
      if (cell.sent !== cell.code && (cell.kind === "run" || cell === last))
        return true;
      if (cell === last) return false;
    }
  }

  // Whether a stored picture follows from the code above it, as it is now.
  markPictures() {
    const changed = [...this.cells.values()].find(
      (cell) => cell.changed && cell.kind === "run",
    );
    const drawn = ".cell:not(.runs):has(.cell_output img)";
    for (const box of document.querySelectorAll(drawn)) {
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
  export() {
    const cells = this.notebook.cells.map((cell) => {
      if (cell.cell_type !== "code") return cell;
      const source = this.cells.get(cell.id)?.text ?? cell.source;
      return { ...cell, source, outputs: [], execution_count: null };
    });
    const notebook = { ...this.notebook, cells };
    const blob = new Blob([JSON.stringify(notebook, null, 1)]);
    const href = URL.createObjectURL(blob);
    const download = `${this.name}.ipynb`;
    this.given.element("a", { href, download }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  }
}
