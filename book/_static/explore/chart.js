// A small drawing board: two axes, and marks that keep their names.

const SVG = "http://www.w3.org/2000/svg";

function ticksOf(low, high, log) {
  if (log) {
    const from = Math.ceil(Math.log10(low));
    const to = Math.floor(Math.log10(high));
    const every = Math.max(1, Math.ceil((to - from) / 5));
    const powers = [];
    for (let k = from; k <= to; k += every) powers.push(10 ** k);
    return powers;
  }
  const rough = (high - low) / 5;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((m) => m * unit >= rough) * unit;
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) {
    ticks.push(Number((k * step).toPrecision(10)));
  }
  return ticks;
}

// 0.001 to 1000 as they are, others short: 10⁴, -4e13.
function tickText(value) {
  const size = Math.abs(value);
  if (size === 0 || (size > 5e-4 && size < 1e4)) return String(value);
  const [digits, power] = Number(value.toPrecision(3))
    .toExponential()
    .replace("+", "")
    .split("e");
  if (digits !== "1") return `${digits}e${power}`;
  return `10${[...power].map((digit) => RAISED[digit]).join("")}`;
}

const RAISED = Object.fromEntries(
  [..."-0123456789"].map((d, i) => [d, [..."⁻⁰¹²³⁴⁵⁶⁷⁸⁹"][i]]),
);

function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes))
    element.setAttribute(name, value);
}

const svgElement = (tag, attributes) => {
  const made = document.createElementNS(SVG, tag);
  setAttributes(made, attributes);
  return made;
};

// What a mark looks like, for the list of names: "dots", "line" or "box".
export function swatch(shape, look) {
  const svg = svgElement("svg", { width: 22, height: 14, "aria-hidden": true });
  const path = { dots: "M11 7h0", line: "M1 7h20", box: "M5 1h12v12h-12z" };
  const className = `explore-${shape === "box" ? "line" : shape} ${look}`;
  svg.append(svgElement("path", { class: className, d: path[shape] }));
  return svg;
}

const REACH = { mouse: 16, touch: 28, pen: 20 }; // pixels from a handle

export class Chart {
  // `dropped` is called when a handle has been let go.
  constructor(parent, label, dropped) {
    this.label = label;
    this.svg = svgElement("svg", { role: "img", "aria-label": label });
    parent.append(this.svg);
    this.marks = new Map();
    this.handles = new Map();
    this.listen(dropped);
  }

  // Begin a drawing `width` by `height` pixels; x and y are [low, high].
  begin({
    width,
    height,
    x,
    y,
    logY = false,
    xName,
    yName,
    title,
    axes = true,
  }) {
    const viewBox = `0 0 ${width} ${height}`;
    setAttributes(this.svg, { viewBox, width, height });
    const [left, right, top, bottom] = axes ? [46, 20, 30, 40] : [4, 4, 4, 4];
    const up = (value) => (logY ? Math.log10(value) : value);
    const [low, high] = [up(y[0]), up(y[1])];
    Object.assign(this, { left, top });
    this.inner = [width - left - right, height - top - bottom];
    this.X = (value) => left + ((value - x[0]) / (x[1] - x[0])) * this.inner[0];
    this.Y = (value) =>
      top + ((high - up(value)) / (high - low)) * this.inner[1];
    this.fromX = (pixel) =>
      x[0] + ((pixel - left) / this.inner[0]) * (x[1] - x[0]);
    this.fromY = (pixel) =>
      high - ((pixel - top) / this.inner[1]) * (high - low);
    this.used = new Set();
    this.clipped();
    if (axes) this.axes(x, y, logY, xName, yName);
    if (title) {
      const place = { x: width - right, y: 16, "text-anchor": "end" };
      this.write("title", title, place, "explore-title");
    }
  }

  // Take away what was not drawn again.
  end() {
    for (const [name, mark] of this.marks) {
      if (!this.used.has(name)) {
        mark.remove();
        this.marks.delete(name);
        this.handles.delete(name);
      }
    }
  }

  clipped() {
    if (!this.clip) {
      this.clipName = `clip-${Math.random().toString(36).slice(2)}`;
      const clip = svgElement("clipPath", { id: this.clipName });
      this.clip = svgElement("rect", {});
      clip.append(this.clip);
      this.svg.append(clip);
    }
    const [width, height] = this.inner;
    setAttributes(this.clip, { x: this.left, y: this.top, width, height });
  }

  mark(name, tag, className, attributes, inside = true) {
    this.used.add(name);
    let made = this.marks.get(name);
    if (!made) {
      made = svgElement(tag, {});
      this.svg.append(made);
      this.marks.set(name, made);
      if (inside) made.setAttribute("clip-path", `url(#${this.clipName})`);
    }
    setAttributes(made, { class: className, ...attributes });
    return made;
  }

  // Points, [x, y] each, joined by a line.
  line(name, points, className) {
    this.mark(name, "path", `explore-line ${className}`, {
      d: this.outline(points),
    });
  }

  // Points as dots, all in one element.
  dots(name, points, className) {
    const d = points.map((p) => `M${this.place(p)}h0`).join("");
    return this.mark(name, "path", `explore-dots ${className}`, { d });
  }

  outline(points) {
    const seen = points.filter(
      ([x, y]) => Number.isFinite(x) && Number.isFinite(y),
    );
    return seen.map((p, i) => `${i ? "L" : "M"}${this.place(p)}`).join("");
  }

  place([x, y]) {
    const inSight = (pixel) => Math.max(-1e4, Math.min(1e4, pixel)).toFixed(1);
    return `${inSight(this.X(x))} ${inSight(this.Y(y))}`;
  }

  ellipse(name, [x, y], [rx, ry], degrees, className) {
    const [cx, cy] = [this.X(x), this.Y(y)];
    const ring = this.mark(name, "g", "", {});
    if (!ring.firstChild) ring.append(svgElement("ellipse", {}));
    setAttributes(ring.firstChild, {
      class: `explore-line ${className}`,
      cx,
      cy,
      rx,
      ry,
      transform: `rotate(${degrees} ${cx} ${cy})`,
    });
  }

  // A rectangle from one corner to the opposite one, in the data's terms.
  box(name, [x0, y0], [x1, y1], className) {
    const [left, right] = [this.X(x0), this.X(x1)].sort((a, b) => a - b);
    const [top, bottom] = [this.Y(y0), this.Y(y1)].sort((a, b) => a - b);
    const size = { x: left, y: top, width: right - left, height: bottom - top };
    return this.mark(name, "rect", className, size);
  }

  text(name, [x, y], words, className = "", anchor = "middle") {
    const place = { x: this.X(x), y: this.Y(y), "text-anchor": anchor };
    return this.write(name, words, place, className);
  }

  // A ring that a finger can move; `moved` gets the place in the data's terms.
  handle(name, point, className, moved) {
    const [cx, cy] = [this.X(point[0]), this.Y(point[1])];
    const look = `explore-handle ${className}`;
    this.mark(name, "circle", look, { cx, cy, r: 11 }, false);
    this.handles.set(name, { at: [cx, cy], moved });
  }

  // Only where a drag starts does a finger not scroll: `touch-action` would
  // say so as well, but not for a part of an SVG.
  listen(dropped) {
    const { svg } = this;
    svg.addEventListener(
      "touchstart",
      (event) => {
        if (this.nearest(event.touches[0], REACH.touch)) event.preventDefault();
      },
      { passive: false },
    );
    svg.addEventListener("pointerdown", (event) => {
      const name = this.nearest(event, REACH[event.pointerType]);
      this.taken = name && { name, off: this.offset(event, name) };
      if (name) svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      if (!this.held(event)) {
        const near = this.nearest(event, REACH.mouse);
        svg.style.cursor = near ? "grab" : "";
        return;
      }
      const { name, off } = this.taken;
      const [x, y] = this.pixel(event).map((part, i) => part + off[i]);
      this.handles.get(name)?.moved([this.fromX(x), this.fromY(y)]);
    });
    svg.addEventListener("pointerup", () => {
      if (this.taken) dropped();
    });
    svg.addEventListener("click", (event) => {
      if (this.taken || !this.tapped) return;
      this.tapped(this.pixel(event));
      dropped();
    });
  }

  held({ pointerId }) {
    return this.taken && this.svg.hasPointerCapture(pointerId);
  }

  pixel({ clientX, clientY }) {
    const box = this.svg.getBoundingClientRect();
    const scale = this.svg.viewBox.baseVal.width / box.width;
    return [(clientX - box.left) * scale, (clientY - box.top) * scale];
  }

  // From a finger to the middle of what it holds.
  offset(event, name) {
    const [x, y] = this.pixel(event);
    const { at } = this.handles.get(name);
    return [at[0] - x, at[1] - y];
  }

  // The name of the handle that is nearest, within reach.
  nearest(event, reach) {
    const [x, y] = this.pixel(event);
    let [found, least] = [null, reach];
    for (const [name, { at }] of this.handles) {
      const far = Math.hypot(at[0] - x, at[1] - y);
      if (far <= least) [found, least] = [name, far];
    }
    return found;
  }

  write(name, words, place, className = "") {
    const look = `explore-text ${className}`;
    const made = this.mark(name, "text", look, place, false);
    if (made.textContent !== words) made.textContent = words;
    return made;
  }

  axes(x, y, logY, xName, yName) {
    const [width, height] = this.inner;
    const [x0, y0] = [this.left, this.top];
    const y1 = y0 + height;
    const frame = `M${x0} ${y0}V${y1}H${x0 + width}`;
    this.mark("frame", "path", "explore-axis", { d: frame }, false);
    const put = (name, words, x, y, anchor, look) =>
      this.write(name, words, { x, y, "text-anchor": anchor }, look);
    const quiet = "explore-tick";
    for (const value of ticksOf(...x, false)) {
      const at = this.X(value);
      put(`x ${value}`, tickText(value), at, y1 + 17, "middle", quiet);
    }
    for (const value of ticksOf(...y, logY)) {
      const at = this.Y(value) + 5;
      put(`y ${value}`, tickText(value), x0 - 6, at, "end", quiet);
    }
    put("x name", xName, x0 + width / 2, y1 + 35, "middle");
    put("y name", yName, 2, 16, "start");
  }
}
