//! Any text is a facts file or refused; one that is read comes back.

use weir_agent::facts::FactsFile;

pub(super) fn run(text: &[u8]) -> bool {
    let Ok(facts) = FactsFile::parse(text) else { return false };
    let again = FactsFile::write(facts.document()).expect("it is written");
    let again = FactsFile::parse(again.as_bytes()).expect("it is read again");
    assert_eq!(again.document(), facts.document());
    true
}
