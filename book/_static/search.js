// Search by Pagefind, which ranks records: sections, and entries on the page
// of errors. It wants every word; a pasted message has words of its own, so
// they are looked up one by one, and the rarer a word, the more it says.
{
  const ENGLISH = document.documentElement.lang === "en";
  const SAID = ENGLISH
    ? {
        found: (count) => (count === 1 ? "1 result" : `${count} results`),
        none: "Nothing found. Try fewer or other words; of an error message, a few words that aren't names of your own. These pages may help: ",
        failed: "The search could not be loaded. Is the network there?",
        disk: "The search needs a server. In the folder of the book run make serve, or in the folder of the site: python -m http.server",
        pages: { errors: "Error messages", glossary: "Glossary" },
      }
    : {
        found: (count) => `找到 ${count} 处`,
        none: "没有找到。换几个词，或者少写几个词；报错里的话，只留几个不是你自己起名的词。也可以看看：",
        failed: "搜索没能加载。网络通吗？",
        disk: "搜索需要服务器。在书的目录里运行 make serve，或者在网站的目录里运行 python -m http.server",
        pages: { errors: "报错速查", glossary: "术语表" },
      };
  const RECORDS = 500; // about as many as there are
  const HAN = /\p{Script=Han}/u;
  const COMMON =
    /^(an?|and|are|as|at|be|but|by|can|do|does|down|for|from|got|has|have|how|i|in|is|it|its|me|my|no|not|of|on|or|so|that|the|then|there|this|to|was|what|when|where|which|why|will|with|you|your|[a-z])$/;
  const ASKING =
    /为什么|怎么办|怎么样|怎么|怎样|什么|如何|多少|哪里|吗|呢|了|的|是/g;
  const root = new URL(
    document.documentElement.dataset.content_root,
    location.href,
  );

  // Chinese in pairs of characters, as in the records.
  const cut = (text) => {
    const runs = text.match(/\p{Script=Han}+|(?<![a-z\d_])[a-z_]\w*/giu) ?? [];
    const words = runs.flatMap((run) =>
      HAN.test(run) && run.length > 1
        ? [...run.slice(1)].map((_, i) => run.slice(i, i + 2))
        : run.toLowerCase(),
    );
    return [...new Set(words)];
  };
  const MESSAGE = /^.*?(?=\w+(Error|Warning): )/s;
  const wordsOf = (query) => {
    const rare = cut(query.replace(ASKING, " ")).filter(
      (word) => !COMMON.test(word),
    );
    if (rare.length > 0) return rare;
    const all = cut(query);
    return all.length > 0 ? all : (query.match(/[\p{L}\p{N}]+/gu) ?? []);
  };
  const LETTERS = "abcdefghijklmnop";
  const encoded = (word) =>
    HAN.test(word)
      ? `q${[...word].map((one) => [...one.charCodeAt(0).toString(16)].map((digit) => LETTERS[Number.parseInt(digit, 16)]).join("")).join("")}`
      : word;
  const decoded = (_, code) =>
    code.replace(/.{4}/g, (four) =>
      String.fromCharCode(
        [...four].reduce((n, one) => 16 * n + LETTERS.indexOf(one), 0),
      ),
    );
  const joined = (text) =>
    text
      .replace(/\bq((?:[a-p]{4}){1,2})\b/g, decoded)
      .replace(/(\p{Script=Han}) (?=\1)/gu, "")
      .replace(/ ?([，。：；、？！（）“”]) ?/g, "$1");

  let engine;
  const load = () => {
    engine ??= import(new URL("pagefind/pagefind.js", root)).then(
      ({ createInstance }) =>
        createInstance({
          basePath: new URL("pagefind/", root).href,
          language: ENGLISH ? "en" : "und",
          noWorker: true, // it would load everything itself
          ranking: { metaWeights: { title: 4, words: 10, page: 1, code: 0.5 } },
        }),
    );
    return engine;
  };

  const rank = async (words) => {
    const instance = await load();
    const found = new Map();
    let all = 0;
    for (const word of words) {
      const { results } = await instance.search(encoded(word));
      const rarity = Math.log(1 + RECORDS / results.length);
      if (results.length > 0) all += rarity;
      for (const result of results) {
        const record = found.get(result.id) ?? { result, score: 0, part: 0 };
        record.score += (rarity * result.score) / results[0].score;
        record.part += rarity;
        found.set(result.id, record);
      }
    }
    for (const record of found.values())
      record.score *= (record.part / all) ** 2;
    return [...found.values()].sort((a, b) => b.score - a.score);
  };

  // The sections that answer a query best. A message has its entry, even if
  // a chapter has the same words.
  globalThis.findInBook = async (query, most = 8) => {
    const message = query.match(MESSAGE);
    const words = wordsOf(
      message ? query.slice(message[0].length).split(". ")[0] : query,
    );
    const latin = words.filter((word) => !HAN.test(word)).length;
    const weights = { errors: message ? 4 : latin > 3 ? 2 : 1, glossary: 1.3 };
    const records = await Promise.all(
      (await rank(words)).slice(0, most + 4).map(async ({ result, score }) => {
        const { raw_url, content, meta } = await result.data();
        const [, page, id] = raw_url.match(/^\/(.*)\/(.*)\/.*$/);
        const href = new URL(`book/${page}.html`, root);
        href.searchParams.set("found", words.join(" "));
        href.hash = id;
        return {
          href: href.href,
          title: joined(meta.title),
          page: joined(meta.page),
          text: joined(content),
          all: `${joined(Object.values(meta).join(" "))} ${joined(content)}`,
          score: score * (weights[page] ?? 1),
        };
      }),
    );
    records.sort((a, b) => b.score - a.score);
    // Of a word that it does not know, Pagefind takes the first letters.
    const near = words.map((word) => word.slice(0, 4));
    const sections = new Map();
    for (const record of records)
      if (
        record.score > records[0].score / 20 &&
        spots(record.all, near).length > 0 &&
        !sections.has(record.href)
      )
        sections.set(record.href, record);
    return { words, sections: [...sections.values()].slice(0, most) };
  };

  // Where words stand in a text; of an English word, its other forms too.
  const spots = (text, words) =>
    words.flatMap((word) => {
      const stem =
        word.length > 4 ? word.replace(/(ing|ed|es|s|e)$/, "") : word;
      const pattern = HAN.test(word)
        ? RegExp(word, "g")
        : RegExp(
            `(?<![a-z\\d_])${stem}${word.length > 3 ? "\\w*" : "s?\\b"}`,
            "gi",
          );
      return [...text.matchAll(pattern)].map((match) => ({
        word,
        start: match.index,
        end: match.index + match[0].length,
      }));
    });
  const variety = (some) => new Set(some.map(({ word }) => word)).size;

  const excerpt = (text, words) => {
    const length = ENGLISH ? 150 : 80;
    const all = spots(text, words);
    const from = (start) =>
      all.filter((spot) => spot.start >= start && spot.end < start + length);
    const best = all.reduce(
      (known, { start }) =>
        variety(from(start)) > variety(from(known)) ? start : known,
      all[0]?.start ?? 0,
    );
    const shown = document.createElement("p");
    let at = Math.max(0, best - length / 5);
    if (ENGLISH) at = text.lastIndexOf(" ", at) + 1;
    if (at > 0) shown.append("…");
    const end = at + length;
    for (const spot of from(at).sort((a, b) => a.start - b.start)) {
      const mark = document.createElement("mark");
      mark.append(text.slice(Math.max(at, spot.start), spot.end));
      if (mark.textContent) shown.append(text.slice(at, spot.start), mark);
      at = Math.max(at, spot.end);
    }
    shown.append(text.slice(at, end), end < text.length ? "…" : "");
    return shown;
  };

  const link = (href, ...content) => {
    const made = document.createElement("a");
    made.href = href;
    made.append(...content);
    return made;
  };
  const item = ({ href, title, page, text }, words) => {
    const entry = document.createElement("li");
    const name = document.createElement("strong");
    name.append(title);
    const place = title === page ? [] : [" · ", page];
    entry.append(link(href, name, ...place), excerpt(text, words));
    return entry;
  };

  const furnish = (form) => {
    const input = form.querySelector("input");
    const dialog = form.closest(".search-button__search-container");
    const box = document.createElement("div");
    box.className = "search-found";
    const status = document.createElement("p");
    status.setAttribute("role", "status");
    const list = document.createElement("ol");
    box.append(status, list);
    form.after(box);

    let asked = "";
    const show = async () => {
      const query = input.value.trim();
      asked = query;
      box.hidden = query === "";
      if (query === "") return;
      try {
        const { words, sections } = await findInBook(query, dialog ? 8 : 20);
        if (asked !== query) return; // another one since
        list.replaceChildren(...sections.map((each) => item(each, words)));
        status.replaceChildren(
          sections.length > 0 ? SAID.found(sections.length) : SAID.none,
        );
        if (sections.length === 0)
          for (const [page, name] of Object.entries(SAID.pages))
            if (document.querySelector(`.bd-links [href$="${page}.html"]`))
              status.append(
                link(new URL(`book/${page}.html`, root), name),
                " ",
              );
      } catch {
        engine = undefined;
        list.replaceChildren();
        status.replaceChildren(SAID.failed);
      }
    };
    box.hidden = true;
    if (location.protocol === "file:") {
      status.append(SAID.disk); // from a disk, no script may read the index
      box.hidden = false;
      return;
    }
    let waiting;
    input.addEventListener("focus", () => load().catch(() => {}));
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(show, 150);
    });
    box.parentElement.addEventListener("keydown", (event) => {
      // The theme closes its dialog if the field has the focus.
      if (event.key === "Escape" && document.activeElement !== input) {
        input.focus();
        document.querySelector(".show > .search-button__overlay")?.click();
      }
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const stops = [input, ...list.querySelectorAll("a")];
      const next = stops[stops.indexOf(document.activeElement) + step];
      if (!step || !next) return;
      event.preventDefault();
      next.focus();
    });
    if (!dialog) {
      input.value = new URLSearchParams(location.search).get("q") ?? "";
      show();
    }
  };
  for (const form of document.querySelectorAll("form.bd-search")) furnish(form);

  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, textarea, select"))
      return;
    event.preventDefault();
    document.querySelector(".search-button__button")?.click();
  });

  // A page that was found marks the words and opens where most of them are.
  const BLOCKS = "p, li, tr, pre, dt, h1, h2, h3, h4, summary";
  const ranges = (article, words) => {
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    const nodes = [];
    let [text, block] = ["", null];
    while (walker.nextNode()) {
      const next = walker.currentNode.parentElement.closest(BLOCKS);
      if (next !== block) text += "\n"; // words of two are not one
      block = next;
      nodes.push([text.length, walker.currentNode]);
      text += walker.currentNode.data;
    }
    const place = (offset) => nodes.findLast(([start]) => start <= offset);
    return spots(text, words).map(({ word, start, end }) => {
      const range = new Range();
      const [first, node] = place(start);
      const [last, other] = place(end - 1);
      range.setStart(node, start - first);
      range.setEnd(other, end - last);
      return { word, range };
    });
  };
  const arrive = (words) => {
    const article = document.querySelector("article");
    const all = ranges(article, words);
    globalThis.CSS?.highlights?.set(
      "found",
      new Highlight(...all.map(({ range }) => range)),
    );
    const section = document.getElementById(
      decodeURIComponent(location.hash.slice(1)),
    );
    const blocks = new Map();
    for (const { word, range } of all) {
      const block = range.startContainer.parentElement.closest(BLOCKS);
      if (block?.closest("section") !== section) continue;
      blocks.set(block, (blocks.get(block) ?? new Set()).add(word));
    }
    const [best] = [...blocks].sort(([, a], [, b]) => b.size - a.size);
    if (best === undefined) return;
    const [block] = best;
    for (
      let closed = block.closest("[hidden], details:not([open])");
      closed;
      closed = closed.parentElement.closest("[hidden], details:not([open])")
    ) {
      closed.dispatchEvent(new Event("beforematch", { bubbles: true }));
      closed.hidden = false;
      closed.open = true;
    }
    const { top, bottom } = block.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight)
      block.scrollIntoView({ block: "center", behavior: "instant" });
  };
  const address = new URL(location.href);
  const found = address.searchParams.get("found");
  if (found) {
    address.searchParams.delete("found"); // what is shared, or read again
    history.replaceState(history.state, "", address);
    addEventListener("load", () => arrive(found.split(" ")));
  }
}
