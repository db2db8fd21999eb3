// Simple marks on a canvas, in CSS pixels.

export class Pencil {
  constructor(pen, unit) {
    Object.assign(this, { pen, unit });
  }

  stroke(colour, width, opacity = 1, dash = []) {
    const { pen } = this;
    pen.globalAlpha = opacity;
    pen.strokeStyle = colour;
    pen.lineWidth = width * this.unit;
    pen.setLineDash(dash);
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  dot(x, y, radius, colour, rim, width = 1.5) {
    const { pen } = this;
    pen.beginPath();
    pen.arc(x, y, radius * this.unit, 0, 7);
    pen.fillStyle = colour;
    pen.fill();
    if (rim) this.stroke(rim, width);
  }

  cross(x, y, arm) {
    const { pen } = this, a = arm * this.unit;
    for (const s of [1, -1]) {
      pen.moveTo(x - a, y - s * a);
      pen.lineTo(x + a, y + s * a);
    }
  }

  /** An arrow's path from a place along (dx, dy); nothing where it is too short to see. */
  arrow(x, y, dx, dy, head = 7) {
    const { pen } = this, length = Math.hypot(dx, dy);
    if (!(length > 1.5 && length < 1e5)) return;
    const k = Math.min(head * this.unit, 0.45 * length) / length, tx = x + dx, ty = y + dy;
    pen.moveTo(x, y);
    pen.lineTo(tx, ty);
    pen.moveTo(tx - k * (dx - 0.5 * dy), ty - k * (dy + 0.5 * dx));
    pen.lineTo(tx, ty);
    pen.lineTo(tx - k * (dx + 0.5 * dy), ty - k * (dy - 0.5 * dx));
  }

  word(text, x, y, colour, paper, font, align = "left") {
    const { pen } = this;
    Object.assign(pen, { font, textAlign: align, textBaseline: "middle", lineJoin: "round", strokeStyle: paper, lineWidth: 4, fillStyle: colour });
    pen.strokeText(text, x, y);
    pen.fillText(text, x, y);
  }
}
