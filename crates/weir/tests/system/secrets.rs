//! What proves who somebody is lies on the disk in one place at the most, and in no log.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{json, server};

/// Files below a folder in which these bytes are.
fn holders(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if fs::read(&path).expect("a file").windows(bytes.len()).any(|window| window == bytes) {
                found.push(path);
            }
        }
    }
    found
}

/// Design, section 10, rule 5: tokens, codes and passwords are stored as hashes.
#[test]
fn secrets_are_not_on_the_disk_in_clear() {
    let mut server = server();
    let token = json(&server, &["tokens", "create", "robot", "--role", "operator"])["secret"].clone();
    let user = json(&server, &["users", "create", "alice", "--role", "operator"])["password"].clone();
    let link = json(&server, &["admin", "sign-in"])["url"].clone();
    let (_, code) = link.as_str().expect("a link").split_once("code=").expect("a code");
    let own = server.token().expect("a token");
    assert!(server.stop().expect("it stops"), "{}", server.log());
    let secrets = [("a token", token.as_str()), ("a password", user.as_str()), ("a code", Some(code))];
    for (what, secret) in secrets {
        let secret = secret.unwrap_or_else(|| panic!("{what} was not told"));
        assert!(secret.len() >= 8, "{what} is {secret:?}");
        assert_eq!(holders(server.data(), secret.as_bytes()), Vec::<PathBuf>::new(), "{what}");
        assert!(!server.log().contains(secret), "{what} is in the log");
    }
    assert_eq!(holders(server.data(), own.as_bytes()), [server.data().join("admin.token")]);
    assert!(!server.log().contains(&own), "the administrator's token is in the log");
}
