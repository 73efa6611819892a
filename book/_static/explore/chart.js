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

const tickText = (value, log) =>
  log ? `1e${Math.round(Math.log10(value))}` : String(value);

export class Chart {
  constructor(parent, label) {
    this.label = label;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("aria-label", label);
    parent.append(this.svg);
    this.marks = new Map();
  }

  // Begin a drawing `width` by `height` pixels; x and y are [low, high].
  begin({
    width,
    height,
    x,
    y,
    logY = false,
    xName = "",
    yName = "",
    axes = true,
  }) {
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    const [left, right, top, bottom] = axes ? [48, 18, 8, 40] : [4, 4, 4, 4];
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
  }

  // Take away what was not drawn again.
  end() {
    for (const [name, mark] of this.marks) {
      if (!this.used.has(name)) {
        mark.remove();
        this.marks.delete(name);
      }
    }
  }

  clipped() {
    if (!this.clip) {
      this.clipName = `clip-${Math.random().toString(36).slice(2)}`;
      const clip = document.createElementNS(SVG, "clipPath");
      clip.id = this.clipName;
      this.clip = document.createElementNS(SVG, "rect");
      clip.append(this.clip);
      this.svg.append(clip);
    }
    const [width, height] = this.inner;
    const box = { x: this.left, y: this.top, width, height };
    for (const [name, value] of Object.entries(box))
      this.clip.setAttribute(name, value);
  }

  mark(name, tag, className, attributes, inside = true) {
    this.used.add(name);
    let made = this.marks.get(name);
    if (!made) {
      made = document.createElementNS(SVG, tag);
      this.svg.append(made);
      this.marks.set(name, made);
      if (inside) made.setAttribute("clip-path", `url(#${this.clipName})`);
    }
    made.setAttribute("class", className);
    for (const [key, value] of Object.entries(attributes))
      made.setAttribute(key, value);
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
    const attributes = {
      cx,
      cy,
      rx,
      ry,
      transform: `rotate(${degrees} ${cx} ${cy})`,
    };
    const ring = this.mark(name, "g", "", {});
    if (!ring.firstChild) ring.append(document.createElementNS(SVG, "ellipse"));
    ring.firstChild.setAttribute("class", `explore-line ${className}`);
    for (const [key, value] of Object.entries(attributes))
      ring.firstChild.setAttribute(key, value);
  }

  // A rectangle from one corner to the opposite one, in the data's terms.
  box(name, [x0, y0], [x1, y1], className) {
    const [left, right] = [this.X(x0), this.X(x1)].sort((a, b) => a - b);
    const [top, bottom] = [this.Y(y0), this.Y(y1)].sort((a, b) => a - b);
    const size = { x: left, y: top, width: right - left, height: bottom - top };
    return this.mark(name, "rect", className, size);
  }

  text(name, [x, y], words, className = "", anchor = "middle") {
    const made = this.mark(
      name,
      "text",
      `explore-text ${className}`,
      { x: this.X(x), y: this.Y(y), "text-anchor": anchor },
      false,
    );
    if (made.textContent !== words) made.textContent = words;
    return made;
  }

  // A dot that a finger can move; `moved` gets the place in the data's terms.
  handle(name, point, className, moved) {
    const spot = { cx: this.X(point[0]), cy: this.Y(point[1]), r: 14 };
    const known = this.marks.has(name);
    const made = this.mark(
      name,
      "circle",
      `explore-handle ${className}`,
      spot,
      false,
    );
    if (known) return;
    const follow = (event) => {
      const box = this.svg.getBoundingClientRect();
      const scale = this.svg.viewBox.baseVal.width / box.width;
      moved([
        this.fromX((event.clientX - box.left) * scale),
        this.fromY((event.clientY - box.top) * scale),
      ]);
    };
    made.addEventListener("pointerdown", (event) => {
      made.setPointerCapture(event.pointerId);
      made.addEventListener("pointermove", follow);
    });
    const stop = () => made.removeEventListener("pointermove", follow);
    made.addEventListener("pointerup", stop);
    made.addEventListener("pointercancel", stop);
  }

  axes(x, y, logY, xName, yName) {
    const [width, height] = this.inner;
    const [x0, x1, y0, y1] = [
      this.left,
      this.left + width,
      this.top,
      this.top + height,
    ];
    const frame = `M${x0} ${y0}V${y1}H${x1}`;
    this.mark("frame", "path", "explore-axis", { d: frame }, false);
    const put = (name, words, at, anchor) => {
      const place = { x: at[0], y: at[1], "text-anchor": anchor };
      const made = this.mark(name, "text", "explore-text", place, false);
      if (made.textContent !== words) made.textContent = words;
    };
    for (const value of ticksOf(...x, false)) {
      put(
        `x ${value}`,
        tickText(value, false),
        [this.X(value), y1 + 16],
        "middle",
      );
    }
    for (const value of ticksOf(...y, logY)) {
      put(
        `y ${value}`,
        tickText(value, logY),
        [x0 - 6, this.Y(value) + 4],
        "end",
      );
    }
    put("x name", xName, [x0 + width / 2, y1 + 34], "middle");
    const turn = `rotate(-90 ${12} ${y0 + height / 2})`;
    put("y name", yName, [12, y0 + height / 2], "middle");
    this.marks.get("y name").setAttribute("transform", turn);
  }
}
