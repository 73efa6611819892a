// One cell: what is stored of it, what a reader makes of it, what is seen.

import { edit, put } from "./editor.js";

const LONGEST = 20_000; // so many characters of output are shown

export class Cell {
  // Some cells are not shown: they run when others need them.
  constructor(page, name, stored) {
    const { kept, cells, element, button } = page.given;
    const { words } = page;
    Object.assign(this, stored, { page, name, ...cells.get(name) });
    this.text = kept.code[name] ?? this.code;
    if (!this.box) return;
    this.pre = this.box.querySelector(".cell_input pre");
    this.stored = this.box.querySelector(".cell_output");
    this.live = element("div", { className: "cell_output run-live" });
    this.stop = button(words.stop, () => page.stop(words.stopped));
    this.stop.hidden = true;
    this.reset = button(words.reset, () => this.restore());
    this.button.after(this.stop, this.reset);
    (this.stored ?? this.bar).after(this.live);
    this.box.addEventListener("click", (event) => {
      if (this.pre.contains(event.target) && getSelection().isCollapsed)
        this.open(event);
    });
    this.reset.hidden = !this.changed;
  }

  get changed() {
    return this.text !== this.code;
  }

  // The code becomes an editor; its caret is where a click was.
  open(click) {
    if (!this.box || this.editor) return;
    const { given, words } = this.page;
    this.editor = edit(this.text, {
      label: words.code,
      changed: (text) => this.change(text),
      run: () => this.page.run(this) ?? true,
    });
    // The page's own keys are for those who do not write: "/" would search.
    this.editor.dom.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    });
    this.pre.after(this.editor.dom);
    this.pre.hidden = true;
    if (this.answer) this.button.textContent = given.words.check;
    if (click) {
      const { clientX: x, clientY: y } = click;
      const anchor = this.editor.posAtCoords({ x, y }, false);
      this.editor.dispatch({ selection: { anchor } });
      this.editor.focus();
    }
  }

  selectAll() {
    const head = this.editor.state.doc.length;
    this.editor.dispatch({ selection: { anchor: 0, head } });
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
    if (this.changed) kept.code[this.name] = text;
    else delete kept.code[this.name];
    delete kept.solved[this.name];
    keep();
    if (!this.box) return;
    if (this !== this.page.running) this.say("");
    this.pre.textContent = text; // for the button that copies it
    if (!this.changed && this.page.hasFocusIn(this.reset)) this.button.focus();
    this.reset.hidden = !this.changed;
    this.page.markPictures();
  }

  say(text, kind = "") {
    for (const { note } of [this, this.asker ?? {}]) {
      if (!note) continue;
      note.textContent = text;
      note.dataset.kind = kind;
    }
  }

  begin() {
    this.got = "";
    this.failed = undefined;
    this.live?.replaceChildren();
  }

  // Of a check, the answer shows what comes out.
  show(text, kind = "out") {
    const { given, words } = this.page;
    const live = this.asker?.live ?? this.live;
    const length = live?.textContent.length;
    if (!live || length > LONGEST) return;
    if (!live.firstChild)
      live.append(given.element("p", { className: "run-label" }, words.now));
    let last = live.lastElementChild;
    if (last.dataset.kind !== kind) {
      last = given.element("pre", { tabIndex: 0 });
      last.dataset.kind = kind;
      live.append(last);
    }
    last.append(length + text.length > LONGEST ? words.long : text);
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
    const same = this.got.trimEnd() === this.expected.trimEnd();
    if (this.asker) this.judge();
    else if (this.failed?.refused) this.say(words.refused, "bad");
    else if (this.failed && !same)
      this.say(words.error(this.failed.line), "bad");
    else if (this.got === "") this.say(words.done);
    else if (same) {
      this.say(words.same, "good");
      this.live?.replaceChildren();
      for (const part of this.box?.querySelectorAll("guess-answer") ?? [])
        part.dispatchEvent(new Event("beforematch"));
    } else {
      const changed = this.page.changedUpTo(this);
      this.say(changed ? words.changed : words.differs, changed ? "" : "bad");
    }
  }

  judge() {
    const { given, words } = this.page;
    const lines = this.got.trimEnd().split("\n");
    const [, wrong] = lines.at(-1).match(/^wrong: (.*)/) ?? [];
    if (lines.at(-1) === "right") {
      given.kept.solved[this.asker.name] = true;
      given.keep();
      this.say(words.right, "good");
    } else if (wrong) this.say(words.wrong(wrong), "bad");
    else if (this.failed) this.say(words.error(), "bad");
    else this.say(words.open);
    if (this.failed?.refused) this.say(words.refused, "bad");
    const rest = this.failed ? [] : lines.slice(0, -1);
    if (rest.length) this.show(rest.join("\n"));
  }
}
