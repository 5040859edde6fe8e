/**
 * `serve.ts FOLDER PORT`: a plain static server on localhost, such as any host for
 * files is. No special headers; the right types, so that browsers compile
 * WebAssembly while it comes in.
 */
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import type { AddressInfo } from "node:net";

const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".ts": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/**
 * `prefix` begins and ends with a slash: the address below which `folder` is. `more`
 * are headers for tests of what other hosts add.
 */
export function serve(
  folder: string,
  prefix = "/",
  more: Record<string, string> = {},
): http.Server {
  const root = path.resolve(folder);
  return http.createServer((request, response) => {
    const refuse = (status: number) => response.writeHead(status).end(`${status}\n`);
    if (request.method !== "GET" && request.method !== "HEAD") return refuse(405);
    let name: string;
    try {
      name = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    } catch {
      return refuse(400);
    }
    if (!name.startsWith(prefix)) return refuse(404);
    let file = path.join(root, name.slice(prefix.length));
    if (file !== root && !file.startsWith(root + path.sep)) return refuse(404);
    if (name.endsWith("/")) file = path.join(file, "index.html");
    fs.stat(file, (error, stat) => {
      if (error || !stat.isFile()) return refuse(404);
      const modified = stat.mtime.toUTCString();
      const headers = {
        "content-type": TYPES[path.extname(file)] ?? "application/octet-stream",
        "last-modified": modified,
        ...more,
      };
      if (request.headers["if-modified-since"] === modified) {
        return response.writeHead(304, headers).end();
      }
      response.writeHead(200, { ...headers, "content-length": stat.size });
      if (request.method === "HEAD") return response.end();
      fs.createReadStream(file)
        .on("error", () => response.destroy())
        .pipe(response);
    });
  });
}

/** The address, once it listens. */
export function listen(server: http.Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "localhost", () => {
      const { port } = server.address() as AddressInfo;
      resolve(`http://localhost:${port}/`);
    });
  });
}

if (import.meta.main) {
  const [folder = "dist", port = "8080"] = process.argv.slice(2);
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65535) {
    console.error(`"${port}" is no port: a number from 0 to 65535 is`);
    process.exit(2);
  }
  try {
    console.log(`${await listen(serve(folder), number)}\nCtrl-C ends the server.`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const inUse = `port ${port} is in use: name another one`;
    console.error(`cannot serve: ${code === "EADDRINUSE" ? inUse : message}`);
    process.exit(1);
  }
}
