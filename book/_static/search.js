// Chinese has no spaces: cut a query into the longest words of the index. Of
// Latin words, those of one letter are not in it.
globalThis.splitQuery = (query) => {
  const known = (word) => word in Search._index.terms;
  const cut = (run) => {
    const words = [];
    for (let start = 0; start < run.length; ) {
      let end = run.length;
      while (end > start + 1 && !known(run.slice(start, end))) end -= 1;
      if (known(run.slice(start, end))) words.push(run.slice(start, end));
      start = end;
    }
    return words.length > 0 ? words : [run];
  };
  return (query.match(/\p{Script=Han}+|[\p{L}\p{N}_]{2,}/gu) ?? []).flatMap(
    (run) => (/\p{Script=Han}/u.test(run) ? cut(run) : [run]),
  );
};

// A stem that is a word too common for the index is not there: the word is.
const Porter = Stemmer;
globalThis.Stemmer = class {
  constructor() {
    const { stemWord } = new Porter();
    this.stemWord = (word) => {
      const stem = stemWord(word);
      return stopwords.includes(stem) ? word : stem;
    };
  }
};

// Excerpts show a formula once, not its source as well.
const pageToText = Search.htmlToText;
Search.htmlToText = (html, anchor) =>
  pageToText(
    html.replace(/<span class="katex-mathml">.*?<\/math><\/span>/gs, ""),
    anchor,
  );

// A page opened from disk may not read the others for excerpts.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
