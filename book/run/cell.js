// One cell: what is stored of it, what a reader makes of it, what is seen.

import { edit, put } from "./editor.js";

const HOW = "index.html#how-to-run";
const LONGEST = 20_000; // so many characters of output are shown

// A notebook keeps a text whole, or in lines.
export const joined = (text) => [text].flat().join("");

// What a stored output printed, showed or raised.
function printed({ output_type: type, name, text, data, ename, evalue }) {
  if (type === "error") return evalue ? `${ename}: ${evalue}\n` : ename;
  if (name === "stderr") return "";
  return data ? `${joined(data["text/plain"])}\n` : joined(text);
}

export class Cell {
  constructor(page, { id, metadata, outputs, source }) {
    const { cells, element, button, kept } = page.given;
    const { words } = page;
    // The button and what is around it: run.js.
    Object.assign(this, { page, id, code: joined(source), ...cells.get(id) });
    this.text = kept.code[id] ?? this.code;
    this.expected = outputs.map(printed).join("").trimEnd();
    this.raises = metadata.tags?.includes("raises-exception") ?? false;
    this.pre = this.box.querySelector(".cell_input pre");
    this.live = element("div", { className: "cell_output run-live" });
    this.stop = button(words.stop, () => page.stop(words.stopped, true));
    this.stop.hidden = true;
    this.reset = button(words.reset, () => this.restore());
    this.reset.hidden = !this.changed;
    this.button.after(this.stop, this.reset);
    // A guess's answer, still closed, holds the stored output.
    const stored = this.box.querySelector("guess-answer, .cell_output");
    (stored ?? this.bar).after(this.live);
    this.box.addEventListener("click", (event) => {
      if (this.pre.contains(event.target) && getSelection().isCollapsed)
        this.open(event);
    });
  }

  get changed() {
    return this.text !== this.code;
  }

  // The code becomes an editor; its caret is where a click was.
  open(click) {
    if (this.editor) return;
    const { given, words } = this.page;
    this.editor = edit(this.text, {
      label: words.code,
      changed: (text) => this.change(text),
      run: () => this.page.run(this) ?? true,
      leave: () => this.button.focus() ?? true,
    });
    // The page's own keys are for those who do not write: "/" would search.
    this.editor.dom.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    });
    this.pre.after(this.editor.dom);
    this.pre.hidden = true;
    if (this.kind === "answer") this.button.textContent = given.words.check;
    if (click) {
      const { clientX: x, clientY: y } = click;
      this.select(this.editor.posAtCoords({ x, y }, false));
    }
  }

  select(anchor, head = anchor) {
    this.editor.dispatch({ selection: { anchor, head } });
    this.editor.focus();
  }

  restore() {
    if (this.editor) put(this.editor, this.code);
    else this.change(this.code);
    this.begin();
    this.say("");
  }

  change(text) {
    const { kept, keep } = this.page.given;
    this.text = text;
    if (this.changed) kept.code[this.id] = text;
    else delete kept.code[this.id];
    delete kept.solved[this.id];
    keep();
    if (this !== this.page.running) this.say("");
    this.pre.textContent = text; // for the button that copies it
    if (!this.changed && this.page.hasFocusIn(this.reset)) this.button.focus();
    this.reset.hidden = !this.changed;
    this.page.markPictures();
  }

  say(text, kind = "") {
    for (const { note } of this.asker ? [this, this.asker] : [this]) {
      note.replaceChildren(text);
      note.dataset.tone = kind;
    }
  }

  begin() {
    this.got = "";
    this.failed = undefined;
    this.live.replaceChildren();
  }

  // Of a check, the answer shows what comes out.
  show(text, kind = "out") {
    const { given, words } = this.page;
    const { live } = this.asker ?? this;
    const room = LONGEST - live.textContent.length;
    if (room < 0) return;
    if (!live.firstChild)
      live.append(given.element("p", { className: "run-label" }, words.now));
    let last = live.lastElementChild;
    if (last.dataset.tone !== kind) {
      last = given.element("pre", { tabIndex: 0 });
      last.dataset.tone = kind;
      live.append(last);
    }
    const all = text.length <= room;
    last.append(all ? text : text.slice(0, room) + words.long);
  }

  // What a check prints, `judge` shows.
  print(text) {
    this.got += text;
    if (!this.asker) this.show(text);
  }

  fail({ text, line, refused }) {
    this.failed = { line, refused };
    this.got += `${text}\n`;
    this.show(`${text}\n`, "error");
  }

  // All has run: is it what the book has?
  end() {
    const { words } = this.page;
    const same = this.got.trimEnd() === this.expected;
    if (this.failed?.refused) this.refuse();
    else if (this.asker) this.judge();
    else if (this.failed && !same)
      this.say(words.error(this.failed.line), "bad");
    else if (this.got === "") this.say(words.done);
    else if (same) {
      this.say(words.same, "good");
      this.live.replaceChildren();
      // What ran for another cell may still be guessed.
      if (this === this.page.running)
        for (const part of this.box.querySelectorAll("guess-answer"))
          part.dispatchEvent(new Event("ran"));
    } else {
      const changed = this.page.changedUpTo(this);
      this.say(changed ? words.changed : words.differs, changed ? "" : "bad");
    }
  }

  refuse() {
    const { given, words } = this.page;
    this.say(words.refused, "bad");
    const { note } = this.asker ?? this;
    note.append(given.element("a", { href: HOW }, words.how));
  }

  judge() {
    const { given, words } = this.page;
    const lines = this.got.trimEnd().split("\n");
    const last = lines.at(-1);
    if (last === "right") {
      given.kept.solved[this.asker.id] = true;
      given.keep();
      this.say(words.right, "good");
    } else if (last.startsWith("wrong: "))
      this.say(words.wrong(last.slice("wrong: ".length)), "bad");
    else if (this.failed) this.say(words.error(), "bad");
    else this.say(words.open);
    const rest = this.failed ? [] : lines.slice(0, -1);
    if (rest.length) this.show(rest.join("\n"));
  }
}
