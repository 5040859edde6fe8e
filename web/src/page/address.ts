/** What the address asks for: `?cmd=…&memory=…&program=URL&append=…&disk=NAME`. */
import type { BootOptions } from "../api/types.ts";

const MIB = 1 << 20;

export interface Wishes {
  /** Typed into the first console. */
  command: string | undefined;
  options: BootOptions;
}

export function wishes(search: string): Wishes {
  const query = new URLSearchParams(search);
  const megabytes = (name: string) => {
    const value = query.get(name);
    return value === null ? undefined : Number(value) * MIB;
  };
  const [memory, processMemory] = [megabytes("memory"), megabytes("process-memory")];
  const parameters = query.get("append");
  const disk = query.get("disk") ?? "home";
  return {
    command: query.get("cmd") ?? undefined,
    options: {
      ...(memory !== undefined && { memory }),
      ...(processMemory !== undefined && { processMemory }),
      ...(parameters !== null && { kernelParameters: parameters }),
      ...(disk && { disk }),
      programs: query.getAll("program"),
    },
  };
}
