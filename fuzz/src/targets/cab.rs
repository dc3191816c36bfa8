//! Any cabinet is read within its bounds or refused; any members survive.

use std::io::Cursor;

use weir_wire::cab::{Limits, MemberHead, Reader, write_mszip};

pub(super) fn run(data: &[u8]) -> bool {
    let limits = Limits { members: 100, folder_bytes: 1 << 22 };
    // The size field must equal the length, which chance alone never finds.
    let mut sized = data.to_vec();
    if let Some(field) = sized.get_mut(8..12) {
        field.copy_from_slice(&(data.len() as u32).to_le_bytes());
    }
    let mut is_read = false;
    if let Ok(mut reader) = Reader::open(Cursor::new(sized), &limits) {
        is_read = true;
        let members = reader.members().to_vec();
        for (index, member) in members.iter().enumerate() {
            let Ok(mut stream) = reader.member_at(index) else { continue };
            let mut total = 0;
            while let Ok(Some(chunk)) = stream.chunk() {
                total += chunk.len() as u64;
            }
            assert!(total <= u64::from(member.size));
        }
    }

    let (one, two) = data.split_at(data.len() / 3);
    let head = |name: &str| MemberHead { name: name.into(), ..MemberHead::default() };
    let cab = write_mszip(&[(head("one"), one), (head("two"), two)]).expect("fits");
    let mut reader = Reader::open(Cursor::new(cab), &limits).expect("own cabinet");
    assert_eq!(reader.read("two", u64::MAX).expect("own member"), two);
    assert_eq!(reader.read("one", u64::MAX).expect("own member"), one);
    is_read
}
