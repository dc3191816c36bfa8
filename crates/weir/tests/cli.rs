//! The command line without a server: help, usage, and what it says when nothing runs.

use std::{
    collections::BTreeSet,
    process::{Command, Output},
};

fn weir(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        .env_remove("WEIR_URL")
        .env_remove("WEIR_TOKEN")
        .env("COLUMNS", "100")
        .current_dir(std::env::temp_dir())
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The subcommands that a help page lists.
fn subcommands(help: &str) -> BTreeSet<String> {
    let Some((_, list)) = help.split_once("Commands:\n") else { return BTreeSet::new() };
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn pages(path: &[String], all: &mut String) {
    let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
    arguments.push("--help");
    let output = weir(&arguments);
    assert!(output.status.success(), "{arguments:?}");
    let help = text(&output.stdout);
    all.extend(["=== weir ", &arguments.join(" "), "\n", &help, "\n"]);
    for name in subcommands(&help) {
        let mut path = path.to_vec();
        path.push(name);
        pages(&path, all);
    }
}

#[test]
fn help_pages() {
    let mut all = String::new();
    pages(&[], &mut all);
    assert!(all.matches("=== weir").count() > 30, "not every page was found");
    insta::assert_snapshot!(all);
}

#[test]
fn without_a_server_it_fails_and_names_the_command_that_starts_one() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("none");
    let output = weir(&["status", "--data", data.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    let expected =
        format!("error: no server is running on {0}\nstart one with: weir serve --data {0}\n", data.display());
    assert_eq!(text(&output.stderr), expected);
    assert!(output.stdout.is_empty());

    // left behind by a server that was killed
    std::fs::create_dir_all(data.join("tls")).expect("folder");
    std::fs::write(data.join("endpoints.json"), r#"{"pid": 1, "admin": "https://127.0.0.1:1"}"#).expect("file");
    std::fs::write(data.join("admin.token"), "token").expect("file");
    std::fs::copy(certificate(), data.join("tls/ca.pem")).expect("file");
    let output = weir(&["updates", "list", "--json", "--data", data.to_str().expect("UTF-8")]);
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(output.status.code(), Some(1));
}

/// Any certificate will do where nothing answers.
fn certificate() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/any-certificate.pem")
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &["serve", "--no-such-option"][..],
        &["products", "set"],
        &["products", "set", "--all", "--id", "x"],
        &["deployments", "create", "--update", "x", "--collection", "y", "--action", "destroy"],
        &["import"],
        &["nonsense"],
    ] {
        assert_eq!(weir(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn completions_and_manual_pages_are_written() {
    let output = weir(&["completions", "bash"]);
    assert!(output.status.success() && text(&output.stdout).contains("_weir"));
    let folder = tempfile::tempdir().expect("folder");
    let output = weir(&["completions", "--man", folder.path().to_str().expect("UTF-8")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(folder.path().join("weir-updates-list.1").is_file());
}

#[test]
fn an_image_becomes_a_facts_file_and_that_says_the_same() {
    let folder = tempfile::tempdir().expect("folder");
    let disk = folder.path().join("disk");
    weir_testkit::windows::image(&disk);
    let disk = disk.to_str().expect("UTF-8");
    let output = weir(&["agent", "facts", "--image", disk]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for part in ["10.0.26100.4652", "workstation", "PC17.example.org", "packages", "does not exist"] {
        assert!(table.contains(part), "{part} is not in {table}");
    }

    let contoso = r"HKEY_LOCAL_MACHINE\SOFTWARE\Contoso";
    let image = weir(&["agent", "facts", "--image", disk, "--registry", contoso, "--json"]);
    assert!(image.status.success(), "{}", text(&image.stderr));
    let file = folder.path().join("pc.json");
    std::fs::write(&file, &image.stdout).expect("file");
    let again = weir(&["agent", "facts", "--facts", file.to_str().expect("UTF-8"), "--json"]);
    assert_eq!(text(&again.stdout), text(&image.stdout));
    let output = weir(&["agent", "facts", "--facts", file.to_str().expect("UTF-8")]);
    assert!(text(&output.stdout).contains(&format!("does not exist below {contoso}")), "{}", text(&output.stdout));
}

#[test]
fn facts_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("pc.json");
    std::fs::write(&file, r#"{"weir_facts": 1, "pakages": {}}"#).expect("file");
    let output = weir(&["agent", "facts", "--facts", file.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(message.contains("line 1, column 27") && message.contains("did you mean `packages`?"), "{message}");

    // A disk whose software hive is damaged: some of it is known, and the exit code says that some is not.
    let disk = folder.path().join("disk");
    weir_testkit::windows::image(&disk);
    std::fs::write(disk.join("WINDOWS/system32/CONFIG/Software"), "nothing").expect("file");
    let output = weir(&["agent", "facts", "--image", disk.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("not read: hive SOFTWARE"), "{}", text(&output.stdout));

    let output = weir(&["agent", "facts", "--image", folder.path().to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("mounted on"), "{}", text(&output.stderr));
    assert_eq!(weir(&["agent", "facts"]).status.code(), Some(2));
}

#[test]
fn the_token_is_not_sent_in_clear() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it can be asked");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["status", "--json"])
        .env("WEIR_URL", &url)
        .env("WEIR_TOKEN", "secret")
        .current_dir(std::env::temp_dir())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("is not https") && said.contains("WEIR_CA"), "{said}");
    assert!(listener.accept().is_err(), "nobody called");
    // a failure is JSON, too, where JSON was asked for
    let problem: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(problem["problem"]["code"], "failed", "{problem}");
    assert!(problem["problem"]["detail"].as_str().expect("text").contains("is not https"), "{problem}");
}

#[test]
fn names_that_mean_another_resource_are_not_sent() {
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["collections", "delete", ".."])
        .env("WEIR_URL", "https://127.0.0.1:1")
        .env("WEIR_TOKEN", "secret")
        .current_dir(std::env::temp_dir())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("\"..\" cannot name anything"), "{}", text(&output.stderr));
}

/// Explanations of errors name commands: each of them is there.
#[test]
fn commands_that_explanations_name_exist() {
    let of_servers = weir_model::error_code::server_codes().iter();
    let of_servers = of_servers.flat_map(|entry| [entry.meaning, entry.cause, entry.next_step]);
    let texts = weir_model::error_code::all().flat_map(|entry| [entry.meaning, entry.cause, entry.next_step]);
    let texts = texts.chain(of_servers);
    let mut named = BTreeSet::new();
    for text in texts {
        for (at, _) in text.match_indices("weir ") {
            let words = text[at..].split(|character: char| !character.is_ascii_lowercase() && character != '-');
            named.insert(words.skip(1).take(2).map(str::to_owned).collect::<Vec<_>>());
        }
    }
    // what is said of the server, and a command that stands alone
    named.remove(["does".to_owned(), String::new()].as_slice());
    assert!(named.len() > 5, "{named:?}");
    for mut words in named {
        if words[0] == "status" {
            words.truncate(1);
        }
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        arguments.push("--help");
        let output = weir(&arguments);
        let page = text(&output.stdout);
        assert!(output.status.success() && page.contains(&format!("Usage: weir {}", words.join(" "))), "{words:?}");
    }
}
