/** What a caller wants of a machine, checked and completed. */
import { BOOTED_MEMORY, canGoOn } from "../engine/image.ts";
import { MachineError } from "./errors.ts";
import { fetchProgram } from "./machine.ts";
import type { BootOptions } from "./types.ts";
import type { BootRequest, GuestFile } from "../protocol.ts";

const MIB = 1 << 20;
const PAGE = 65536;
const RANGES = {
  memory: { standard: BOOTED_MEMORY, least: 16 * MIB, most: 2048 * MIB },
  processMemory: { standard: 1024 * MIB, least: MIB, most: 4096 * MIB - PAGE },
  userMemory: { standard: 1024 * MIB, least: 16 * MIB, most: 128 * 1024 * MIB },
};

/** Whether the machine goes on from an image rather than boot. */
export function goesOn({ memory = BOOTED_MEMORY, kernelParameters = "" }: BootOptions): boolean {
  return canGoOn(memory, kernelParameters);
}

export async function bootRequest(options: BootOptions): Promise<BootRequest> {
  const programs = await Promise.all((options.programs ?? []).map(fetchProgram));
  return {
    type: "boot",
    memory: size("memory", options.memory),
    processMemory: size("processMemory", options.processMemory),
    userMemory: size("userMemory", options.userMemory),
    kernelParameters: options.kernelParameters ?? "",
    files: Object.entries(options.files ?? {}).map(guestFile),
    disk: options.disk ?? "",
    programs: programs.map(({ name, content }) => ({ name, bytes: content })),
  };
}

function size(name: keyof typeof RANGES, wanted: number | undefined): number {
  const { standard, least, most } = RANGES[name];
  const bytes = Math.ceil((wanted ?? standard) / PAGE) * PAGE;
  // Not a number fails this, too.
  if (bytes >= least && bytes <= most) return bytes;
  const range = `${least / MIB} to ${Math.round(most / MIB)} MiB`;
  throw new MachineError("argument", `${name} is ${wanted} bytes, but can be ${range}.`);
}

type FileValue = NonNullable<BootOptions["files"]>[string];

function guestFile([path, value]: [string, FileValue]): GuestFile {
  const { content, mode = 0o644 } =
    typeof value === "object" && "content" in value ? value : { content: value };
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { path, mode, bytes };
}
