//! Any bytes are a policy file or refused, in both forms; what was read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_model::policy::{
    Site, check,
    file::{read_pol, read_reg, write_pol, write_reg},
    registry::Root,
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entries) = read_pol(bytes, Root::LocalMachine) {
        if let Ok(written) = write_pol(&entries, Root::LocalMachine) {
            assert_eq!(read_pol(&written, Root::LocalMachine).as_ref(), Ok(&entries));
        }
        look(&entries);
    }
    if let Ok(entries) = read_reg(bytes) {
        if let Ok(written) = write_reg(&entries) {
            assert!(read_reg(&written).is_ok());
        }
        look(&entries);
    }
});

fn look(entries: &[weir_model::policy::registry::Entry]) {
    let settings = weir_model::client_settings::resultant(&[], &std::collections::BTreeSet::new());
    let _ = check(entries, &Site::default(), &settings);
}
