/**
 * Debian's Firefox, driven by WebDriver BiDi (w3c.github.io/webdriver-bidi), which it
 * speaks itself: Playwright drives only a Firefox of its own.
 */
import { spawn, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const PATIENCE = 60_000;
const LISTENING = /WebDriver BiDi listening on (ws:\S+)/;
/** How often a condition is looked at, in ms. */
const LOOK = 30;
/** Keys that are no characters, as WebDriver writes them. */
const KEYS: Record<string, string> = {
  Enter: "\uE006",
  Escape: "\uE00C",
  Control: "\uE009",
  Shift: "\uE008",
};

type Answer = Record<string, any>;

export class Firefox {
  private readonly waiting = new Map<
    number,
    { settle(value: Answer): void; fail(e: Error): void }
  >();
  private readonly socket: WebSocket;
  private readonly process: ChildProcess;
  private readonly profile: string;
  private context = "";
  private last = 0;

  static async start(program: string): Promise<Firefox> {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), "wasmlinux-firefox-"));
    const options = ["--headless", "--no-remote", "--profile", profile];
    const process_ = spawn(program, [...options, "--remote-debugging-port", "0", "about:blank"], {
      env: { ...process.env, HOME: profile },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const address = await new Promise<string>((resolve, reject) => {
      let said = "";
      process_.stderr!.on("data", (bytes) => {
        said += bytes;
        const found = LISTENING.exec(said);
        if (found) resolve(found[1]!);
      });
      process_.on("exit", () => reject(new Error(`Firefox ended: ${said}`)));
    });
    const socket = new WebSocket(`${address}/session`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error(`no connection to ${address}`));
    });
    const firefox = new Firefox(socket, process_, profile);
    await firefox.call("session.new", { capabilities: {} });
    const { contexts } = await firefox.call("browsingContext.getTree", {});
    firefox.context = contexts[0].context;
    return firefox;
  }

  private constructor(socket: WebSocket, process: ChildProcess, profile: string) {
    this.socket = socket;
    this.process = process;
    this.profile = profile;
    socket.onmessage = ({ data }) => {
      const { id, type, result, message } = JSON.parse(data);
      const waiter = this.waiting.get(id);
      this.waiting.delete(id);
      if (type === "error") waiter?.fail(new Error(message));
      else waiter?.settle(result);
    };
  }

  async open(url: string): Promise<void> {
    await this.call("browsingContext.navigate", { context: this.context, url, wait: "complete" });
  }

  /** The value of an expression, if it is a string, a number or a boolean. */
  async evaluate(expression: string): Promise<unknown> {
    const target = { context: this.context };
    const { result, exceptionDetails } = await this.call("script.evaluate", {
      expression,
      target,
      awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (!(await this.evaluate(`Boolean(${expression})`))) {
      if (Date.now() > deadline) throw new Error(`never: ${expression}\n${await this.text()}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }

  text(): Promise<unknown> {
    return this.evaluate("window.wasmlinux?.tabs.current?.text() ?? document.body.innerText");
  }

  prompt(): Promise<void> {
    return this.until("/[#$] $/.test(window.wasmlinux?.tabs.current?.line() ?? '')");
  }

  type(text: string): Promise<Answer> {
    return this.press([...text].flatMap((c) => [down(c), up(c)]));
  }

  /** "Control+Shift+Enter" */
  key(combination: string): Promise<Answer> {
    const keys = combination.split("+");
    return this.press([...keys.map(down), ...keys.reverse().map(up)]);
  }

  async shot(file: string): Promise<void> {
    const { data } = await this.call("browsingContext.captureScreenshot", {
      context: this.context,
    });
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, Buffer.from(data, "base64"));
  }

  async resize(width: number, height: number): Promise<void> {
    const viewport = { width, height };
    await this.call("browsingContext.setViewport", { context: this.context, viewport });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.socket.close();
    this.process.kill();
    await ended;
    fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  private press(actions: object[]): Promise<Answer> {
    const keyboard = { type: "key", id: "keyboard", actions };
    return this.call("input.performActions", { context: this.context, actions: [keyboard] });
  }

  private call(method: string, params: object): Promise<Answer> {
    const id = ++this.last;
    return new Promise((settle, fail) => {
      this.waiting.set(id, { settle, fail });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

const down = (key: string) => ({ type: "keyDown", value: KEYS[key] ?? key });
const up = (key: string) => ({ type: "keyUp", value: KEYS[key] ?? key });
