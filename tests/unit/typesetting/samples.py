"""Small drawings: some are drawn at once, the others would take minutes, hours or years."""

from __future__ import annotations


def svg(inside: str, attributes: str = 'viewBox="0 0 100 100"') -> bytes:
    """A drawing of that content."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()


def filtered(primitive: str) -> bytes:
    """A square under a filter."""
    area = 'id="f" x="0" y="0" width="1" height="1"'
    square = '<rect width="100" height="100" filter="url(#f)"/>'
    return svg(f"<filter {area}>{primitive}</filter>{square}")


def masked(depth: int) -> bytes:
    """Masks of two squares each, which are masked themselves: 2 to the power of ``depth`` squares."""
    square = '<rect width="100" height="100" mask="url(#m{0})"/>'
    masks = [
        f'<mask id="m{n}">{square.format(n - 1) * 2 if n else square.partition(" mask")[0] + "/>"}</mask>'
        for n in range(depth)
    ]
    return svg("".join(masks) + square.format(depth - 1))


DISC = svg('<circle cx="50" cy="50" r="50" fill="#0000ff"/>')
HEAVY = {
    "morphology": filtered('<feMorphology operator="dilate" radius="40"/>'),
    "turbulence": filtered('<feTurbulence baseFrequency="0.5" numOctaves="5000"/>'),
    "blurs": filtered('<feGaussianBlur stdDeviation="9"/>' * 500),
    "markers": svg(
        '<marker id="m">' + '<circle r="5"/>' * 3000 + "</marker>"
        '<path marker-mid="url(#m)" d="M0 0' + "L1 1 2 0" * 30_000 + '"/>'
    ),
    "masks": masked(40),
}
