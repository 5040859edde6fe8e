/**
 * What lies in the file system where the engine has the program: its image section
 * alone, which is all that exec reads.
 */

const HEADER = 8;

/** `program` begins with its image section: the engine has looked. */
export function stub(program: Uint8Array): Uint8Array {
  let size = 0;
  let at = HEADER + 1;
  for (let shift = 0; ; shift += 7) {
    const byte = program[at++] ?? 0;
    size |= (byte & 0x7f) << shift;
    if (byte < 0x80) return program.slice(0, at + size);
  }
}
