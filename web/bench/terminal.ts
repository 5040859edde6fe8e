/** A terminal that shows a prompt and has no machine: what a browser needs for that alone. */
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";

const terminal = new Terminal({ cursorBlink: false });
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.open(document.body);
fit.fit();
terminal.write("~ # ", () => console.debug("prompt at " + performance.now()));
