/** What the bundler puts in: see bundle/esbuild.ts. */
declare module "virtual:glue/*" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
