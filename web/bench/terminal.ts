/** A terminal that shows a prompt and has no machine: what a browser needs for that alone. */
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";

/** As page.ts waits for it. */
declare const PROMPT: string;

const terminal = new Terminal({ cursorBlink: false });
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.open(document.body);
fit.fit();
terminal.write("~ # ", () => console.debug(PROMPT + performance.now()));
