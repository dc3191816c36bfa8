//! Spans as OTLP has them (`opentelemetry/proto/collector/trace/v1`, protocol buffers): the few fields that we fill, in the order
//! of their numbers.

use std::time::{SystemTime, UNIX_EPOCH};

/// `SPAN_KIND_INTERNAL` and `SPAN_KIND_SERVER`.
const INTERNAL: u64 = 1;
const SERVER: u64 = 2;
/// `STATUS_CODE_ERROR`.
const ERROR: u64 = 2;

/// Wire types of protocol buffers.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Flag(bool),
    Number(i64),
    Real(f64),
    Text(String),
}

/// A span that is over.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    pub(super) name: &'static str,
    /// It answers somebody.
    pub(super) serves: bool,
    pub(super) began: SystemTime,
    pub(super) ended: SystemTime,
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) failed: bool,
}

/// An export of spans of this process.
pub(super) fn request(version: &str, process: u32, spans: &[Span]) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + 192 * spans.len());
    message(&mut out, 1, |resource_spans| {
        message(resource_spans, 1, |resource| {
            attribute(resource, 1, "service.name", &Value::Text("weir".to_owned()));
            attribute(resource, 1, "service.version", &Value::Text(version.to_owned()));
            attribute(resource, 1, "process.pid", &Value::Number(i64::from(process)));
        });
        message(resource_spans, 2, |scope_spans| {
            message(scope_spans, 1, |scope| {
                bytes(scope, 1, b"weir");
                bytes(scope, 2, version.as_bytes());
            });
            for it in spans {
                message(scope_spans, 2, |out| span(out, it));
            }
        });
    });
    out
}

fn span(out: &mut Vec<u8>, it: &Span) {
    bytes(out, 1, &it.trace);
    bytes(out, 2, &it.id);
    if let Some(parent) = &it.parent {
        bytes(out, 4, parent);
    }
    bytes(out, 5, it.name.as_bytes());
    number(out, 6, if it.serves { SERVER } else { INTERNAL });
    fixed64(out, 7, nanoseconds(it.began));
    fixed64(out, 8, nanoseconds(it.ended));
    for (name, value) in &it.attributes {
        attribute(out, 9, name, value);
    }
    if it.failed {
        message(out, 15, |status| number(status, 3, ERROR));
    }
}

fn attribute(out: &mut Vec<u8>, field: u64, name: &str, value: &Value) {
    message(out, field, |out| {
        bytes(out, 1, name.as_bytes());
        message(out, 2, |out| match value {
            Value::Text(text) => bytes(out, 1, text.as_bytes()),
            Value::Flag(flag) => number(out, 2, u64::from(*flag)),
            Value::Number(value) => number(out, 3, value.cast_unsigned()),
            Value::Real(real) => fixed64(out, 4, real.to_bits()),
        });
    });
}

/// A clock that is before 1970 is at 0.
fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | VARINT);
    varint(out, value);
}

fn fixed64(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | BYTES);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn message(out: &mut Vec<u8>, field: u64, write: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    write(&mut inner);
    bytes(out, field, &inner);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Made by the library of the OpenTelemetry project for Python (`opentelemetry-proto`) from the same spans.
    const RECORDED: &str = "0ac3020a470a160a0c736572766963652e6e616d6512060a04776569720a1a0a0f736572766963652e76657273696f6e12070a\
        05392e392e390a110a0b70726f636573732e7069641202182a12f7010a0d0a04776569721205392e392e39129d010a10000102030405060708090a0b0c\
        0d0e0f120801010101010101012a077265717565737430023901002a36fe9c97174180b21045fe9c97174a1a0a096f7065726174696f6e120d0a0b5379\
        6e63557064617465734a0d0a06737461747573120318f4034a130a0464656570120b18ffffffffffffffffff014a0a0a04736c6f77120210014a120a05\
        7368617265120921000000000000e03f7a02180212460a10000102030405060708090a0b0c0d0e0f12080202020202020202220801010101010101012a\
        0a73746f72652e7265616430013902002a36fe9c9717412c012a36fe9c9717";

    #[test]
    fn an_export_is_what_another_implementation_writes() {
        let at = |nanoseconds: u64| UNIX_EPOCH + Duration::from_nanos(1_700_000_000_000_000_000 + nanoseconds);
        let trace = std::array::from_fn(|at| at as u8);
        let first = Span {
            trace,
            id: [1; 8],
            parent: None,
            name: "request",
            serves: true,
            began: at(1),
            ended: at(250_000_000),
            attributes: vec![
                ("operation", Value::Text("SyncUpdates".to_owned())),
                ("status", Value::Number(500)),
                ("deep", Value::Number(-1)),
                ("slow", Value::Flag(true)),
                ("share", Value::Real(0.5)),
            ],
            failed: true,
        };
        let second = Span {
            id: [2; 8],
            parent: Some([1; 8]),
            name: "store.read",
            serves: false,
            began: at(2),
            ended: at(300),
            attributes: Vec::new(),
            failed: false,
            ..first.clone()
        };
        let written = request("9.9.9", 42, &[first, second]);
        let hex = written.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert_eq!(hex, RECORDED);
    }

    #[test]
    fn numbers_take_the_bytes_that_they_need() {
        let of = |value| {
            let mut out = Vec::new();
            varint(&mut out, value);
            out
        };
        assert_eq!(of(0), [0]);
        assert_eq!(of(127), [127]);
        assert_eq!(of(128), [128, 1]);
        assert_eq!(of(u64::MAX).len(), 10);
        assert_eq!(nanoseconds(UNIX_EPOCH - Duration::from_secs(1)), 0);
    }
}
