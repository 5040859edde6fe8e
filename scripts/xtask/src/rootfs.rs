//! `rootfs.cpio`: the guest's first file system.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::key::KeyBuilder;
use anyhow::{Context as _, Result};
use std::fs;
use wasmlinux_rootfs::{add_applets, add_manifest, Cpio};

pub const IMAGE: &str = "rootfs.cpio";

/// The skeleton with BusyBox and a link for each of its applets.
pub fn ensure(ctx: &Context, busybox: &Entry) -> Result<Entry> {
    let dir = ctx.path("userland/rootfs");
    let key = KeyBuilder::new("rootfs 1")
        .tree("rootfs", &dir, |_| true)?
        .text("busybox", &busybox.contents())
        .finish();
    ctx.cache.ensure(&Id::new("rootfs", &key), |making| {
        let links = fs::read_to_string(busybox.path("busybox.links"))?;
        let program = fs::read(busybox.path("busybox.wasm"))?;
        fs::write(making.out.join(IMAGE), archive(ctx, &program, &links)?).map_err(Into::into)
    })
}

/// The skeleton with a BusyBox.
pub fn archive(ctx: &Context, busybox: &[u8], links: &str) -> Result<Vec<u8>> {
    let dir = ctx.path("userland/rootfs");
    let manifest = fs::read_to_string(dir.join("manifest"))?;
    let cpio = add_manifest(Cpio::new(), &manifest, &dir.join("skeleton"))
        .context("in userland/rootfs/manifest")?;
    Ok(add_applets(cpio, busybox, links).finish()?)
}
