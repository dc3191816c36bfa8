//! What a person reads: no control characters, no chains of causes, always the next step.

use std::{fs, process::Command};

use serde_json::json as value;
use weir_testkit::{Document, Payload, WeirProcess};

use super::{agent, computer, genuine_package, id, json, run, server, shelf, write_documents};

/// Runs a command without `--json`; gives exit code, output and messages.
fn plain(server: &WeirProcess, arguments: &[&str]) -> (i32, String, String) {
    ended(&mut server.command(arguments))
}

fn ended(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("a command");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
}

/// The command line of another machine: it knows only address, token and certificate.
fn remote(server: &WeirProcess, url: &str, token: &str, certificate: Option<&str>) -> (i32, String, String) {
    let mut command = Command::new(server.binary());
    command.arg("status").env("WEIR_URL", url).env("WEIR_TOKEN", token).env_remove("WEIR_CA");
    if let Some(certificate) = certificate {
        command.env("WEIR_CA", server.data().join(certificate));
    }
    ended(&mut command)
}

#[test]
fn every_refusal_is_short_and_says_what_to_do() {
    let server = server();
    let (token, admin) = (server.token().expect("a token"), server.admin_url());
    let (code, _, _) = remote(&server, &admin, &token, Some("tls/ca.pem"));
    assert_eq!(code, 0, "it works from another machine");
    let wrong = [
        (remote(&server, &admin, &token, None), "WEIR_CA"),
        (remote(&server, &admin, &token, Some("admin.token")), "is no certificate"),
        (remote(&server, &admin, "wrong", Some("tls/ca.pem")), "admin.token"),
        (remote(&server, &admin, "", Some("tls/ca.pem")), "WEIR_TOKEN"),
        (remote(&server, &server.client_url(), &token, None), "is not https"),
        (remote(&server, &server.client_https_url(), &token, Some("tls/ca.pem")), "admin plane"),
        (remote(&server, "https://127.0.0.1:1", &token, None), "weir serve"),
        (plain(&server, &["import", "/nonexistent/a.cab"]), "cannot read /nonexistent/a.cab"),
        (plain(&server, &["deployments", "show", "77"]), "weir deployments list"),
    ];
    for ((code, output, message), next) in wrong {
        assert_eq!((code, output.as_str()), (1, ""), "{message}");
        assert!(message.starts_with("error: ") && message.contains(next), "{message}");
        assert!(message.lines().count() <= 2 && !message.contains("client error"), "{message}");
    }
}

#[test]
fn a_file_that_should_be_a_package_and_is_none_fails() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let package = fs::read(genuine_package()).expect("the package");
    for (name, bytes) in [("empty.cab", &[][..]), ("headless.cab", &package[1..])] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        let (code, told) = server.json_with_code(&["import", path.to_str().expect("UTF-8")]).expect("an outcome");
        assert_eq!((code, &told["rejected"], &told["errors"][0]["file"]), (1, &value!(1), &value!(name)), "{told}");
    }
    // a text is no metadata, and no damage either
    let note = folder.path().join("note.txt");
    fs::write(&note, "hello").expect("written");
    let (code, output, _) = plain(&server, &["import", note.to_str().expect("UTF-8")]);
    assert_eq!(code, 0);
    assert!(output.contains("1 skipped") && output.contains("Nothing there is update metadata"), "{output}");
}

#[test]
fn a_sign_in_link_can_be_made_while_the_server_runs() {
    let server = server();
    let link = json(&server, &["admin", "sign-in"]);
    let url = link["url"].as_str().expect("a link");
    assert!(url.starts_with(&format!("{}/sign-in?code=", server.admin_url())), "{link}");
    assert!(link["expires_at"].is_string(), "{link}");
    let (code, output, _) = plain(&server, &["admin", "sign-in"]);
    assert_eq!(code, 0);
    assert!(!output.contains(url), "each link is another");
}

#[test]
fn tables_and_pages_can_be_read() {
    let server = server();
    json(&server, &["import", &genuine_package()]);
    let shelf = shelf(&server);
    let folder = tempfile::tempdir().expect("a folder");
    let update = Document::software(id(1), 1).title("Größe 日本語").in_category(shelf.product).file(&Payload::random(
        "größe.cab",
        10_000,
        1,
    ));
    write_documents(folder.path(), [&update]);
    json(&server, &["import", folder.path().to_str().expect("UTF-8")]);
    let update = update.id().to_string();
    let create = ["deployments", "create", "--update", &update, "--collection", "All Computers", "--action", "install"];
    json(&server, &create);
    let mut agent = agent(&server, computer(1, &shelf));
    let scanned = |list: &str| !list.contains(" never ");
    run(async { agent.scan().await.expect("a scan") });
    let (_, list, _) = plain(&server, &["computers", "list"]);
    assert!(scanned(&list), "a computer that scanned was seen: {list}");
    run(async { agent.report_scan().await.expect("a report") });

    let computer = agent.computer.client_id.as_str();
    let pages: [&[&str]; 16] = [
        &["status"],
        &["products", "list"],
        &["classifications", "list"],
        &["languages", "list"],
        &["updates", "list", "--facets"],
        &["updates", "show", &update],
        &["collections", "list"],
        &["collections", "show", "All Computers"],
        &["deployments", "list"],
        &["deployments", "show", "1"],
        &["content", "status", "--state", "waiting"],
        &["computers", "list"],
        &["computers", "show", computer],
        &["compliance", "updates"],
        &["settings", "show"],
        &["alerts", "list"],
    ];
    for page in pages {
        let (code, output, message) = plain(&server, page);
        assert_eq!((code, message.as_str()), (0, ""), "{page:?}");
        assert!(!output.contains('\u{fffd}') && !output.contains('\u{1b}'), "{page:?}: {output}");
        assert!(output.lines().all(|line| line == line.trim_end()), "{page:?}: blanks at an end: {output}");
    }
    let (_, shown, _) = plain(&server, &["computers", "show", computer]);
    assert!(shown.contains("Why Größe 日本語:\n  "), "{shown}");
    let (_, listed, _) = plain(&server, &["deployments", "list"]);
    assert!(listed.contains("waiting for content (0 of 1 files)"), "{listed}");
    // commands can be pasted: they name the folder that this one named
    let (_, status, _) = plain(&server, &["status"]);
    assert!(status.contains(&format!("weir --data {} content add", server.data().display())), "{status}");
}
