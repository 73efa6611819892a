// A cell's code, to be changed: CodeMirror, with Pygments's colours.

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import { indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorView, keymap } from "@codemirror/view";
import { tagHighlighter, tags } from "@lezer/highlight";

// The page's stylesheet has colours for these classes, in both modes.
const colours = tagHighlighter([
  { tag: tags.comment, class: "c1" },
  { tag: tags.string, class: "s2" },
  { tag: tags.number, class: "mi" },
  { tag: [tags.bool, tags.null], class: "kc" },
  { tag: tags.moduleKeyword, class: "kn" },
  { tag: tags.operatorKeyword, class: "ow" },
  { tag: tags.keyword, class: "k" },
  { tag: tags.operator, class: "o" },
  { tag: tags.function(tags.definition(tags.variableName)), class: "nf" },
  { tag: tags.variableName, class: "n" },
]);

const theme = EditorView.theme({
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "inherit", lineHeight: "inherit" },
  ".cm-content": { caretColor: "currentColor", padding: "0" },
  ".cm-line": { padding: "0" },
});

// Tab leaves the editor, as any other field, and Escape goes to its button;
// Enter indents.
export function edit(code, { label, changed, run, leave }) {
  const keys = ["Shift-Enter", "Mod-Enter"].map((key) => ({ key, run }));
  return new EditorView({
    doc: code,
    extensions: [
      keymap.of([
        ...keys,
        { key: "Escape", run: leave },
        ...historyKeymap,
        ...defaultKeymap,
      ]),
      history(),
      indentUnit.of("    "),
      pythonLanguage,
      syntaxHighlighting(colours),
      theme,
      // Whatever scrolls must be in the tab order, for those who use keys.
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
      EditorView.updateListener.of(({ docChanged, state }) => {
        if (docChanged) changed(state.doc.toString());
      }),
    ],
  });
}

export function put(editor, code) {
  const { length } = editor.state.doc;
  editor.dispatch({ changes: { from: 0, to: length, insert: code } });
}

export function show(editor) {
  const { head } = editor.state.selection.main;
  const effects = EditorView.scrollIntoView(head, { y: "center" });
  editor.dispatch({ effects });
}
