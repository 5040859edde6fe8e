/** What a person has chosen, kept in the browser where that is allowed. */
import { darkTheme, lightTheme } from "./theme.ts";
import type { ITheme } from "@xterm/xterm";

export type Colours = "system" | "dark" | "light";

export interface Settings {
  fontSize: number;
  colours: Colours;
  screenReader: boolean;
}

const KEY = "wasmlinux.settings";
const SIZES = { least: 8, standard: 15, most: 40 };

const system = matchMedia("(prefers-color-scheme: light)");

export class Preferences {
  readonly settings: Settings = {
    fontSize: SIZES.standard,
    colours: "system",
    screenReader: false,
  };
  /** After every change. */
  onChange: () => void = () => {};

  constructor() {
    try {
      Object.assign(this.settings, checked(JSON.parse(localStorage.getItem(KEY) ?? "{}")));
    } catch {
      // Storage may be forbidden, and its contents anything: then the standard it is.
    }
    system.addEventListener("change", () => this.apply());
    this.apply();
  }

  get theme(): ITheme {
    return this.light ? lightTheme : darkTheme;
  }

  change(change: Partial<Settings>): void {
    Object.assign(this.settings, checked({ ...this.settings, ...change }));
    try {
      localStorage.setItem(KEY, JSON.stringify(this.settings));
    } catch {
      // It holds until the page is left.
    }
    this.apply();
  }

  private get light(): boolean {
    const { colours } = this.settings;
    return colours === "light" || (colours === "system" && system.matches);
  }

  private apply(): void {
    document.documentElement.classList.toggle("light", this.light);
    this.onChange();
  }
}

function checked(value: Partial<Settings>): Partial<Settings> {
  const { fontSize, colours, screenReader } = value;
  return {
    ...(Number.isFinite(fontSize) && {
      fontSize: Math.min(SIZES.most, Math.max(SIZES.least, fontSize!)),
    }),
    ...((colours === "system" || colours === "dark" || colours === "light") && { colours }),
    ...(typeof screenReader === "boolean" && { screenReader }),
  };
}
