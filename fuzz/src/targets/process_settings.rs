//! `weir.toml` with environment variables over it: refused with a place, or settings within their bounds. Behind a zero byte come
//! variables, `NAME=value` in lines.

use std::collections::BTreeMap;

use weir_server::{config::ConfigError, decoders::process_settings};

pub(super) fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let (file, environment) = text.split_once('\0').unwrap_or((&text, ""));
    let pairs = environment.lines().filter_map(|line| line.split_once('='));
    let variables: BTreeMap<String, String> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    match process_settings(file, &variables) {
        Ok(settings) => {
            assert!(settings.limits.connections > 0 && settings.limits.header_bytes > 0);
            assert!(settings.limits.idle_time.as_secs() >= 31, "agents pause for 30 seconds");
            assert_eq!(process_settings(file, &variables).as_ref().ok(), Some(&settings));
            true
        }
        Err(ConfigError::Syntax { line, column, .. } | ConfigError::UnknownKey { line, column, .. }) => {
            assert!(line >= 1 && column >= 1);
            assert!(line <= file.matches('\n').count() + 1);
            false
        }
        Err(_) => false,
    }
}
