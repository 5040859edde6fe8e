use super::*;

use wasmparser::{DataKind, Parser, Payload};

/// A module as wasm-ld writes it for a shared memory, by hand: one segment of
/// data, one of thread-local storage, and the start function that copies them.
struct Linked {
    import: &'static [u8],
    exports: Vec<(&'static str, u8, u8)>,
    data_address: u8,
    body: Vec<u8>,
}

const FUNC: u8 = 0;
const TABLE: u8 = 1;
const GLOBAL: u8 = 3;

impl Linked {
    fn new() -> Self {
        Linked {
            // linux.syscall of type 1
            import: b"\x05linux\x07syscall\x00\x01",
            exports: vec![
                ("_start", FUNC, 2),
                ("__wasm_thread_start", FUNC, 2),
                ("__wasm_signal", FUNC, 3),
                ("__indirect_function_table", TABLE, 0),
                ("__stack_pointer", GLOBAL, 0),
                ("__tls_base", GLOBAL, 1),
                ("__heap_base", GLOBAL, 2),
            ],
            data_address: 4,
            body: Vec::new(),
        }
    }

    fn build(self) -> Vec<u8> {
        let mut module = image::HEADER.to_vec();
        let mut section = |id, content: &[u8]| wasm::section(&mut module, id, content);
        // ()->(), (i32, i64*6)->i32, (i32)->(), (i32*5)->()
        section(1, b"\x04\x60\0\0\x60\x07\x7f\x7e\x7e\x7e\x7e\x7e\x7e\x01\x7f\x60\x01\x7f\0\x60\x05\x7f\x7f\x7f\x7f\x7f\0");
        let mut imports = vec![2];
        // shared, with a maximum
        imports.extend(b"\x03env\x06memory\x02\x03\x02\x80\x80\x04");
        imports.extend(self.import);
        section(id::IMPORT, &imports);
        section(3, b"\x03\0\x02\x03");
        section(4, b"\x01\x70\0\x01");
        // stack pointer, TLS base (mutable), heap base = 0x12345
        section(6, b"\x03\x7f\x01\x41\0\x0b\x7f\x01\x41\0\x0b\x7f\0\x41\xc5\xc6\x04\x0b");
        let mut exports = vec![self.exports.len() as u8];
        for (name, kind, index) in self.exports {
            wasm::bytes(&mut exports, name.as_bytes());
            exports.extend([kind, index]);
        }
        section(id::EXPORT, &exports);
        section(id::START, &[1]);
        section(12, &[2]);
        let mut code = vec![3];
        let copy = |n: u8, at: u8, len: u8| {
            // i32.const at * 16384 (three bytes), i32.const 0, i32.const len, memory.init n
            vec![0x41, 0x80, 0x80, at, 0x41, 0, 0x41, len, 0xfc, 8, n, 0]
        };
        let mut start = vec![0];
        start.extend(copy(0, self.data_address, 3));
        start.extend(copy(1, 5, 2));
        start.extend(self.body);
        start.extend([0xfc, 9, 0, 0x0b]);
        wasm::bytes(&mut code, &start);
        wasm::bytes(&mut code, &[0, 0x0b]);
        wasm::bytes(&mut code, &[0, 0x0b]);
        section(id::CODE, &code);
        section(id::DATA, b"\x02\x01\x03abc\x01\x02xy");
        section(id::CUSTOM, b"\x09producersxxx");
        section(id::CUSTOM, b"\x04name\x00\x02\x01m");
        module
    }
}

#[test]
fn data_becomes_active_and_thread_local_storage_stays_passive() {
    let module = finish(&Linked::new().build()).unwrap();
    let mut segments = Vec::new();
    for payload in Parser::new(0).parse_all(&module) {
        match payload.unwrap() {
            Payload::DataSection(reader) => {
                for data in reader {
                    let data = data.unwrap();
                    segments.push((matches!(data.kind, DataKind::Passive), data.data.to_vec()));
                }
            }
            Payload::StartSection { .. } => panic!("it still starts by itself"),
            Payload::CustomSection(custom) => {
                assert!(["linux.image", "name"].contains(&custom.name()))
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    if let wasmparser::TypeRef::Memory(memory) = import.unwrap().ty {
                        assert!(!memory.shared && memory.maximum.is_none() && memory.initial == 2);
                    }
                }
            }
            Payload::ExportSection(reader) => {
                assert!(reader.into_iter().all(|e| e.unwrap().name != "__heap_base"));
            }
            _ => {}
        }
    }
    assert_eq!(segments, [(false, b"abc".to_vec()), (true, b"xy".to_vec())]);
}

#[test]
fn the_image_comes_first_and_names_the_rest() {
    let module = finish(&Linked::new().build()).unwrap();
    let image = Image::parse(&module).unwrap();
    assert_eq!((image.data_start, image.data_end, image.flags), (0x10000, 0x13000, 0));
    let end = 8 + 2 + 12 + 48;
    assert_eq!(Image::identify(image.data_end, &module[end..]), image);
    assert!(end < 256, "exec reads no more than that");
    assert_eq!(module, finish(&Linked::new().build()).unwrap());
}

#[test]
fn what_no_engine_offers_is_refused_by_name() {
    let unknown = Linked { import: b"\x03env\x04fork\x00\x01", ..Linked::new() };
    let error = finish(&unknown.build()).unwrap_err();
    assert!(
        matches!(&error, Error::UnknownImport { module, name } if module == "env" && name == "fork")
    );

    let wrong = Linked { import: b"\x05linux\x04fork\x00\x01", ..Linked::new() };
    assert!(
        matches!(finish(&wrong.build()), Err(Error::ImportType { name, .. }) if name == "fork")
    );
}

#[test]
fn a_module_that_is_no_program_is_refused() {
    let mut linked = Linked::new();
    linked.exports.remove(2);
    assert!(matches!(finish(&linked.build()), Err(Error::NoExport("__wasm_signal"))));

    let low = Linked { data_address: 3, ..Linked::new() };
    assert!(matches!(finish(&low.build()), Err(Error::LowData(0xc000))));

    // call 2
    let calls = Linked { body: vec![0x41, 0, 0x10, 2], ..Linked::new() };
    assert!(matches!(finish(&calls.build()), Err(Error::StartFunction(_))));

    assert!(matches!(finish(b"\0asm"), Err(Error::Invalid(_))));
    let finished = finish(&Linked::new().build()).unwrap();
    assert!(matches!(finish(&finished), Err(Error::Finished)));
}
