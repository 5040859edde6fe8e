/**
 * The page: one machine, its consoles in tabs, and what surrounds them.
 *
 * ```text
 *  main ─► Begun ─► Machine ◄── App ─┬─ Tabs ── Screen (xterm.js) each
 *                                    ├─ BootLine, LogPanel, FailurePage, notices
 *                                    └─ PhoneKeys, shortcuts, Preferences, drops
 * ```
 */
import { addFiles, acceptDrops } from "./drop.ts";
import { BootLine } from "./boot-line.ts";
import { element } from "./dom.ts";
import { FailurePage } from "./failure.ts";
import { Begun } from "./first.ts";
import { LogPanel } from "./log-panel.ts";
import { bindMenu, closeMenu } from "./menu.ts";
import { notice } from "./notices.ts";
import { PhoneKeys } from "./phone-keys.ts";
import { Screen } from "./screen.ts";
import { Preferences } from "./settings.ts";
import { shortcut, type Actions } from "./shortcuts.ts";
import { Tabs } from "./tabs.ts";
import { keepOffline } from "./update.ts";
import { followViewport } from "./viewport.ts";
import type { MachineError } from "../api/index.ts";
import type { Machine } from "../api/types.ts";
import type { Wishes } from "./address.ts";

/** ms from the boot to the prompt, with much to spare. */
const BEHIND = 500;
/** A shell waits for a line. */
const PROMPT = /[#$] $/;

export class App {
  readonly tabs = new Tabs(element("tabs"));
  machine: Machine | undefined;
  private readonly preferences = new Preferences();
  private readonly bootLine = new BootLine();
  private readonly failure = new FailurePage(() => this.reboot());
  private readonly log = new LogPanel(() => this.tabs.current?.terminal.focus());
  private readonly keys: PhoneKeys;
  private readonly actions: Actions;
  private readonly wanted: Wishes;

  constructor(wanted: Wishes, begun: Begun) {
    this.wanted = wanted;
    this.actions = {
      copy: () => this.copy(),
      newConsole: () => this.openConsole(),
      closeConsole: () => this.tabs.closeCurrent(),
      step: (by) => this.tabs.step(by),
      toggleLog: () => this.log.toggle(),
      leave: () => element("tabs").querySelector<HTMLElement>("[aria-selected=true]")?.focus(),
    };
    this.keys = new PhoneKeys(element("keys"), {
      type: (data) => this.tabs.current?.input(data),
      applicationCursor: () => this.tabs.current?.terminal.modes.applicationCursorKeysMode ?? false,
      paste: () => void this.paste(),
      focus: () => this.tabs.current?.terminal.focus(),
    });
    this.tabs.onNew = () => this.openConsole();
    this.log.source = () => this.machine?.log ?? "";
    this.preferences.onChange = () => {
      for (const screen of this.tabs.screens) screen.dress(this.preferences);
    };
    element("new").addEventListener("click", () => this.openConsole());
    document.addEventListener("keydown", (event) => {
      // Keys of a terminal come through the terminal.
      if (!(event.target as Element).closest(".screen")) shortcut(event, this.actions);
    });
    bindMenu(this.preferences, {
      reboot: () => this.reboot(),
      powerOff: () => void this.machine?.shutdown(),
      add: (files) => void addFiles(files, this.machine),
    });
    acceptDrops(element("screens"), () => this.machine);
    followViewport();
    // Tests and the curious find everything here.
    Object.assign(window, { wasmlinux: this });
    this.show(begun);
  }

  /** Another machine in place of this one. */
  reboot(): void {
    this.machine?.dispose();
    this.machine = undefined;
    this.show(new Begun(this.wanted.options));
  }

  openConsole(): Screen {
    const screen: Screen = new Screen(element("screens"), this.preferences, {
      key: (event) => shortcut(event, this.actions),
      title: (text) => this.tabs.title(screen, text),
      typed: (data) => this.keys.typed(data),
      firstOutput: () => this.bootLine.hide(),
    });
    screen.onRestart = () => this.machine && screen.attach(this.machine);
    this.tabs.add(screen);
    if (this.machine) screen.attach(this.machine);
    return screen;
  }

  private show(begun: Begun): void {
    closeMenu();
    this.failure.hide();
    this.log.clear();
    this.tabs.clear();
    if (begun.error) {
      this.bootLine.hide();
      this.failure.error(begun.error.kind, begun.error.message, "");
      return;
    }
    const machine = begun.machine!;
    this.machine = machine;
    this.bootLine.begin();
    begun.listen({
      progress: (progress) => this.bootLine.show(progress),
      log: (text) => this.log.add(text),
    });
    const screen = this.openConsole();
    if (this.wanted.command !== undefined) typeAtPrompt(screen, this.wanted.command);
    machine.ready.then(
      // Not before: what makes the page work offline must not delay it.
      () => void setTimeout(() => void keepOffline(), BEHIND),
      (error: MachineError) => this.lost(machine, error),
    );
    void Promise.all([machine.disk, machine.ready]).then(
      ([missing]) => missing && notice(`/persist is not there. ${missing}`),
      () => {},
    );
    void machine.ready.then(
      () => machine.outcome.then((outcome) => this.ended(machine, outcome)),
      () => {},
    );
  }

  /** It never was ready. */
  private lost(machine: Machine, error: MachineError): void {
    if (this.machine !== machine) return;
    this.bootLine.hide();
    void machine.outcome.then((outcome) => {
      if (error.kind === "ended") this.failure.outcome(outcome, machine.log);
      else this.failure.error(error.kind, error.message, machine.log);
    });
  }

  private ended(machine: Machine, outcome: Awaited<Machine["outcome"]>): void {
    if (this.machine !== machine) return;
    this.bootLine.hide();
    if (outcome.kind === "restart") this.reboot();
    else this.failure.outcome(outcome, machine.log);
  }

  private copy(): boolean {
    const text = this.tabs.current?.terminal.getSelection() ?? "";
    if (!text) return false;
    const byEvent = () => document.execCommand("copy");
    // The clipboard's interface is there only on https and localhost.
    if (navigator.clipboard) navigator.clipboard.writeText(text).catch(byEvent);
    else byEvent();
    return true;
  }

  private async paste(): Promise<void> {
    try {
      this.tabs.current?.paste(await navigator.clipboard.readText());
    } catch {
      notice("The browser does not let this page paste: use its own menu or keys.", true);
    }
  }
}

/** Once the shell asks for it: what is typed earlier is echoed twice. */
function typeAtPrompt(screen: Screen, command: string): void {
  const watch = screen.terminal.onWriteParsed(() => {
    if (!PROMPT.test(screen.line())) return;
    watch.dispose();
    screen.input(`${command}\r`);
  });
}
