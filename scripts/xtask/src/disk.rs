//! `disk.blocks`: an empty ext4 file system, for disks that are made.
//!
//! Only its blocks that are not zero, each behind its number (little-endian,
//! 32 bits): a few dozen of 65,536.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::key::KeyBuilder;
use crate::proc::logged;
use anyhow::Result;
use std::fs;
use std::process::Command;

pub const BLOCKS: &str = "disk.blocks";

/// As `DISK_SIZE` of the runner.
const SIZE: &str = "256M";
const BLOCK: usize = 4096;
/// A journal of 4 MiB is the smallest; the identity is the same on every disk. All
/// that is not a file's lies at the beginning, without copies: a browser that keeps
/// the disk in memory, as for a private window, makes room up to the last byte
/// that was written.
const OPTIONS: &[&str] = &[
    "-q",
    "-F",
    "-t",
    "ext4",
    "-b",
    "4096",
    "-m",
    "0",
    "-N",
    "16384",
    "-J",
    "size=4",
    "-L",
    "persist",
    "-U",
    "0a4a6d3c-6f1b-4d2e-9a64-77616c696e78",
    "-O",
    "^metadata_csum_seed,^orphan_file,^resize_inode,sparse_super2",
    "-E",
    "lazy_itable_init=0,lazy_journal_init=0,packed_meta_blocks=1,num_backup_sb=0,\
     hash_seed=0a4a6d3c-6f1b-4d2e-9a64-77616c696e78",
];

pub fn ensure(ctx: &Context) -> Result<Entry> {
    let key = KeyBuilder::new("disk 2").text("options", &OPTIONS.join(" ")).finish();
    ctx.cache.ensure(&Id::new("disk", &key), |making| {
        let image = making.work.join("image");
        // Not in everybody's PATH.
        let mut mke2fs = Command::new("/sbin/mke2fs");
        logged(mke2fs.args(OPTIONS).arg(&image).arg(SIZE), &ctx.log("disk"), |_| {})?;
        let image = fs::read(image)?;
        let mut blocks = Vec::new();
        for (number, block) in image.chunks(BLOCK).enumerate() {
            if block.iter().any(|byte| *byte != 0) {
                blocks.extend_from_slice(&u32::try_from(number)?.to_le_bytes());
                blocks.extend_from_slice(block);
            }
        }
        fs::write(making.out.join(BLOCKS), blocks).map_err(Into::into)
    })
}
