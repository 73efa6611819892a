// The notebook's examples: as numbers, and the Python that makes them.

// As arrays of 32-bit floats: features row by row, and labels.
export function fromLists({ features, labels }) {
  return {
    features: Float32Array.from(features.flat()),
    labels: Float32Array.from(labels),
  };
}

// As Python writes a float: torch.tensor makes integers of 2, but not of 2.0.
export const float = (value) =>
  Number.isInteger(value) ? value.toFixed(1) : String(value);

// The lines that make the figure's examples; `source` says from what, and
// `names` are what the code takes from linreg.
export function examplesInPython(
  { w, b, n, noise_std, seed, decimals },
  names = "data_iter, gen_data, linreg, sgd, squared_loss",
) {
  return [
    "import torch",
    "",
    `from linreg import ${names}`,
    "",
    `true_w, true_b = torch.tensor([${w.map(float).join(", ")}]), ${b}`,
    `generator = torch.Generator().manual_seed(${seed})`,
    `data = gen_data(true_w, true_b, ${n}, ${noise_std}, generator)`,
    `features, labels = (t.round(decimals=${decimals}) for t in data)`,
    "",
  ];
}
