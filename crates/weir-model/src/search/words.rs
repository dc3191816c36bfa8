//! Words of texts, so that case, accents and punctuation do not matter.

use unicode_normalization::UnicodeNormalization;

/// A text in lower case without accents.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let bare = text.nfkd().filter(|c| !('\u{300}'..='\u{36f}').contains(c));
    bare.flat_map(char::to_lowercase).collect()
}

/// The words of a folded text: its runs of letters and digits.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}
