/** One line that says how far the boot is. */
import { element } from "./dom.ts";
import type { Progress } from "../api/types.ts";

const MB = 1e6;

export class BootLine {
  private readonly line = element("boot");
  private readonly label = element("boot-text");
  private readonly bar = element<HTMLProgressElement>("boot-bar");

  show({ stage, loaded, total }: Progress): void {
    this.line.hidden = false;
    if (stage === "download") {
      this.label.textContent = `Loading ${(loaded / MB).toFixed(1)} of ${(total / MB).toFixed(1)} MB`;
      this.bar.max = total;
      this.bar.value = Math.min(loaded, total);
      return;
    }
    this.label.textContent = stage === "compile" ? "Compiling" : "Booting Linux";
    this.fill(1);
  }

  begin(): void {
    this.label.textContent = "Starting";
    this.fill(0);
    this.line.hidden = false;
  }

  hide(): void {
    this.line.hidden = true;
  }

  /** A bar without a value would move, at the cost of a quarter of a core. */
  private fill(share: number): void {
    this.bar.max = 1;
    this.bar.value = share;
  }
}
