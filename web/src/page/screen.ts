/**
 * One terminal of the page, and the console behind it.
 *
 * xterm.js draws and makes bytes of keys; editing, echo and signals are the
 * guest's tty's.
 */
import { FitAddon } from "@xterm/addon-fit";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import type { Console, Machine, Terminal as Shown } from "../api/types.ts";
import type { Preferences } from "./settings.ts";

const SCROLLBACK = 10_000;
const FONTS = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

export interface ScreenEvents {
  /** True: the page has used the key. */
  key(event: KeyboardEvent): boolean;
  title(text: string): void;
  /** Changes what is typed: the phone's Ctrl key. */
  typed(data: string): string;
  /** The console's first output. */
  firstOutput(): void;
}

export class Screen {
  readonly terminal: Terminal;
  readonly element = document.createElement("div");
  /** What the person types here when there is no session. */
  onRestart: () => void = () => {};
  private readonly fit = new FitAddon();
  private readonly observer = new ResizeObserver(() => this.resize());
  private readonly events: ScreenEvents;
  private session: Console | undefined;
  private seen = false;
  private frame = 0;

  constructor(parent: HTMLElement, preferences: Preferences, events: ScreenEvents) {
    this.events = events;
    this.terminal = new Terminal({
      allowProposedApi: true,
      // A cursor that blinks keeps an idle tab at 6 % of a core.
      cursorBlink: false,
      fontFamily: FONTS,
      scrollback: SCROLLBACK,
      // Alt makes Escape sequences also on a Mac.
      macOptionIsMeta: true,
    });
    this.element.className = "screen";
    parent.append(this.element);
    this.terminal.loadAddon(this.fit);
    this.terminal.loadAddon(new WebLinksAddon((_, uri) => window.open(uri, "_blank", "noopener")));
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.unicode.activeVersion = "11";
    this.terminal.attachCustomKeyEventHandler((event) => !events.key(event));
    this.terminal.onTitleChange((title) => events.title(title));
    this.terminal.onData((data) => {
      if (!this.session && data === "\r") this.onRestart();
    });
    this.dress(preferences);
    this.terminal.open(this.element);
    this.observer.observe(this.element);
    this.fit.fit();
  }

  /** Opens a console of `machine` here. */
  attach(machine: Machine): void {
    const session = machine.terminal(this.shown());
    this.session = session;
    void session.closed.then((reason) => {
      if (this.session !== session) return;
      this.session = undefined;
      this.say(`The session is over: ${reason}. Enter begins a new one.`);
    });
  }

  /** A line that is the page's, not the guest's. */
  say(text: string): void {
    const fresh = this.terminal.buffer.active.cursorX > 0 ? "\r\n" : "";
    // Leaves the alternate screen and whatever colours a program set.
    this.terminal.write(`\x1b[?1049l\x1b[!p${fresh}\x1b[2m[${text}]\x1b[0m\r\n`);
  }

  input(data: string): void {
    void this.session?.input(data);
  }

  paste(data: string): void {
    this.terminal.paste(data);
  }

  dress({ settings, theme }: Preferences): void {
    const { options } = this.terminal;
    options.fontSize = settings.fontSize;
    options.theme = theme;
    options.screenReaderMode = settings.screenReader;
    if (this.terminal.element) this.resize();
  }

  select(selected: boolean): void {
    this.element.classList.toggle("selected", selected);
    if (selected) this.terminal.focus();
  }

  /** What is shown and what has scrolled away: for tests and for copying all. */
  text(): string {
    const { active } = this.terminal.buffer;
    const lines: string[] = [];
    for (let row = 0; row < active.length; row++) {
      const line = active.getLine(row)!;
      const text = line.translateToString(true);
      if (line.isWrapped && lines.length > 0) lines.push((lines.pop() ?? "") + text);
      else lines.push(text);
    }
    return lines.join("\n").trimEnd();
  }

  /** The line that the cursor is in, up to the cursor. */
  line(): string {
    const { active } = this.terminal.buffer;
    const line = active.getLine(active.baseY + active.cursorY);
    return line?.translateToString(false, 0, active.cursorX) ?? "";
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.session?.close();
    this.session = undefined;
    this.terminal.dispose();
    this.element.remove();
  }

  private shown(): Shown {
    const { terminal, events } = this;
    return {
      rows: terminal.rows,
      cols: terminal.cols,
      write: (data, done) => {
        if (!this.seen) events.firstOutput();
        this.seen = true;
        terminal.write(data, done);
      },
      onData: (listener) => terminal.onData((data) => listener(events.typed(data))),
      onBinary: (listener) => terminal.onBinary(listener),
      onResize: (listener) => terminal.onResize(listener),
    };
  }

  /** Once a frame: a window that is dragged sends hundreds of sizes. */
  private resize(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      // A hidden page has no size to follow.
      if (this.element.clientWidth > 0 && this.element.clientHeight > 0) this.fit.fit();
    });
  }
}
