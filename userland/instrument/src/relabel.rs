//! Instructions that name labels, when blocks were put around them.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{Catch, Instruction};
use wasmparser::Operator;

use crate::output::Mapper;
use crate::Error;

/// Encodes an instruction; `depth` gives the new depth of the label that had
/// the old one.
pub fn instruction<'a>(
    map: &mut Mapper,
    op: Operator<'a>,
    depth: impl Fn(u32) -> u32,
) -> Result<Instruction<'a>, Error> {
    Ok(match op {
        Operator::Br { relative_depth } => Instruction::Br(depth(relative_depth)),
        Operator::BrIf { relative_depth } => Instruction::BrIf(depth(relative_depth)),
        Operator::BrOnNull { relative_depth } => Instruction::BrOnNull(depth(relative_depth)),
        Operator::BrOnNonNull { relative_depth } => Instruction::BrOnNonNull(depth(relative_depth)),
        Operator::Rethrow { relative_depth } => Instruction::Rethrow(depth(relative_depth)),
        Operator::Delegate { relative_depth } => Instruction::Delegate(depth(relative_depth)),
        Operator::BrTable { targets } => {
            let mut depths = Vec::new();
            for target in targets.targets() {
                depths.push(depth(target?));
            }
            Instruction::BrTable(depths.into(), depth(targets.default()))
        }
        Operator::TryTable { try_table } => {
            let catches = catches(map, &try_table, depth)?;
            Instruction::TryTable(map.block_type(try_table.ty)?, catches.into())
        }
        other => map.instruction(other)?,
    })
}

pub fn catches(
    map: &mut Mapper,
    table: &wasmparser::TryTable,
    depth: impl Fn(u32) -> u32,
) -> Result<Vec<Catch>, Error> {
    let mut catches = Vec::new();
    for catch in &table.catches {
        catches.push(match *catch {
            wasmparser::Catch::One { tag, label } => {
                Catch::One { tag: map.tag_index(tag)?, label: depth(label) }
            }
            wasmparser::Catch::OneRef { tag, label } => {
                Catch::OneRef { tag: map.tag_index(tag)?, label: depth(label) }
            }
            wasmparser::Catch::All { label } => Catch::All { label: depth(label) },
            wasmparser::Catch::AllRef { label } => Catch::AllRef { label: depth(label) },
        });
    }
    Ok(catches)
}
