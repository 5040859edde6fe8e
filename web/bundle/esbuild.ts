/** esbuild, with what this build wants of it. */
import path from "node:path";
import { build } from "esbuild";

interface Wanted {
  web: string;
  /** Output name to source, relative to `web`. */
  entries: Record<string, string>;
  define?: Record<string, string>;
  /** Modules `virtual:NAME/FILE.wasm` are the bytes of FILE.wasm in a folder. */
  inline?: Record<string, string>;
  /** What is imported later may be files of its own. */
  split?: boolean;
}

export class Bundle {
  private readonly files: Map<string, Uint8Array>;

  constructor(files: Map<string, Uint8Array>) {
    this.files = files;
  }

  file(name: string): Uint8Array {
    const bytes = this.files.get(name);
    if (!bytes) throw new Error(`esbuild has made ${[...this.files.keys()]}, but no ${name}`);
    return bytes;
  }

  others(name: string): [string, Uint8Array][] {
    return [...this.files].filter(([other]) => other !== name);
  }
}

export async function bundle(wanted: Wanted): Promise<Bundle> {
  const { web, entries, define = {}, inline = {}, split = false } = wanted;
  const { outputFiles } = await build({
    absWorkingDir: web,
    entryPoints: entries,
    outdir: "/out",
    write: false,
    bundle: true,
    format: "esm",
    splitting: split,
    // The form of a sum in a name is known to sw.ts.
    chunkNames: "chunk-[hash]",
    minify: true,
    target: "es2024",
    legalComments: "none",
    define,
    loader: { ".wasm": "binary" },
    plugins: [
      {
        name: "inline",
        setup(all) {
          all.onResolve({ filter: /^virtual:/ }, ({ path: name }) => {
            const [folder, ...rest] = name.slice("virtual:".length).split("/");
            const place = inline[folder!];
            return place ? { path: path.resolve(place, ...rest) } : null;
          });
        },
      },
    ],
  });
  return new Bundle(new Map(outputFiles.map((file) => [path.basename(file.path), file.contents])));
}
