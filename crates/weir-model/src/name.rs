//! Names that people give to things: which can be read, and when two are the same.

use unicode_normalization::UnicodeNormalization as _;

/// Whether a name can be printed: no control characters, and at least one character that shows.
pub fn is_printable(name: &str) -> bool {
    !name.chars().any(char::is_control) && name.chars().any(|c| !c.is_whitespace() && !is_invisible(c))
}

/// A name as names are compared: without blanks around it, in lower case, and in composed form, so that an accented letter
/// is the same however it was typed.
pub fn key(name: &str) -> String {
    let name = name.trim();
    if name.is_ascii() { name.to_ascii_lowercase() } else { name.to_lowercase().nfc().collect() }
}

/// Whether every character of a name shows, or is a blank: for names that others trust, which must not look like another's.
pub fn is_plain(name: &str) -> bool {
    is_printable(name) && !name.chars().any(is_invisible)
}

/// A name without what does not show, as names are compared.
pub fn visible_key(name: &str) -> String {
    key(&name.chars().filter(|c| !c.is_control() && !is_invisible(*c)).collect::<String>())
}

/// Characters that only steer how others are shown: joiners, marks of direction, fillers, selectors of variants, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_show_nothing_are_none() {
        for name in ["", " ", "\u{200b}", "\u{202e}", "\u{feff}", " \u{200b}\u{202e}\u{feff} ", "a\u{7}", "a\nb"] {
            assert!(!is_printable(name), "{name:?}");
        }
        for name in ["A", "Ring 1", "\u{c4}rzte", "\u{6771}\u{4eac}", "a\u{200d}b", "-"] {
            assert!(is_printable(name), "{name:?}");
        }
    }

    #[test]
    fn what_does_not_show_is_not_plain() {
        for name in ["a\u{200d}b", "ad\u{ad}min", "\u{202e}a", "a\u{feff}", ""] {
            assert!(!is_plain(name), "{name:?}");
        }
        assert!(is_plain("Ring 1") && is_plain("\u{c4}rzte"));
        assert_eq!(visible_key("Ad\u{200b}Min\u{202e}"), "admin");
    }

    #[test]
    fn composed_and_decomposed_names_are_the_same() {
        assert_eq!(key(" A\u{308}RZTE "), key("\u{e4}rzte"));
        assert_eq!(key(" Ring 1 "), "ring 1");
        assert_ne!(key("Arzte"), key("\u{c4}rzte"));
    }
}
