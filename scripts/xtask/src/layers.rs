//! The edges between our crates are those that ARCHITECTURE.md shows.

use crate::context;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// Crates and what each uses of ours, sorted.
type Edges = BTreeMap<String, Vec<String>>;

fn from_cargo() -> Edges {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(context::root())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let uses = |package: &serde_json::Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        // Ours have a path; what only tests use is no edge of the product.
        let ours = all.filter(|d| d["path"].is_string() && d["kind"] != "dev");
        let mut names: Vec<_> = ours.map(|d| d["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names.dedup();
        names
    };
    packages.iter().map(|p| (p["name"].as_str().unwrap().to_owned(), uses(p))).collect()
}

/// Lines such as ` runner ──► miniio, hostabi`.
fn from_document() -> Edges {
    let text = fs::read_to_string(context::root().join("ARCHITECTURE.md")).unwrap();
    let (_, text) = text.split_once("Crates use each other only downwards").unwrap();
    let block = text.split("```").nth(1).unwrap();
    let edge = |line: &str| {
        let (name, uses) = line.split_once("──►").unwrap();
        let mut uses: Vec<_> = uses.split(',').map(|u| u.trim().to_owned()).collect();
        uses.retain(|u| !u.is_empty());
        uses.sort();
        (name.trim().to_owned(), uses)
    };
    block.lines().filter(|line| !line.trim().is_empty()).map(edge).collect()
}

#[test]
fn the_picture_shows_the_edges_between_crates() {
    assert_eq!(from_document(), from_cargo(), "left: ARCHITECTURE.md; right: cargo metadata");
}
