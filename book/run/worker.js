// Python, beside the page: it says what happens, and is ended to be stopped.

import { loadPyodide } from "pyodide";
import { info } from "pyodide/pyodide-lock.json";

// How much has come of what takes long.
const plainFetch = self.fetch;
let loaded = 0;
self.fetch = async (...request) => {
  const { body, headers, ok, status } = await plainFetch(...request);
  if (!ok) throw new Error(`${status}: ${request[0]}`);
  const counting = new TransformStream({
    transform(chunk, rest) {
      loaded += chunk.length;
      postMessage(["loaded", loaded / SIZE]);
      rest.enqueue(chunk);
    },
  });
  return new Response(body.pipeThrough(counting), { headers });
};

// What is printed bit by bit is told ten times a second.
let said = [];
let last = 0;

function tellAll() {
  if (said.length) postMessage(["happened", said]);
  said = [];
  last = performance.now();
}

function tell(...event) {
  const [kind, name, text] = event;
  const before = said.at(-1);
  if (kind === "out" && before?.[0] === kind && before[1] === name)
    before[2] += text;
  else said.push(event);
  if (kind === "start" || performance.now() - last > 100) tellAll();
}

async function start() {
  const here = new URL(".", import.meta.url).href;
  const python = await loadPyodide({
    indexURL: here,
    stdLibURL: `${here}library.zip`,
    lockFileContents: JSON.stringify({ info, packages: {} }),
  });
  const page = python.pyimport("cells").Page(tell);
  postMessage(["ready"]);
  self.onmessage = ({ data: [cells, name] }) => {
    page.run(cells, name);
    tellAll();
    postMessage(["idle"]);
  };
}

start().catch((error) => postMessage(["hung", String(error)]));
