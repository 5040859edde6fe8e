/**
 * Keys that are the page's. They have Ctrl and Shift, which no terminal key has,
 * and are none that browsers keep for themselves.
 */

export interface Actions {
  copy(): boolean;
  newConsole(): void;
  closeConsole(): void;
  step(by: number): void;
  toggleLog(): void;
  /** Out of the terminal, which takes Tab for itself. */
  leave(): void;
}

/** True: the terminal does not get the key. */
export function shortcut(event: KeyboardEvent, actions: Actions): boolean {
  if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return false;
  // The browser pastes: that needs no permission.
  if (event.code === "KeyV") return true;
  const action = {
    KeyC: () => void actions.copy(),
    Enter: () => actions.newConsole(),
    KeyX: () => actions.closeConsole(),
    ArrowLeft: () => actions.step(-1),
    ArrowRight: () => actions.step(1),
    ArrowUp: () => actions.leave(),
    KeyL: () => actions.toggleLog(),
  }[event.code];
  if (!action) return false;
  event.preventDefault();
  if (event.type === "keydown") action();
  return true;
}
