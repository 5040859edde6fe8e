/** Pages for what ends a machine, or keeps it from beginning: what, why, what to do. */
import { BROWSERS, missing } from "../api/support.ts";
import { button, element, text } from "./dom.ts";
import { save } from "./log-panel.ts";
import type { ErrorKind, Outcome } from "../api/types.ts";

/** Lines of the log that are shown at once. */
const TAIL = 40;

interface Page {
  title: string;
  /** Paragraphs. */
  says: string[];
  list?: string[];
  /** Label of the button that boots again, if that helps. */
  again?: string;
}

export class FailurePage {
  private readonly section = element("failure");
  private readonly again: () => void;

  constructor(again: () => void) {
    this.again = again;
  }

  hide(): void {
    this.section.hidden = true;
  }

  error(kind: ErrorKind, message: string, log: string): void {
    this.show(forError(kind, message), log);
  }

  outcome(outcome: Outcome, log: string): void {
    this.show(forOutcome(outcome), outcome.kind === "panic" || outcome.kind === "crash" ? log : "");
  }

  private show({ title, says, list, again }: Page, log: string): void {
    const page = document.createElement("div");
    const heading = text("h1", title);
    heading.id = "failure-title";
    page.append(heading, ...says.map((line) => text("p", line)));
    if (list) {
      const items = document.createElement("ul");
      items.append(...list.map((item) => text("li", item)));
      page.append(items);
    }
    const actions = document.createElement("div");
    actions.className = "actions";
    if (again) actions.append(button(again, this.again));
    if (log) {
      actions.append(button("Save the kernel log", () => save("kernel.log", log)));
      const lines = text("pre", log.trimEnd().split("\n").slice(-TAIL).join("\n"));
      lines.tabIndex = 0;
      lines.setAttribute("aria-label", "End of the kernel log");
      page.append(actions, lines);
      // The end is what matters.
      requestAnimationFrame(() => (lines.scrollTop = lines.scrollHeight));
    } else {
      page.append(actions);
    }
    this.section.replaceChildren(page);
    this.section.hidden = false;
    actions.querySelector("button")?.focus();
  }
}

function forError(kind: ErrorKind, message: string): Page {
  switch (kind) {
    case "unsupported":
      return {
        title: "This browser cannot run the machine",
        says: [
          `It lacks ${missing() ?? "something"}, by which Linux suspends and resumes its tasks.`,
          "Open this page in one of these:",
        ],
        list: BROWSERS.map(({ name, version }) => `${name}, from version ${version} on`),
      };
    case "download":
      return {
        title: navigator.onLine ? "A part of the machine could not be loaded" : "You are offline",
        says: [
          message,
          navigator.onLine
            ? "The server may be busy, or have a new version: try again."
            : "Once this page has been loaded completely, it works offline, too. Go online and try again.",
        ],
        again: "Try again",
      };
    case "memory":
      return {
        title: "There is not enough memory",
        says: [
          message,
          "Close other tabs and programs and try again. A smaller machine needs less: add ?memory=32 to the address.",
        ],
        again: "Try again",
      };
    case "argument":
    case "not-a-program":
      return {
        title: "This machine cannot be had",
        says: [message, "It is the address of this page that asks for it: change that."],
      };
    default:
      return {
        title: "The machine broke",
        says: [
          message,
          "This is a bug of ours, not of what ran in it. Files in the machine are lost.",
        ],
        again: "Boot again",
      };
  }
}

function forOutcome({ kind, message }: Outcome): Page {
  switch (kind) {
    case "panic":
      return {
        title: "Kernel panic",
        says: [
          message || "The kernel has found that it cannot go on.",
          "The machine stands still, and files in it are lost. The end of its log says what happened.",
        ],
        again: "Reboot",
      };
    case "crash":
      return forError("crash", message);
    case "incomplete":
      return forError("download", message);
    default:
      return {
        title: kind === "halt" ? "The machine has halted" : "The machine is off",
        says: ["Its files are gone: they were in its memory."],
        again: "Boot",
      };
  }
}
