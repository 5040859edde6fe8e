/** Short messages in a corner: read out by screen readers, gone after a while. */
import { button, element, text } from "./dom.ts";

/** ms that a message stays which wants nothing. */
const STAY = 8000;

export interface Action {
  label: string;
  run: () => void;
}

export function notice(message: string, bad = false, action?: Action): void {
  const box = document.createElement("div");
  box.className = bad ? "notice bad" : "notice";
  box.append(text("span", message));
  if (action) box.append(button(action.label, action.run));
  const close = button("×", () => box.remove());
  close.setAttribute("aria-label", "Dismiss");
  box.append(close);
  element("notices").append(box);
  if (!action) setTimeout(() => box.remove(), STAY);
}
