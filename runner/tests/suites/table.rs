//! The results of a suite, judged: pass, expected failure with its reason, fail.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::suite::Suite;
use crate::unit::{Report, Verdict};

/// How the reason of a case begins that may pass or fail: its own timing decides,
/// as its reason explains.
const RACE: &str = "race: ";

/// Lines of a log shown with a failure.
const TAIL: usize = 15;

pub struct Table<'a> {
    suite: &'a Suite,
    rows: Vec<Row>,
    /// Expected failures that have not been met yet.
    open: BTreeMap<(String, String), String>,
    took: Duration,
}

struct Row {
    unit: String,
    case: String,
    result: Outcome,
}

enum Outcome {
    Pass,
    Skip(String),
    /// With its reason.
    ExpectedFail(String),
    Fail {
        why: String,
        log: PathBuf,
    },
}

impl<'a> Table<'a> {
    pub fn new(suite: &'a Suite) -> Table<'a> {
        let mut open = BTreeMap::new();
        for (unit, cases) in &suite.expected {
            for (case, reason) in cases {
                open.insert((unit.clone(), case.clone()), reason.clone());
            }
        }
        Table { suite, rows: Vec::new(), open, took: Duration::ZERO }
    }

    /// This unit is not run: what it would do is not expected.
    pub fn leave(&mut self, unit: &str) {
        self.open.retain(|(of, _), _| of != unit);
    }

    /// The suite as a whole cannot be run.
    pub fn broken(&mut self, why: &str) {
        self.row("", "", Outcome::Fail { why: why.into(), log: PathBuf::new() });
    }

    pub fn add(&mut self, report: Report) {
        self.took += report.took;
        let fail = |why: &str| Outcome::Fail { why: why.into(), log: report.log.clone() };
        let whole = report.broken.map(|why| ("*".to_owned(), Verdict::Fail, why));
        let cases = report.cases.into_iter().map(|(case, v)| (case, v, "fails".to_owned()));
        for (case, verdict, why) in cases.chain(whole) {
            let reason = self.open.remove(&(report.unit.clone(), case.clone()));
            let result = match (verdict, reason) {
                (Verdict::Pass, None) => Outcome::Pass,
                (Verdict::Skip(word), None) => Outcome::Skip(word),
                (Verdict::Fail, Some(reason)) => Outcome::ExpectedFail(reason),
                (Verdict::Fail, None) => fail(&why),
                (Verdict::Pass, Some(reason)) if reason.starts_with(RACE) => Outcome::Pass,
                (_, Some(reason)) => fail(&format!("does not fail any more, although: {reason}")),
            };
            self.row(&report.unit, &case, result);
        }
    }

    /// All units have run: what was expected and not seen is a mistake.
    pub fn finish(&mut self) {
        for ((unit, case), _) in std::mem::take(&mut self.open) {
            let why = "is in expected.toml, but no case is called so".to_owned();
            self.row(&unit, &case, Outcome::Fail { why, log: PathBuf::new() });
        }
    }

    fn row(&mut self, unit: &str, case: &str, result: Outcome) {
        self.rows.push(Row { unit: unit.into(), case: case.into(), result });
    }

    fn count(&self, which: impl Fn(&Outcome) -> bool) -> usize {
        self.rows.iter().filter(|row| which(&row.result)).count()
    }

    /// An expected failure is what must be: it counts as passed.
    pub fn passed(&self) -> usize {
        self.count(|r| matches!(r, Outcome::Pass | Outcome::ExpectedFail(_)))
    }

    pub fn failed(&self) -> usize {
        self.count(|r| matches!(r, Outcome::Fail { .. }))
    }

    pub fn skipped(&self) -> usize {
        self.count(|r| matches!(r, Outcome::Skip(_)))
    }

    /// One line of counts, then what did not simply pass.
    pub fn report(&self) -> String {
        let expected = self.count(|r| matches!(r, Outcome::ExpectedFail(_)));
        let mut out = format!(
            "suite {}: {} passed, {expected} expected failures, {} skipped by itself, {} failed \
             ({:.1} s)\n",
            self.suite.name,
            self.count(|r| matches!(r, Outcome::Pass)),
            self.skipped(),
            self.failed(),
            self.took.as_secs_f64(),
        );
        for row in &self.rows {
            let Row { unit, case, result } = row;
            match result {
                Outcome::Pass | Outcome::Skip(_) => {}
                Outcome::ExpectedFail(reason) => {
                    let _ = writeln!(out, "  expected  {unit}: {case} -- {reason}");
                }
                Outcome::Fail { why, log } => {
                    let _ = writeln!(out, "  FAIL      {unit}: {case} {why}");
                    if case == "*" || case.is_empty() {
                        out += &tail(log);
                    }
                }
            }
        }
        out
    }

    /// Every case on a line.
    pub fn listing(&self) -> String {
        let mut out = String::new();
        for Row { unit, case, result } in &self.rows {
            let (word, why) = match result {
                Outcome::Pass => ("pass", ""),
                Outcome::Skip(word) => ("skip", word.as_str()),
                Outcome::ExpectedFail(reason) => ("expected-fail", reason.as_str()),
                Outcome::Fail { why, .. } => ("FAIL", why.as_str()),
            };
            let _ = writeln!(out, "{word}\t{unit}\t{case}\t{why}");
        }
        out
    }
}

fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    for line in &lines[lines.len().saturating_sub(TAIL)..] {
        let _ = writeln!(out, "            {line}");
    }
    out + &format!("            (all of it: {})\n", log.display())
}
