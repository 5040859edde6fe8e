/** Workers' scripts in the deployed folder: filled in when the page is bundled. */
declare const WASMLINUX_WORKER: string;

export const workerScript: string = WASMLINUX_WORKER;
