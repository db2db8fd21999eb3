// The arrows between cells, drawn where the cells stand.

const SVG = "http://www.w3.org/2000/svg";
const HEAD = 6; // an arrow's head, CSS pixels

function shape(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

/** From the edge of one box to the edge of the other: right where they share a row, down otherwise. */
function ends(start, end, sameRow) {
  if (sameRow) {
    const y = start.offsetTop + start.offsetHeight / 2, flip = end.offsetLeft < start.offsetLeft;
    return flip ? [start.offsetLeft - 4, y, end.offsetLeft + end.offsetWidth + 4, y]
      : [start.offsetLeft + start.offsetWidth + 4, y, end.offsetLeft - 4, y];
  }
  const x = start.offsetLeft + start.offsetWidth / 2;
  return [x, start.offsetTop + start.offsetHeight + 3, x, end.offsetTop - 2];
}

const place = (canvas, desk) => {
  const box = canvas.getBoundingClientRect(), from = desk.getBoundingClientRect();
  return { offsetLeft: box.left - from.left, offsetTop: box.top - from.top, offsetWidth: box.width, offsetHeight: box.height };
};

export function drawLines(svg, desk, arrows, cells) {
  svg.replaceChildren();
  svg.setAttribute("width", desk.offsetWidth);
  svg.setAttribute("height", desk.offsetHeight);
  for (const { start, end, text } of arrows) {
    const [one, other] = [cells[start], cells[end]], sameRow = one.told.row === other.told.row;
    // An arrow downwards begins below the caption and ends above the title.
    const [x0, y0, x1, y1] = ends(place(sameRow ? one.layers.over : one.root, desk), place(sameRow ? other.layers.over : other.root, desk), sameRow);
    const length = Math.hypot(x1 - x0, y1 - y0) || 1, [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length];
    shape("path", { d: `M${x0} ${y0}L${x1 - HEAD * dx} ${y1 - HEAD * dy}`, class: "shaft" }, svg);
    shape("path", { d: `M${x1} ${y1}l${-HEAD * dx - 4 * dy} ${-HEAD * dy + 4 * dx}l${8 * dy} ${-8 * dx}z`, class: "head" }, svg);
    if (!text) continue;
    const at = sameRow ? { x: (x0 + x1) / 2, y: y0 - 7, "text-anchor": "middle" } : { x: x0 + 8, y: (y0 + y1) / 2, "dominant-baseline": "middle" };
    shape("text", at, svg).textContent = text;
  }
}
