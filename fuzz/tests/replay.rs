//! Every input of the corpora goes through its target in every run of the tests, whole and damaged, without libFuzzer.

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use weir_fuzz::{TARGETS, Target, target};

/// Damaged forms of each input that are tried.
const DAMAGED: usize = 48;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Names of what is in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let name =
        |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name().into_string().expect("UTF-8");
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// The inputs of a target, by name.
fn inputs(target: &Target) -> BTreeMap<String, Vec<u8>> {
    let folder = corpora().join(target.name);
    names(&folder).into_iter().map(|name| (name.clone(), fs::read(folder.join(name)).expect("an input"))).collect()
}

/// Tries an input, and says which one it was if something does not hold.
fn tried(target: &Target, name: &str, bytes: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).unwrap_or_else(|_| {
        panic!("fuzz/corpus/{}/{name}, {} bytes: {:?}", target.name, bytes.len(), String::from_utf8_lossy(bytes))
    })
}

/// A corpus that is refused whole tries nothing behind the first check of a decoder; one that is read whole tries no refusal.
#[test]
fn every_target_has_inputs_that_are_read_and_inputs_that_are_refused() {
    let mut missing = Vec::new();
    for target in TARGETS {
        let read: Vec<bool> = inputs(target).iter().map(|(name, bytes)| tried(target, name, bytes)).collect();
        let ways = [(true, "read"), (false, "refused")].into_iter().filter(|(way, _)| !read.contains(way));
        missing.extend(ways.map(|(_, way)| format!("{}: no input is {way}", target.name)));
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// Cut off anywhere, or with another byte somewhere, an input may be read or refused; all else that a target asserts holds.
#[test]
fn damaged_inputs_are_read_or_refused() {
    for target in TARGETS {
        for (name, bytes) in inputs(target) {
            let step = bytes.len().div_ceil(DAMAGED).max(1);
            for at in (0..bytes.len()).step_by(step) {
                tried(target, &format!("{name} cut off at {at}"), &bytes[..at]);
                let mut other = bytes.clone();
                other[at] = other[at].wrapping_add(1 + (at % 255) as u8);
                tried(target, &format!("{name} with another byte at {at}"), &other);
            }
        }
    }
}

/// Inputs that a run would cut off are none of its target.
#[test]
fn corpora_and_targets_belong_together() {
    assert!(TARGETS.is_sorted_by(|one, next| one.name < next.name));
    for folder in names(&corpora()) {
        let target = target(&folder).unwrap_or_else(|| panic!("fuzz/corpus/{folder} belongs to no target"));
        for (name, bytes) in inputs(target) {
            assert!(bytes.len() <= target.longest, "{folder}/{name} has {} bytes", bytes.len());
        }
    }
    // each module is a target, and each target has a module
    let modules = names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/targets"));
    let modules: Vec<&str> =
        modules.iter().filter_map(|file| file.strip_suffix(".rs")).filter(|name| *name != "mod").collect();
    let targets: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(targets, modules);
}
