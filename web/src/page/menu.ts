/** The menu: what is needed now and then. */
import { element } from "./dom.ts";
import type { Colours, Preferences } from "./settings.ts";

export interface MenuActions {
  reboot(): void;
  powerOff(): void;
  add(files: Iterable<File>): void;
}

const NEXT: Record<Colours, Colours> = { system: "dark", dark: "light", light: "system" };
const LABELS: Record<Colours, string> = {
  system: "Colours: as the system",
  dark: "Colours: dark",
  light: "Colours: light",
};

export function closeMenu(): void {
  element("menu").hidden = true;
  element("menu-button").setAttribute("aria-expanded", "false");
}

export function bindMenu(preferences: Preferences, actions: MenuActions): void {
  const menu = element("menu");
  const opener = element("menu-button");
  const files = element<HTMLInputElement>("file");
  const theme = element("theme");
  const reader = element("reader");
  const on = (id: string, run: () => void) => element(id).addEventListener("click", run);
  const larger = (by: number) =>
    preferences.change({ fontSize: preferences.settings.fontSize + by });
  const labels = () => {
    theme.textContent = LABELS[preferences.settings.colours];
    reader.setAttribute("aria-pressed", String(preferences.settings.screenReader));
  };
  labels();

  opener.addEventListener("click", () => {
    menu.hidden = !menu.hidden;
    opener.setAttribute("aria-expanded", String(!menu.hidden));
    if (!menu.hidden) menu.querySelector("button")?.focus();
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    closeMenu();
    opener.focus();
  });
  document.addEventListener("pointerdown", (event) => {
    const { target } = event;
    if (target instanceof Node && !menu.contains(target) && !opener.contains(target)) closeMenu();
  });

  on("smaller", () => larger(-1));
  on("larger", () => larger(1));
  on("theme", () => {
    preferences.change({ colours: NEXT[preferences.settings.colours] });
    labels();
  });
  on("reader", () => {
    preferences.change({ screenReader: !preferences.settings.screenReader });
    labels();
  });
  on("reboot", () => {
    closeMenu();
    actions.reboot();
  });
  on("power", () => {
    closeMenu();
    actions.powerOff();
  });
  on("add", () => {
    closeMenu();
    files.click();
  });
  files.addEventListener("change", () => {
    actions.add([...(files.files ?? [])]);
    // The same file may be chosen again.
    files.value = "";
  });
}
