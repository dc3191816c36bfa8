//! The targets, each in a module of its name.

use crate::Target;

mod address;
mod blob;
mod bundle;
mod cab;
mod certificate;
mod claims;
mod client_path;
mod client_setting;
mod cookie;
mod core;
mod criterion;
mod csaf;
mod cvrf;
mod document;
mod downstream_cookie;
mod enrolment;
mod error_code;
mod etag;
mod event;
mod expression;
mod facts_file;
mod history;
mod hive;
mod import;
mod intent;
mod inventory;
mod json_body;
mod kev;
mod licence;
mod link_body;
mod package;
mod pe_version;
mod policy_file;
mod policy_value;
mod process_settings;
mod range;
mod report_arguments;
mod request_headers;
mod rules;
mod schedule;
mod soap_answer;
mod soap_request;
mod status;
mod sync_answer;
mod sync_request;
mod values;
mod wql;
mod xpress;

/// A module as a target.
macro_rules! targets {
    ($($name:ident: $longest:expr),* $(,)?) => {
        /// All of them, by name.
        pub const TARGETS: &[Target] =
            &[$(Target { name: stringify!($name), longest: $longest, run: $name::run }),*];
    };
}

targets! {
    address: 1 << 10,
    blob: 64 << 10,
    bundle: 64 << 10,
    cab: 64 << 10,
    certificate: 16 << 10,
    claims: 4 << 10,
    client_path: 1 << 10,
    client_setting: 1 << 10,
    cookie: 4 << 10,
    core: 32 << 10,
    criterion: 4 << 10,
    csaf: 32 << 10,
    cvrf: 32 << 10,
    document: 32 << 10,
    downstream_cookie: 1 << 10,
    enrolment: 1 << 10,
    error_code: 1 << 10,
    etag: 4 << 10,
    event: 1 << 10,
    expression: 1 << 10,
    facts_file: 16 << 10,
    history: 16 << 10,
    hive: 64 << 10,
    import: 64 << 10,
    intent: 16 << 10,
    inventory: 64 << 10,
    json_body: 16 << 10,
    kev: 32 << 10,
    licence: 1 << 10,
    link_body: 16 << 10,
    package: 64 << 10,
    pe_version: 16 << 10,
    policy_file: 16 << 10,
    policy_value: 1 << 10,
    process_settings: 4 << 10,
    range: 1 << 10,
    report_arguments: 1 << 10,
    request_headers: 1 << 10,
    rules: 4 << 10,
    schedule: 1 << 10,
    soap_answer: 32 << 10,
    soap_request: 32 << 10,
    status: 16 << 10,
    sync_answer: 32 << 10,
    sync_request: 32 << 10,
    values: 1 << 10,
    wql: 1 << 10,
    xpress: 64 << 10,
}
