use super::*;
use crate::recipe::tests::DEB;

const PINNED: &str = "9141325315c7f1eca682113d185a8c77c82814aa6e32f7e127e61d6106403835";

fn offers(versions: &[(&str, &str)]) -> Vec<Offer> {
    let offer = |(version, sha256): &(&str, &str)| Offer {
        version: version.to_string(),
        sha256: sha256.to_string(),
        size: 1,
        file: "f".into(),
    };
    versions.iter().map(offer).collect()
}

/// By numbers: enough for the versions here, and needs no dpkg.
fn order(a: &str, b: &str) -> Ordering {
    let numbers = |v: &str| -> Vec<u32> {
        v.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect()
    };
    numbers(a).cmp(&numbers(b))
}

fn chosen(text: &str, list: &[(&str, &str)]) -> Result<(Choice, String)> {
    let recipe = Recipe::parse(text).unwrap();
    choose(&recipe, &offers(list), order).map(|(choice, offer)| (choice, offer.version))
}

#[test]
fn a_pinned_archive_comes_before_any_newer() {
    let list = [("6.12.120-1", "x"), ("6.12.117-1", PINNED)];
    assert_eq!(chosen(DEB, &list).unwrap(), (Choice::Pinned, "6.12.117-1".into()));
}

#[test]
fn the_same_version_packed_anew_comes_before_a_newer_one() {
    let list = [("6.12.120-1", "x"), ("6.12.117-1", "y"), ("6.12.117-2", "z")];
    let (choice, version) = chosen(DEB, &list).unwrap();
    assert_eq!(version, "6.12.117-2");
    assert_eq!(mark(&choice), "z");
}

#[test]
fn a_newer_one_is_taken_only_within_the_series() {
    let list = [("6.12.94-1", "x"), ("6.12.120-1", "y"), ("6.12.119-1", "z"), ("6.13.2-1", "w")];
    assert_eq!(chosen(DEB, &list).unwrap().1, "6.12.120-1");
    let error = chosen(DEB, &[("6.12.94-1", "x"), ("6.13.2-1", "w")]).unwrap_err().to_string();
    assert!(error.contains("6.13.2-1"), "{error}");
    let fixed = DEB.replace("series = \"6.12\"", "");
    let error = chosen(&fixed, &[("6.12.120-1", "y")]).unwrap_err().to_string();
    assert!(error.contains("needs a new pin"), "{error}");
}

#[test]
fn another_choice_makes_another_key() {
    let recipe = Recipe::parse(DEB).unwrap();
    let newer = Choice::Newer(offers(&[("6.12.120-1", "x")]).remove(0));
    let text = |choice| format!("{:?}", id(&recipe, choice));
    assert_ne!(text(&Choice::Pinned), text(&newer));
}

#[test]
fn an_archive_on_the_machine_is_taken_when_its_sum_is_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("a.tar");
    fs::write(&archive, "abc").unwrap();
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let recipe = |sum: &str| {
        let text = DEB
            .replace("usr/src/linux-source-6.12.tar.xz", archive.to_str().unwrap())
            .replace("3b8ee8eaec6ff5e1661343ff73ac04ce59d020f552f29543c02f571960d75345", sum);
        Recipe::parse(&text).unwrap()
    };
    assert!(pinned(&recipe(abc), &archive));
    assert!(!pinned(&recipe(&abc.replace('b', "c")), &archive));

    let cache = Cache::at(dir.path().join("cache"), &Progress::new(&[])).unwrap();
    let progress = Progress::new(&[]);
    let mut fetcher = Fetcher::new(&cache, &progress, dir.path().join("log"));
    let (choice, entry) = fetcher.fetch(&recipe(abc)).unwrap();
    assert_eq!(choice, Choice::Pinned);
    // Hurt it in the cache: it is noticed and fetched again.
    fs::write(entry.path(ARCHIVE), "aBc").unwrap();
    let (_, entry) = fetcher.fetch(&recipe(abc)).unwrap();
    assert_eq!(fs::read_to_string(entry.path(ARCHIVE)).unwrap(), "abc");
}
