from figures.parts import bowl_and_path

PICTURES = [
    bowl_and_path("path", "b.item()"),
]
