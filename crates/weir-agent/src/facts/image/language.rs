//! Languages of updates: ids, short names as catalogues write them, names as Windows writes them.
//!
//! The short names are those of GetConfigData (MS-WSUSSS) and of export packages.

/// Id (LCID), short name, name.
const LANGUAGES: [(u32, &str, &str); 37] = [
    (1025, "ar", "ar-SA"),
    (1026, "bg", "bg-BG"),
    (1028, "zh-tw", "zh-TW"),
    (1029, "cs", "cs-CZ"),
    (1030, "da", "da-DK"),
    (1031, "de", "de-DE"),
    (1032, "el", "el-GR"),
    (1033, "en", "en-US"),
    (1035, "fi", "fi-FI"),
    (1036, "fr", "fr-FR"),
    (1037, "he", "he-IL"),
    (1038, "hu", "hu-HU"),
    (1040, "it", "it-IT"),
    (1041, "ja", "ja-JP"),
    (1042, "ko", "ko-KR"),
    (1043, "nl", "nl-NL"),
    (1044, "no", "nb-NO"),
    (1045, "pl", "pl-PL"),
    (1046, "pt-br", "pt-BR"),
    (1048, "ro", "ro-RO"),
    (1049, "ru", "ru-RU"),
    (1050, "hr", "hr-HR"),
    (1051, "sk", "sk-SK"),
    (1053, "sv", "sv-SE"),
    (1054, "th", "th-TH"),
    (1055, "tr", "tr-TR"),
    (1058, "uk", "uk-UA"),
    (1060, "sl", "sl-SI"),
    (1061, "et", "et-EE"),
    (1062, "lv", "lv-LV"),
    (1063, "lt", "lt-LT"),
    (1081, "hi", "hi-IN"),
    (2052, "zh-cn", "zh-CN"),
    (2070, "pt", "pt-PT"),
    (2074, "sr", "sr-Latn-CS"),
    (3076, "zh-hk", "zh-HK"),
    (3082, "es", "es-ES"),
];

/// The short name of a language.
pub(super) fn short(id: u32) -> Option<&'static str> {
    LANGUAGES.iter().find(|(known, ..)| *known == id).map(|(_, short, _)| *short)
}

/// The name of a language as Windows writes it.
pub(super) fn tag(id: u32) -> Option<&'static str> {
    LANGUAGES.iter().find(|(known, ..)| *known == id).map(|(.., tag)| *tag)
}

/// The short name of a language that Windows names.
pub(super) fn of_name(name: &str) -> Option<&'static str> {
    LANGUAGES.iter().find(|(.., tag)| tag.eq_ignore_ascii_case(name)).map(|(_, short, _)| *short)
}
