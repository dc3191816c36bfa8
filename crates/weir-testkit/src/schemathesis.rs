//! Calls of every route of REST by an independent program (schemathesis), made up from the description that the server serves.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What is looked at in every answer: no failure of the server's, and nothing that the description does not say.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// A server whose routes are called.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// `https://127.0.0.1:PORT` of the admin plane.
    pub admin: &'t str,
    /// The administrator's token.
    pub token: &'t str,
    /// The certificate to trust.
    pub ca: &'t Path,
    /// A configuration file: what stands in addresses, so that calls find something.
    pub config: &'t Path,
}

/// Calls every route that `arguments` (such as `--exclude-method DELETE`) leave, so many times each, the same each time.
///
/// # Panics
///
/// If an answer is not as the description says, if a server error is among them, or if the program is absent;
/// `cargo xtask test` installs it.
pub fn check(target: Target<'_>, calls: u32, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = std::env::var_os("SCHEMATHESIS").map_or_else(
        || {
            let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
            built.join("rest-venv/bin/schemathesis")
        },
        PathBuf::from,
    );
    assert!(
        program.is_file(),
        "this test needs schemathesis at {}: run `cargo xtask test --prepare`, or name one in SCHEMATHESIS",
        program.display()
    );
    let base = format!("{}/api/v1", target.admin);
    let output = Command::new(&program)
        .arg("--config-file")
        .arg(target.config)
        .args(["run", &format!("{base}/openapi.json"), "--url", &base])
        .args(["--header", &format!("Authorization: Bearer {}", target.token)])
        .arg("--tls-verify")
        .arg(target.ca)
        .args(["--checks", CHECKS, "--phases", "fuzzing", "--max-examples", &calls.to_string()])
        // CPython 3.11 counts the depth of syntax trees for all threads together, and fails when two read source at once
        .args(["--workers", "1", "--generation-deterministic", "--no-shrink", "--continue-on-failure"])
        .args(["--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "300", "--no-color"])
        .args(arguments)
        .env("PYTHONHASHSEED", "0")
        .output()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
    assert!(
        output.status.success(),
        "REST is not as its description says:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
