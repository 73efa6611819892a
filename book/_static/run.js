// Buttons on the cells that can run in the page. What runs them is fetched on
// a first press: run/page.js.

(() => {
  const boxes = document.querySelectorAll(".cell.runs");
  if (!boxes.length) return;
  const WORDS = {
    zh: {
      run: "运行",
      solution: "运行",
      answer: "作答",
      check: "检查",
      slow: "，要几秒到一两分钟",
      kept: "你上次写的，还没有运行。",
      solved: "做对了",
      file: "从磁盘打开的网页不能运行代码：在网站的文件夹里运行 python -m http.server，再打开 http://localhost:8000。",
      fetching: "正在取来运行代码的程序……",
      offline: "没有取到运行代码的程序：看看网络，再按一次。",
    },
    en: {
      run: "Run",
      solution: "Run",
      answer: "Answer",
      check: "Check",
      slow: ": takes some seconds, or a minute or two",
      kept: "You wrote this last time. It hasn’t run yet.",
      solved: "solved",
      file: "A page opened from a disk can’t run code: run python -m http.server in the site’s folder, then open http://localhost:8000.",
      fetching: "Fetching what runs the code…",
      offline:
        "What runs the code couldn’t be fetched: check the network, and press again.",
    },
  };
  const { lang } = document.documentElement;
  const language = lang.startsWith("zh") ? "zh" : "en";
  const words = WORDS[language];
  const root = document.currentScript.src.replace(/_static\/.*/, "");
  // The same in both editions: what the reader wrote, by cell, and which
  // answers were right.
  const key = `run:${location.pathname.replace(/\/(zh|en)(?=\/)/, "")}`;
  const kept = { code: {}, solved: {} };
  try {
    Object.assign(kept, JSON.parse(localStorage.getItem(key)));
  } catch {
    // What cannot be kept is known as long as the page is open.
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(kept));
    } catch {}
    mark();
  }

  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  const button = (text, pressed) => {
    const className = "btn btn-sm";
    const made = element("button", { type: "button", className }, text);
    made.addEventListener("click", pressed);
    return made;
  };

  // The exercises that are done, in the page's contents.
  function mark() {
    for (const old of document.querySelectorAll(".run-solved")) old.remove();
    for (const id of Object.keys(kept.solved)) {
      const section = cells.get(id)?.box.closest("section");
      const link = `.page-toc a[href="#${section?.id}"]`;
      for (const place of document.querySelectorAll(link)) {
        const sign = element("span", { className: "run-solved" }, " ✓");
        sign.role = "img";
        sign.ariaLabel = words.solved;
        place.append(sign);
      }
    }
  }

  let page;

  // A button is pressed, or the code is clicked, which then can be changed.
  async function press(id, click) {
    const { note } = cells.get(id);
    note.dataset.tone = "";
    if (location.protocol === "file:") {
      note.textContent = words.file;
      return;
    }
    try {
      if (!page) {
        note.textContent = words.fetching;
        note.dataset.tone = "busy";
        const { Page } = await import(`${root}../run/page.js`);
        page ??= await Page.open(given);
      }
      note.textContent = "";
      if (click) page.cells.get(id).open(click);
      else page.press(id);
    } catch (error) {
      note.textContent = words.offline;
      note.dataset.tone = "bad";
      console.warn(error);
    }
  }

  const cells = new Map();
  const given = { language, words, root, kept, keep, cells, element, button };
  for (const box of boxes) {
    const id = box.id.slice("cell-".length);
    const has = (tag) => box.classList.contains(`tag_${tag}`);
    const kind = ["answer", "check", "solution"].find(has) ?? "run";
    const made = button(words[kind], () => press(id));
    const slow = box.classList.contains("slow");
    if (slow) made.append(words.slow);
    const note = element("span", { className: "run-note", role: "status" });
    const bar = element("div", { className: "run-bar" }, made, note);
    box.querySelector(".cell_input").after(bar);
    box.querySelector(".cell_input pre").addEventListener("click", (click) => {
      if (!page && getSelection().isCollapsed) press(id, click);
    });
    cells.set(id, { box, bar, button: made, note, kind, slow });
    if (id in kept.code) {
      box.querySelector(".cell_input pre").textContent = kept.code[id];
      note.textContent = words.kept;
    }
  }
  mark();
})();
