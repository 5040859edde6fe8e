/** The kernel log beside the consoles. */
import { element } from "./dom.ts";

export class LogPanel {
  /** The whole log. */
  source: () => string = () => "";
  private readonly panel = element("log");
  private readonly text = element("log-text");
  private readonly opener = element("log-button");

  constructor(closed: () => void) {
    this.opener.addEventListener("click", () => this.toggle());
    element("log-close").addEventListener("click", () => {
      this.toggle();
      closed();
    });
    element("log-save").addEventListener("click", () => this.save());
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.toggle();
      closed();
    });
  }

  toggle(): void {
    this.panel.hidden = !this.panel.hidden;
    this.opener.setAttribute("aria-expanded", String(!this.panel.hidden));
    if (this.panel.hidden) return;
    this.text.textContent = this.source();
    this.text.scrollTop = this.text.scrollHeight;
    this.text.focus();
  }

  add(lines: string): void {
    if (this.panel.hidden) return;
    const { scrollTop, clientHeight, scrollHeight } = this.text;
    this.text.append(lines);
    // Whoever reads further up stays there.
    if (scrollTop + clientHeight > scrollHeight - 30) this.text.scrollTop = this.text.scrollHeight;
  }

  clear(): void {
    this.text.textContent = "";
  }

  private save(): void {
    save("kernel.log", this.source());
  }
}

export function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
