from figures.parts import error_bars

PICTURES = [
    error_bars(
        "{name: [results[name][0]]"
        " for name in ('train 0.03', 'train 0.0003', 'lstsq')}"
    ),
]
