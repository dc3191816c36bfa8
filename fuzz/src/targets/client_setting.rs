//! Values of client settings: what any setting takes is written and read the same.

use weir_model::client_settings::definitions;

pub(super) fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let mut is_read = false;
    for definition in definitions() {
        let Ok(value) = definition.read(&text) else { continue };
        // a word that fits any setting of texts says nothing
        is_read |= !matches!(value, weir_model::client_settings::Value::Text(_));
        let written = value.to_string();
        assert_eq!(definition.read(&written).as_ref(), Ok(&value), "{}: {written:?}", definition.key);
    }
    is_read
}
