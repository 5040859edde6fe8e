//! Figures, their median and their spread.

use anyhow::Result;

/// The unit of a figure; times are held in nanoseconds.
#[derive(Clone, Copy)]
pub enum Unit {
    Time,
    /// A time, shown as throughput of so many bytes.
    Rate(u64),
    Bytes,
    Count,
    Ratio,
}

pub struct Samples(Vec<f64>);

impl Samples {
    pub fn new(mut values: Vec<f64>) -> Samples {
        assert!(!values.is_empty(), "a figure needs a measurement");
        values.sort_by(f64::total_cmp);
        Samples(values)
    }

    fn quantile(&self, q: f64) -> f64 {
        let at = q * (self.0.len() - 1) as f64;
        let (low, high) = (self.0[at.floor() as usize], self.0[at.ceil() as usize]);
        low + (high - low) * at.fract()
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The median, and half the distance of the quartiles in per cent of it.
    pub fn show(&self, unit: Unit) -> String {
        let median = self.median();
        let text = amount(median, unit);
        if self.0.len() < 2 || median == 0.0 {
            return text;
        }
        let spread = (self.quantile(0.75) - self.quantile(0.25)) / 2.0 / median;
        format!("{text} ±{:.0}%", spread * 100.0)
    }
}

pub fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Time if value < 1e3 => format!("{value:.1} ns"),
        Unit::Time if value < 1e6 => format!("{:.2} µs", value / 1e3),
        Unit::Time if value < 1e9 => format!("{:.2} ms", value / 1e6),
        Unit::Time => format!("{:.2} s", value / 1e9),
        Unit::Rate(bytes) => format!("{:.0} MB/s", bytes as f64 * 1e3 / value),
        Unit::Bytes => format!("{:.1} MiB", value / f64::from(1 << 20)),
        Unit::Count => format!("{value:.0}"),
        Unit::Ratio => format!("{value:.2}×"),
    }
}

/// Measures ours and the peer in turn; the first round only warms up.
pub fn in_turn(
    rounds: usize,
    mut ours: impl FnMut() -> Result<f64>,
    mut peer: impl FnMut() -> Result<f64>,
) -> Result<(Samples, Samples)> {
    ours()?;
    peer()?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        a.push(ours()?);
        b.push(peer()?);
    }
    Ok((Samples::new(a), Samples::new(b)))
}

/// The same without a peer.
pub fn alone(rounds: usize, mut ours: impl FnMut() -> Result<f64>) -> Result<Samples> {
    ours()?;
    Ok(Samples::new((0..rounds).map(|_| ours()).collect::<Result<_>>()?))
}
