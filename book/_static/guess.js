// Guess, then see. The answers in the page are open; here they are closed as
// they are read, before anything is drawn, until the reader has guessed.

(() => {
  const WORDS = {
    zh: {
      guess: "你的猜测",
      see: "看结果",
      pass: "直接看",
      own: "你猜的是：",
      result: "结果",
      made: (some, all) => `这一页有 ${all} 处“先猜再跑”，你猜了 ${some} 处。`,
      list: "我的猜测",
      clear: "全部重猜",
    },
    en: {
      guess: "Your guess",
      see: "See the result",
      pass: "Just show me",
      own: "Your guess: ",
      result: "Result",
      made: (some, all) =>
        `You’ve made ${some} of the ${all} guesses on this page.`,
      list: "My guesses",
      clear: "Guess them all again",
    },
  };
  const { lang } = document.documentElement;
  const words = lang.startsWith("zh") ? WORDS.zh : WORDS.en;
  // The same in both editions. A guess is the number of a choice, or a text;
  // "" is none.
  const key = `guesses:${location.pathname.replace(/\/(zh|en)(?=\/)/, "")}`;
  const guesses = new Map();
  let known = {};
  let list;
  try {
    known = JSON.parse(localStorage.getItem(key)) ?? {};
  } catch {
    // What cannot be kept is known as long as the page is open.
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(known));
    } catch {}
    list?.update();
  }

  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  const button = (text, pressed, type = "button") => {
    const className = "btn btn-sm";
    const made = element("button", { type, className }, text);
    if (pressed) made.addEventListener("click", pressed);
    return made;
  };

  // Its own words, to stand elsewhere as well.
  const copied = (place) => [
    ...(place.querySelector("p") ?? place).cloneNode(true).childNodes,
  ];

  class Guess {
    constructor(name, first) {
      this.name = name;
      this.parts = [];
      this.question = document.getElementById(`guess-${name}`);
      this.choices = [...this.question.querySelectorAll("li")];
      this.own = element("p", { className: "guess-own" });
      this.form = this.choices.length ? this.choose() : this.write();
      this.form.className = "guess-form";
      this.form.append(button(words.pass, () => this.settle("")));
      first.before(this.form);
      first.append(this.own);
      first.setAttribute("role", "group");
      first.setAttribute("aria-label", words.result);
      first.tabIndex = -1;
    }

    choose() {
      const form = element("div", { role: "group", ariaLabel: words.guess });
      for (const [number, choice] of this.choices.entries()) {
        const made = button("", () => this.settle(number));
        made.append(...copied(choice));
        form.append(made);
      }
      return form;
    }

    write() {
      const field = element("input", {
        id: `field-${this.name}`,
        required: true,
        maxLength: 200,
        autocomplete: "off",
        className: "form-control",
      });
      field.setAttribute("aria-describedby", this.question.id);
      const label = element("label", { htmlFor: field.id }, words.guess);
      const see = button(words.see, undefined, "submit");
      const form = element("form", {}, label, field, see);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const guess = field.value.trim();
        field.value = guess;
        if (form.reportValidity()) this.settle(guess);
      });
      return form;
    }

    add(part) {
      this.parts.push(part);
      part.addEventListener("beforematch", () => this.open());
      part.addEventListener("ran", () => this.end(""));
      this.show();
    }

    settle(guess) {
      this.end(guess);
      this.parts[0].focus({ preventScroll: true });
    }

    // What was guessed before stays.
    end(guess) {
      known[this.name] ??= guess;
      keep();
      this.show();
    }

    // What the reader guessed; nothing if he passed, or has not yet.
    said() {
      const guess = known[this.name] ?? "";
      const choice = this.choices[guess];
      if (choice) return copied(choice);
      return guess === "" ? [] : [String(guess)];
    }

    // The question without "Guess first".
    asked() {
      return copied(this.question).slice(1);
    }

    show() {
      const settled = this.name in known;
      const said = this.said();
      this.form.hidden = settled;
      this.own.hidden = said.length === 0;
      this.own.replaceChildren(words.own, element("b", {}, ...said));
      if (settled) this.open();
      else
        for (const part of this.parts)
          part.setAttribute("hidden", "until-found");
    }

    open() {
      for (const part of this.parts) part.removeAttribute("hidden");
    }
  }

  customElements.define(
    "guess-answer",
    class extends HTMLElement {
      connectedCallback() {
        const name = this.dataset.guess;
        if (!guesses.has(name)) guesses.set(name, new Guess(name, this));
        guesses.get(name).add(this);
      }
    },
  );

  customElements.define(
    "guess-list",
    class extends HTMLElement {
      connectedCallback() {
        list = this;
        this.made = element("p");
        this.own = element("ol");
        const clear = button(words.clear, () => this.clear());
        const summary = element("summary", {}, words.list);
        this.details = element("details", {}, summary, this.own, clear);
        this.append(this.made, this.details);
        this.update();
      }

      update() {
        const made = [...guesses.values()].filter((g) => g.said().length > 0);
        this.made.textContent = words.made(made.length, guesses.size);
        this.details.hidden = !Object.keys(known).length;
        this.own.replaceChildren(
          ...made.map((guess) => {
            const href = `#${guess.question.id}`;
            const said = element("a", { href }, ...guess.said());
            return element("li", {}, ...guess.asked(), element("br"), said);
          }),
        );
      }

      clear() {
        known = {};
        keep();
        for (const guess of guesses.values()) guess.show();
        this.scrollIntoView({ block: "nearest" });
      }
    },
  );

  // Where a link leads is open. Some browsers see to that themselves, but not
  // for a figure's setting, nor for what a search has marked.
  function openTarget() {
    const target = decodeURIComponent(location.hash.slice(1));
    const [kind, setting] = target.split("?");
    const figure = `[data-explore*='"kind":"${kind}"']`;
    const place =
      setting === undefined
        ? document.getElementById(target)
        : document.querySelector(figure);
    const closed = place?.closest("guess-answer[hidden]");
    if (!closed) return;
    guesses.get(closed.dataset.guess).open();
    place.scrollIntoView();
  }

  document.documentElement.classList.add("guesses");
  addEventListener("DOMContentLoaded", openTarget);
  addEventListener("hashchange", openTarget);
})();
