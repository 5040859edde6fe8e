//! A private apt root: other suites, nothing changed on the machine.
//!
//! Only the places of lists, caches and sources are moved; proxies,
//! credentials and certificates stay those of the machine. Signatures are
//! checked with Debian's own keyring, so what an index says is Debian's word.
//!
//! Builds share the root. apt itself would fail at once where another one has
//! it, so an [`Apt`] holds a lock of ours for as long as it lives.

use crate::lock;
use crate::mirror::Mirror;
use crate::proc;
use crate::progress::Progress;
use anyhow::{bail, Context, Result};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

pub struct Apt {
    root: PathBuf,
    log: PathBuf,
    _lock: File,
}

/// A file that a signed index offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Debian's version of the package.
    pub version: String,
    pub sha256: String,
    pub size: u64,
    /// Name of the file that a download leaves.
    pub file: String,
}

impl Apt {
    /// Sets the root up for `suites` and reads their indexes. They are not read
    /// again if this process has done so (`known`) and nobody else wanted other
    /// suites since.
    pub fn open(
        root: &Path,
        suites: &[String],
        known: bool,
        log: &Path,
        progress: &Progress,
    ) -> Result<Apt> {
        if !Path::new(KEYRING).exists() {
            bail!("Debian's keyring is missing: install the package debian-archive-keyring");
        }
        for dir in ["etc", "lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(root.join(dir))?;
        }
        let whom = "another process that fetches from Debian's mirrors";
        let lock = lock::take(&root.join("lock"), whom, progress)?;
        let apt = Apt { root: root.into(), log: log.into(), _lock: lock };
        let list = root.join("etc/sources.list");
        let wanted = sources(&Mirror::find()?, suites);
        if known && fs::read_to_string(&list).is_ok_and(|now| now == wanted) {
            return Ok(apt);
        }
        fs::write(&list, wanted)?;
        fs::write(root.join("etc/apt.conf"), apt.config())?;
        fs::write(root.join("status"), "")?;
        progress.doing("reading Debian's indexes");
        proc::logged(apt.get().arg("update").args(["--error-on=any"]), &apt.log, |line| {
            if line.starts_with("Get:") {
                progress.doing(&format!("reading Debian's indexes: {line}"));
            }
        })
        .context("cannot read Debian's package indexes: is the network up?")?;
        Ok(apt)
    }

    fn config(&self) -> String {
        let root = self.root.display();
        format!(
            "Dir::Etc::sourcelist \"{root}/etc/sources.list\";\n\
             Dir::Etc::sourceparts \"-\";\n\
             Dir::Etc::preferences \"-\";\n\
             Dir::Etc::preferencesparts \"-\";\n\
             Dir::State::lists \"{root}/lists\";\n\
             Dir::State::status \"{root}/status\";\n\
             Dir::Cache \"{root}/cache\";\n\
             APT::Architectures \"\";\n\
             APT::Sandbox::User \"\";\n\
             Acquire::Languages \"none\";\n\
             Acquire::Retries \"3\";\n\
             Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
             Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled \"false\";\n\
             #clear APT::Update::Pre-Invoke;\n\
             #clear APT::Update::Post-Invoke;\n\
             #clear APT::Update::Post-Invoke-Success;\n\
             #clear DPkg::Post-Invoke;\n"
        )
    }

    fn tool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // Given by -c, not APT_CONFIG: it must win over the machine's files.
        command.arg("-c").arg(self.root.join("etc/apt.conf")).env("LC_ALL", "C.UTF-8");
        command
    }

    fn get(&self) -> Command {
        self.tool("apt-get")
    }

    /// Every version of a binary package in the suites.
    pub fn packages(&self, package: &str) -> Result<Vec<Offer>> {
        Ok(binary_offers(&proc::output(self.tool("apt-cache").args(["show", package]))?))
    }

    /// Every version of a source package, by its file called `file`.
    pub fn sources(&self, package: &str, file: &str) -> Result<Vec<Offer>> {
        let mut show = self.tool("apt-cache");
        let text = proc::output(show.args(["showsrc", "--only-source", package]))?;
        Ok(source_offers(&text, file))
    }

    /// Downloads a binary package into `dir`.
    pub fn download(&self, package: &str, offer: &Offer, dir: &Path, p: &Progress) -> Result<()> {
        let what = format!("{package}={}", offer.version);
        self.fetching(self.get().args(["download", &what]), offer, dir, p)
    }

    /// Downloads the upstream archive of a source package into `dir`.
    pub fn source(&self, package: &str, offer: &Offer, dir: &Path, p: &Progress) -> Result<()> {
        let what = format!("{package}={}", offer.version);
        let args = ["source", "--download-only", "--tar-only", &what];
        self.fetching(self.get().args(args), offer, dir, p)
    }

    fn fetching(&self, get: &mut Command, offer: &Offer, dir: &Path, p: &Progress) -> Result<()> {
        let megabytes = (offer.size as usize).div_ceil(1 << 20);
        let here = dir.to_path_buf();
        let look = move || (bytes_in(&here) >> 20) as usize;
        let _polling = p.poll("downloading MB", megabytes, look);
        proc::logged(get.current_dir(dir), &self.log, |_| ())
            .with_context(|| format!("cannot download {}", offer.file))
    }
}

/// Bytes of the files in `dir`: apt draws no progress into a pipe.
fn bytes_in(dir: &Path) -> u64 {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
}

fn sources(mirror: &Mirror, suites: &[String]) -> String {
    let line = |suite: &String| {
        let uri = mirror.of(suite);
        ["deb", "deb-src"].map(|kind| format!("{kind} [signed-by={KEYRING}] {uri} {suite} main\n"))
    };
    suites.iter().flat_map(line).collect()
}

/// Stanzas of `Field: value` lines, as apt prints them.
fn stanzas(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").filter(|stanza| !stanza.trim().is_empty())
}

fn field<'a>(stanza: &'a str, name: &str) -> Option<&'a str> {
    stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn binary_offers(text: &str) -> Vec<Offer> {
    let offer = |stanza| {
        Some(Offer {
            version: field(stanza, "Version")?.into(),
            sha256: field(stanza, "SHA256")?.into(),
            size: field(stanza, "Size")?.parse().ok()?,
            file: field(stanza, "Filename")?.rsplit('/').next()?.into(),
        })
    };
    stanzas(text).filter_map(offer).collect()
}

fn source_offers(text: &str, file: &str) -> Vec<Offer> {
    let offer = |stanza: &str| {
        let sums = stanza.split_once("Checksums-Sha256:")?.1.lines().skip(1);
        let line = sums
            .take_while(|line| line.starts_with(' '))
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .find(|words| words.len() == 3 && words[2] == file)?;
        Some(Offer {
            version: field(stanza, "Version")?.into(),
            sha256: line[0].into(),
            size: line[1].parse().ok()?,
            file: file.into(),
        })
    };
    stanzas(text).filter_map(offer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_of_a_binary_package() {
        let text = "Package: p\nVersion: 6.12.117-1\nSize: 42\nSHA256: aa\n\
                    Filename: pool/p/p_6.12.117-1_all.deb\nDescription: x\n Version: 9\n\n\
                    Package: p\nVersion: 6.12.94-1\nSize: 41\nSHA256: bb\nFilename: pool/p/q.deb\n\n";
        let offers = binary_offers(text);
        assert_eq!(offers.len(), 2);
        assert_eq!(offers[0].version, "6.12.117-1");
        assert_eq!(offers[0].file, "p_6.12.117-1_all.deb");
        assert_eq!((offers[1].sha256.as_str(), offers[1].size), ("bb", 41));
    }

    #[test]
    fn offers_of_a_source_package_are_its_file() {
        let text = "Package: m\nVersion: 1.2.5-3\nFiles:\n 11 9 m.orig.tar.gz\n\
                    Checksums-Sha256:\n aa 3 m.dsc\n bb 10 m.orig.tar.gz\nHomepage: x\n\n\
                    Package: m\nVersion: 1.2.3-1\nChecksums-Sha256:\n cc 3 old.orig.tar.gz\n\n";
        let offers = source_offers(text, "m.orig.tar.gz");
        assert_eq!(offers.len(), 1);
        assert_eq!((offers[0].sha256.as_str(), offers[0].size), ("bb", 10));
    }
}
