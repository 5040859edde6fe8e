//! Which tables never change, so that they are read-only data.

use std::collections::BTreeMap;

use crate::module::{Const, Kind, Module, Placement};
use crate::options::Options;
use crate::plan::Callee;
use crate::scan::Scan;
use crate::Error;

/// Entries of `struct w2c_func` in read-only data.
pub struct ConstTable {
    /// Index of the first entry that is not null.
    pub first: u32,
    pub entries: Vec<Option<u32>>,
}

impl ConstTable {
    /// The array as a C expression, in the module `name`.
    pub fn array(&self, name: &str, t: usize) -> String {
        match self.entries.len() {
            0 => "(const struct w2c_func *)0".into(),
            _ => format!("{name}_table{t}"),
        }
    }
}

/// `Some` if table `t` can be constant; in a closed module it must be.
pub fn const_table(
    m: &Module<'_>,
    options: &Options,
    scan: &Scan,
    callees: &[Callee],
    t: u32,
) -> Result<Option<ConstTable>, Error> {
    let table = &m.tables[t as usize];
    let offset = m.elems.first().map_or(0, |e| e.offset);
    let refuse = |why: &str| match options.closed() {
        true => Err(Error::unsupported(offset, format!("a table that {why} in this mode is"))),
        false => Ok(None),
    };
    if scan.tables_written.contains(&t) {
        return refuse("changes at run time");
    }
    let exported = m.exports.iter().any(|e| e.kind == Kind::Table && e.index == t);
    if !options.closed() && (table.import.is_some() || exported || scan.tables_read.contains(&t)) {
        return Ok(None);
    }
    let mut slots = BTreeMap::new();
    for elem in &m.elems {
        let Placement::Active { index, offset } = elem.placement else {
            continue;
        };
        if index != t {
            continue;
        }
        let Const::I32(at) = offset else {
            return refuse("is filled at a computed place");
        };
        if at as u64 + elem.items.len() as u64 > table.min as u64 {
            return match options.closed() {
                true => {
                    Err(Error::unsupported(elem.offset, "an element segment beyond its table is"))
                }
                false => Ok(None),
            };
        }
        for (i, item) in (at..).zip(&elem.items) {
            match item {
                Const::Func(f) if callees[*f as usize] != Callee::Linked => {
                    slots.insert(i, Some(*f))
                }
                Const::Null => slots.insert(i, None),
                _ => return refuse("holds imported functions or globals"),
            };
        }
    }
    let first = slots.keys().next().copied().unwrap_or(0);
    let end = slots.keys().next_back().map_or(first, |l| l + 1);
    if (end - first) as usize > 16 * slots.len() + 65536 {
        return refuse("has wide gaps");
    }
    let entries = (first..end).map(|i| slots.get(&i).copied().flatten()).collect();
    Ok(Some(ConstTable { first, entries }))
}
