// Fetch a figure's code when the reader comes near it, or its link is opened.

const here = document.currentScript.src.replace(/load\.js.*/, "");
const fetched = new Set();

function fetchCode(picture) {
  const { kind } = JSON.parse(picture.dataset.explore);
  if (fetched.has(kind)) return;
  fetched.add(kind);
  const script = document.createElement("script");
  script.src = `${here}${kind}.js`;
  document.head.append(script);
}

const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) fetchCode(entry.target);
    }
  },
  { rootMargin: "600px" },
);

for (const picture of document.querySelectorAll("[data-explore]")) {
  watcher.observe(picture);
  const { kind } = JSON.parse(picture.dataset.explore);
  if (location.hash.startsWith(`#${kind}?`)) fetchCode(picture);
}
