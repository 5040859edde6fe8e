/** Whether this browser can run a machine. */
import { MachineError } from "./errors.ts";

/** Browsers that have what is needed, from which version on. */
export const BROWSERS = [
  { name: "Chrome, Edge, Opera and other Chromium browsers", version: "137" },
  { name: "Firefox", version: "153" },
  { name: "Safari", version: "27" },
] as const;

/** Undefined, or what is missing. */
export function missing(): string | undefined {
  if (typeof WebAssembly !== "object") return "WebAssembly";
  // JSPI: suspends WebAssembly stacks, one for each task of the guest.
  if (!("Suspending" in WebAssembly) || !("promising" in WebAssembly)) {
    return "JavaScript Promise Integration for WebAssembly (JSPI)";
  }
  if (typeof Worker !== "function") return "web workers";
  return undefined;
}

export function unsupported(what: string): MachineError {
  const list = BROWSERS.map(({ name, version }) => `${name} from ${version} on`).join("; ");
  return new MachineError("unsupported", `This browser lacks ${what}. What has it: ${list}.`);
}
