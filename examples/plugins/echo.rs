//! A whole plugin in Rust without a crate: it answers every ai.generate call with what it was asked. Built with
//! `rustc --edition 2021 --crate-type cdylib -O echo.rs -o echo.so`.
#![allow(non_camel_case_types)]

use std::ffi::{c_char, c_void, CStr};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;

// The part of aib_plugin.h that this plugin uses.
const AIB_MAGIC: u32 = 0x3142_4941;
const AIB_OK: i32 = 0;
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

// The tables are written once, before anyone reads them, and hold pointers to static data alone.
unsafe impl Sync for aib_entry {}

const MANIFEST: &str = r#"{"id":"echo-rust","name":"Echo in Rust","version":"0.1.0","license":"Apache-2.0",
"abi":{"major":0,"min_host_minor":1},
"operations":[{"name":"ai.generate","streaming":true,"idempotent":true,"cost_class":"free"}],
"serves":[{"ai_provider":"echo_rust","operation":"ai.generate"}]}"#;

struct Echo {
    host: *const aib_host,
}

fn span(text: &str) -> aib_span {
    aib_span { ptr: text.as_ptr(), len: text.len() as u64 }
}

/// The bytes a span lends, for as long as the function that was given it runs.
unsafe fn text<'a>(span: aib_span) -> &'a str {
    if span.len == 0 {
        return "";
    }
    std::str::from_utf8(std::slice::from_raw_parts(span.ptr, span.len as usize)).unwrap_or("")
}

/// The raw JSON text of the last string member of this name, without its quotes; its escapes are left alone.
fn last_string<'a>(json: &'a str, name: &str) -> &'a str {
    let key = format!("\"{name}\":\"");
    let Some(at) = json.rfind(&key) else { return "" };
    let rest = &json[at + key.len()..];
    let mut escaped = false;
    let end = rest.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    &rest[..end.unwrap_or(rest.len())]
}

extern "C" fn create(host: *const aib_host, _config: aib_span, out: *mut *mut c_void) -> i32 {
    unsafe { *out = Box::into_raw(Box::new(Echo { host })).cast() };
    AIB_OK
}

extern "C" fn destroy(instance: *mut c_void) {
    drop(unsafe { Box::from_raw(instance.cast::<Echo>()) });
}

extern "C" fn start(instance: *mut c_void, call: *const aib_call) -> i32 {
    // A panic must not leave this library.
    catch_unwind(AssertUnwindSafe(|| {
        let (host, call) = unsafe { (&*(*instance.cast::<Echo>()).host, &*call) };
        let input = unsafe { text(call.input) };
        let said = last_string(input, "content");
        (host.emit)(host.ctx, call.call, AIB_CHUNK_TEXT, span(said));
        let structured =
            if input.contains("\"output_schema\":") { r#"{"summary":"an echo","files":[]}"# } else { "null" };
        let result = format!(
            concat!(
                r#"{{"text":"{}","structured":{},"model":"echo-1","stop_reason":"end_turn","#,
                r#""usage":{{"input_tokens":{},"output_tokens":{}}},"raw_usage":{{"bytes":{}}},"#,
                r#""provider_request_id":"echo-{}"}}"#
            ),
            said,
            structured,
            input.len() / 4 + 1,
            said.len() / 4 + 1,
            input.len(),
            unsafe { text(call.trace) }
        );
        (host.complete)(host.ctx, call.call, AIB_OK, span(&result));
        AIB_OK
    }))
    .unwrap_or(AIB_E_INTERNAL)
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
    abi_major: 0,
    abi_minor: 1,
    min_host_minor: 1,
    ptr_bits: 64,
    flags: 0,
    manifest: aib_span { ptr: MANIFEST.as_ptr(), len: MANIFEST.len() as u64 },
    get_interface,
};

#[no_mangle]
pub extern "C" fn aib_plugin_entry(_host_major: u32, _host_minor: u32) -> *const aib_entry {
    &ENTRY
}
