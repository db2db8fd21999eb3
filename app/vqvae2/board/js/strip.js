// The images to choose from: pointing shows one for a moment, a click or Enter keeps it.

export class Strip {
  constructor(element, board) {
    Object.assign(this, { element, board, buttons: [] });
    element.addEventListener("pointerleave", () => board.peek(null));
  }

  build(count, [height, width]) {
    const make = (index) => {
      const button = document.createElement("button"), canvas = document.createElement("canvas");
      Object.assign(button, { type: "button" });
      button.setAttribute("role", "radio");
      button.setAttribute("aria-label", `Image ${index + 1}`);
      Object.assign(canvas, { width, height });
      this.board.view.pictures[this.board.view.thumbnail].draw(canvas.getContext("2d"), index, width, height);
      button.append(canvas);
      button.addEventListener("click", () => this.board.choose(index));
      button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && this.board.peek(index));
      button.addEventListener("keydown", (event) => this.key(event, index));
      return button;
    };
    this.buttons = Array.from({ length: count }, (_, index) => make(index));
    this.element.replaceChildren(...this.buttons);
  }

  key(event, index) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const to = this.buttons[index + (by ?? 0)];
    if (!by || !to) return;
    event.preventDefault();
    event.stopPropagation();
    to.focus();
    this.board.choose(index + by);
  }

  reflect(chosen) {
    this.buttons.forEach((button, index) => {
      button.setAttribute("aria-checked", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
    });
  }
}
