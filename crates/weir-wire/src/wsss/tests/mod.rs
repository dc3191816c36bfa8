//! Tests of the messages between servers, through the public functions.

mod answers;
mod blob;
mod faults;
mod properties;
mod replay;
mod requests;
mod values;

use std::{fs, path::PathBuf};

use super::{Parsed, Rejection, Request, Service, parse, request_limits};
use crate::soap::{Hints, Limits, SoapVersion};

const NS: &str = "http://www.microsoft.com/SoftwareDistribution";
const BOTH: [SoapVersion; 2] = [SoapVersion::V11, SoapVersion::V12];

/// The text of a file in the shared folder, which is not part of this repository.
fn shared(name: &str) -> String {
    let root = std::env::var_os("WEIR_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{} is absent ({error}): set WEIR_SHARED to the folder that holds captures/", path.display())
    })
}

fn limits() -> Limits {
    request_limits(16 << 20)
}

fn raw(service: Service, body: &[u8]) -> Result<Parsed, Rejection> {
    parse(service, Hints::default(), body, &limits())
}

fn envelope(payload: &str) -> String {
    format!(
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>{payload}</soap:Body></soap:Envelope>"
    )
}

/// Parses an operation of the main namespace.
fn request(service: Service, operation: &str, parameters: &str) -> Result<Request, Rejection> {
    let body = envelope(&format!("<{operation} xmlns=\"{NS}\">{parameters}</{operation}>"));
    raw(service, body.as_bytes()).map(|parsed| parsed.request)
}

macro_rules! only {
    ($request:expr, $kind:ident) => {
        match $request {
            crate::wsss::Request::$kind(request) => request,
            other => panic!("parsed as {:?}", other.operation()),
        }
    };
}
use only;
