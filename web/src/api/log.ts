/** Text of which only the end is kept. */
const LIMIT = 1 << 20;

export class Log {
  private pieces: string[] = [];
  private length = 0;

  add(text: string): void {
    this.pieces.push(text);
    this.length += text.length;
    if (this.length > 2 * LIMIT) this.cut();
  }

  text(): string {
    this.cut();
    return this.pieces.join("");
  }

  private cut(): void {
    let text = this.pieces.join("");
    if (text.length > LIMIT) {
      const line = text.indexOf("\n", text.length - LIMIT);
      text = text.slice(line < 0 ? text.length - LIMIT : line + 1);
    }
    this.pieces = [text];
    this.length = text.length;
  }
}
