//! Codes as people write them.

/// A text that is no code.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{0:?} is no error code: write it as 0x80240022, 80240022, -2145124318 or 2149842978, or as a name such as WU_E_NO_SERVICE \
     or InvalidCookie"
)]
pub struct CodeError(String);

/// Reads a code: hexadecimal with `0x`, eight hexadecimal digits without, a decimal number of either sign, or a symbolic
/// name of the table. Eight digits are hexadecimal, since every code that is reported has eight of them; as decimal number
/// they would stand for a code below 0x06000000, which no part of Windows gives.
pub fn parse(text: &str) -> Result<u32, CodeError> {
    let text = text.trim();
    let error = || CodeError(text.chars().take(80).collect());
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return hexadecimal(digits).ok_or_else(error);
    }
    if text.len() == 8
        && let Some(code) = hexadecimal(text)
    {
        return Ok(code);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.len() <= 10 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().map_err(|_| error())?;
        return match u32::try_from(number) {
            Ok(code) => Ok(code),
            Err(_) => i32::try_from(number).map(i32::cast_unsigned).map_err(|_| error()),
        };
    }
    super::find_name(text).map(|entry| entry.code).ok_or_else(error)
}

/// 1 to 8 hexadecimal digits and nothing else, no sign.
fn hexadecimal(digits: &str) -> Option<u32> {
    let whole = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if whole { u32::from_str_radix(digits, 16).ok() } else { None }
}
