//! Rows in the binary form of `COPY`: the one form into which the rows of both engines are brought, in which they are compared, and in
//! which PostgreSQL takes and gives them (its documentation of `COPY`, "Binary Format").
//!
//! A row is the number of its fields in 16 bits, and each field its length in 32 bits, -1 for NULL, and its bytes; all numbers have
//! their highest byte first. BIGINT has eight bytes, TEXT and BYTEA have what is in them.

use std::ops::ControlFlow;

use sha2::{Digest as _, Sha256};

use crate::StoreError;

/// What stands before the first row: signature, flags, and the length of what may follow them.
pub(super) const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands behind the last one: a number of fields that no row has.
pub(super) const TAIL: &[u8] = &[0xff, 0xff];
/// The length of a field that is NULL.
const NULL: i32 = -1;

/// Begins a row of so many fields.
pub(super) fn begin(row: &mut Vec<u8>, fields: usize) {
    row.clear();
    row.extend_from_slice(&(fields as i16).to_be_bytes());
}

/// Adds a field.
pub(super) fn put(row: &mut Vec<u8>, field: Option<&[u8]>) {
    let length = field.map_or(NULL, |bytes| bytes.len() as i32);
    row.extend_from_slice(&length.to_be_bytes());
    row.extend_from_slice(field.unwrap_or_default());
}

/// Hands every field of a row to `each`, with its place.
pub(super) fn fields<'t>(
    row: &'t [u8],
    mut each: impl FnMut(usize, Option<&'t [u8]>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let Some((_, mut rest)) = row.split_at_checked(2) else { return Ok(()) };
    let mut at = 0;
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        let (field, behind) = behind.split_at_checked(length.unwrap_or_default()).unwrap_or((behind, &[]));
        each(at, length.is_some().then_some(field))?;
        (at, rest) = (at + 1, behind);
    }
    Ok(())
}

/// What some bytes begin with.
#[derive(Debug, Eq, PartialEq)]
enum Begins {
    /// A row of so many bytes.
    Row(usize),
    /// A part of a row.
    Part,
    /// The end of the rows.
    End,
}

fn begins(bytes: &[u8]) -> Begins {
    let Some(count) = bytes.first_chunk() else { return Begins::Part };
    let Ok(count) = u16::try_from(i16::from_be_bytes(*count)) else { return Begins::End };
    let mut at = 2;
    for _ in 0..count {
        let Some(length) = bytes.get(at..).and_then(<[u8]>::first_chunk) else { return Begins::Part };
        at += 4 + usize::try_from(i32::from_be_bytes(*length)).unwrap_or_default();
    }
    if at <= bytes.len() { Begins::Row(at) } else { Begins::Part }
}

/// Finds rows in pieces that may end anywhere.
#[derive(Default)]
pub(super) struct Splitter {
    kept: Vec<u8>,
    /// What stands before the first row was seen.
    begun: bool,
    /// What stands behind the last one was.
    ended: bool,
}

impl Splitter {
    /// Takes the next piece, and hands every row that is whole now to `each` until it breaks off.
    pub(super) fn take(
        &mut self,
        piece: &[u8],
        each: &mut crate::pg::EachTuple<'_>,
    ) -> Result<ControlFlow<()>, StoreError> {
        self.kept.extend_from_slice(piece);
        let mut at = 0;
        if !self.begun {
            if self.kept.len() < HEAD.len() {
                return Ok(ControlFlow::Continue(()));
            }
            (self.begun, at) = (true, HEAD.len());
        }
        while !self.ended {
            let rest = self.kept.get(at..).unwrap_or_default();
            match begins(rest) {
                Begins::Part => break,
                Begins::End => self.ended = true,
                Begins::Row(length) => {
                    if each(rest.get(..length).unwrap_or_default())?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                    at += length;
                }
            }
        }
        self.kept.drain(..at);
        Ok(ControlFlow::Continue(()))
    }

    /// Whether all rows came.
    pub(super) fn is_whole(&self) -> bool {
        self.ended
    }
}

/// What is in a table, whatever the order of its rows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Contents {
    /// How many rows.
    pub(super) rows: u64,
    /// Their bytes in this form.
    pub(super) bytes: u64,
    /// The sum of their SHA-256, in four numbers each by itself.
    sum: [u64; 4],
}

impl Contents {
    /// One more row.
    pub(super) fn add(&mut self, row: &[u8]) {
        self.rows += 1;
        self.bytes += row.len() as u64;
        let digest: [u8; 32] = Sha256::digest(row).into();
        for (sum, part) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            let part = part.first_chunk().copied().map_or(0, u64::from_be_bytes);
            *sum = sum.wrapping_add(part);
        }
    }

    /// The sum in hexadecimal digits.
    pub(super) fn digest(&self) -> String {
        self.sum.iter().fold(String::new(), |digits, part| digits + &format!("{part:016x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

    fn row(fields: &[Option<&[u8]>]) -> Vec<u8> {
        let mut row = vec![7; 9];
        begin(&mut row, fields.len());
        for field in fields {
            put(&mut row, *field);
        }
        row
    }

    fn rows() -> Vec<Vec<u8>> {
        vec![
            row(&[Some(&1_i64.to_be_bytes()), None, Some(b"text")]),
            row(&[Some(&(-1_i64).to_be_bytes()), Some(&[]), Some(&[0xff; 300])]),
            row(&[]),
            row(&[None]),
        ]
    }

    #[test]
    fn rows_have_the_form_of_the_documentation() {
        assert_eq!(HEAD.len(), 19);
        assert_eq!(row(&[Some(b"ab"), None]), [0, 2, 0, 0, 0, 2, b'a', b'b', 0xff, 0xff, 0xff, 0xff]);
        let row = row(&[Some(b"ab"), None, Some(b"")]);
        let mut found = Vec::new();
        fields(&row, |at, field| {
            found.push((at, field.map(<[u8]>::to_vec)));
            Ok(())
        })
        .expect("read");
        assert_eq!(found, [(0, Some(b"ab".to_vec())), (1, None), (2, Some(Vec::new()))]);
    }

    #[test]
    fn rows_are_found_wherever_pieces_end() {
        let rows = rows();
        let whole = [HEAD.to_vec(), rows.concat(), TAIL.to_vec()].concat();
        for size in [1, 2, 3, 7, 19, 20, 64, whole.len()] {
            let (mut splitter, mut found) = (Splitter::default(), Vec::new());
            for piece in whole.chunks(size) {
                assert!(!splitter.is_whole());
                let taken = splitter.take(piece, &mut |row| {
                    found.push(row.to_vec());
                    Ok(GO_ON)
                });
                assert!(taken.expect("taken").is_continue());
            }
            assert_eq!(found, rows, "pieces of {size}");
            assert!(splitter.is_whole());
        }
        let mut splitter = Splitter::default();
        let broken = splitter.take(&whole, &mut |_| Ok(ControlFlow::Break(())));
        assert!(broken.expect("taken").is_break());
        let mut cut = Splitter::default();
        assert!(cut.take(&whole[..whole.len() - 1], &mut |_| Ok(GO_ON)).expect("taken").is_continue());
        assert!(!cut.is_whole());
    }

    #[test]
    fn contents_are_the_same_in_any_order_and_other_with_any_change() {
        let of = |rows: &[Vec<u8>]| {
            let mut contents = Contents::default();
            for row in rows {
                contents.add(row);
            }
            contents
        };
        let rows = rows();
        let mut turned = rows.clone();
        turned.reverse();
        let all = of(&rows);
        assert_eq!(all, of(&turned));
        assert_eq!((all.rows, all.digest().len()), (4, 64));
        let mut twice = rows.clone();
        twice.push(row(&[None]));
        twice.push(row(&[None]));
        for other in [&rows[1..], &twice[..], &[row(&[Some(b"")])][..], &[][..]] {
            assert_ne!(all.digest(), of(other).digest());
        }
    }
}
