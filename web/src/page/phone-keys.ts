/** A row of the keys that a phone's keyboard lacks. */
import { button } from "./dom.ts";

/** Label, what it types, its name for those who cannot see the label. */
const KEYS: [string, string, string?][] = [
  ["Esc", "\x1b"],
  ["Tab", "\t"],
  ["←", "\x1b[D", "Left"],
  ["↑", "\x1b[A", "Up"],
  ["↓", "\x1b[B", "Down"],
  ["→", "\x1b[C", "Right"],
  ["|", "|", "Pipe"],
  ["/", "/", "Slash"],
  ["-", "-", "Minus"],
  ["~", "~", "Tilde"],
];

export interface KeyTarget {
  type(data: string): void;
  /** Whether a program wants arrow keys as applications get them (DECCKM). */
  applicationCursor(): boolean;
  paste(): void;
  focus(): void;
}

export class PhoneKeys {
  private held = false;
  private readonly control: HTMLButtonElement;

  constructor(row: HTMLElement, target: KeyTarget) {
    this.control = button("Ctrl", () => this.hold(!this.held));
    this.control.setAttribute("aria-pressed", "false");
    const keys = KEYS.map(([label, data, name]) => {
      const key = button(label, () => {
        const arrow = target.applicationCursor() ? data.replace("\x1b[", "\x1bO") : data;
        target.type(this.typed(arrow));
      });
      if (name) key.setAttribute("aria-label", name);
      return key;
    });
    row.append(
      ...keys.slice(0, 2),
      this.control,
      ...keys.slice(2),
      button("Paste", () => target.paste()),
    );
    // The keyboard stays open: the terminal keeps the focus.
    row.addEventListener("pointerdown", (event) => event.preventDefault());
    row.addEventListener("click", () => target.focus());
    const touch = matchMedia("(pointer: coarse)");
    const show = () => (row.hidden = !touch.matches);
    touch.addEventListener("change", show);
    show();
  }

  /** What is typed with Ctrl held on the row: one character, then it is let go. */
  typed(data: string): string {
    if (!this.held) return data;
    this.hold(false);
    const code = data.toUpperCase().charCodeAt(0);
    // @ A-Z [ \ ] ^ _ are 0 to 31, as on any terminal.
    return data.length === 1 && code >= 64 && code < 96 ? String.fromCharCode(code - 64) : data;
  }

  private hold(held: boolean): void {
    this.held = held;
    this.control.setAttribute("aria-pressed", String(held));
  }
}
