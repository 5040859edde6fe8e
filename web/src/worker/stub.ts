/**
 * What lies in the file system where the engine has the program: its image section
 * alone, which is all that exec reads.
 */
import { HEADER_LENGTH, Reader } from "../engine/module.ts";

/** `program` begins with its image section: the engine has looked. */
export function stub(program: Uint8Array): Uint8Array {
  const reader = new Reader(program, HEADER_LENGTH);
  reader.byte();
  reader.section();
  return program.slice(0, reader.at);
}
