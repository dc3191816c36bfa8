//! Any bytes are a policy file or refused, in both forms; what was read can be written and read again.

use weir_model::policy::{
    Site, check,
    file::{read_pol, read_reg, write_pol, write_reg},
    registry::Root,
};

pub(super) fn run(bytes: &[u8]) -> bool {
    let (pol, reg) = (read_pol(bytes, Root::LocalMachine), read_reg(bytes));
    if let Ok(entries) = &pol {
        if let Ok(written) = write_pol(entries, Root::LocalMachine) {
            assert_eq!(read_pol(&written, Root::LocalMachine).as_ref(), Ok(entries));
        }
        look(entries);
    }
    if let Ok(entries) = &reg {
        if let Ok(written) = write_reg(entries) {
            let again = read_reg(&written).expect("what is written is read");
            assert_eq!(write_reg(&again).as_ref().ok(), Some(&written));
        }
        look(entries);
    }
    pol.is_ok() || reg.is_ok()
}

fn look(entries: &[weir_model::policy::registry::Entry]) {
    let settings = weir_model::client_settings::resultant(&[], &std::collections::BTreeSet::new());
    let _ = check(entries, &Site::default(), &settings);
}
