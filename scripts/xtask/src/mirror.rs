//! Where Debian's archive is, as this machine knows it.
//!
//! No address is written in this repository. In this order: the environment
//! (`WASMLINUX_DEBIAN_MIRROR`, `WASMLINUX_DEBIAN_SECURITY`), the machine's own
//! apt entries, and on a machine that is not Debian the template that
//! python-apt-common carries.

use crate::proc::output;
use anyhow::{bail, Result};
use std::env;
use std::fs;
use std::process::Command;

const TEMPLATE: &str = "/usr/share/python-apt/templates/Debian.info";

const RELEASES: &[&str] =
    &["bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable", "oldstable"];

/// Base addresses of the main and the security archive.
#[derive(Debug, PartialEq, Eq)]
pub struct Mirror {
    main: String,
    security: String,
}

impl Mirror {
    pub fn find() -> Result<Mirror> {
        let set = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
        let main = set("WASMLINUX_DEBIAN_MIRROR");
        let security = set("WASMLINUX_DEBIAN_SECURITY");
        if let Some(main) = main {
            return Ok(Mirror::complete(main, security));
        }
        // Without Release files, which a machine that never ran "apt-get
        // update" does not have.
        let format = "$(RELEASE) $(COMPONENT) $(REPO_URI)";
        let entries = output(Command::new("apt-get").args([
            "indextargets",
            "--no-release-info",
            "--format",
            format,
        ]))?;
        if let Some(mirror) = Mirror::from_entries(&entries) {
            return Ok(mirror);
        }
        if let Some(mirror) = fs::read_to_string(TEMPLATE).ok().and_then(|t| from_template(&t)) {
            return Ok(mirror);
        }
        bail!(
            "this machine's apt knows no Debian archive: \
             install python-apt-common or set WASMLINUX_DEBIAN_MIRROR to the address of a mirror"
        )
    }

    /// The base address for a suite.
    pub fn of(&self, suite: &str) -> &str {
        if suite.ends_with("-security") {
            &self.security
        } else {
            &self.main
        }
    }

    fn complete(main: String, security: Option<String>) -> Mirror {
        // Mirrors that carry both put them side by side under these names.
        let security =
            security.unwrap_or_else(|| format!("{}-security/", main.trim_end_matches('/')));
        Mirror { main, security }
    }

    /// From lines of release, component and address. Other archives use
    /// Debian's release names too, so an address counts the more the more it
    /// looks like Debian's own.
    fn from_entries(entries: &str) -> Option<Mirror> {
        let rows: Vec<(&str, &str)> = entries
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let (release, component, uri) = (words.next()?, words.next()?, words.next()?);
                (component == "main").then_some((release, uri))
            })
            .collect();
        let has = |uri: &str, end: &str| rows.iter().any(|(r, u)| *u == uri && r.ends_with(end));
        let main = rows
            .iter()
            .filter(|(release, _)| RELEASES.contains(release))
            .map(|(_, uri)| *uri)
            .max_by_key(|uri| {
                let named = uri.trim_end_matches('/').ends_with("/debian");
                2 * u32::from(named) + u32::from(has(uri, "-updates"))
            })?;
        let security = rows
            .iter()
            .filter(|(release, _)| {
                release.strip_suffix("-security").is_some_and(|r| RELEASES.contains(&r))
            })
            .map(|(_, uri)| uri.to_string())
            .max_by_key(|uri| uri.contains("security"));
        Some(Mirror::complete(main.into(), security))
    }
}

fn from_template(text: &str) -> Option<Mirror> {
    let mut suite = "";
    let mut main = None;
    let mut security = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("Suite: ") {
            suite = name;
        } else if let Some(uri) = line.strip_prefix("BaseURI: ") {
            let slot = match suite {
                "{series}" | "trixie" | "bookworm" => &mut main,
                "{series}-security" | "trixie-security" | "bookworm-security" => &mut security,
                _ => continue,
            };
            slot.get_or_insert(uri.to_string());
        }
    }
    Some(Mirror::complete(main?, security))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(main: &str, security: &str) -> Mirror {
        Mirror { main: main.into(), security: security.into() }
    }

    #[test]
    fn the_machines_own_entries_are_used() {
        let entries = "bookworm main http://m.example/debian/\n\
                       bookworm-updates main http://m.example/debian/\n\
                       bookworm-security main http://s.example/debian-security/\n";
        let found = Mirror::from_entries(entries).unwrap();
        let wanted = mirror("http://m.example/debian/", "http://s.example/debian-security/");
        assert_eq!(found, wanted);
        assert_eq!(found.of("trixie-security"), "http://s.example/debian-security/");
        assert_eq!(found.of("trixie"), "http://m.example/debian/");
    }

    #[test]
    fn other_archives_do_not_pass_for_debians() {
        let entries = "bookworm main http://vendor.example/apt/\n\
                       bookworm main http://m.example/debian\n\
                       bookworm stable http://docker.example/debian\n";
        let wanted = mirror("http://m.example/debian", "http://m.example/debian-security/");
        assert_eq!(Mirror::from_entries(entries).unwrap(), wanted);
        assert_eq!(Mirror::from_entries("noble main http://u.example/ubuntu/\n"), None);
    }

    #[test]
    fn python_apts_template_serves_where_apt_knows_no_debian() {
        let text = "Suite: {series}\nBaseURI: https://m.example/debian/\n\n\
                    Suite: {series}-security\nBaseURI: https://s.example/\n";
        let wanted = mirror("https://m.example/debian/", "https://s.example/");
        assert_eq!(from_template(text).unwrap(), wanted);
    }
}
