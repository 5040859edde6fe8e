//! A function body decoded: each instruction with what it takes from the
//! operand stack and what it leaves there, as values with a name.

use wasmparser::{BlockType, FrameKind, ModuleArity, Operator, ValType};

use crate::module::Function;
use crate::Error;

pub struct Op<'a> {
    pub op: Operator<'a>,
    pub offset: u64,
    /// Whether control gets here. What it does not get to is dropped.
    pub reachable: bool,
    pub pops: usize,
    /// The values it pushes: `first_push..first_push + pushes`.
    pub first_push: usize,
    pub pushes: usize,
    /// The end of what it begins; the beginning of what it ends or divides.
    pub partner: usize,
}

pub struct Body<'a> {
    pub ops: Vec<Op<'a>>,
    pub params: usize,
    /// Types of parameters and locals.
    pub locals: Vec<ValType>,
    /// Types of the values on the operand stack, in the order of their making.
    pub values: Vec<ValType>,
}

/// What is open while a body is decoded.
struct Open {
    start: usize,
    first_param: usize,
    params: usize,
}

pub fn is_start(op: &Operator) -> bool {
    matches!(
        op,
        Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. }
    )
}

pub fn block_type(op: &Operator) -> Option<BlockType> {
    match op {
        Operator::Block { blockty }
        | Operator::Loop { blockty }
        | Operator::If { blockty }
        | Operator::Try { blockty } => Some(*blockty),
        Operator::TryTable { try_table } => Some(try_table.ty),
        _ => None,
    }
}

/// Ends an arm and begins the next one of the same structure.
pub fn is_divider(op: &Operator) -> bool {
    matches!(op, Operator::Else | Operator::Catch { .. } | Operator::CatchAll)
}

pub fn is_end(op: &Operator) -> bool {
    matches!(op, Operator::End | Operator::Delegate { .. })
}

impl<'a> Body<'a> {
    pub fn decode(function: Function<'a>) -> Result<Self, Error> {
        let Function { validate, body } = function;
        let mut validator = validate.into_validator(Default::default());
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        let locals: Vec<ValType> = (0..validator.len_locals())
            .map(|n| validator.get_local_type(n).expect("it is below the number of locals"))
            .collect();
        let declared: u32 = body
            .get_locals_reader()?
            .into_iter()
            .map(|pair| pair.map(|(count, _)| count))
            .sum::<Result<u32, _>>()?;

        let mut ops: Vec<Op> = Vec::new();
        let mut values = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        for item in body.get_operators_reader()?.into_iter_with_offsets() {
            let (op, offset) = item?;
            let index = ops.len();
            let frame = validator.get_control_frame(0).expect("the function is open");
            // A block that begins in dead code is as dead, though the validator
            // begins anew there.
            let reachable =
                !frame.unreachable && open.last().is_none_or(|o| ops[o.start].reachable);
            let (frame_type, frame_kind) = (frame.block_type, frame.kind);
            let mut found = Op {
                op,
                offset,
                reachable,
                pops: 0,
                first_push: values.len(),
                pushes: 0,
                partner: usize::MAX,
            };
            let op = &found.op;
            if is_divider(op) || is_end(op) {
                let last = if is_end(op) { open.pop() } else { None };
                let of = last.as_ref().or(open.last());
                if let Some(of) = of {
                    found.partner = of.start;
                    if is_end(op) {
                        ops[of.start].partner = index;
                    }
                }
                let starts = of.is_none_or(|of| ops[of.start].reachable);
                let (_, results) = validator.block_type_arity(frame_type).unwrap_or_default();
                match (op, of) {
                    // The other arm begins with the same parameters.
                    (Operator::Else, Some(of)) => {
                        found.first_push = of.first_param;
                        found.pushes = of.params;
                    }
                    (Operator::Catch { tag_index }, _) if starts => {
                        let arity = validator.tag_type_arity(*tag_index).unwrap_or_default();
                        found.pushes = arity.0 as usize;
                    }
                    (_, Some(_)) if is_end(op) && starts => found.pushes = results as usize,
                    _ => {}
                }
                debug_assert!(frame_kind != FrameKind::Loop || !is_divider(op));
            } else if reachable {
                let (pops, pushes) = op.operator_arity(&validator).ok_or(Error::Unsupported {
                    what: "an instruction",
                    offset,
                    why: "it is not known what it does to the operand stack",
                })?;
                (found.pops, found.pushes) = (pops as usize, pushes as usize);
                if let Some(ty) = block_type(op) {
                    // The arity of `if` counts its results.
                    let (params, _) = validator.block_type_arity(ty).unwrap_or_default();
                    found.pushes = params as usize;
                }
            }
            if is_start(op) {
                open.push(Open { start: index, first_param: values.len(), params: found.pushes });
            }
            validator.op(offset, op)?;
            if !matches!(op, Operator::Else) {
                for n in (0..found.pushes).rev() {
                    let ty = validator.get_operand_type(n).flatten();
                    values.push(ty.ok_or(Error::Unsupported {
                        what: "a value",
                        offset,
                        why: "it has no type",
                    })?);
                }
            }
            ops.push(found);
        }
        let params = locals.len() - declared as usize;
        Ok(Body { ops, params, locals, values })
    }
}
