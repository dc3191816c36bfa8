//! Settings and their values.

use super::{kind::Kind, *};

fn row(key: &str, value: Value) -> SettingRow {
    SettingRow {
        key: key.to_owned(),
        value,
        change: weir_model::ids::ChangeNumber(1),
        changed_at: Timestamp::UNIX_EPOCH,
        changed_by: "test".to_owned(),
    }
}

#[test]
fn without_any_row_the_client_plane_gets_its_defaults() {
    assert_eq!(Current(Vec::new()).client(None), ClientSettings::default());
}

#[test]
fn every_default_is_a_value_of_its_setting() {
    for known in definitions() {
        assert_eq!(known.kind.read(&known.default), Some(known.default.clone()), "{}", known.key);
    }
    let keys: Vec<_> = definitions().iter().map(|known| known.key).collect();
    assert!(keys.is_sorted(), "{keys:?}");
}

#[test]
fn stored_values_reach_the_client_plane_and_broken_ones_do_not() {
    let rows = vec![
        row("targeting", json!("client")),
        row("page.entries", json!(30)),
        row("page.filling", json!(false)),
        row("page.bytes", json!("much")),
    ];
    let client = Current(rows).client(None);
    assert_eq!(client.targeting, TargetingMode::Client);
    assert_eq!(client.page_entries, 30);
    assert!(!client.page_filling);
    assert_eq!(client.page_bytes, ClientSettings::default().page_bytes);
}

#[test]
fn values_are_read_as_typed_and_bounded() {
    let read = |key: &str, value: Value| definition(key).expect("known").kind.read(&value);
    assert_eq!(read("page.entries", json!("30")), Some(json!(30)));
    assert_eq!(read("page.entries", json!(0)), None);
    assert_eq!(read("page.filling", json!("off")), Some(json!(false)));
    assert_eq!(read("targeting", json!("Client")), Some(json!("client")));
    assert_eq!(read("targeting", json!("both")), None);
    assert_eq!(read("source", json!("http://up.example:8530/")), Some(json!("http://up.example:8530")));
    assert_eq!(read("source", json!("ftp://up.example")), None);
    assert_eq!(read("content.url", json!("http://files.example:8530/")), Some(json!("http://files.example:8530")));
    assert_eq!(read("content.url", json!("http://files.example/sub")), None);
}

#[test]
fn a_secret_is_never_shown() {
    let current = Current(vec![row("proxy.password", json!(" hush "))]);
    assert_eq!(current.text(PROXY_PASSWORD), " hush ");
    let shown = described(definition(PROXY_PASSWORD).expect("known"), &current);
    assert_eq!(shown.value, json!("set"));
    let unset = described(definition(PROXY_PASSWORD).expect("known"), &Current(Vec::new()));
    assert_eq!((unset.value, unset.default), (json!("unset"), json!("unset")));
}

#[test]
fn a_server_name_is_a_dns_name() {
    let read = |value: &str| Kind::Name.read(&json!(value));
    assert_eq!(read("Wsus01.Example.com."), Some(json!("wsus01.example.com")));
    assert_eq!(read(""), Some(json!("")));
    for wrong in ["a b", "-a.example", "a..b", "_srv.example"] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let problem = definition("page.entrys").err().expect("unknown").problem();
    assert_eq!(problem.status, 404);
    assert!(problem.next_step.expect("advice").contains("page.entries"));
}
