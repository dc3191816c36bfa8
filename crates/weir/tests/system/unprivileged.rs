//! What a server needs of the machine: no privilege, and no place to write but its data folder.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::Path,
};

use weir_testkit::{Document, WeirProcess};

use super::{id, json};

/// A user that owns nothing: `nobody` and `nogroup` of Debian.
const NOBODY: u32 = 65_534;
/// Places that a program may think it can write to, beside the data folder.
const OTHERS: [(&str, &str); 4] =
    [("here", ""), ("home", "HOME"), ("temporary", "TMPDIR"), ("runtime", "XDG_RUNTIME_DIR")];

/// A script that becomes the server: in a folder of its own, with all its places here, and without any privilege.
fn script(folder: &Path, is_root: bool) -> String {
    let (root, binary) = (folder.display(), folder.join("weir-copy"));
    let variables = OTHERS.iter().filter(|(_, variable)| !variable.is_empty());
    let exports: Vec<_> = variables.map(|(name, variable)| format!("export {variable}='{root}/{name}'\n")).collect();
    let exports = exports.concat();
    // whoever is not root has no privilege to give up
    let as_nobody = format!(
        "setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "
    );
    let changed = if is_root { as_nobody.as_str() } else { "" };
    format!("#!/bin/sh\ncd '{root}/here' || exit 9\n{exports}exec {changed}'{}' \"$@\"\n", binary.display())
}

/// Design, section 10, rule 8.
#[test]
fn the_server_needs_no_privilege_and_writes_to_its_data_folder_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    mode(folder.path(), 0o755);
    let is_root = fs::metadata("/proc/self").expect("this process").uid() == 0;
    let data = folder.path().join("data");
    for name in OTHERS.iter().map(|(name, _)| *name).chain(["data"]) {
        let path = folder.path().join(name);
        fs::create_dir(&path).expect("a folder");
        mode(&path, if name == "data" { 0o700 } else { 0o777 });
        if is_root {
            chown(&path, Some(NOBODY), Some(NOBODY)).expect("an owner");
        }
    }
    // where it was built may be closed to others
    let copy = folder.path().join("weir-copy");
    let built = env!("CARGO_BIN_EXE_weir");
    fs::hard_link(built, &copy).or_else(|_| fs::copy(built, &copy).map(drop)).expect("a copy");
    let program = folder.path().join("weir");
    fs::write(&program, script(folder.path(), is_root)).expect("a script");
    for path in [&copy, &program] {
        mode(path, 0o755);
    }
    let document = folder.path().join("update.xml");
    fs::write(&document, Document::software(id(1), 1).title("Fix").to_xml()).expect("a document");
    mode(&document, 0o644);

    let mut server = WeirProcess::start_on_sqlite(&program, Some(&data), &[]).expect("a server");
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).expect("what the system knows of it");
    let line = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {status}"))
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for name in ["CapPrm:", "CapEff:", "CapInh:", "CapAmb:"] {
        assert_eq!(line(name), ["0000000000000000"], "{name}");
    }
    assert!(line("Uid:").iter().all(|user| user != "0"), "{status}");

    json(&server, &["import", document.to_str().expect("UTF-8")]);
    json(&server, &["collections", "create", "Pilot"]);
    json(&server, &["updates", "list", "--facets"]);
    assert!(server.stop().expect("it stops"), "{}", server.log());
    for (name, _) in OTHERS {
        let left: Vec<_> = fs::read_dir(folder.path().join(name)).expect("a folder").collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
    assert!(data.join("weir.db").is_file());
}
