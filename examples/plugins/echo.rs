//! A whole plugin in Rust without a crate: it serves ai.generate by saying back what it was asked.
//!
//!     rustc --edition 2021 --crate-type cdylib -O examples/plugins/echo.rs -o echo_rust.so
#![allow(non_camel_case_types)]

use std::ffi::{c_char, c_void, CStr};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;

// The part of aib_plugin.h that this plugin uses; bindgen writes all of it.
const AIB_MAGIC: u32 = 0x3142_4941;
const AIB_ABI_MAJOR: u16 = 0;
const AIB_ABI_MINOR: u16 = 1;
const AIB_OK: i32 = 0;
const AIB_E_INVALID: i32 = -1;
const AIB_E_INTERNAL: i32 = -9;
const AIB_CHUNK_TEXT: u32 = 1;

#[repr(C)]
#[derive(Clone, Copy)]
struct aib_span {
    ptr: *const u8,
    len: u64,
}

#[repr(C)]
struct aib_host {
    struct_size: u32,
    abi_minor: u32,
    ctx: *mut c_void,
    get_service: extern "C" fn(*mut c_void, *const c_char) -> *const c_void,
    emit: extern "C" fn(*mut c_void, u64, u32, aib_span) -> i32,
    complete: extern "C" fn(*mut c_void, u64, i32, aib_span) -> i32,
}

#[repr(C)]
struct aib_call {
    struct_size: u32,
    attempt: u32,
    call: u64,
    operation: aib_span,
    input: aib_span,
    tenant: aib_span,
    trace: aib_span,
    idempotency_key: aib_span,
    deadline_unix_ms: u64,
}

#[repr(C)]
struct aib_provider {
    struct_size: u32,
    reserved: u32,
    create: extern "C" fn(*const aib_host, aib_span, *mut *mut c_void) -> i32,
    destroy: extern "C" fn(*mut c_void),
    start: extern "C" fn(*mut c_void, *const aib_call) -> i32,
    cancel: extern "C" fn(*mut c_void, u64),
    on_event: extern "C" fn(*mut c_void, *const c_void),
    health: Option<extern "C" fn(*mut c_void) -> i32>,
}

#[repr(C)]
pub struct aib_entry {
    magic: u32,
    struct_size: u32,
    abi_major: u16,
    abi_minor: u16,
    min_host_minor: u16,
    ptr_bits: u16,
    flags: u64,
    manifest: aib_span,
    get_interface: extern "C" fn(*const c_char) -> *const c_void,
}

// The table is written once, before anyone reads it, and holds pointers to static data alone.
unsafe impl Sync for aib_entry {}

// A field at another place than the host's would be read as something else: hold the layout.
const _: () = assert!(std::mem::size_of::<aib_entry>() == 48 && std::mem::size_of::<aib_provider>() == 56);
const _: () = assert!(std::mem::size_of::<aib_host>() == 40 && std::mem::size_of::<aib_call>() == 104);

/// What the host knows before it calls anything. "ai_provider" is the word that a template's step names. "cost_class"
/// is "free" because nobody bills for an echo; without it each call needs a model with a price.
const MANIFEST: &str = r#"{"id":"echo-rust","name":"Echo in Rust","version":"0.1.0","license":"Apache-2.0",
"abi":{"major":0,"min_host_minor":1},
"operations":[{"name":"ai.generate","streaming":true,"idempotent":true,"cost_class":"free"}],
"serves":[{"ai_provider":"echo_rust","operation":"ai.generate"}]}"#;

/// One instance. The host calls all its functions on one thread, and its own table outlives it.
struct Echo {
    host: *const aib_host,
}

fn span(bytes: &[u8]) -> aib_span {
    aib_span { ptr: bytes.as_ptr(), len: bytes.len() as u64 }
}

/// The text a span lends. Valid until the function that was given it returns: copy what has to live longer.
unsafe fn text<'a>(span: aib_span) -> &'a str {
    if span.len == 0 {
        return "";
    }
    std::str::from_utf8(std::slice::from_raw_parts(span.ptr, span.len as usize)).unwrap_or("")
}

/// The last string member of this name, as it stands between its quotes. Enough for an echo, which puts it into JSON
/// again: a plugin that works with its input brings a JSON crate.
fn last_string<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let key = format!("\"{name}\":\"");
    let rest = &json[json.rfind(&key)? + key.len()..];
    let mut escaped = false;
    let end = rest.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some(&rest[..end])
}

/// The text of a JSON string: the host escapes `"` and `\` and, as `\n` `\r` `\t` `\u00XX`, control characters.
fn unescape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json.chars();
    while let Some(character) = rest.next() {
        let escape = if character == '\\' { rest.next() } else { None };
        out.push(match escape {
            None => character,
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
            }
            Some(other) => other,
        });
    }
    out
}

/// The configuration was checked against the manifest, which has none here.
extern "C" fn create(host: *const aib_host, _config: aib_span, out: *mut *mut c_void) -> i32 {
    unsafe { *out = Box::into_raw(Box::new(Echo { host })).cast() };
    AIB_OK
}

extern "C" fn destroy(instance: *mut c_void) {
    drop(unsafe { Box::from_raw(instance.cast::<Echo>()) });
}

/// Has a millisecond. An echo is complete by then; a plugin that asks a provider starts its request, returns AIB_OK,
/// and completes from on_event.
extern "C" fn start(instance: *mut c_void, call: *const aib_call) -> i32 {
    // A panic must not cross the boundary: refused with an error, the host answers for the call.
    catch_unwind(AssertUnwindSafe(|| {
        let (host, call) = unsafe { (&*(*instance.cast::<Echo>()).host, &*call) };
        let input = unsafe { text(call.input) };
        let Some(said) = last_string(input, "content") else {
            let error = br#"{"message":"the input has no message to echo","retryable":false}"#;
            (host.complete)(host.ctx, call.call, AIB_E_INVALID, span(error));
            return AIB_OK;
        };
        // At most 64 KiB a chunk. A full window ends the preview here, for the result carries everything; a plugin
        // that must not skip any of it goes on at AIB_EV_WRITABLE.
        for piece in unescape(said).as_bytes().chunks(65_536) {
            if (host.emit)(host.ctx, call.call, AIB_CHUNK_TEXT, span(piece)) != AIB_OK {
                break;
            }
        }
        (host.complete)(host.ctx, call.call, AIB_OK, span(answer(call, input, said).as_bytes()));
        AIB_OK
    }))
    .unwrap_or(AIB_E_INTERNAL)
}

/// The result of ai.generate. A step asks for an object with "summary" and "files"; usage is what the call consumed,
/// and never left out.
fn answer(call: &aib_call, input: &str, said: &str) -> String {
    let structured = match input.contains("\"output_schema\":") {
        true => format!(r#"{{"summary":"{said}","files":[]}}"#),
        false => "null".to_string(),
    };
    format!(
        concat!(
            r#"{{"text":"{}","structured":{},"model":"echo-1","stop_reason":"end_turn","#,
            r#""provider_request_id":"echo-{}","usage":{{"input_tokens":{},"output_tokens":{}}}}}"#
        ),
        said,
        structured,
        unsafe { text(call.trace) },
        input.len() / 4,
        said.len() / 4,
    )
}

// Every call is complete before start returns, so there is nothing to cancel and no event to wait for.
extern "C" fn cancel(_instance: *mut c_void, _call: u64) {}
extern "C" fn on_event(_instance: *mut c_void, _event: *const c_void) {}

static PROVIDER: aib_provider = aib_provider {
    struct_size: std::mem::size_of::<aib_provider>() as u32,
    reserved: 0,
    create,
    destroy,
    start,
    cancel,
    on_event,
    health: None,
};

extern "C" fn get_interface(id: *const c_char) -> *const c_void {
    if unsafe { CStr::from_ptr(id) }.to_bytes() == b"aib.provider/1" {
        (&PROVIDER as *const aib_provider).cast()
    } else {
        null()
    }
}

static ENTRY: aib_entry = aib_entry {
    magic: AIB_MAGIC,
    struct_size: std::mem::size_of::<aib_entry>() as u32,
    abi_major: AIB_ABI_MAJOR,
    abi_minor: AIB_ABI_MINOR,
    min_host_minor: 1,
    ptr_bits: 64,
    flags: 0,
    manifest: aib_span { ptr: MANIFEST.as_ptr(), len: MANIFEST.len() as u64 },
    get_interface,
};

/// The one exported symbol.
#[no_mangle]
pub extern "C" fn aib_plugin_entry(_host_major: u32, _host_minor: u32) -> *const aib_entry {
    &ENTRY
}
