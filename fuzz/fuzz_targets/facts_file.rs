//! Any text is a facts file or refused; one that is read comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_agent::facts::FactsFile;

fuzz_target!(|text: &[u8]| {
    if let Ok(facts) = FactsFile::parse(text) {
        let again = FactsFile::write(facts.document()).expect("it is written");
        let again = FactsFile::parse(again.as_bytes()).expect("it is read again");
        assert_eq!(again.document(), facts.document());
    }
});
