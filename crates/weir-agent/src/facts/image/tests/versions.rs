use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn version(bytes: &[u8]) -> Result<Option<FileVersion>, PeError> {
    file_version(&mut Cursor::new(bytes))
}

#[test]
fn a_version_resource_is_read() {
    let found = version(&windows::program([3, 1, 4, 7], 1031)).expect("known").expect("there");
    assert_eq!((found.version.to_string().as_str(), found.language), ("3.1.4.7", 1031));
    let several = windows::program_with(&[([1, 2, 3, 4], 1031), ([1, 2, 3, 4], 1033)]);
    assert_eq!(version(&several).expect("known").expect("there").language, 1031);
    let differing = windows::program_with(&[([1, 2, 3, 4], 1031), ([1, 2, 3, 5], 1033)]);
    assert!(version(&differing).is_err(), "which one counts depends on the reader");
}

#[test]
fn files_without_a_version_resource_have_none() {
    assert_eq!(version(b"").expect("known"), None);
    assert_eq!(version(b"text").expect("known"), None);
    let mut program = windows::program([1, 0, 0, 0], 0);
    // Without a directory of resources.
    program[0x98 + 112 + 16..0x98 + 112 + 24].fill(0);
    assert_eq!(version(&program).expect("known"), None);
    // With resources of another kind.
    let mut program = windows::program([1, 0, 0, 0], 0);
    program[0x400 + 16] = 3;
    assert_eq!(version(&program).expect("known"), None);
}

#[test]
fn a_program_that_is_cut_off_is_an_error_at_every_length() {
    let program = windows::program([1, 2, 3, 4], 1033);
    for length in 2..program.len() {
        assert!(version(&program[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_cut_program_on_a_disk_is_there_and_its_version_is_not_known() {
    let (folder, _) = image();
    let program = windows::program([1, 2, 3, 4], 1033);
    fs::write(folder.path().join("cut.dll"), &program[..program.len() - 1]).expect("file");
    let image = open(folder.path());
    let facts = image.file(r"C:\cut.dll").expect("known").expect("there");
    assert_eq!((facts.version, facts.language), (None, None));
}

#[test]
fn every_flipped_byte_gives_an_error_or_an_answer() {
    let program = windows::program([1, 2, 3, 4], 1033);
    for at in 0..program.len() {
        for byte in [0x00, 0xFF, program[at] ^ 1, program[at] ^ 0x80] {
            let mut damaged = program.clone();
            damaged[at] = byte;
            let _ = version(&damaged);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_give_an_error_or_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut program = windows::program([1, 2, 3, 4], 1033);
        let _ = version(&bytes);
        // The resources are random, the heads are not.
        let room = program.len().min(0x400 + bytes.len());
        program[0x400..room].copy_from_slice(&bytes[..room - 0x400]);
        let _ = version(&program);
    }
}
