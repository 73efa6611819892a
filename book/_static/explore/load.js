// Fetch a figure's code when the reader comes near it, or its link is opened.

const here = document.currentScript.src.replace(/load\.js.*/, "");
const fetched = new Set();

const kindOf = (picture) => JSON.parse(picture.dataset.explore).kind;

function fetchCode(kind) {
  if (fetched.has(kind)) return;
  fetched.add(kind);
  const script = document.createElement("script");
  script.src = `${here}${kind}.js`;
  document.head.append(script);
}

const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) fetchCode(kindOf(entry.target));
    }
  },
  { rootMargin: "600px" },
);

for (const picture of document.querySelectorAll("[data-explore]")) {
  watcher.observe(picture);
  const kind = kindOf(picture);
  if (location.hash.startsWith(`#${kind}?`)) fetchCode(kind);
}
