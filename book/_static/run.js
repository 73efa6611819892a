// Buttons on the cells that can run in the page. What runs them is fetched on
// a first press: run/page.js.

(() => {
  const WORDS = {
    zh: {
      run: "运行",
      answer: "作答",
      check: "检查",
      slow: "，要几秒到几十秒",
      kept: "你上次写的，还没有运行。",
      solved: "做对了",
      file: "从磁盘打开的网页不能运行代码：在网站的文件夹里运行 python -m http.server，再打开 http://localhost:8000。",
      fetching: "正在取来运行代码的程序……",
      offline: "没有取到运行代码的程序：看看网络，再按一次。",
    },
    en: {
      run: "Run",
      answer: "Answer",
      check: "Check",
      slow: ": takes some seconds, up to a minute",
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
  const root = document.currentScript.src.replace(/_static\/run\.js.*/, "");
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
    for (const name of Object.keys(kept.solved)) {
      const section = document
        .getElementById(`cell-${name}`)
        ?.closest("section");
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

  async function press(name) {
    const { note } = cells.get(name);
    note.dataset.kind = "";
    if (location.protocol === "file:") {
      note.textContent = words.file;
      return;
    }
    try {
      if (!page) {
        note.textContent = words.fetching;
        note.dataset.kind = "busy";
        const { Page } = await import(`${root}../run/page.js`);
        page ??= await Page.open(given);
      }
      note.textContent = "";
      page.press(name);
    } catch (error) {
      note.textContent = words.offline;
      note.dataset.kind = "bad";
      console.warn(error);
    }
  }

  const cells = new Map();
  const given = { language, words, root, kept, keep, cells, element, button };
  for (const box of document.querySelectorAll(".cell.runs")) {
    const name = box.id.slice("cell-".length);
    const answer = box.classList.contains("tag_answer");
    const check = box.classList.contains("tag_check");
    const word = answer ? words.answer : check ? words.check : words.run;
    const made = button(word, () => press(name));
    if (box.classList.contains("slow")) made.append(words.slow);
    const note = element("span", { className: "run-note", role: "status" });
    const bar = element("div", { className: "run-bar" }, made, note);
    box.querySelector(".cell_input").after(bar);
    cells.set(name, { box, bar, button: made, note, answer });
    if (name in kept.code) {
      box.querySelector(".cell_input pre").textContent = kept.code[name];
      note.textContent = words.kept;
    }
  }
  mark();
})();
