//! What the caller may choose.

use std::collections::BTreeMap;

use crate::Error;

/// How generated code reaches its instance and its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The instance is the first parameter of every function. Portable.
    #[default]
    Base,
    /// x86-64 Linux: memory 0 begins at `%gs:0`, the context at `%gs:-12288`;
    /// no frame ever holds an absolute data address.
    Gs,
}

/// A field of `struct w2c_head` that holds a global instead of the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeadSlot {
    StackPointer,
    TlsBase,
}

impl HeadSlot {
    pub(crate) fn field(self) -> &'static str {
        match self {
            HeadSlot::StackPointer => "stack_pointer",
            HeadSlot::TlsBase => "tls_base",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Options {
    /// Prefix of every C identifier; a C identifier itself.
    pub name: String,
    pub mode: Mode,
    /// Base mode: the instance lies `W2C_CTX_OFFSET` bytes below memory 0, so
    /// memory is reached through the instance pointer alone.
    pub colocated: bool,
    /// Number of code files, which compile in parallel. At least 1.
    pub files: usize,
    /// Poll the word below the memory at loop back-edges and at the entry of
    /// recursive functions.
    pub safepoints: bool,
    /// Export name of a mutable i32 global -> its place in the head.
    pub pinned: BTreeMap<String, HeadSlot>,
    /// Import module -> C prefix: `m.f` is the C function `<prefix>f`.
    pub direct: BTreeMap<String, String>,
    /// An extra header, included after the prototypes' types are known. It may
    /// define a direct import `f` inline if it also defines `W2C_HAVE_f`.
    pub header: Option<String>,
    /// For the specification's tests: an unused load still traps, and
    /// conversions and roundings quiet a signalling NaN.
    pub strict: bool,
    /// A call through a constant table of a function that has another type
    /// arrives, as on real machines, instead of a trap. Closed modules only.
    pub casts: bool,
}

impl Options {
    pub fn new(name: impl Into<String>) -> Options {
        Options {
            name: name.into(),
            mode: Mode::Base,
            colocated: false,
            files: 1,
            safepoints: false,
            pinned: BTreeMap::new(),
            direct: BTreeMap::new(),
            header: None,
            strict: false,
            casts: false,
        }
    }

    /// For a program of the guest: it may fork and be interrupted anywhere, and
    /// its threads have their own stack and thread pointers. C calls functions
    /// through pointers of other types.
    pub fn program(name: impl Into<String>) -> Options {
        let pinned = [
            ("__stack_pointer".to_owned(), HeadSlot::StackPointer),
            ("__tls_base".to_owned(), HeadSlot::TlsBase),
        ];
        Options {
            mode: Mode::Gs,
            safepoints: true,
            casts: true,
            pinned: pinned.into(),
            ..Options::new(name)
        }
    }

    /// A closed module is linked with nothing but C functions: its tables are
    /// constant, its globals private, its memory given by the engine.
    pub(crate) fn closed(&self) -> bool {
        self.mode == Mode::Gs || self.colocated
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let ident = |s: &str| {
            let mut bytes = s.bytes();
            bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
                && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if !ident(&self.name) {
            return Err(Error::Options(format!("`{}` is not a C identifier", self.name)));
        }
        if let Some(p) = self.direct.values().find(|p| !ident(p)) {
            return Err(Error::Options(format!("the import prefix `{p}` is not a C identifier")));
        }
        if let Some(h) = self.header.as_deref().filter(|h| h.contains(['"', '\n', '\\'])) {
            return Err(Error::Options(format!("`{h}` cannot stand in an #include")));
        }
        if self.files == 0 {
            return Err(Error::Options("at least one code file is needed".into()));
        }
        if self.mode == Mode::Gs && self.colocated {
            return Err(Error::Options("`colocated` belongs to base mode".into()));
        }
        if self.casts && !self.closed() {
            return Err(Error::Options("`casts` needs a closed module".into()));
        }
        Ok(())
    }
}
