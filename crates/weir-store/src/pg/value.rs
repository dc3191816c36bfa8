//! Values on their way to PostgreSQL and back, in the binary forms of its protocol.

use std::{borrow::Cow, error::Error};

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

use crate::codec::{Cell, Value};

type Failure = Box<dyn Error + Sync + Send>;

/// A value of a statement.
pub(super) struct Param<'v>(pub(super) Value<'v>);

/// A value of a statement that is sent while others are prepared: its bytes, or nothing for NULL.
pub(super) struct Bound(Option<Vec<u8>>);

impl Bound {
    pub(super) fn new(value: Value<'_>) -> Self {
        let mut bytes = Vec::new();
        Self(encode(value, &mut bytes).then_some(bytes))
    }

    /// Bytes that it takes.
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::len)
    }
}

// The driver writes values of statements to its log, where keys of cookies and hashes of passwords must not be.
impl std::fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("_")
    }
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("_")
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        Ok(if encode(self.0, out) { IsNull::No } else { IsNull::Yes })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        self.to_sql(kind, out)
    }
}

impl ToSql for Bound {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match &self.0 {
            None => Ok(IsNull::Yes),
            Some(bytes) => {
                out.put_slice(bytes);
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        self.to_sql(kind, out)
    }
}

/// Writes a value. False for NULL, for which nothing is written.
fn encode(value: Value<'_>, out: &mut impl BufMut) -> bool {
    match value {
        Value::Null => return false,
        Value::Int(number) => out.put_i64(number),
        Value::Blob(bytes) => out.put_slice(bytes),
        Value::Short(array, length) => out.put_slice(&array[..usize::from(length)]),
        Value::Text(text) => out.put_slice(without_nul(text).as_bytes()),
    }
    true
}

/// A text as PostgreSQL can keep it. It has no character U+0000, which computers can send in names and messages: U+FFFD stands for
/// it, so that what they send is kept and nothing fails. Texts that are looked for are changed in the same way.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.as_bytes().contains(&0) { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// The type that a value is announced with; that of NULL is what the statement makes of it.
pub(super) fn announced(value: &Value<'_>) -> Type {
    match value {
        Value::Null => Type::UNKNOWN,
        Value::Int(_) => Type::INT8,
        Value::Blob(_) | Value::Short(..) => Type::BYTEA,
        Value::Text(_) => Type::TEXT,
    }
}

/// Whether a statement that was prepared with these types takes these values.
pub(super) fn suits(types: &[Type], values: &[Value<'_>]) -> bool {
    let suits = |(kind, value): (&Type, &Value<'_>)| matches!(value, Value::Null) || *kind == announced(value);
    types.len() == values.len() && types.iter().zip(values).all(suits)
}

impl<'r> FromSql<'r> for Cell<'r> {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Failure> {
        Ok(match *kind {
            Type::BOOL => Cell::Int(i64::from(u8::from_be_bytes(fixed(raw)?) != 0)),
            Type::INT2 => Cell::Int(i16::from_be_bytes(fixed(raw)?).into()),
            Type::INT4 => Cell::Int(i32::from_be_bytes(fixed(raw)?).into()),
            Type::INT8 => Cell::Int(i64::from_be_bytes(fixed(raw)?)),
            Type::FLOAT4 => float(f32::from_be_bytes(fixed(raw)?).into()),
            Type::FLOAT8 => float(f64::from_be_bytes(fixed(raw)?)),
            Type::NUMERIC => Cell::Int(whole(raw).ok_or("a NUMERIC that is no whole number of 64 bits")?),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON => {
                Cell::Text(std::str::from_utf8(raw)?)
            }
            Type::BYTEA => Cell::Blob(raw),
            _ => return Err(format!("a value of type {kind}").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Cell::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn fixed<const N: usize>(raw: &[u8]) -> Result<[u8; N], Failure> {
    raw.try_into().map_err(|_| format!("{} bytes instead of {N}", raw.len()).into())
}

/// A number that has no fraction counts as an integer.
fn float(number: f64) -> Cell<'static> {
    // doubles are exact up to 2^53
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT { Cell::Int(number as i64) } else { Cell::Real(number) }
}

/// The integer in a NUMERIC: groups of four decimal digits, the first one worth 10,000 to the power of the weight. None if it has a
/// fraction, is no number, or is too large.
fn whole(raw: &[u8]) -> Option<i64> {
    const NEGATIVE: i16 = 0x4000;
    const BASE: i128 = 10_000;
    let word = |at: usize| Some(i16::from_be_bytes(raw.get(at * 2..at * 2 + 2)?.try_into().ok()?));
    let (groups, weight, sign) = (word(0)?, word(1)?, word(2)?);
    if sign != 0 && sign != NEGATIVE {
        return None;
    }
    let mut number: i128 = 0;
    for at in 0..groups.max(weight.saturating_add(1)) {
        let group = if at < groups { word(4 + usize::try_from(at).ok()?)? } else { 0 };
        if at <= weight {
            number = number.checked_mul(BASE)?.checked_add(group.into())?;
        } else if group != 0 {
            return None;
        }
    }
    i64::try_from(if sign == NEGATIVE { -number } else { number }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(weight: i16, sign: u16, groups: &[i16]) -> Vec<u8> {
        let mut raw = Vec::new();
        raw.put_i16(groups.len() as i16);
        raw.put_i16(weight);
        raw.put_u16(sign);
        raw.put_i16(0);
        for group in groups {
            raw.put_i16(*group);
        }
        raw
    }

    #[test]
    fn whole_numerics_are_integers() {
        assert_eq!(whole(&numeric(0, 0, &[])), Some(0));
        assert_eq!(whole(&numeric(0, 0, &[7])), Some(7));
        assert_eq!(whole(&numeric(1, 0x4000, &[1, 2])), Some(-10_002));
        // 3 * 10,000^2: groups of zeros at the end are left out
        assert_eq!(whole(&numeric(2, 0, &[3])), Some(300_000_000));
        assert_eq!(whole(&numeric(4, 0, &[922, 3372, 368, 5477, 5807])), Some(i64::MAX));
        assert_eq!(whole(&numeric(4, 0x4000, &[922, 3372, 368, 5477, 5808])), Some(i64::MIN));
    }

    #[test]
    fn other_numerics_are_none() {
        // 1.5, too large, far too large, not a number, infinity, cut off
        assert_eq!(whole(&numeric(0, 0, &[1, 5000])), None);
        assert_eq!(whole(&numeric(-1, 0, &[5000])), None);
        assert_eq!(whole(&numeric(4, 0, &[922, 3372, 368, 5477, 5808])), None);
        assert_eq!(whole(&numeric(i16::MAX, 0, &[1])), None);
        assert_eq!(whole(&numeric(0, 0xC000, &[])), None);
        assert_eq!(whole(&numeric(0, 0xD000, &[])), None);
        assert_eq!(whole(&numeric(1, 0, &[1, 2])[..10]), None);
        assert_eq!(whole(&[]), None);
    }

    #[test]
    fn cells_take_every_type_that_statements_answer_with() {
        let cell = |kind: Type, raw: &'static [u8]| Cell::from_sql(&kind, raw).expect("reads");
        assert_eq!(cell(Type::BOOL, &[1]), Cell::Int(1));
        assert_eq!(cell(Type::INT2, &[0xff, 0xfe]), Cell::Int(-2));
        assert_eq!(cell(Type::INT4, &[0, 0, 1, 0]), Cell::Int(256));
        assert_eq!(cell(Type::INT8, &[0, 0, 0, 0, 0, 0, 1, 0]), Cell::Int(256));
        assert_eq!(cell(Type::FLOAT8, &[0x40, 0x08, 0, 0, 0, 0, 0, 0]), Cell::Int(3));
        assert_eq!(cell(Type::FLOAT8, &[0x40, 0x0c, 0, 0, 0, 0, 0, 0]), Cell::Real(3.5));
        assert_eq!(cell(Type::TEXT, "ä".as_bytes()), Cell::Text("ä"));
        assert_eq!(cell(Type::BYTEA, &[0, 1]), Cell::Blob(&[0, 1]));
        assert!(Cell::from_sql(&Type::TEXT, &[0xff]).is_err());
        assert!(Cell::from_sql(&Type::INT8, &[1]).is_err());
        assert!(Cell::from_sql(&Type::JSONB, &[1]).is_err());
    }

    #[test]
    fn values_are_encoded_and_nul_is_replaced() {
        let bytes = |value: Value<'_>| Bound::new(value).0;
        assert_eq!(bytes(Value::Null), None);
        assert_eq!(bytes(Value::Int(-1)), Some(vec![0xff; 8]));
        assert_eq!(bytes(Value::Text("a\0b")), Some("a\u{fffd}b".into()));
        assert_eq!(bytes(Value::Blob(&[0, 1])), Some(vec![0, 1]));
        assert_eq!(bytes(Value::Short([9; 32], 2)), Some(vec![9, 9]));
        let mut out = BytesMut::new();
        assert!(matches!(Param(Value::Text("\0")).to_sql_checked(&Type::TEXT, &mut out), Ok(IsNull::No)));
        assert_eq!(out, "\u{fffd}".as_bytes());
        assert_eq!(format!("{:?}{:?}", Param(Value::Text("secret")), Bound::new(Value::Text("secret"))), "__");
    }

    #[test]
    fn a_prepared_statement_suits_values_of_its_types_and_null() {
        let types = [Type::INT8, Type::TEXT, Type::BYTEA];
        assert!(suits(&types, &[Value::Int(1), Value::Text("a"), Value::Short([0; 32], 16)]));
        assert!(suits(&types, &[Value::Null, Value::Null, Value::Blob(&[])]));
        assert!(!suits(&types, &[Value::Text("1"), Value::Null, Value::Null]));
        assert!(!suits(&types, &[Value::Int(1), Value::Null]));
        assert!(!suits(&[Type::INT4], &[Value::Int(1)]));
    }
}
