use std::{collections::BTreeMap, net::SocketAddr, path::Path, time::Duration};

use super::{file, *};

fn none(_: &str) -> Option<String> {
    None
}

fn parse(text: &str) -> Result<file::Fragment, ConfigError> {
    file::parse(Path::new("/etc/weir/weir.toml"), text)
}

fn at(text: &str) -> Listen {
    Listen::At(text.parse::<SocketAddr>().expect("address"))
}

#[test]
fn without_anything_the_documented_defaults_hold() {
    let folder = tempfile::tempdir().expect("folder");
    let options = Options { data: Some(folder.path().join("d")), ..Options::default() };
    let settings = load(&options, &none).expect("valid");
    assert_eq!(settings.data, folder.path().join("d"));
    assert_eq!(settings.content, folder.path().join("d/content"));
    assert_eq!(settings.listen.client_http, at("0.0.0.0:8530"));
    assert_eq!(settings.listen.client_https, at("0.0.0.0:8531"));
    assert_eq!(settings.listen.admin, at("127.0.0.1:8540"));
    assert!(settings.limits.idle_time >= Duration::from_secs(31));
    let slow = Some(Duration::from_secs(2));
    assert_eq!(settings.log, Log { filter: "info".to_owned(), json: false, slow });
    assert_eq!(settings.traces, None);
}

#[test]
fn flags_go_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(
        folder.path().join("weir.toml"),
        "[listen]\nclient_http = '127.0.0.1:1'\nclient_https = '127.0.0.1:2'\nadmin = '127.0.0.1:3'\n",
    )
    .expect("written");
    let variables: BTreeMap<&str, &str> =
        [("WEIR_CLIENT_HTTPS", "127.0.0.1:22"), ("WEIR_ADMIN", "127.0.0.1:33")].into_iter().collect();
    let options =
        Options { data: Some(folder.path().to_owned()), admin: Some("127.0.0.1:333".to_owned()), ..Options::default() };
    let settings = load(&options, &|name| variables.get(name).map(|value| (*value).to_owned())).expect("valid");
    assert_eq!(settings.listen.client_http, at("127.0.0.1:1"));
    assert_eq!(settings.listen.client_https, at("127.0.0.1:22"));
    assert_eq!(settings.listen.admin, at("127.0.0.1:333"));
}

#[test]
fn unknown_keys_are_errors_with_position_and_the_nearest_known_key() {
    let error = parse("[listen]\nclient_http = '1'\n  client_htps = '2'\n").expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "/etc/weir/weir.toml:3:3: there is no setting \"listen.client_htps\"; did you mean \"listen.client_https\"?"
    );
    let error = parse("client_https = '2'\n").expect_err("in no table");
    assert!(
        error.to_string().contains("1:1: there is no setting \"client_https\"; did you mean \"listen.client_https\"?"),
        "{error}"
    );
    let error = parse("[zebra]\nx = 1\n").expect_err("unknown table");
    assert!(error.to_string().ends_with("1:2: there is no setting \"zebra\""), "{error}");
}

#[test]
fn syntax_and_type_errors_have_a_position() {
    let error = parse("data = 'x'\n[limits]\nconnections = 'many'\n").expect_err("type");
    assert!(error.to_string().starts_with("/etc/weir/weir.toml:3:15: "), "{error}");
    assert!(matches!(parse("data = \n"), Err(ConfigError::Syntax { line: 1, .. })));
}

#[test]
fn paths_of_the_file_are_relative_to_it() {
    let fragment = parse("content = 'files'\n").expect("valid");
    assert_eq!(fragment.content.as_deref(), Some(Path::new("/etc/weir/files")));
}

#[test]
fn every_listed_key_is_read_and_every_variable_names_one() {
    for key in file::KEYS {
        let (table, name) = key.split_once('.').map_or(("", key), |(table, name)| (table, name));
        let head = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
        let read =
            ["'text'", "31", "['a']", "true"].iter().any(|value| parse(&format!("{head}{name} = {value}\n")).is_ok());
        assert!(read, "{key}");
    }
    for variable in VARIABLES {
        assert!(variable.key.is_empty() || file::KEYS.contains(&variable.key), "{}", variable.name);
    }
    assert_eq!(VARIABLES.iter().filter(|variable| !variable.key.is_empty()).count(), file::KEYS.len());
}

#[test]
fn unknown_variables_of_ours_are_errors_and_others_are_not_ours() {
    check(["PATH", "WEIR_DATA", "WEIR_TOKEN"]).expect("known");
    let error = check(["WEIR_CLIENT_HTPS"]).expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "there is no environment variable WEIR_CLIENT_HTPS; did you mean \"WEIR_CLIENT_HTTPS\"?"
    );
}

#[test]
fn what_container_platforms_set_for_a_service_named_weir_is_no_setting() {
    let service = [
        "WEIR_SERVICE_HOST",
        "WEIR_SERVICE_PORT",
        "WEIR_SERVICE_PORT_CLIENT",
        "WEIR_PORT",
        "WEIR_PORT_8530_TCP",
        "WEIR_PORT_8530_TCP_PROTO",
        "WEIR_PORT_8530_TCP_PORT",
        "WEIR_PORT_8530_TCP_ADDR",
    ];
    check(service).expect("none of them is ours");
    for name in [
        "WEIR_PORTS",
        "WEIR_SERVICE",
        "WEIR_SERVICE_PORT_",
        "WEIR_PORT_X_TCP",
        "WEIR_PORT_8530_TCP_X",
        "WEIR_PORT_8530",
    ] {
        check([name]).expect_err(name);
    }
}

#[test]
fn values_are_checked() {
    let with = |text: &str| {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("weir.toml"), text).expect("written");
        load(&Options { data: Some(folder.path().to_owned()), ..Options::default() }, &none).map_err(|e| e.to_string())
    };
    let wrong = |text: &str, part: &str| {
        let error = with(text).expect_err(text);
        assert!(error.contains(part), "{text}: {error}");
    };
    wrong("[limits]\nidle_seconds = 30\n", "limits.idle_seconds is \"30\"; it must be 31 to 3600");
    wrong("[listen]\nadmin = 'off'\n", "listen.admin");
    wrong("[listen]\nclient_http = 'here'\n", "ADDRESS:PORT, PORT or off");
    wrong("[tls]\nkey = 'k.pem'\n", "tls.certificate");
    wrong("[tls]\nnames = ['a b']\n", "host names or addresses");
    wrong("[log]\nformat = 'xml'\n", "text or json");
    wrong("[oidc]\nissuer = 'http://id.example'\nclient_id = 'weir'\n", "an https address");
    wrong("[oidc]\nissuer = 'https://id.example'\n", "oidc.client_id");
    wrong("[oidc]\nclient_id = 'weir'\n", "oidc.issuer");
    wrong("[oidc]\nissuer = 'https://id.example'\nclient_id = 'weir'\nscopes = ['a b']\n", "words without blanks");
    let oidc = with("[oidc]\nissuer = 'https://id.example'\nclient_id = 'weir'\n").expect("valid").oidc.expect("set");
    assert_eq!((oidc.name_claim.as_str(), oidc.groups_claim.as_str()), ("preferred_username", "groups"));
    assert!(with("").expect("valid").oidc.is_none());
    for address in ["collector:4318", "ftp://collector", "http://", "http://collector/?a=b", "http://a:b@collector", ""]
    {
        wrong(&format!("[telemetry]\notlp = '{address}'\n"), "the address of a collector");
    }
    wrong("[telemetry]\none_in = 0\n", "telemetry.one_in is \"0\"; it must be 1 to 1000000000");
    let traces = |text: &str| with(text).expect("valid").traces.map(|traces| (traces.url, traces.one_in));
    let url = "http://collector:4318/v1/traces".to_owned();
    assert_eq!(traces("[telemetry]\notlp = 'http://collector:4318/'\n"), Some((url.clone(), 100)));
    assert_eq!(traces("[telemetry]\notlp = 'http://collector:4318'\none_in = 1\n"), Some((url, 1)));
    assert_eq!(traces("[telemetry]\none_in = 7\n"), None);
    wrong("[log]\nslow_ms = 3600001\n", "log.slow_ms");
    assert_eq!(with("[log]\nslow_ms = 0\n").expect("valid").log.slow, None);
    assert_eq!(with("[listen]\nclient_https = 'off'\n").expect("valid").listen.client_https, Listen::Off);
    assert_eq!(with("[listen]\nclient_http = '0'\n").expect("valid").listen.client_http, at("0.0.0.0:0"));
}

#[test]
fn wildcard_addresses_are_reached_by_loopback() {
    let reach = |text: &str| reachable(text.parse().expect("address")).to_string();
    assert_eq!(reach("0.0.0.0:80"), "127.0.0.1:80");
    assert_eq!(reach("[::]:80"), "127.0.0.1:80");
    assert_eq!(reach("10.1.2.3:80"), "10.1.2.3:80");
}

#[test]
fn enrolment_is_checked_before_anything_is_asked() {
    use weir_model::enrolment::EnrolmentCode;
    let code =
        EnrolmentCode { addresses: vec!["https://cen.example:8531".to_owned()], fingerprint: [1; 32], secret: [2; 32] };
    let read = |enrol: Option<&str>, parent: Option<&str>| {
        let options =
            Options { enrol: enrol.map(str::to_owned), parent: parent.map(str::to_owned), ..Options::default() };
        load(&options, &|_| None)
    };
    let text = code.encode();
    assert_eq!(read(Some(&text), None).expect("valid").enrol.expect("a code").code, Some(code));
    assert!(read(None, None).expect("valid").enrol.is_none());
    for parent in ["http://cen.example:8530", "cen.example", "ftp://cen.example", ""] {
        let error = read(Some(&text), Some(parent)).expect_err(parent).to_string();
        assert!(error.contains("parent is"), "{error}");
    }
    let error = read(Some("weir1-nonsense"), None).expect_err("no code").to_string();
    assert!(error.contains("incomplete or mistyped") && !error.contains("nonsense"), "{error}");
}

#[test]
fn a_listener_for_servers_turns_their_plane_on() {
    let read = |server: Option<&str>, downstream| {
        let options = Options { server: server.map(str::to_owned), downstream, ..Options::default() };
        load(&options, &|_| None)
    };
    assert!(!read(None, false).expect("valid").downstream);
    assert!(read(None, true).expect("valid").downstream);
    let settings = read(Some("127.0.0.1:0"), false).expect("valid");
    assert!(settings.downstream && settings.listen.server.is_some());
    assert!(read(Some("off"), false).expect("valid").listen.server.is_none());
    assert!(read(Some("nowhere"), false).is_err());
}

#[test]
fn certificates_come_in_pairs_and_old_versions_are_not_spoken() {
    for (text, says) in [
        ("[tls]\ncertificate = 'a.pem'\n", "tls.key"),
        ("[tls]\nadmin_key = 'a.key'\n", "tls.admin_certificate"),
        ("[tls]\nminimum = '1.1'\n", "1.2 or 1.3"),
        ("[tls]\nnames = ['a b']\n", "host names"),
    ] {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("weir.toml"), text).expect("written");
        let options = Options { data: Some(folder.path().to_owned()), ..Options::default() };
        let error = load(&options, &none).expect_err(text);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn what_is_said_of_certificates_is_read_again() {
    let folder = tempfile::tempdir().expect("folder");
    let options = Options { data: Some(folder.path().to_owned()), ..Options::default() };
    let settings = load(&options, &none).expect("valid");
    assert_eq!(tls_again(&settings.file, &none).expect("no file yet"), TlsChoice::from(&settings));
    let text = "[tls]\nnames = ['wsus.example.org']\ncertificate = 'a.pem'\nkey = 'a.key'\nminimum = '1.3'\n";
    std::fs::write(folder.path().join("weir.toml"), text).expect("written");
    let again = tls_again(&settings.file, &none).expect("valid");
    assert_eq!(again.names, ["wsus.example.org"]);
    assert_eq!(again.client.map(|files| files.key), Some(folder.path().join("a.key")));
    assert_eq!(again.minimum, Minimum::Tls13);
    let variable = |name: &str| (name == "WEIR_TLS_NAMES").then(|| "other.example.org".to_owned());
    assert_eq!(tls_again(&settings.file, &variable).expect("valid").names, ["other.example.org"], "variables win");
}

#[test]
fn content_is_a_folder_or_an_object_store() {
    let folder = tempfile::tempdir().expect("folder");
    let with = |text: &str| {
        std::fs::write(folder.path().join("weir.toml"), text).expect("written");
        load(&Options { data: Some(folder.path().to_owned()), ..Options::default() }, &none).map_err(|e| e.to_string())
    };
    assert_eq!(with("").expect("valid").objects, None);
    let local = with("content = 'file:///srv/files'\n[object_store]\nserve = 'redirect'\n").expect("valid");
    assert_eq!((local.content.as_path(), local.objects), (Path::new("/srv/files"), None));
    let settings = with(
        "content = 's3://weir/site-1'\n[object_store]\nserve = 'redirect'\nsigned_seconds = 600\nendpoint = \
         'http://10.0.0.1:9000'\nallow_http = true\nregion = 'eu-west-1'\ncredentials_file = 'store.env'\n",
    );
    let settings = settings.expect("valid");
    assert_eq!(settings.content, folder.path().join("content"), "what is being taken in");
    let place = settings.objects.expect("a store");
    assert_eq!((place.address.text().as_str(), place.allow_http), ("s3://weir/site-1", true));
    assert_eq!(place.redirect, Some(Duration::from_secs(600)));
    assert_eq!(place.credentials, Some(folder.path().join("store.env")));
    let place = with("content = 'gs://weir'\n").expect("valid").objects.expect("a store");
    assert_eq!((place.redirect, place.endpoint, place.credentials), (None, None, None));
    for (text, part) in [
        ("content = 'ftp://weir'\n", "s3://BUCKET/PREFIX"),
        ("content = 's3://weir/../x'\n", "content is"),
        ("content = 'file://srv'\n", "file:///FOLDER"),
        ("content = 's3://weir'\n[object_store]\nserve = 'both'\n", "proxy or redirect"),
        ("content = 's3://weir'\n[object_store]\nsigned_seconds = 1\n", "object_store.signed_seconds"),
        ("content = 's3://weir'\n[object_store]\nendpoint = 'http://10.0.0.1'\n", "allow_http"),
        ("content = 's3://weir'\n[object_store]\nendpoint = 'https://me:secret@10.0.0.1'\n", "without user"),
        ("content = 'az://weir'\n[object_store]\nendpoint = 'https://10.0.0.1/?sig=secret'\n", "without user"),
    ] {
        let error = with(text).expect_err(text);
        assert!(error.contains(part), "{text}: {error}");
    }
    // a flag wins
    let options =
        Options { data: Some(folder.path().to_owned()), content: Some("az://files".to_owned()), ..Options::default() };
    std::fs::write(folder.path().join("weir.toml"), "content = 'elsewhere'\n").expect("written");
    assert_eq!(load(&options, &none).expect("valid").objects.expect("a store").address.bucket, "files");
}
