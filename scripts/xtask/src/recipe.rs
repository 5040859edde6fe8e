//! Recipes: where an upstream source comes from and how it is known.
//!
//! A recipe pins SHA-256 sums of upstream's source archive. Where it lies is
//! looked up in the signed indexes of Debian's suites at fetch time, so no
//! address is part of a recipe. `CONTRIBUTING.md` describes every field.

use anyhow::{bail, Context, Result};
use serde::Deserialize;
use std::fs;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recipe {
    pub name: String,
    /// Upstream's version.
    pub version: String,
    /// A newer version that begins with this and a dot is accepted when
    /// Debian no longer offers a pinned one.
    pub series: Option<String>,
    pub licence: String,
    /// Who vouches for the pinned sums, for the reader.
    pub provenance: String,
    pub kind: Kind,
    /// The Debian package: binary for `deb`, source for `dsc`.
    pub package: String,
    /// `deb`: path of the archive in the package. `dsc`: its file name.
    #[serde(default)]
    pub archive: String,
    /// Paths of the tree that no build of ours reads, with `*`: not unpacked.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Suites to look in, first to last.
    pub suites: Vec<String>,
    #[serde(rename = "pin")]
    pub pins: Vec<Pin>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A binary package that holds the source archive.
    Deb,
    /// A source package; the archive is its `orig` file, upstream's own.
    Dsc,
    /// A binary package with programs that a build uses; it is the archive itself.
    Package,
}

/// One archive that is known to be good. Several pins hold the same tree,
/// packed by different suites.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pin {
    /// Debian's version of the package, for the reader.
    pub revision: String,
    /// Sum of the archive.
    pub sha256: String,
    /// `deb`: sum of the package, by which the index is searched.
    pub package_sha256: Option<String>,
}

impl Recipe {
    pub fn load(path: &Path) -> Result<Recipe> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the recipe {}", path.display()))?;
        Recipe::parse(&text).with_context(|| format!("in the recipe {}", path.display()))
    }

    pub fn parse(text: &str) -> Result<Recipe> {
        let recipe: Recipe = toml::from_str(text)?;
        recipe.check()?;
        Ok(recipe)
    }

    fn check(&self) -> Result<()> {
        if self.pins.is_empty() || self.suites.is_empty() {
            bail!("{} needs at least one pin and one suite", self.name);
        }
        if self.archive.is_empty() != (self.kind == Kind::Package) {
            bail!("archive belongs to every kind but \"package\"");
        }
        for pin in &self.pins {
            if (self.kind == Kind::Deb) != pin.package_sha256.is_some() {
                bail!("package-sha256 belongs to every pin of kind \"deb\" and to no other");
            }
            for sum in [Some(&pin.sha256), pin.package_sha256.as_ref()].into_iter().flatten() {
                let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                if sum.len() != 64 || !sum.bytes().all(hex) {
                    bail!("\"{sum}\" is not a SHA-256 in lower-case hexadecimal");
                }
            }
        }
        match &self.series {
            Some(_) if self.kind == Kind::Dsc => {
                bail!("series is for kind \"deb\": the orig file of a source package is pinned")
            }
            Some(series) if !in_series(&self.version, series) => {
                bail!("version {} is not of the series {series}", self.version)
            }
            _ => Ok(()),
        }
    }

    /// What a cache key must know of the archive: the rest is for readers.
    pub fn archive_key(&self) -> String {
        let sums: Vec<_> = self.pins.iter().map(|pin| pin.sha256.as_str()).collect();
        format!("{} {} {}", self.name, self.version, sums.join(" "))
    }

    /// The same of the tree that is unpacked from it.
    pub fn tree_key(&self) -> String {
        format!("{} without {}", self.archive_key(), self.exclude.join(" "))
    }

    /// Debian's names of what is pinned.
    pub fn revisions(&self) -> String {
        let list: Vec<_> = self.pins.iter().map(|pin| pin.revision.as_str()).collect();
        list.join(" or ")
    }

    /// Sums by which the archive is found in an index.
    pub fn index_sums(&self) -> impl Iterator<Item = &str> {
        self.pins.iter().map(|pin| pin.package_sha256.as_deref().unwrap_or(&pin.sha256))
    }
}

/// Whether upstream version `version` belongs to `series`: 6.12.9 to 6.12.
pub fn in_series(version: &str, series: &str) -> bool {
    version == series || version.strip_prefix(series).is_some_and(|rest| rest.starts_with('.'))
}

/// Upstream's part of a Debian version: `1:6.12.117-1~deb12u1` is `6.12.117`.
pub fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.rsplit_once('-').map_or(version, |(head, _)| head)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub const DEB: &str = r#"
        name = "linux"
        version = "6.12.117"
        series = "6.12"
        licence = "GPL-2.0-only WITH Linux-syscall-note"
        provenance = "Debian's signed index"
        kind = "deb"
        package = "linux-source-6.12"
        archive = "usr/src/linux-source-6.12.tar.xz"
        suites = ["one-security", "two"]
        [[pin]]
        revision = "6.12.117-1"
        sha256 = "3b8ee8eaec6ff5e1661343ff73ac04ce59d020f552f29543c02f571960d75345"
        package-sha256 = "9141325315c7f1eca682113d185a8c77c82814aa6e32f7e127e61d6106403835"
    "#;

    #[test]
    fn a_recipe_is_read() {
        let recipe = Recipe::parse(DEB).unwrap();
        assert_eq!(recipe.kind, Kind::Deb);
        assert!(recipe.index_sums().next().unwrap().starts_with("9141"));
        let noted = DEB.replace("Debian's signed index", "another note");
        assert_eq!(recipe.tree_key(), Recipe::parse(&noted).unwrap().tree_key());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |from: &str, to: &str| {
            format!("{:#}", Recipe::parse(&DEB.replace(from, to)).unwrap_err())
        };
        assert!(error("kind = \"deb\"", "kind = \"dsc\"").contains("package-sha256"));
        assert!(error("3b8ee8", "3B8ee8").contains("lower-case"));
        assert!(error("series = \"6.12\"", "series = \"6.1\"").contains("series 6.1"));
        assert!(error("licence", "license").contains("unknown field"));
        assert!(error("\"one-security\", \"two\"", "").contains("one suite"));
    }

    #[test]
    fn a_package_is_its_own_archive() {
        let package = DEB.replace("\"deb\"", "\"package\"").replace("package-sha256", "# ");
        assert!(Recipe::parse(&package).is_err());
        let lines = package.lines().filter(|line| !line.contains("archive ="));
        let recipe = Recipe::parse(&lines.collect::<Vec<_>>().join("\n")).unwrap();
        assert!(recipe.index_sums().next().unwrap().starts_with("3b8e"));
    }

    #[test]
    fn series_and_upstream_versions() {
        assert!(in_series("6.12.120", "6.12"));
        assert!(in_series("6.12", "6.12"));
        assert!(!in_series("6.120.1", "6.12"));
        assert_eq!(upstream("1:6.12.117-1~deb12u1"), "6.12.117");
        assert_eq!(upstream("1.2.5"), "1.2.5");
        assert_eq!(upstream("2.0-rc1-3"), "2.0-rc1");
    }
}
