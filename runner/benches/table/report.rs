//! The table, printed line by line as rows are measured.

use crate::sample::{amount, Samples, Unit};
use std::fs;
use std::io::{IsTerminal, Write};

/// What a row should be.
#[derive(Clone, Copy)]
pub enum Goal {
    None,
    /// The figure itself.
    AtMost(f64),
    /// The ratio to the peer.
    Ratio(f64),
}

pub struct Report {
    wanted: Vec<String>,
    known: Vec<&'static str>,
    pub rounds: usize,
    printed: usize,
}

impl Report {
    pub fn new(wanted: Vec<String>, rounds: usize) -> Report {
        Report { wanted, known: Vec::new(), rounds, printed: 0 }
    }

    /// Whether the row was asked for.
    pub fn wants(&mut self, name: &'static str) -> bool {
        self.known.push(name);
        let wants = self.wanted.is_empty() || self.wanted.iter().any(|w| name.contains(w.as_str()));
        if wants {
            if self.printed == 0 {
                heading(self.rounds);
            }
            self.printed += 1;
            // What is measured now, until its line replaces it.
            if std::io::stderr().is_terminal() {
                eprint!("{name} ...\r");
            }
        }
        wants
    }

    pub fn is_empty(&self) -> bool {
        self.printed == 0
    }

    pub fn known(&self) -> &[&'static str] {
        &self.known
    }

    /// A row without a peer.
    pub fn alone(&self, name: &str, unit: Unit, ours: &Samples, goal: Goal) {
        line(name, &ours.show(unit), "", "", &judged(ours.median(), None, unit, goal), "");
    }

    /// A row beside its peer; the ratio.
    pub fn beside(
        &self,
        name: &str,
        unit: Unit,
        (ours, peer): (&Samples, &Samples),
        peer_name: &str,
        goal: Goal,
    ) -> f64 {
        let ratio = ours.median() / peer.median();
        let goal = judged(ours.median(), Some(ratio), unit, goal);
        let times = if ratio.is_finite() { times(ratio) } else { String::new() };
        line(name, &ours.show(unit), &peer.show(unit), &times, &goal, peer_name);
        ratio
    }

    /// A row that sums up the ratios of others.
    pub fn mean(&self, name: &str, ratio: f64, goal: f64) {
        line(
            name,
            "",
            "",
            &times(ratio),
            &judged(0.0, Some(ratio), Unit::Count, Goal::Ratio(goal)),
            "",
        );
    }
}

fn times(ratio: f64) -> String {
    if ratio < 0.1 {
        format!("{ratio:.3}×")
    } else {
        format!("{ratio:.2}×")
    }
}

fn judged(ours: f64, ratio: Option<f64>, unit: Unit, goal: Goal) -> String {
    let (text, met) = match (goal, ratio) {
        (Goal::AtMost(most), _) => (format!("≤ {}", amount(most, unit)), ours <= most),
        (Goal::Ratio(most), Some(ratio)) => (format!("≤ {}", times(most)), ratio <= most),
        (Goal::None | Goal::Ratio(_), _) => return String::new(),
    };
    format!("{text} {}", if met { "met" } else { "MISSED" })
}

fn heading(rounds: usize) {
    let first = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|l| l.starts_with(key)).unwrap_or_default();
        line.rsplit(": ").next().unwrap_or_default().trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    println!(
        "{} × {}, Linux {}, load {}; medians of {rounds} rounds ± half the quartile distance\n",
        cores,
        first("/proc/cpuinfo", "model name"),
        first("/proc/sys/kernel/osrelease", ""),
        first("/proc/loadavg", "").split(' ').next().unwrap_or_default(),
    );
    line("row", "ours", "peer", "ratio", "goal", "the peer");
}

fn line(name: &str, ours: &str, peer: &str, ratio: &str, goal: &str, peer_name: &str) {
    let text = format!("{name:<24} {ours:>16} {peer:>16} {ratio:>8}  {goal:<18} {peer_name}");
    println!("{}", text.trim_end());
    // A row that takes long must not hold back the one before it.
    let _ = std::io::stdout().flush();
}
