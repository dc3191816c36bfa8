//! Tests of requests and answers, through the public functions.

mod answers;
mod faults;
mod hostile;
mod properties;
mod replay;
mod requests;

use std::{fs, path::PathBuf};

use super::{Parsed, Request, Service, parse};
use crate::soap::{Hints, Limits, Rejection, SoapVersion};

const NS_C: &str = "http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService";
const NS_A: &str = "http://www.microsoft.com/SoftwareDistribution/Server/SimpleAuthWebService";
const NS_R: &str = "http://www.microsoft.com/SoftwareDistribution";

/// A recorded file. The recordings are not part of this repository.
fn recorded(name: &str) -> Vec<u8> {
    let shared = std::env::var_os("WEIR_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = shared.join("captures").join(name);
    fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "the recording {} is absent ({error}): set WEIR_SHARED to the folder that holds captures/",
            path.display()
        )
    })
}

fn recorded_text(name: &str) -> String {
    String::from_utf8(recorded(name)).expect("recordings are UTF-8")
}

/// An envelope as the native agent writes it.
fn envelope(payload: &str) -> String {
    format!("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{payload}</s:Body></s:Envelope>")
}

fn service_of(namespace: &str) -> Service {
    match namespace {
        NS_C => Service::Client,
        NS_A => Service::SimpleAuth,
        NS_R => Service::Reporting,
        other => panic!("no service has the namespace {other}"),
    }
}

/// Parses an operation of the client service.
fn client(operation: &str, parameters: &str) -> Result<Request, Rejection> {
    request(NS_C, operation, parameters)
}

fn request(namespace: &str, operation: &str, parameters: &str) -> Result<Request, Rejection> {
    let body = envelope(&format!("<{operation} xmlns=\"{namespace}\">{parameters}</{operation}>"));
    raw(service_of(namespace), body.as_bytes()).map(|parsed| parsed.request)
}

fn raw(service: Service, body: &[u8]) -> Result<Parsed, Rejection> {
    parse(service, Hints::default(), body, &Limits::default())
}

/// The message that the fault of a refused request carries.
fn refused(result: Result<Request, Rejection>) -> String {
    result.expect_err("must be refused").into_fault(uuid::Uuid::nil()).message
}

macro_rules! only {
    ($request:expr, $kind:ident) => {
        match $request {
            crate::wusp::Request::$kind(request) => request,
            other => panic!("parsed as {:?}", other.operation()),
        }
    };
}
use only;

const BOTH: [SoapVersion; 2] = [SoapVersion::V11, SoapVersion::V12];
