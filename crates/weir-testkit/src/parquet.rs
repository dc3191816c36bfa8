//! Reading Parquet files with an independent library (pyarrow).

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What is in a file, as `tests/parquet/read.py` prints it: `schema`, `nullable`, `row_groups`, `compression`, `rows`.
///
/// # Panics
///
/// If it cannot be read, or if the reader is absent; `cargo xtask test` installs it.
pub fn read(bytes: &[u8]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = std::env::var_os("PARQUET_PYTHON").map_or_else(
        || {
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
            target.join("parquet-venv/bin/python")
        },
        PathBuf::from,
    );
    assert!(
        python.is_file(),
        "this test needs a Python with pyarrow at {}: run `cargo xtask test --prepare`, or name one in PARQUET_PYTHON",
        python.display()
    );
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), bytes).expect("it can be written");
    let output = Command::new(&python)
        .arg(root.join("tests/parquet/read.py"))
        .arg(file.path())
        .output()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", python.display()));
    assert!(output.status.success(), "pyarrow cannot read it:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("JSON is UTF-8")
}
