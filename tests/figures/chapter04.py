from figures.parts import data_and_lines

PICTURES = [
    data_and_lines("features", "labels", "w", "b.item()"),
]
