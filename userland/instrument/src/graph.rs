//! Who calls whom.
//!
//! A node is a function, or a function type: a call through a table goes to the
//! type, and from there to every function of that type that a table or a
//! reference can name. That is all a call through a table can reach, since its
//! type is checked when it is made. What `casts.rs` adds reaches all that a table
//! can name.

use std::collections::BTreeMap;

use wasmparser::Operator;

use crate::module::Module;
use crate::Error;

pub struct Graph {
    /// Callees of each node, each once: functions, then types.
    edges: Vec<Vec<usize>>,
    functions: usize,
    /// One node for equal types.
    type_node: Vec<usize>,
}

/// The functions and types from which one of some roots can be reached.
pub struct Reach {
    nodes: Vec<bool>,
    type_node: Vec<usize>,
}

impl Graph {
    pub fn new(module: &Module) -> Result<Self, Error> {
        let functions = module.func_types.len();
        let mut canonical = BTreeMap::new();
        let mut type_node = Vec::new();
        for (n, ty) in module.types.iter().enumerate() {
            let key = format!("{ty:?}");
            type_node.push(*canonical.entry(key).or_insert(functions + n));
        }
        let mut edges = vec![Vec::new(); functions + module.types.len()];
        for (n, function) in module.functions.iter().enumerate() {
            let from = module.imported_funcs as usize + n;
            for op in function.body.get_operators_reader()? {
                match op? {
                    Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                        edges[from].push(function_index as usize);
                    }
                    Operator::CallIndirect { type_index, .. }
                    | Operator::ReturnCallIndirect { type_index, .. } => {
                        edges[from].push(type_node[type_index as usize]);
                    }
                    _ => {}
                }
            }
        }
        for function in &module.referenced {
            let ty = module.func_types[*function as usize];
            edges[type_node[ty as usize]].push(*function as usize);
        }
        for to in &mut edges {
            to.sort_unstable();
            to.dedup();
        }
        Ok(Graph { edges, functions, type_node })
    }

    /// Who can reach one of `roots`.
    pub fn reaching(&self, roots: &[u32]) -> Reach {
        let mut callers = vec![Vec::new(); self.edges.len()];
        for (from, to) in self.edges.iter().enumerate() {
            for to in to {
                callers[*to].push(from);
            }
        }
        let mut nodes = vec![false; self.edges.len()];
        let mut work: Vec<usize> = roots.iter().map(|r| *r as usize).collect();
        while let Some(node) = work.pop() {
            if !std::mem::replace(&mut nodes[node], true) {
                work.extend(&callers[node]);
            }
        }
        Reach { nodes, type_node: self.type_node.clone() }
    }

    /// Functions that cut every cycle, few rather than fewest: the targets of
    /// the back edges of a depth-first walk. A cycle that closes at a type is
    /// cut at the caller.
    pub fn cycle_heads(&self) -> Vec<bool> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.edges.len()];
        let mut heads = vec![false; self.functions];
        for root in 0..self.functions {
            if marks[root] != Mark::New {
                continue;
            }
            marks[root] = Mark::Open;
            let mut path = vec![(root, 0)];
            while let Some((node, next)) = path.last_mut() {
                let node = *node;
                let Some(&to) = self.edges[node].get(*next) else {
                    marks[node] = Mark::Done;
                    path.pop();
                    continue;
                };
                *next += 1;
                match marks[to] {
                    Mark::New => {
                        marks[to] = Mark::Open;
                        path.push((to, 0));
                    }
                    Mark::Open => heads[if to < self.functions { to } else { node }] = true,
                    Mark::Done => {}
                }
            }
        }
        heads
    }
}

impl Reach {
    pub fn function(&self, index: u32) -> bool {
        self.nodes[index as usize]
    }

    pub fn indirect(&self, ty: u32) -> bool {
        self.nodes[self.type_node[ty as usize]]
    }
}
