//! Validation of SOAP answers by an independent library (zeep), against the published service descriptions.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::shared;

/// Validates every answer that [`crate::ScriptedAgent::record_to`] or [`crate::ScriptedDownstream::record_to`] collected in
/// `folder`.
///
/// # Panics
///
/// If there are none, if one is not valid, or if the validator is absent; `cargo xtask test` installs it.
pub fn validate(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = std::env::var_os("WSDL_PYTHON").map_or_else(
        || {
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
            target.join("wsdl-venv/bin/python")
        },
        PathBuf::from,
    );
    assert!(
        python.is_file(),
        "this test needs a Python with zeep at {}: run `cargo xtask test --prepare`, or name one in WSDL_PYTHON",
        python.display()
    );
    let output = Command::new(&python)
        .arg(root.join("tests/wsdl/validate.py"))
        .arg(shared("wsdl"))
        .arg(folder)
        .output()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", python.display()));
    assert!(
        output.status.success(),
        "not valid by the service descriptions:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
