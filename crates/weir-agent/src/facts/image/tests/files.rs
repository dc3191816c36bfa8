use std::{fs, os::unix::fs::symlink};

use super::*;

#[test]
fn files_are_found_whatever_their_case() {
    let (_folder, image) = image();
    let kernel = image.file(r"C:\Windows\System32\kernel32.dll").expect("known").expect("there");
    assert_eq!(kernel.version, Some(Some("10.0.26100.4652".parse().expect("version"))));
    assert_eq!(kernel.language, Some(Some(1033)));
    assert!(kernel.size.is_some_and(|size| size > 1024) && kernel.modified.is_some());
    assert_eq!(kernel.created, None, "a mount does not tell");
    let text = image.file(r"c:/windows/SYSTEM32/readme.TXT").expect("known").expect("there");
    assert_eq!((text.version, text.language, text.size), (Some(None), Some(None), Some(4)));
    assert!(image.file(r"C:\Program Files\Contoso").expect("known").is_some());
    assert_eq!(image.file(r"C:\Windows\System32\none.dll"), Ok(None));
    assert_eq!(image.file(r"C:\None\none.dll"), Ok(None));
    assert_eq!(image.file(r"C:\Windows\System32\readme.txt\below"), Ok(None));
    assert_eq!(kind(image.file(r"D:\x")), GapKind::NotCollected);
    assert_eq!(kind(image.file(r"\\server\share\x")), GapKind::Unsupported);
}

#[test]
fn links_stay_inside_the_image() {
    let (folder, _) = image();
    let root = folder.path();
    let outside = tempfile::tempdir().expect("folder");
    fs::write(outside.path().join("secret.txt"), "secret").expect("file");
    symlink("C:\\Program Files", root.join("Absolute")).expect("link");
    symlink("\\??\\C:\\Program Files\\Contoso", root.join("Junction")).expect("link");
    symlink("Program Files/Contoso", root.join("Relative")).expect("link");
    symlink("../../Program Files", root.join("WINDOWS/system32/Up")).expect("link");
    symlink(root.canonicalize().expect("path").join("Program Files"), root.join("Mounted")).expect("link");
    symlink(outside.path(), root.join("Outside")).expect("link");
    symlink("../outside", root.join("Above")).expect("link");
    symlink("D:\\data", root.join("Other drive")).expect("link");
    symlink("unsupported reparse tag 0x80000017", root.join("WINDOWS/system32/compressed.dll")).expect("link");
    let image = open(folder.path());
    for path in [r"C:\Absolute\Contoso\app.exe", r"C:\Junction\app.exe", r"C:\Relative\app.exe"] {
        assert!(image.file(path).expect("known").is_some(), "{path}");
    }
    assert!(image.file(r"C:\Windows\System32\Up\Contoso\app.exe").expect("known").is_some());
    assert!(image.file(r"C:\Mounted\Contoso\app.exe").expect("known").is_some());
    for path in [
        r"C:\Outside\secret.txt",
        r"C:\Above\secret.txt",
        r"C:\Other drive\x",
        r"C:\Windows\System32\compressed.dll",
        r"C:\Junction\none.exe",
    ] {
        assert_eq!(kind(image.file(path)), GapKind::Unreadable, "{path}");
    }
}

#[test]
fn cyclic_junctions_are_gaps() {
    let (folder, _) = image();
    let root = folder.path();
    symlink("C:\\Two", root.join("One")).expect("link");
    symlink("C:\\One", root.join("Two")).expect("link");
    symlink("Self", root.join("Self")).expect("link");
    // As `Application Data` in profiles: a folder inside itself.
    symlink("C:\\Program Files", root.join("Program Files/Inside")).expect("link");
    let image = open(folder.path());
    for path in [r"C:\One\x", r"C:\Two", r"C:\Self", r"C:\Self\x"] {
        assert_eq!(kind(image.file(path)), GapKind::Unreadable, "{path}");
    }
    let deep = format!(r"C:\Program Files{}\Contoso\app.exe", r"\Inside".repeat(60));
    assert!(image.file(&deep).expect("known").is_some());
    let deeper = format!(r"C:\Program Files{}\Contoso\app.exe", r"\Inside".repeat(10_000));
    assert_eq!(kind(image.file(&deeper)), GapKind::Unreadable);
}

#[test]
fn two_names_that_are_one_for_windows_are_a_gap_unless_one_is_exact() {
    let (folder, _) = image();
    fs::write(folder.path().join("A.txt"), "1").expect("file");
    fs::write(folder.path().join("a.TXT"), "22").expect("file");
    let image = open(folder.path());
    assert_eq!(image.file(r"C:\a.TXT").expect("known").expect("there").size, Some(2));
    assert_eq!(kind(image.file(r"C:\a.txt")), GapKind::Unreadable);
}

#[test]
fn what_is_no_plain_file_is_never_opened() {
    let (folder, _) = image();
    let pipe = folder.path().join("pipe.dll");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let image = open(folder.path());
    let facts = image.file(r"C:\pipe.dll").expect("known").expect("there");
    assert_eq!((facts.version, facts.size), (None, None));
}

#[test]
fn the_drive_is_the_one_that_windows_was_installed_on() {
    let (folder, _) = image();
    let mut hive = windows::HiveFile::new();
    let bytes = hive.sz(r"Microsoft\Windows NT\CurrentVersion", "SystemRoot", r"E:\Windows").bytes(&[]);
    fs::write(folder.path().join("WINDOWS/system32/CONFIG/Software"), bytes).expect("file");
    let image = open(folder.path());
    assert!(image.file(r"e:\Windows\System32\kernel32.dll").expect("known").is_some());
    assert_eq!(kind(image.file(r"C:\Windows\System32\kernel32.dll")), GapKind::NotCollected);
}

#[test]
fn a_short_name_that_may_stand_for_a_long_one_is_a_gap() {
    let (_folder, image) = image();
    assert_eq!(kind(image.file(r"C:\PROGRA~1\Contoso\app.exe")), GapKind::Unreadable, "there is a Program Files");
    assert_eq!(image.file(r"C:\QQQQQQ~1\app.exe"), Ok(None), "nothing begins so");
    assert_eq!(image.file(r"C:\Program Files\no~such"), Ok(None), "no short name");
}
