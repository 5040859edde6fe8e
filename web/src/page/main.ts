/** The page's first script: small, so that the machine's parts are soon on their way. */
import { wishes } from "./address.ts";
import { Begun } from "./first.ts";

const wanted = wishes(location.search);
const begun = new Begun(wanted.options);
await begun.started;
const { App } = await import("./app.ts");
new App(wanted, begun);
