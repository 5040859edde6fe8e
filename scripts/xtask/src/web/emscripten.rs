//! Emscripten and wasm-opt: Debian's packages, of which only what is used is unpacked,
//! into the cache. They are those of one suite on every machine, so wasm-opt brings the
//! C library that it was built for.
//!
//! ```text
//! emscripten/  emcc.py, src/, tools/, cache/sysroot/{include,lib}
//! binaryen/    bin/wasm-opt, lib/x86_64-linux-gnu/{ld-linux-x86-64.so.2, ...}
//! ```

use crate::cache::{Entry, Id, Making};
use crate::context::Context;
use crate::deb;
use crate::fetch::{self, Fetcher, ARCHIVE};
use crate::key::KeyBuilder;
use crate::recipe::Recipe;
use anyhow::{bail, Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package, where its files go without so many leading folders, and which files.
struct Part {
    name: &'static str,
    to: &'static str,
    strip: usize,
    members: &'static [&'static str],
}

const EMSCRIPTEN: &str = "emscripten";
const BINARYEN: &str = "binaryen";
const LIBRARIES: &str = "lib/x86_64-linux-gnu";

const PARTS: [Part; 5] = [
    Part {
        name: "emscripten",
        to: EMSCRIPTEN,
        strip: 4,
        members: &[
            "./usr/share/emscripten/emcc.py",
            "./usr/share/emscripten/emscripten-version.txt",
            "./usr/share/emscripten/src",
            "./usr/share/emscripten/tools",
            "./usr/share/emscripten/third_party",
            // It looks at what they are made of when it starts.
            "./usr/share/emscripten/system/lib/compiler-rt/lib/builtins",
            "./usr/share/emscripten/system/lib/mimalloc/src",
            "./usr/share/emscripten/cache/sysroot_install.stamp",
            "./usr/share/emscripten/cache/sysroot/include",
            "./usr/share/emscripten/cache/sysroot/lib/wasm32-emscripten/libbulkmemory.a",
            "./usr/share/emscripten/cache/sysroot/lib/wasm32-emscripten/libc.a",
            "./usr/share/emscripten/cache/sysroot/lib/wasm32-emscripten/libcompiler_rt.a",
            "./usr/share/emscripten/cache/sysroot/lib/wasm32-emscripten/libemmalloc.a",
            "./usr/share/emscripten/cache/sysroot/lib/wasm32-emscripten/libnoexit.a",
            "./usr/share/emscripten/cache/sysroot/lib/wasm32-emscripten/libstubs.a",
        ],
    },
    Part {
        name: "binaryen",
        to: BINARYEN,
        strip: 2,
        members: &["./usr/bin/wasm-opt", "./usr/lib/x86_64-linux-gnu/libbinaryen.so"],
    },
    Part {
        name: "libc6",
        to: BINARYEN,
        strip: 2,
        members: &[
            "./usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
            "./usr/lib/x86_64-linux-gnu/libc.so.6",
            "./usr/lib/x86_64-linux-gnu/libm.so.6",
        ],
    },
    Part {
        name: "libstdc++6",
        to: BINARYEN,
        strip: 2,
        members: &["./usr/lib/x86_64-linux-gnu/libstdc++.so*"],
    },
    Part {
        name: "libgcc-s1",
        to: BINARYEN,
        strip: 2,
        members: &["./usr/lib/x86_64-linux-gnu/libgcc_s.so.1"],
    },
];

/// The tools, unpacked.
pub struct Tools {
    pub entry: Entry,
}

impl Part {
    fn recipe(&self, ctx: &Context) -> Result<Recipe> {
        Recipe::load(&ctx.path(&format!("web/host/toolchain/{}.recipe.toml", self.name)))
    }
}

pub fn recipes(ctx: &Context) -> Result<Vec<Recipe>> {
    PARTS.iter().map(|part| part.recipe(ctx)).collect()
}

pub fn ensure(ctx: &Context, fetcher: &mut Fetcher) -> Result<Tools> {
    let recipes = recipes(ctx)?;
    let id = |fetcher: &Fetcher| -> Id {
        let mut key = KeyBuilder::new("emscripten 1");
        for (part, recipe) in PARTS.iter().zip(&recipes) {
            key = key
                .text("recipe", &recipe.archive_key())
                .text("choice", &fetch::mark(&fetcher.choice(recipe)))
                .text("members", &part.members.join(" "));
        }
        Id::new("emscripten", &key.finish())
    };
    if let Some(entry) = ctx.cache.get(&id(fetcher)) {
        return Ok(Tools { entry });
    }
    let mut packages = Vec::new();
    for recipe in &recipes {
        packages.push(fetcher.fetch(recipe)?.1.path(ARCHIVE));
    }
    let entry = ctx.cache.ensure(&id(fetcher), |making| unpack_all(ctx, making, &packages))?;
    Ok(Tools { entry })
}

fn unpack_all(ctx: &Context, making: &Making, packages: &[PathBuf]) -> Result<()> {
    for (part, package) in PARTS.iter().zip(packages) {
        ctx.progress.doing(&format!("unpacking {}", part.name));
        let to = making.out.join(part.to);
        fs::create_dir_all(&to)?;
        let mut tar = Command::new("tar");
        tar.args(["-x", "--no-same-owner", "--wildcards"])
            .arg(format!("--strip-components={}", part.strip))
            .arg("-C")
            .arg(&to)
            .args(part.members);
        deb::extract(package, &mut tar, &to)
            .with_context(|| format!("cannot unpack {}", part.name))?;
    }
    Ok(())
}

impl Tools {
    /// The C headers and libraries.
    pub fn sysroot(&self) -> PathBuf {
        self.entry.dir().join(EMSCRIPTEN).join("cache/sysroot")
    }

    /// The linker. `work` takes its temporary files and its settings.
    pub fn emcc(&self, work: &Path) -> Result<Command> {
        let settings = [
            ("EMSCRIPTEN_ROOT", self.entry.dir().join(EMSCRIPTEN)),
            ("LLVM_ROOT", llvm()?),
            // Of it nothing is called: see `wasm_opt`.
            ("BINARYEN_ROOT", self.entry.dir().join(BINARYEN)),
            ("NODE_JS", "node".into()),
        ];
        let settings = settings.map(|(name, value)| format!("{name} = {value:?}\n")).concat();
        let config = work.join("emscripten.config");
        fs::write(&config, settings + "FROZEN_CACHE = True\n")?;
        let mut emcc = Command::new("python3");
        // It is not to write into the cache what Python makes of it.
        emcc.args(["-E", "-B"]).arg(self.entry.dir().join(EMSCRIPTEN).join("emcc.py"));
        emcc.env("EM_CONFIG", config).env("TMPDIR", work).env("EMCC_SKIP_SANITY_CHECK", "1");
        Ok(emcc)
    }

    /// By the C library it was built for.
    pub fn wasm_opt(&self) -> Command {
        let place = self.entry.dir().join(BINARYEN);
        let libraries = place.join(LIBRARIES);
        let mut command = Command::new(libraries.join("ld-linux-x86-64.so.2"));
        command.arg("--library-path").arg(&libraries).arg(place.join("bin/wasm-opt"));
        command
    }
}

/// The folder of LLVM's programs: `clang-19` is a link into it.
fn llvm() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let links = std::env::split_paths(&path).map(|dir| dir.join("clang-19"));
    let real = links.filter_map(|link| fs::canonicalize(link).ok()).next();
    match real.as_deref().and_then(Path::parent) {
        Some(dir) => Ok(dir.into()),
        None => bail!("clang-19 is not installed: run scripts/setup"),
    }
}
