//! Any body decodes within its bounds or is refused; any text survives.

use weir_wire::xpress::{Blocks, compress_greedy, decompress};

pub(super) fn run(data: &[u8]) -> bool {
    let plain = decompress(data, 1 << 22);
    if let Ok(plain) = &plain {
        let blocks = Blocks::from_bytes(data.to_vec()).expect("what decodes is framed");
        assert_eq!(blocks.plain_len(), plain.len());
        assert_eq!(decompress(&compress_greedy(plain), plain.len()).as_ref(), Ok(plain));
    }
    assert_eq!(decompress(&compress_greedy(data), data.len()).as_deref(), Ok(data));
    plain.is_ok()
}
