/** Consoles in tabs, after the ARIA pattern: arrows move, Delete closes. */
import { button } from "./dom.ts";
import type { Screen } from "./screen.ts";

interface Tab {
  screen: Screen;
  /** The two buttons. */
  element: HTMLElement;
  label: HTMLButtonElement;
}

export class Tabs {
  /** Asked for a new console. */
  onNew: () => void = () => {};
  private readonly tabs: Tab[] = [];
  private selected: Tab | undefined;
  private count = 0;
  private readonly list: HTMLElement;

  constructor(list: HTMLElement) {
    this.list = list;
    list.addEventListener("keydown", (event) => this.key(event));
  }

  get screens(): Screen[] {
    return this.tabs.map((tab) => tab.screen);
  }

  get current(): Screen | undefined {
    return this.selected?.screen;
  }

  add(screen: Screen): void {
    const name = `Console ${++this.count}`;
    const element = document.createElement("div");
    element.className = "tab";
    // The roles of tabs belong to the buttons inside.
    element.setAttribute("role", "presentation");
    const tab: Tab = { screen, element, label: button(name, () => this.select(tab)) };
    tab.label.setAttribute("role", "tab");
    tab.label.id = `tab-${this.count}`;
    screen.element.id = `screen-${this.count}`;
    screen.element.setAttribute("role", "tabpanel");
    screen.element.setAttribute("aria-labelledby", tab.label.id);
    tab.label.setAttribute("aria-controls", screen.element.id);
    const close = button("×", () => this.close(tab));
    close.className = "close";
    close.tabIndex = -1;
    close.setAttribute("aria-label", `Close ${name}`);
    close.title = "Close (Ctrl-Shift-X)";
    element.append(tab.label, close);
    this.tabs.push(tab);
    this.list.append(element);
    this.select(tab);
  }

  title(screen: Screen, text: string): void {
    const tab = this.tabs.find((tab) => tab.screen === screen);
    if (!tab || !text) return;
    tab.label.textContent = text.length > 30 ? `${text.slice(0, 29)}…` : text;
  }

  /** The tab so many places to the right. */
  step(by: number): void {
    const at = this.tabs.indexOf(this.selected!);
    const next = this.tabs[(at + by + this.tabs.length) % this.tabs.length];
    if (next) this.select(next);
  }

  closeCurrent(): void {
    if (this.selected) this.close(this.selected);
  }

  clear(): void {
    for (const { screen, element } of this.tabs.splice(0)) {
      screen.dispose();
      element.remove();
    }
    this.selected = undefined;
    this.count = 0;
  }

  private select(tab: Tab): void {
    this.selected = tab;
    for (const each of this.tabs) {
      const on = each === tab;
      each.element.classList.toggle("selected", on);
      each.label.setAttribute("aria-selected", String(on));
      each.label.tabIndex = on ? 0 : -1;
      each.screen.select(on);
    }
    tab.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private close(tab: Tab): void {
    const at = this.tabs.indexOf(tab);
    if (at < 0) return;
    this.tabs.splice(at, 1);
    tab.screen.dispose();
    tab.element.remove();
    const next = this.tabs[Math.min(at, this.tabs.length - 1)];
    if (next) this.select(next);
    // A page without a console would only be empty.
    else this.onNew();
  }

  private key(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };
    const by = steps[event.key];
    if (by) this.step(by);
    else if (event.key === "Delete") this.closeCurrent();
    else return;
    event.preventDefault();
    this.selected?.label.focus();
  }
}
