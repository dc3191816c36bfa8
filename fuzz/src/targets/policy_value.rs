//! Values of policies and registries: bytes of any kind are kept as they are, and texts of known values are of their kind. The first
//! byte is the kind, the rest its data.

use weir_model::policy::{
    Address, known_values,
    registry::{Data, Root},
};

pub(super) fn run(data: &[u8]) -> bool {
    let Some((kind, bytes)) = data.split_first() else { return false };
    let read = Data::from_bytes(u32::from(*kind), bytes);
    assert_eq!(Data::from_bytes(read.kind(), &read.bytes()), read);
    let text = String::from_utf8_lossy(bytes);
    let mut is_read = false;
    for known in known_values() {
        if let Some(value) = known.shape.read(&text) {
            is_read = true;
            assert!(known.shape.fits(&value), "{}: {value:?}", known.name);
        }
    }
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse::<Address>().as_ref(), Ok(&address), "{address}");
    }
    if let Some(root) = Root::read(&text) {
        assert_eq!(Root::read(root.name()), Some(root));
        assert_eq!(Root::read(root.short()), Some(root));
    }
    is_read
}
