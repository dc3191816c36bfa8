//! Every update that a run looked at, with its reason, in few bytes: numbers of updates ascending, each with the number
//! of its reason; reasons once each. A run over 30,000 updates takes about 30 kB before it is packed.

use crate::StoreError;

/// What a run says of each update.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Detail {
    /// Reasons by number.
    pub(super) reasons: Vec<String>,
    /// Number of the update and of its reason, ascending.
    pub(super) matched: Vec<(u32, u32)>,
    /// The same of those left out.
    pub(super) rejected: Vec<(u32, u32)>,
}

fn damaged() -> StoreError {
    StoreError::Corrupt { what: "the updates of a run of a rule".to_owned() }
}

fn put(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Result<u32, StoreError> {
    let mut number = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let (first, rest) = bytes.split_first().ok_or_else(damaged)?;
        *bytes = rest;
        number |= u32::from(first & 0x7F).checked_shl(shift).ok_or_else(damaged)?;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(damaged())
}

/// How many of something there are; not more than bytes are left, each takes one at least.
fn take_count(bytes: &mut &[u8]) -> Result<usize, StoreError> {
    let count = take(bytes)? as usize;
    if count > bytes.len() { Err(damaged()) } else { Ok(count) }
}

impl Detail {
    pub(super) fn encode(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, self.reasons.len() as u32);
        for reason in &self.reasons {
            put(&mut out, reason.len() as u32);
            out.extend_from_slice(reason.as_bytes());
        }
        for list in [&mut self.matched, &mut self.rejected] {
            list.sort_unstable();
            put(&mut out, list.len() as u32);
            let mut last = 0;
            for (update, reason) in list {
                put(&mut out, *update - last);
                put(&mut out, *reason);
                last = *update;
            }
        }
        out
    }

    pub(super) fn decode(mut bytes: &[u8]) -> Result<Self, StoreError> {
        let mut detail = Self::default();
        for _ in 0..take_count(&mut bytes)? {
            let len = take_count(&mut bytes)?;
            let (text, rest) = bytes.split_at_checked(len).ok_or_else(damaged)?;
            detail.reasons.push(String::from_utf8(text.to_vec()).map_err(|_| damaged())?);
            bytes = rest;
        }
        for list in [&mut detail.matched, &mut detail.rejected] {
            let mut last = 0_u32;
            for _ in 0..take_count(&mut bytes)? {
                last = last.checked_add(take(&mut bytes)?).ok_or_else(damaged)?;
                list.push((last, take(&mut bytes)?));
            }
        }
        if bytes.is_empty() { Ok(detail) } else { Err(damaged()) }
    }
}

/// Numbers ascending, in few bytes.
pub(crate) fn encode_numbers(numbers: &[u32]) -> Vec<u8> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut out = Vec::new();
    let mut last = 0;
    for number in sorted {
        put(&mut out, number - last);
        last = number;
    }
    out
}

/// And back.
pub(crate) fn decode_numbers(mut bytes: &[u8]) -> Result<Vec<u32>, StoreError> {
    let mut numbers = Vec::new();
    let mut last = 0_u32;
    while !bytes.is_empty() {
        last = last.checked_add(take(&mut bytes)?).ok_or_else(damaged)?;
        numbers.push(last);
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_come_back_and_are_small() {
        let mut detail = Detail {
            reasons: vec!["not superseded".to_owned(), "released < 1 month".to_owned()],
            matched: vec![(70, 0), (4_000_000_000, 0), (5, 0)],
            rejected: (100..30_000).map(|number| (number, u32::from(number % 3 == 0))).collect(),
        };
        let bytes = detail.encode();
        assert!(bytes.len() < 62_000, "{}", bytes.len());
        assert_eq!(Detail::decode(&bytes).expect("decodes"), detail);
        assert_eq!(detail.matched.first(), Some(&(5, 0)));
        for cut in [0, 1, 10, bytes.len() - 1] {
            assert!(Detail::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(Detail::decode(&[&bytes[..], &[0]].concat()).is_err());
        assert!(Detail::decode(&[0xFF; 40]).is_err());
    }

    #[test]
    fn numbers_come_back() {
        for numbers in [vec![], vec![0], vec![1, 7, 7, 3, u32::MAX]] {
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(decode_numbers(&encode_numbers(&numbers)).expect("decodes"), sorted);
        }
        assert!(decode_numbers(&[0x80]).is_err());
    }
}
