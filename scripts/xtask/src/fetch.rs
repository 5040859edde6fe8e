//! Gets the source archive of a recipe into the cache.
//!
//! Order: an archive that is there already; one that lies on this machine with
//! a pinned sum; a pinned one from Debian's suites; and only if no suite has
//! one of those any more, for a recipe with a `series`, a newer one whose sum
//! Debian's signed index vouches for. That last choice is announced and kept in
//! `resolved/`, and it makes other cache keys.

use crate::apt::{Apt, Offer};
use crate::cache::{Cache, Entry, Id};
use crate::deb;
use crate::key::{sha256_file, KeyBuilder};
use crate::progress::Progress;
use crate::recipe::{in_series, upstream, Kind, Recipe};
use anyhow::{anyhow, bail, Context, Result};
use std::cmp::Ordering;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Name of the archive in its cache entry.
pub const ARCHIVE: &str = "archive";

/// Which archive stands for the recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// One of the pinned ones: they hold the same tree.
    Pinned,
    /// A newer one that the signed index vouches for.
    Newer(Offer),
}

pub struct Fetcher<'a> {
    cache: &'a Cache,
    progress: &'a Progress,
    log: PathBuf,
    /// Whose indexes have been read.
    suites: Vec<String>,
}

impl<'a> Fetcher<'a> {
    pub fn new(cache: &'a Cache, progress: &'a Progress, log: PathBuf) -> Self {
        Fetcher { cache, progress, log, suites: Vec::new() }
    }

    /// What earlier fetches decided: no network.
    pub fn choice(&self, recipe: &Recipe) -> Choice {
        let recorded = || {
            let text = fs::read_to_string(self.record(recipe)).ok()?;
            let mut words = text.split_whitespace();
            Some(Offer {
                version: words.next()?.into(),
                sha256: words.next()?.into(),
                size: words.next()?.parse().ok()?,
                file: words.next()?.into(),
            })
        };
        recorded().map_or(Choice::Pinned, Choice::Newer)
    }

    /// The archive in the cache, fetched if need be, and which one it is.
    pub fn fetch(&mut self, recipe: &Recipe) -> Result<(Choice, Entry)> {
        let choice = self.choice(recipe);
        if let Some(entry) = self.cache.get(&id(recipe, &choice)) {
            return Ok((choice, entry));
        }
        let local = Path::new("/").join(&recipe.archive);
        if recipe.kind == Kind::Deb && pinned(recipe, &local) {
            self.progress.doing("taking the archive that is installed");
            let id = id(recipe, &Choice::Pinned);
            let entry = self.cache.ensure(&id, |m| {
                fs::copy(&local, m.out.join(ARCHIVE))?;
                check_pinned(recipe, &m.out.join(ARCHIVE))
            })?;
            return self.decided(recipe, Choice::Pinned, entry);
        }
        let apt = self.apt(recipe)?;
        let (choice, offer) = self.look_up(recipe, &apt)?;
        let progress = self.progress;
        let entry = self.cache.ensure(&id(recipe, &choice), |m| {
            let arrived = m.work.join(&offer.file);
            match recipe.kind {
                Kind::Deb => {
                    apt.download(&recipe.package, &offer, &m.work, progress)?;
                    check_sum(&arrived, &offer.sha256)?;
                    unpack_member(&arrived, &recipe.archive, &m.out.join(ARCHIVE))?;
                }
                Kind::Dsc => {
                    apt.source(&recipe.package, &offer, &m.work, progress)?;
                    check_sum(&arrived, &offer.sha256)?;
                    fs::rename(&arrived, m.out.join(ARCHIVE))?;
                }
                Kind::Package => {
                    apt.download(&recipe.package, &offer, &m.work, progress)?;
                    check_sum(&arrived, &offer.sha256)?;
                    fs::rename(&arrived, m.out.join(ARCHIVE))?;
                }
            }
            match choice {
                Choice::Pinned => check_pinned(recipe, &m.out.join(ARCHIVE)),
                Choice::Newer(_) => Ok(()),
            }
        })?;
        self.decided(recipe, choice, entry)
    }

    /// Forgets an earlier choice of a newer archive.
    pub fn forget(&self, recipe: &Recipe) {
        let _ = fs::remove_file(self.record(recipe));
    }

    fn decided(&self, recipe: &Recipe, choice: Choice, entry: Entry) -> Result<(Choice, Entry)> {
        match &choice {
            Choice::Pinned => self.forget(recipe),
            Choice::Newer(o) => {
                let path = self.record(recipe);
                fs::create_dir_all(path.parent().expect("a file in resolved/"))?;
                fs::write(path, format!("{} {} {} {}\n", o.version, o.sha256, o.size, o.file))?;
            }
        }
        Ok((choice, entry))
    }

    fn record(&self, recipe: &Recipe) -> PathBuf {
        let key = KeyBuilder::new("resolved 1").text("recipe", &recipe.archive_key()).finish();
        self.cache.root().join("resolved").join(format!("{}-{}", recipe.name, &key.as_str()[..24]))
    }

    /// For the recipe's suites and those that were wanted before.
    fn apt(&mut self, recipe: &Recipe) -> Result<Apt> {
        let known = recipe.suites.iter().all(|suite| self.suites.contains(suite));
        let mut suites = [self.suites.as_slice(), &recipe.suites].concat();
        suites.sort();
        suites.dedup();
        let root = self.cache.root().join("apt");
        let apt = Apt::open(&root, &suites, known, &self.log, self.progress)?;
        self.suites = suites;
        Ok(apt)
    }

    fn look_up(&self, recipe: &Recipe, apt: &Apt) -> Result<(Choice, Offer)> {
        let offers = match recipe.kind {
            Kind::Deb | Kind::Package => apt.packages(&recipe.package)?,
            Kind::Dsc => apt.sources(&recipe.package, &recipe.archive)?,
        };
        let (choice, offer) = choose(recipe, &offers, debian_order)?;
        if let Choice::Newer(offer) = &choice {
            self.progress.note(&format!(
                "NOTICE: no suite has {} {} as pinned any more; taking {} of the series {}, \
                 SHA-256 {} by Debian's signed index",
                recipe.name,
                recipe.version,
                offer.version,
                recipe.series.as_deref().unwrap_or(""),
                offer.sha256
            ));
        }
        Ok((choice, offer))
    }
}

/// Key of the archive's entry.
pub fn id(recipe: &Recipe, choice: &Choice) -> Id {
    let key = KeyBuilder::new("source 1")
        .text("recipe", &recipe.archive_key())
        .text("choice", &mark(choice));
    Id::new(&format!("source-{}", recipe.name), &key.finish())
}

/// The choice as part of the keys of what is made from the archive.
pub fn mark(choice: &Choice) -> String {
    match choice {
        Choice::Pinned => "pinned".into(),
        Choice::Newer(offer) => offer.sha256.clone(),
    }
}

/// Chooses among what the suites offer: a pinned one; else, with a series, a
/// new packing of the same version; else the newest newer one of the series.
fn choose(
    recipe: &Recipe,
    offers: &[Offer],
    order: impl Fn(&str, &str) -> Ordering,
) -> Result<(Choice, Offer)> {
    for sum in recipe.index_sums() {
        if let Some(offer) = offers.iter().find(|o| o.sha256 == sum) {
            return Ok((Choice::Pinned, offer.clone()));
        }
    }
    let there = || {
        let list: Vec<_> = offers.iter().map(|o| o.version.as_str()).collect();
        if list.is_empty() {
            "nothing".into()
        } else {
            list.join(", ")
        }
    };
    let Some(series) = &recipe.series else {
        bail!(
            "{} {} as pinned is in none of {}; they have {}: its recipe needs a new pin",
            recipe.name,
            recipe.version,
            recipe.suites.join(", "),
            there()
        );
    };
    let newer = |o: &&Offer| {
        let version = upstream(&o.version);
        in_series(version, series) && order(version, &recipe.version) == Ordering::Greater
    };
    let same = offers.iter().filter(|o| upstream(&o.version) == recipe.version);
    same.max_by(|a, b| order(&a.version, &b.version))
        .or_else(|| offers.iter().filter(newer).max_by(|a, b| order(&a.version, &b.version)))
        .map(|offer| (Choice::Newer(offer.clone()), offer.clone()))
        .ok_or_else(|| {
            anyhow!(
                "neither {} {} nor a newer one of the series {series} is in {}; they have {}",
                recipe.name,
                recipe.version,
                recipe.suites.join(", "),
                there()
            )
        })
}

/// Debian's order of versions, by dpkg.
fn debian_order(a: &str, b: &str) -> Ordering {
    let holds = |relation: &str| {
        let mut dpkg = Command::new("dpkg");
        dpkg.args(["--compare-versions", a, relation, b]).status().is_ok_and(|s| s.success())
    };
    match (holds("lt"), holds("gt")) {
        (true, _) => Ordering::Less,
        (_, true) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

fn pinned(recipe: &Recipe, path: &Path) -> bool {
    path.is_file() && check_pinned(recipe, path).is_ok()
}

fn check_pinned(recipe: &Recipe, path: &Path) -> Result<()> {
    let sum = sha256_file(path)?;
    if recipe.pins.iter().any(|pin| pin.sha256 == sum) {
        return Ok(());
    }
    bail!("the archive of {} has the SHA-256 {sum}, which its recipe does not pin", recipe.name)
}

fn check_sum(path: &Path, wanted: &str) -> Result<()> {
    let sum = sha256_file(path).with_context(|| format!("no {} arrived", path.display()))?;
    if sum != wanted {
        bail!("{} arrived with the SHA-256 {sum} instead of {wanted}", path.display());
    }
    Ok(())
}

/// Copies one file out of a binary package.
fn unpack_member(package: &Path, member: &str, to: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.args(["-x", "-O", &format!("./{member}")]).stdout(File::create(to)?);
    deb::extract(package, &mut tar, to).with_context(|| format!("cannot unpack {member}"))
}

#[cfg(test)]
mod tests;
